//! Pixel space: file values scaled to [0, 1], before the network's own scaling.
//!
//! Attacks move pixels; the network reads what the scaling makes of them, and gradients go back through it. Of event
//! recordings a pixel is a count of events, from 0 on without an upper limit.

use std::ops::Range;

use super::form::ImageForm;
use crate::data::scaling::ValueForm;
use crate::data::{Layout, Samples, Scaling};
use crate::{Error, Result};

/// The pixels of one data set under one scaling.
#[derive(Clone, Debug)]
pub struct PixelSpace {
    shape: Vec<usize>,
    layout: Layout,
    /// What pixel value 1 is in the file.
    unit: f32,
    /// From pixels to the network's input.
    scaling: Scaling,
    /// The slope of that, per value of a frame.
    slopes: Vec<f32>,
    /// Frames of a recording, one after the other; 1 for images.
    frames: usize,
    /// Whether values are counts of events.
    counts: bool,
}

impl PixelSpace {
    /// The pixel space of `samples`, of recordings that of their mean over time, which the network reads through `scaling`.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the scaling does not fit the channels.
    pub fn new(samples: &Samples, scaling: &Scaling) -> Result<Self> {
        samples.check_scaling(scaling)?;
        let beyond = samples.max > samples.full_scale;
        let counts = samples.frames.is_some();
        let unit = match scaling {
            _ if counts => samples.full_scale,
            Scaling::Bytes if beyond => 255.0,
            Scaling::Divide(divisor) if beyond => *divisor,
            _ => samples.full_scale,
        };
        let scaling = match scaling {
            Scaling::Bytes if beyond && counts => Scaling::Unit,
            Scaling::Divide(divisor) if *divisor == unit => Scaling::Unit,
            Scaling::Divide(divisor) => Scaling::Divide(divisor / unit),
            other => other.clone(),
        };
        let mut space = Self {
            shape: samples.shape.clone(),
            layout: samples.channels(),
            unit,
            scaling,
            slopes: Vec::new(),
            frames: 1,
            counts,
        };
        space.slopes = space.scaling.slopes(&space.value_form());
        Ok(space)
    }

    /// The pixel space of the frames of `samples`, one after the other, which a spiking network reads; without frames that
    /// of [`Self::new`].
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn over_time(samples: &Samples, scaling: &Scaling) -> Result<Self> {
        let frames = samples.frames.as_ref().map_or(1, |frames| frames.count.max(1));
        Ok(Self { frames, ..Self::new(samples, scaling)? })
    }

    /// The space of the network's own input, of values of `shape`: nothing is scaled.
    pub fn of_input(shape: &[usize], layout: Layout) -> Self {
        Self {
            shape: shape.to_vec(),
            layout,
            unit: 1.0,
            scaling: Scaling::Unit,
            slopes: Vec::new(),
            frames: 1,
            counts: false,
        }
    }

    /// The images of `samples` in `range` as pixels, `[N, …shape]`, or `[N, frames, …shape]`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for images outside [0, 1], naming the first one.
    pub fn pixels(&self, samples: &Samples, range: Range<usize>) -> Result<Vec<f32>> {
        let values = match &samples.frames {
            Some(frames) if self.frames > 1 => &frames.values,
            _ => &samples.values,
        };
        let mut pixels = values[range.start * self.len()..range.end * self.len()].to_vec();
        pixels.iter_mut().for_each(|v| *v /= self.unit);
        self.check(&pixels, &samples.source, range.start)?;
        Ok(pixels)
    }

    /// Checks that `pixels`, the images of `source` from index `first` on, lie in [0, 1], or are counts.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the first image that does not.
    pub fn check(&self, pixels: &[f32], source: &str, first: usize) -> Result<()> {
        let Some(at) = pixels.iter().position(|v| !(0.0..=self.limit()).contains(v)) else { return Ok(()) };
        let sample = first + at / self.len().max(1);
        if self.counts {
            return Err(Error::Invalid(format!(
                "Cannot attack sample {sample} of {source}: it has a count of {}, and counts of events are 0 or more.",
                pixels[at]
            )));
        }
        Err(Error::Invalid(format!(
            "Cannot attack sample {sample} of {source}: it has a pixel of {}, and pixels are from 0 to 1 before the \
             network's own scaling. Use images in their range, or state it with --scale, such as /255.",
            pixels[at]
        )))
    }

