//! The network that is attacked: its logits for images, and the gradient of its loss.

use std::sync::OnceLock;

use super::pixels::PixelSpace;
use crate::Result;
use crate::compute::cross_entropy::{slope, slope_of_odds};
use crate::compute::forward::sample_places;
use crate::compute::input_gradient::InputGradients;
use crate::compute::program::Program;
use crate::progress::JobControl;

/// The gradient of the cross entropy, summed over the images, with the logits at the same place.
#[derive(Clone, Debug, PartialEq)]
pub struct Slopes {
    /// With respect to the pixels, `[N, F]`.
    pub gradient: Vec<f32>,
    /// `[N, classes]`
    pub logits: Vec<f32>,
}

/// A network that answers for images in pixel space.
pub trait Target: Sync {
    /// Number of logits.
    fn classes(&self) -> usize;

    /// The logits of `pixels` `[N, F]`, `[N, classes]`.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`], and those of the network.
    fn logits(&self, pixels: &[f32], control: &JobControl) -> Result<Vec<f32>>;

    /// The gradient of any function of each image's logits: `slope(row, logits, slopes)` writes its slopes.
    ///
    /// # Errors
    /// As [`Target::logits`]; [`crate::Error::Network`] where a node has no gradient.
    fn gradient_of(&self, pixels: &[f32], slope: &Slope<'_>, control: &JobControl) -> Result<Slopes>;

    /// The gradient of the cross entropy of each image with its label.
    ///
    /// # Errors
    /// As [`Target::gradient_of`].
    fn gradient(&self, pixels: &[f32], labels: &[u16], control: &JobControl) -> Result<Slopes> {
        self.gradient_of(pixels, &|row, logits, out| slope(logits, usize::from(labels[row]), out), control)
    }

    /// The gradient of the log-odds against the label, of the direction of [`Target::gradient`] for every image. It is not
    /// lost where an answer is certain, so that steps, which do not depend on its length, follow it.
    ///
    /// # Errors
    /// As [`Target::gradient_of`].
    fn direction(&self, pixels: &[f32], labels: &[u16], control: &JobControl) -> Result<Slopes> {
        self.gradient_of(pixels, &|row, logits, out| slope_of_odds(logits, usize::from(labels[row]), out), control)
    }
}

/// Writes the slopes of a function of the logits of one row.
pub type Slope<'a> = dyn Fn(usize, &[f32], &mut [f32]) + Sync + 'a;

/// The ANN.
pub struct AnnTarget<'a> {
    program: &'a Program,
    pixels: &'a PixelSpace,
    gradients: OnceLock<InputGradients>,
}

impl<'a> AnnTarget<'a> {
    /// The network of `program` for images of `pixels`.
    pub fn new(program: &'a Program, pixels: &'a PixelSpace) -> Self {
        Self { program, pixels, gradients: OnceLock::new() }
    }
}

impl Target for AnnTarget<'_> {
    fn classes(&self) -> usize {
        self.program.network().classes()
    }

    fn logits(&self, pixels: &[f32], control: &JobControl) -> Result<Vec<f32>> {
        self.program.outputs(&self.pixels.ann_input(pixels), control)
    }

    fn gradient_of(&self, pixels: &[f32], slope: &Slope<'_>, control: &JobControl) -> Result<Slopes> {
        let gradients = self.gradients.get_or_init(|| InputGradients::new(self.program));
        let classes = self.classes().max(1);
        let mut logits = vec![0.0; pixels.len() / self.pixels.len().max(1) * classes];
        let places = sample_places(&mut logits, classes);
        let of_rows = |rows: std::ops::Range<usize>, outputs: &[f32], slopes: &mut [f32]| {
            let each = outputs.chunks_exact(classes).zip(slopes.chunks_exact_mut(classes));
            for (row, (outputs, slopes)) in rows.zip(each) {
                if let Ok(mut place) = places[row].lock() {
                    place.copy_from_slice(outputs);
                }
                slope(row, outputs, slopes);
            }
        };
        let mut gradient = gradients.compute(&self.pixels.ann_input(pixels), of_rows, control)?;
        self.pixels.to_pixels(&mut gradient);
        drop(places);
        Ok(Slopes { gradient: self.pixels.of_mean(gradient, self.pixels.frames()), logits })
    }
}
