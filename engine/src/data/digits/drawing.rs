//! A user's drawing: strokes or a pasted image, stored as text and rasterized to one sample.
//!
//! The text is short enough for a session file. The image is prepared as MNIST (LeCun et al., 1998): scaled into 20×20
//! pixels, its center of mass in the middle of 28×28.

use std::fmt::{self, Write as _};

use image::imageops::{self, FilterType};
use image::{GrayImage, Luma};
use serde::{Deserialize, Serialize};

use super::render::{SIDE, draw_segment};
use crate::data::{Layout, Samples};
use crate::{Error, Result};

/// Data kind: the prefix of the text form.
pub const KIND: &str = "drawn";
/// Width and height of the canvas, in pixels of the finished image.
pub const CANVAS: f32 = 28.0;
/// Allowed radii of the pen, in pixels of the finished image.
pub const PEN_WIDTHS: std::ops::RangeInclusive<f32> = 0.6..=2.4;
/// Radius of the pen in a new drawing.
pub const DEFAULT_PEN_WIDTH: f32 = 1.3;
/// The longer side of the drawn part in the finished image, in pixels.
const DIGIT_SIZE: f32 = 20.0;
/// Maximum magnification, so that small strokes are not blown up.
const MAX_SCALE: f32 = 3.0;
/// Width of the soft edge on each side of a line, in pixels.
const EDGE_WIDTH: f32 = 0.75;
/// Maximum number of strokes: more than anyone draws by hand.
const MAX_STROKES: usize = 500;
const MAX_POINTS: usize = 20_000;
/// Resolution of stored coordinates, in steps per pixel.
const STEPS_PER_PIXEL: f32 = 10.0;

