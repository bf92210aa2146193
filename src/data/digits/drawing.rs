//! A picture that a person draws or pastes: strokes in a text short enough for a session, and the sample that they make.
//! Prepared as MNIST is (LeCun et al., 1998): scaled into 20×20 pixels, the center of mass in the middle of 28×28.

use std::fmt::{self, Write as _};

use image::imageops::{self, FilterType};
use image::{GrayImage, Luma};
use serde::{Deserialize, Serialize};

use super::render::{SIDE, draw_segment};
use crate::data::Samples;
use crate::{Error, Result};

/// What the text form begins with.
pub const KIND: &str = "drawn";
/// The sides of the canvas that strokes are drawn on.
pub const CANVAS: f32 = 28.0;
/// Radius of the pen in pixels of the finished picture, at least and at most.
pub const PEN_WIDTHS: std::ops::RangeInclusive<f32> = 0.6..=2.4;
/// The pen to begin with.
pub const DEFAULT_PEN_WIDTH: f32 = 1.3;
/// The longer side of what is drawn, in the finished picture.
const INK: f32 = 20.0;
/// Small scribbles are not blown up beyond this.
const MOST_SCALE: f32 = 3.0;
/// Width of the edge of a line on each side.
const SOFT: f32 = 0.75;
/// More than a hand draws.
const MOST_STROKES: usize = 500;
const MOST_POINTS: usize = 20_000;
/// Steps that a coordinate is kept in, per pixel.
const GRAIN: f32 = 10.0;

/// Strokes, and a picture under them. Written as the text of its data specification.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Drawing {
    /// Radius of the pen in pixels of the finished picture.
    pub pen: f32,
    /// Points within 0..=28, x right and y down.
    pub strokes: Vec<Vec<[f32; 2]>>,
    /// A prepared picture, `[28 · 28]` gray bytes, white ink on black.
    pub under: Option<Vec<u8>>,
}

impl Default for Drawing {
    fn default() -> Self {
        Self { pen: DEFAULT_PEN_WIDTH, strokes: Vec::new(), under: None }
    }
}

impl Drawing {
    /// Whether `spec` is the text of a drawing.
    pub fn is_drawing_spec(spec: &str) -> bool {
        spec.split_once(':').is_some_and(|(kind, _)| kind == KIND)
    }

    /// The drawing that `spec` is the text of.
    pub fn from_spec(spec: &str) -> Option<Self> {
        let (kind, rest) = spec.split_once(':')?;
        (kind == KIND).then(|| Self::parse(rest).ok()).flatten()
    }

    /// Reads what stands behind `drawn:`: the pen, the picture in hexadecimal digits or nothing, and the strokes, each with
    /// points `x,y` in tenths of a pixel.
    pub fn parse(text: &str) -> Result<Self> {
        let bad = |why: &str| Error::Invalid(format!("Cannot read the drawing: {why}."));
        let parts: Vec<&str> = text.trim().splitn(3, '|').collect();
        let [pen, under, strokes] = parts[..] else {
            return Err(bad("it does not have three parts separated by bars"));
        };
        let pen: f32 = pen
            .parse()
            .ok()
            .filter(|pen| PEN_WIDTHS.contains(pen))
            .ok_or_else(|| bad("its pen width is not a number"))?;
        let under = match under {
            "" => None,
            hex => Some(bytes(hex).ok_or_else(|| bad("its image is not 28x28 bytes in hexadecimal digits"))?),
        };
        let point = |text: &str| -> Option<[f32; 2]> {
            let (x, y) = text.split_once(',')?;
            let at = |text: &str| text.parse::<u16>().ok().map(|n| f32::from(n) / GRAIN).filter(|n| *n <= CANVAS);
            Some([at(x)?, at(y)?])
        };
        let stroke = |text: &str| text.split_whitespace().map(point).collect::<Option<Vec<_>>>();
        let strokes: Option<Vec<_>> = strokes.split(';').filter(|text| !text.trim().is_empty()).map(stroke).collect();
        let strokes = strokes.ok_or_else(|| bad("a point is not x,y within 0 to 280"))?;
        if strokes.len() > MOST_STROKES || strokes.iter().map(Vec::len).sum::<usize>() > MOST_POINTS {
            return Err(bad("it has too many strokes"));
        }
        Ok(Self { pen, strokes, under })
    }

    /// Begins a stroke.
    pub fn begin_stroke(&mut self, at: [f32; 2]) {
        if self.strokes.len() < MOST_STROKES {
            self.strokes.push(vec![snapped(at)]);
        }
    }

