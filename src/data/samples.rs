//! What a sample is, and the readers of sample files. Knows nothing of networks, windows or threads.

use std::ops::Range;
use std::sync::Arc;

use super::scaling::Scaling;

/// A set of samples, unscaled, as read. All samples have the same shape.
#[derive(Clone, Debug)]
pub struct Samples {
    /// Where they came from, as the person named it (`idx:…`, `builtin:digits`).
    pub source: String,
    /// Shape of one sample, channels first: `[C, H, W]`, or `[F]` for vectors.
    pub shape: Vec<usize>,
    /// Raw values in file units (usually 0..255), `[N, …shape]` row-major.
    pub values: Arc<Vec<f32>>,
    /// One class index per sample; empty when the source has no labels.
    pub labels: Arc<Vec<u16>>,
    /// Class names by index; may be empty.
    pub class_names: Vec<String>,
    /// The largest value the source's type can hold: 255 for bytes, 1 for floats in 0..1. What `Scaling::Unit` divides by.
    pub full_scale: f32,
    /// The same samples over time, where they are recordings of events; `values` is then their mean over time.
    pub frames: Option<FrameSequence>,
    /// What was done to them on the way, in sentences: fitted, cut, summed.
    pub notes: Vec<String>,
}

/// Samples over time: one frame a step, from the first again after the last.
#[derive(Clone, Debug)]
pub struct FrameSequence {
    /// Frames of each sample.
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
    /// True when there is no sample.
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
    /// Scaled frames for samples `range`: `[range.len(), frames, …shape]` row-major; `None` for samples that do not move.
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