/// Strokes, and an image under them. Serialized as the text of its data specification.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Drawing {
    /// Radius of the pen, in pixels of the finished image.
    pub pen: f32,
    /// Points `[x, y]` within 0..=28, x to the right and y down.
    pub strokes: Vec<Vec<[f32; 2]>>,
    /// A prepared image, `[28 · 28]` gray bytes, white strokes on black.
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

    /// The drawing in the data specification `spec`; `None` for other specifications.
    pub fn from_spec(spec: &str) -> Option<Self> {
        let (kind, rest) = spec.split_once(':')?;
        (kind == KIND).then(|| Self::parse(rest).ok()).flatten()
    }

    /// Parses the text after `drawn:`: pen radius, image in hexadecimal digits or nothing, and strokes, separated by bars.
    /// A stroke is a list of points `x,y` in tenths of a pixel.
    ///
    /// # Errors
    /// [`Error::Invalid`] for any other text and for drawings with too many strokes or points.
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
            hex => Some(parse_hex_bytes(hex).ok_or_else(|| bad("its image is not 28x28 bytes in hexadecimal digits"))?),
        };
        let point = |text: &str| -> Option<[f32; 2]> {
            let (x, y) = text.split_once(',')?;
            let at =
                |text: &str| text.parse::<u16>().ok().map(|n| f32::from(n) / STEPS_PER_PIXEL).filter(|n| *n <= CANVAS);
            Some([at(x)?, at(y)?])
        };
        let stroke = |text: &str| text.split_whitespace().map(point).collect::<Option<Vec<_>>>();
        let strokes: Option<Vec<_>> = strokes.split(';').filter(|text| !text.trim().is_empty()).map(stroke).collect();
        let strokes = strokes.ok_or_else(|| bad("a point is not x,y within 0 to 280"))?;
        if strokes.len() > MAX_STROKES || strokes.iter().map(Vec::len).sum::<usize>() > MAX_POINTS {
            return Err(bad("it has too many strokes"));
        }
        Ok(Self { pen, strokes, under })
    }

    /// Begins a stroke at `[x, y]`.
    pub fn begin_stroke(&mut self, at: [f32; 2]) {
        if self.strokes.len() < MAX_STROKES {
            self.strokes.push(vec![quantize_point(at)]);
        }
    }

    /// Extends the last stroke to `at`. Returns whether `at` was far enough from the last point to be added.
    pub fn line_to(&mut self, at: [f32; 2]) -> bool {
        let points: usize = self.strokes.iter().map(Vec::len).sum();
        let at = quantize_point(at);
        let Some(stroke) = self.strokes.last_mut().filter(|_| points < MAX_POINTS) else { return false };
        let far = stroke.last().is_none_or(|last| (last[0] - at[0]).hypot(last[1] - at[1]) >= 0.35);
        if far {
            stroke.push(at);
        }
        far
    }

    /// Whether there are neither strokes nor an image.
    pub fn is_empty(&self) -> bool {
        self.strokes.is_empty() && self.under.is_none()
    }

    /// A short description: "a drawing of 3 strokes".
    pub fn describe(&self) -> String {
        let under = if self.under.is_some() { "an image and " } else { "" };
        match self.strokes.len() {
            0 if self.under.is_some() => "an image".into(),
            0 => "an empty drawing".into(),
            1 => format!("{under}a drawing of 1 stroke"),
            n => format!("{under}a drawing of {n} strokes"),
        }
    }

    /// The finished image, `[28 · 28]`, white strokes on black, 0..255.
    pub fn rasterize(&self) -> Vec<f32> {
        let mut image: Vec<f32> = match &self.under {
            Some(under) => under.iter().map(|byte| f32::from(*byte) / 255.0).collect(),
            None => vec![0.0; SIDE * SIDE],
        };
        match &self.under {
            // On a prepared image the strokes stay where they were drawn.
            Some(_) => self.render(&mut image, |point| point),
            None => {
                let (scale, middle) = self.frame();
                let place = |shift: [f32; 2]| {
                    move |p: [f32; 2]| [0, 1].map(|k| (p[k] - middle[k]) * scale + CANVAS / 2.0 + shift[k])
                };
                let mut uncentered = image.clone();
                self.render(&mut uncentered, place([0.0; 2]));
                let mass = center_of_mass(&uncentered, SIDE);
                let shift = mass.map(|at| at.map_or(0.0, |at| CANVAS / 2.0 - at));
                self.render(&mut image, place(shift));
            }
        }
        image.iter().map(|value| (value * 255.0).round()).collect()
    }

    /// The scale that fits the strokes into 20 pixels, and the center of their bounding box.
    fn frame(&self) -> (f32, [f32; 2]) {
        let points = || self.strokes.iter().flatten();
        let low = |k: usize| points().map(|p| p[k]).fold(f32::INFINITY, f32::min);
        let high = |k: usize| points().map(|p| p[k]).fold(f32::NEG_INFINITY, f32::max);
        let side = (high(0) - low(0)).max(high(1) - low(1));
        if !side.is_finite() {
            return (1.0, [CANVAS / 2.0; 2]);
        }
        let room = DIGIT_SIZE - 2.0 * self.pen;
        ((room / side.max(0.1)).min(MAX_SCALE), [0, 1].map(|k| (low(k) + high(k)) / 2.0))
    }

    fn render(&self, image: &mut [f32], place: impl Fn([f32; 2]) -> [f32; 2]) {
        for stroke in &self.strokes {
            if let [only] = stroke[..] {
                draw_segment(image, place(only), place(only), self.pen, EDGE_WIDTH);
            }
            for pair in stroke.windows(2) {
                draw_segment(image, place(pair[0]), place(pair[1]), self.pen, EDGE_WIDTH);
            }
        }
    }

    /// The drawing as a data set of one sample of `shape` (`[C, H, W]`, `[H, W]` or a square `[F]`); `[1, 28, 28]` otherwise.
    pub fn samples(&self, shape: Option<&[usize]>) -> Samples {
        let image = self.rasterize();
        let fitted = |width: usize, height: usize| -> Vec<f32> {
            if (width, height) == (SIDE, SIDE) {
                return image.clone();
            }
            let pixels = image.iter().map(|v| *v as u8).collect();
            let whole = GrayImage::from_raw(SIDE as u32, SIDE as u32, pixels).unwrap_or_default();
            let fitted = imageops::resize(&whole, width as u32, height as u32, FilterType::Triangle);
            fitted.into_raw().into_iter().map(f32::from).collect()
        };
        let (shape, values) = match shape {
            Some(&[channels, height, width]) => (vec![channels, height, width], fitted(width, height).repeat(channels)),
            Some(&[height, width]) => (vec![height, width], fitted(width, height)),
            Some(&[length]) if length.isqrt() * length.isqrt() == length => {
                (vec![length], fitted(length.isqrt(), length.isqrt()))
            }
            _ => (vec![1, SIDE, SIDE], image.clone()),
        };
        Samples {
            source: KIND.into(),
            shape,
            layout: Some(Layout::ChannelsFirst),
            values: values.into(),
            full_scale: 255.0,
            max: 255.0,
            ..Samples::default()
        }
    }

    /// A drawing from an image file: inverted if the background is bright, cropped to the strokes, scaled and centered.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an image without contrast.
    pub fn from_picture(image: &GrayImage) -> Result<Self> {
        let (width, height) = image.dimensions();
        let no_contrast = || {
            Error::Invalid("Cannot use the image: it has no contrast, all of it is about as bright as its edge.".into())
        };
        if width == 0 || height == 0 {
            return Err(no_contrast());
        }
        let edge = |x: u32, y: u32| x == 0 || y == 0 || x + 1 == width || y + 1 == height;
        let mut background: Vec<u8> =
            image.enumerate_pixels().filter(|(x, y, _)| edge(*x, *y)).map(|(_, _, p)| p.0[0]).collect();
        background.sort_unstable();
        let background = f32::from(background[background.len() / 2]);
        let contrast =
            |pixel: u8| if background > 127.0 { background - f32::from(pixel) } else { f32::from(pixel) - background };
        let max_contrast = image.pixels().map(|p| contrast(p.0[0])).fold(0.0, f32::max);
        if max_contrast < 24.0 {
            return Err(no_contrast());
        }
        let foreground = GrayImage::from_fn(width, height, |x, y| {
            Luma([(contrast(image.get_pixel(x, y).0[0]) / max_contrast * 255.0).clamp(0.0, 255.0) as u8])
        });
        let foreground_pixels = || foreground.enumerate_pixels().filter(|(_, _, p)| p.0[0] > 64);
        let (left, right) = foreground_pixels().fold((width, 0), |(low, high), (x, ..)| (low.min(x), high.max(x)));
        let (top, bottom) = foreground_pixels().fold((height, 0), |(low, high), (_, y, _)| (low.min(y), high.max(y)));
        let (crop_width, crop_height) = (right - left + 1, bottom - top + 1);
        let scale = DIGIT_SIZE / crop_width.max(crop_height) as f32;
        let side = |length: u32| ((length as f32 * scale).round() as u32).clamp(1, DIGIT_SIZE as u32);
        let cropped = imageops::crop_imm(&foreground, left, top, crop_width, crop_height).to_image();
        let scaled = imageops::resize(&cropped, side(crop_width), side(crop_height), FilterType::Triangle);
        let values: Vec<f32> = scaled.pixels().map(|p| f32::from(p.0[0])).collect();
        let mass = center_of_mass(&values, scaled.width() as usize);
        let place = |at: Option<f32>, length: u32| {
            let shift = at.map_or(0.0, |at| (CANVAS / 2.0 - at).round()) as i64;
            shift.clamp(0, i64::from(SIDE as u32 - length))
        };
        let mut under = GrayImage::new(SIDE as u32, SIDE as u32);
        imageops::replace(&mut under, &scaled, place(mass[0], scaled.width()), place(mass[1], scaled.height()));
        Ok(Self { under: Some(under.into_raw()), ..Self::default() })
    }
}

/// Center of mass of the pixel values, `[x, y]`; `None` for a black image.
fn center_of_mass(image: &[f32], width: usize) -> [Option<f32>; 2] {
    let total: f32 = image.iter().sum();
    let mean = |at: fn(usize, usize) -> usize| {
        let sum: f32 = image.iter().enumerate().map(|(i, value)| value * (at(i, width) as f32 + 0.5)).sum();
        (total > 0.0).then(|| sum / total)
    };
    [mean(|i, width| i % width), mean(|i, width| i / width)]
}

fn quantize_point(at: [f32; 2]) -> [f32; 2] {
    at.map(|v| (v.clamp(0.0, CANVAS) * STEPS_PER_PIXEL).round() / STEPS_PER_PIXEL)
}

/// Parses 28 · 28 bytes from hexadecimal digits.
fn parse_hex_bytes(hex: &str) -> Option<Vec<u8>> {
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
                write!(text, "{space}{:.0},{:.0}", x * STEPS_PER_PIXEL, y * STEPS_PER_PIXEL)?;
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