    /// Draws on to `at`; returns whether that is far enough from where the pen was.
    pub fn line_to(&mut self, at: [f32; 2]) -> bool {
        let points: usize = self.strokes.iter().map(Vec::len).sum();
        let at = snapped(at);
        let Some(stroke) = self.strokes.last_mut().filter(|_| points < MOST_POINTS) else { return false };
        let far = stroke.last().is_none_or(|last| (last[0] - at[0]).hypot(last[1] - at[1]) >= 0.35);
        if far {
            stroke.push(at);
        }
        far
    }

    /// Nothing is drawn.
    pub fn is_empty(&self) -> bool {
        self.strokes.is_empty() && self.under.is_none()
    }

    /// In a few words: "a drawing of 3 strokes".
    pub fn describe(&self) -> String {
        let under = if self.under.is_some() { "an image and " } else { "" };
        match self.strokes.len() {
            0 if self.under.is_some() => "an image".into(),
            0 => "an empty drawing".into(),
            1 => format!("{under}a drawing of 1 stroke"),
            n => format!("{under}a drawing of {n} strokes"),
        }
    }

    /// The finished picture, `[28 · 28]`, white ink on black, 0..255.
    pub fn rasterize(&self) -> Vec<f32> {
        let mut picture: Vec<f32> = match &self.under {
            Some(under) => under.iter().map(|byte| f32::from(*byte) / 255.0).collect(),
            None => vec![0.0; SIDE * SIDE],
        };
        match &self.under {
            // On a prepared picture the strokes stay where they were drawn.
            Some(_) => self.ink(&mut picture, |point| point),
            None => {
                let (scale, middle) = self.frame();
                let place = |shift: [f32; 2]| {
                    move |p: [f32; 2]| [0, 1].map(|k| (p[k] - middle[k]) * scale + CANVAS / 2.0 + shift[k])
                };
                let mut first = picture.clone();
                self.ink(&mut first, place([0.0; 2]));
                let mass = center_of_mass(&first, SIDE);
                let shift = mass.map(|at| at.map_or(0.0, |at| CANVAS / 2.0 - at));
                self.ink(&mut picture, place(shift));
            }
        }
        picture.iter().map(|ink| (ink * 255.0).round()).collect()
    }

    /// The scale that brings what is drawn to 20 pixels, and the middle of its box.
    fn frame(&self) -> (f32, [f32; 2]) {
        let points = || self.strokes.iter().flatten();
        let low = |k: usize| points().map(|p| p[k]).fold(f32::INFINITY, f32::min);
        let high = |k: usize| points().map(|p| p[k]).fold(f32::NEG_INFINITY, f32::max);
        let side = (high(0) - low(0)).max(high(1) - low(1));
        if !side.is_finite() {
            return (1.0, [CANVAS / 2.0; 2]);
        }
        let room = INK - 2.0 * self.pen;
        ((room / side.max(0.1)).min(MOST_SCALE), [0, 1].map(|k| (low(k) + high(k)) / 2.0))
    }

    fn ink(&self, picture: &mut [f32], place: impl Fn([f32; 2]) -> [f32; 2]) {
        for stroke in &self.strokes {
            if let [only] = stroke[..] {
                draw_segment(picture, place(only), place(only), self.pen, SOFT);
            }
            for pair in stroke.windows(2) {
                draw_segment(picture, place(pair[0]), place(pair[1]), self.pen, SOFT);
            }
        }
    }

    /// The drawing as a data set of one sample in `shape` (`[C, H, W]` or `[F]`), `[1, 28, 28]` without.
    pub fn samples(&self, shape: Option<&[usize]>) -> Samples {
        let picture = self.rasterize();
        let fitted = |width: usize, height: usize| -> Vec<f32> {
            if (width, height) == (SIDE, SIDE) {
                return picture.clone();
            }
            let pixels = picture.iter().map(|v| *v as u8).collect();
            let whole = GrayImage::from_raw(SIDE as u32, SIDE as u32, pixels).unwrap_or_default();
            let fitted = imageops::resize(&whole, width as u32, height as u32, FilterType::Triangle);
            fitted.into_raw().into_iter().map(f32::from).collect()
        };
        let (shape, values) = match shape {
            Some(&[channels, height, width]) => (vec![channels, height, width], fitted(width, height).repeat(channels)),
            Some(&[length]) if length.isqrt() * length.isqrt() == length => {
                (vec![length], fitted(length.isqrt(), length.isqrt()))
            }
            _ => (vec![1, SIDE, SIDE], picture.clone()),
        };
        Samples {
            source: KIND.into(),
            frames: None,
            notes: Vec::new(),
            shape,
            values: values.into(),
            labels: Default::default(),
            class_names: Vec::new(),
            full_scale: 255.0,
        }
    }