    fn limit(&self) -> f32 {
        self.form().limit()
    }

    /// Whether pixels are counts of events.
    pub fn has_counts(&self) -> bool {
        self.counts
    }

    /// Values of one image, or of all frames of a recording.
    pub fn len(&self) -> usize {
        self.frame_len() * self.frames
    }

    /// Values of one image or frame.
    pub fn frame_len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Frames of a sample.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// Whether images have no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Shape of one image, or of all frames.
    pub fn shape(&self) -> Vec<usize> {
        let frames = (self.frames > 1).then_some(self.frames);
        frames.into_iter().chain(self.shape.iter().copied()).collect()
    }

    /// Where the channels, rows and columns of an image are.
    pub fn form(&self) -> ImageForm {
        let form = ImageForm::of(&self.shape, self.layout);
        if self.counts { form.of_counts(self.frames) } else { form }
    }

    /// The network's input for `pixels`, of the same shape.
    pub fn scaled(&self, pixels: &[f32]) -> Vec<f32> {
        let mut input = pixels.to_vec();
        self.scaling.apply(&mut input, &self.value_form());
        input
    }

    /// Turns a gradient with respect to the network's input into one with respect to the pixels.
    pub fn to_pixels(&self, gradient: &mut [f32]) {
        if self.slopes.iter().any(|&slope| slope != 1.0) {
            let rows = gradient.chunks_exact_mut(self.slopes.len().max(1));
            rows.for_each(|row| row.iter_mut().zip(&self.slopes).for_each(|(g, slope)| *g *= slope));
        }
    }

    fn value_form(&self) -> ValueForm<'_> {
        ValueForm { shape: &self.shape, layout: self.layout, full_scale: 1.0, max: 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn samples(values: Vec<f32>, full_scale: f32) -> Samples {
        let max = values.iter().copied().fold(full_scale, f32::max);
        Samples { shape: vec![2, 1, 2], values: Arc::new(values), full_scale, max, ..Samples::default() }
    }

    #[test]
    fn pixels_and_the_networks_input_belong_together_under_every_scaling() {
        let bytes = vec![0.0, 51.0, 102.0, 255.0];
        let floats: Vec<f32> = bytes.iter().map(|v| v / 255.0).collect();
        for (values, full_scale, text) in [
            (&bytes, 255.0, "0..1"),
            (&bytes, 255.0, "0..255"),
            (&bytes, 255.0, "/255"),
            (&bytes, 255.0, "/127.5"),
            (&bytes, 255.0, "mean=.5,.25;std=.5,2"),
            (&bytes, 1.0, "/255"),
            (&bytes, 1.0, "0..255"),
            (&floats, 1.0, "0..1"),
            (&floats, 1.0, "0..255"),
            (&floats, 1.0, "mean=.5;std=.2"),
        ] {
            let (samples, scaling) = (samples(values.clone(), full_scale), Scaling::parse(text).unwrap());
            let space = PixelSpace::new(&samples, &scaling).unwrap();
            let pixels = space.pixels(&samples, 0..1).unwrap();
            let near = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4);
            assert!(near(&pixels, &floats), "{text}: {pixels:?}");
            let (ours, theirs) = (space.scaled(&pixels), samples.scaled(0..1, &scaling));
            assert!(near(&ours, &theirs), "{text}: {ours:?} {theirs:?}");
            let mut slopes = vec![1.0; 4];
            space.to_pixels(&mut slopes);
            let black = space.scaled(&[0.0; 4]);
            let white = space.scaled(&[1.0; 4]);
            let rise: Vec<f32> = white.iter().zip(&black).map(|(a, b)| a - b).collect();
            assert!(near(&rise, &slopes), "{text}: {rise:?} {slopes:?}");
        }
    }

    #[test]
    fn images_out_of_range_are_refused_by_their_index() {
        let mut values = vec![0.5; 8];
        values[6] = 1.5;
        let samples = samples(values, 1.0);
        let error = PixelSpace::new(&samples, &Scaling::Unit).unwrap().pixels(&samples, 0..2).unwrap_err();
        assert!(error.to_string().contains("sample 1") && error.to_string().contains("1.5"), "{error}");
    }
}
