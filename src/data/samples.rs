//! A set of samples with its shape, labels and class names, as a file reader returns it.

use std::ops::Range;
use std::sync::Arc;

use super::scaling::Scaling;

/// A set of samples, unscaled, as the reader returns it. All samples have the same shape.
#[derive(Clone, Debug)]
pub struct Samples {
    /// The source as the user named it (`idx:…`, `builtin:digits`).
    pub source: String,
    /// Shape of one sample, channels first: `[C, H, W]`, or `[F]` for vectors.
    pub shape: Vec<usize>,
    /// Raw values in file units (usually 0..255), `[N, …shape]` row-major.
    pub values: Arc<Vec<f32>>,
    /// One class index per sample; empty when the source has no labels.
    pub labels: Arc<Vec<u16>>,
    /// Class names by index; may be empty.
    pub class_names: Vec<String>,
    /// The largest value of the source's type: 255 for bytes, 1 for floats in 0..1. [`Scaling::Unit`] divides by it.
    pub full_scale: f32,
    /// The samples as frames over time, for event recordings; `values` is then their mean over time.
    pub frames: Option<FrameSequence>,
    /// Changes made while reading, in sentences: resized, cropped, summed.
    pub notes: Vec<String>,
}

/// Samples over time: one frame per time step, repeated from the first after the last.
#[derive(Clone, Debug)]
pub struct FrameSequence {
    /// Frames per sample.
    pub count: usize,
    /// `[N, count, …shape]` row-major, in file units.
    pub values: Arc<Vec<f32>>,
}

impl Samples {
    /// Number of values in one sample.
    pub fn sample_len(&self) -> usize {
        self.shape.iter().product()
    }
    /// Number of samples.
    pub fn len(&self) -> usize {
        self.values.len().checked_div(self.sample_len()).unwrap_or(0)
    }
    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Raw values of sample `index`, in file units, length `sample_len()`.
    pub fn raw(&self, index: usize) -> &[f32] {
        let len = self.sample_len();
        &self.values[index * len..(index + 1) * len]
    }
    /// The label of sample `index`, if the source has labels.
    pub fn label(&self, index: usize) -> Option<u16> {
        self.labels.get(index).copied()
    }
    /// Scaled frames for samples `range`: `[range.len(), frames, …shape]` row-major; `None` for static samples.
    pub fn scaled_frames(&self, range: Range<usize>, scaling: &Scaling) -> Option<Vec<f32>> {
        let frames = self.frames.as_ref()?;
        let len = self.sample_len() * frames.count;
        let mut out = frames.values[range.start * len..range.end * len].to_vec();
        scaling.apply(&mut out, &self.shape, self.full_scale);
        Some(out)
    }
    /// Scaled network input for samples `range`: `[range.len(), …shape]` row-major.
    pub fn scaled(&self, range: Range<usize>, scaling: &Scaling) -> Vec<f32> {
        let len = self.sample_len();
        let mut out = self.values[range.start * len..range.end * len].to_vec();
        scaling.apply(&mut out, &self.shape, self.full_scale);
        out
    }
}