    /// A picture from elsewhere, prepared: ink turned white where the paper is brighter, cut to the ink, scaled and centered.
    ///
    /// # Errors
    /// A picture without ink.
    pub fn from_picture(picture: &GrayImage) -> Result<Self> {
        let (width, height) = picture.dimensions();
        let no_ink = || {
            Error::Invalid("Cannot use the image: it has no contrast, all of it is about as bright as its edge.".into())
        };
        if width == 0 || height == 0 {
            return Err(no_ink());
        }
        let edge = |x: u32, y: u32| x == 0 || y == 0 || x + 1 == width || y + 1 == height;
        let mut paper: Vec<u8> =
            picture.enumerate_pixels().filter(|(x, y, _)| edge(*x, *y)).map(|(_, _, p)| p.0[0]).collect();
        paper.sort_unstable();
        let paper = f32::from(paper[paper.len() / 2]);
        let away = |pixel: u8| if paper > 127.0 { paper - f32::from(pixel) } else { f32::from(pixel) - paper };
        let most = picture.pixels().map(|p| away(p.0[0])).fold(0.0, f32::max);
        if most < 24.0 {
            return Err(no_ink());
        }
        let inked = GrayImage::from_fn(width, height, |x, y| {
            Luma([(away(picture.get_pixel(x, y).0[0]) / most * 255.0).clamp(0.0, 255.0) as u8])
        });
        let ink = || inked.enumerate_pixels().filter(|(_, _, p)| p.0[0] > 64);
        let (left, right) = ink().fold((width, 0), |(low, high), (x, ..)| (low.min(x), high.max(x)));
        let (top, bottom) = ink().fold((height, 0), |(low, high), (_, y, _)| (low.min(y), high.max(y)));
        let (wide, high) = (right - left + 1, bottom - top + 1);
        let scale = INK / wide.max(high) as f32;
        let side = |length: u32| ((length as f32 * scale).round() as u32).clamp(1, INK as u32);
        let cut = imageops::crop_imm(&inked, left, top, wide, high).to_image();
        let small = imageops::resize(&cut, side(wide), side(high), FilterType::Triangle);
        let values: Vec<f32> = small.pixels().map(|p| f32::from(p.0[0])).collect();
        let mass = center_of_mass(&values, small.width() as usize);
        let place = |at: Option<f32>, length: u32| {
            let shift = at.map_or(0.0, |at| (CANVAS / 2.0 - at).round()) as i64;
            shift.clamp(0, i64::from(SIDE as u32 - length))
        };
        let mut under = GrayImage::new(SIDE as u32, SIDE as u32);
        imageops::replace(&mut under, &small, place(mass[0], small.width()), place(mass[1], small.height()));
        Ok(Self { under: Some(under.into_raw()), ..Self::default() })
    }
}

/// Where the ink's center of mass lies, x and y; `None` without ink.
fn center_of_mass(picture: &[f32], width: usize) -> [Option<f32>; 2] {
    let total: f32 = picture.iter().sum();
    let mean = |at: fn(usize, usize) -> usize| {
        let sum: f32 = picture.iter().enumerate().map(|(i, ink)| ink * (at(i, width) as f32 + 0.5)).sum();
        (total > 0.0).then(|| sum / total)
    };
    [mean(|i, width| i % width), mean(|i, width| i / width)]
}

fn snapped(at: [f32; 2]) -> [f32; 2] {
    at.map(|v| (v.clamp(0.0, CANVAS) * GRAIN).round() / GRAIN)
}

/// 28 · 28 bytes from hexadecimal digits.
fn bytes(hex: &str) -> Option<Vec<u8>> {
    if hex.len() != 2 * SIDE * SIDE || !hex.is_ascii() {
        return None;
    }
    (0..SIDE * SIDE).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).ok()).collect()
}

impl fmt::Display for Drawing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = format!("{KIND}:{}|", (self.pen * 100.0).round() / 100.0);
        for byte in self.under.iter().flatten() {
            write!(text, "{byte:02x}")?;
        }
        text.push('|');
        for (k, stroke) in self.strokes.iter().enumerate() {
            text.push_str(if k == 0 { "" } else { ";" });
            for (i, [x, y]) in stroke.iter().enumerate() {
                let space = if i == 0 { "" } else { " " };
                write!(text, "{space}{:.0},{:.0}", x * GRAIN, y * GRAIN)?;
            }
        }
        f.write_str(&text)
    }
}

impl From<Drawing> for String {
    fn from(drawing: Drawing) -> Self {
        drawing.to_string()
    }
}

impl TryFrom<String> for Drawing {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        Self::parse(text.split_once(':').filter(|(kind, _)| *kind == KIND).map_or(text.as_str(), |(_, rest)| rest))
    }
}

#[cfg(test)]
mod tests;
