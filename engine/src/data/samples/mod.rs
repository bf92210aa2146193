//! A set of samples with its shape, labels and class names, as a file reader returns it.

pub mod event_source;
pub mod targets;

use std::ops::Range;
use std::sync::Arc;

use event_source::EventSource;
use targets::Targets;

use super::layout::Layout;
use super::note::Note;
use super::scaling::{Scaling, ValueForm};
use crate::Result;

/// A set of samples, unscaled, as the reader returns it. All samples have the same shape.
#[derive(Clone, Debug)]
pub struct Samples {
    /// The specification of the source (`idx:…`, `builtin:digits`).
    pub source: String,
    /// Shape of one sample: `[C, H, W]`, `[H, W, C]` or any other, or `[F]` for vectors.
    pub shape: Vec<usize>,
    /// Position of the channels in `shape`, if the reader or the network tells it.
    pub layout: Option<Layout>,
    /// Raw values in file units (usually 0..255), `[N, …shape]` row-major.
    pub values: Arc<Vec<f32>>,
    /// One class index per sample; empty when the source has no labels.
    pub labels: Arc<Vec<u16>>,
    /// Class names by index; may be empty.
    pub class_names: Vec<String>,
    /// Where the labels come from.
    pub label_source: LabelSource,
    /// The same labels under another order of classes, if there is one.
    pub other_labels: Option<OtherLabels>,
    /// Class masks or boxes, of data with more than one answer a sample.
    pub targets: Targets,
    /// What 1 stands for: 255 for bytes, 1 for all other types. [`Scaling::Unit`] divides by it.
    pub full_scale: f32,
    /// Largest value of the source if it exceeds `full_scale`, in file units; `full_scale` otherwise.
    pub max: f32,
    /// Smallest value of the source if it is negative; 0 otherwise.
    pub min: f32,
    /// The samples as frames over time, for event recordings; `values` is then their mean over time.
    pub frames: Option<FrameSequence>,
    /// What was done or assumed while reading.
    pub notes: Vec<Note>,
}

/// Where the labels of samples come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LabelSource {
    /// Class indices of the file.
    #[default]
    Indices,
    /// Names: class folders or labels in words; `labels` index `class_names`.
    Names,
}

/// Labels under another order of the class names.
#[derive(Clone, Debug)]
pub struct OtherLabels {
    pub labels: Arc<Vec<u16>>,
    /// The option that selects them, `(key, value)`.
    pub option: (&'static str, &'static str),
    /// The order in words.
    pub order: &'static str,
}

/// Samples over time: one frame per time step, repeated from the first after the last.
#[derive(Clone, Debug)]
pub struct FrameSequence {
    /// Frames per sample.
    pub count: usize,
    /// `[N, count, …shape]` row-major, in file units.
    pub values: Arc<Vec<f32>>,
    /// The events that the frames count, if they can be read again.
    pub events: Option<Arc<dyn EventSource>>,
}

/// No samples, of one value each.
impl Default for Samples {
    fn default() -> Self {
        Self {
            source: String::new(),
            shape: vec![1],
            layout: None,
            values: Arc::default(),
            labels: Arc::default(),
            class_names: Vec::new(),
            label_source: LabelSource::default(),
            other_labels: None,
            targets: Targets::default(),
            full_scale: 1.0,
            max: 1.0,
            min: 0.0,
            frames: None,
            notes: Vec::new(),
        }
    }
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
    /// Position of the channels: as stated, or as the sizes suggest.
    pub fn channels(&self) -> Layout {
        self.layout.unwrap_or_else(|| Layout::of_sizes(&self.shape))
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
        self.scale(&mut out, scaling);
        Some(out)
    }
    /// Scaled network input for samples `range`: `[range.len(), …shape]` row-major.
    pub fn scaled(&self, range: Range<usize>, scaling: &Scaling) -> Vec<f32> {
        let len = self.sample_len();
        let mut out = self.values[range.start * len..range.end * len].to_vec();
        self.scale(&mut out, scaling);
        out
    }
    /// The samples `range` without labels, targets and frames.
    pub fn part(&self, range: Range<usize>) -> Self {
        let len = self.sample_len();
        let values = self.values[range.start * len..range.end * len].to_vec();
        let (labels, targets) = (Arc::default(), Targets::Labels);
        Self { values: Arc::new(values), labels, targets, other_labels: None, frames: None, ..self.clone() }
    }
    /// The same without the values: labels, targets, names and notes.
    pub fn without_values(&self) -> Self {
        Self { values: Arc::default(), frames: None, ..self.clone() }
    }
    /// Scales `values` of these samples, `[N, …shape]`, in place.
    pub fn scale(&self, values: &mut [f32], scaling: &Scaling) {
        scaling.apply(values, &self.form());
    }
    /// Checks that `scaling` fits the channels of these samples.
    ///
    /// # Errors
    /// [`crate::Error::Invalid`] for neither one mean nor one per channel.
    pub fn check_scaling(&self, scaling: &Scaling) -> Result<()> {
        scaling.check(&self.form())
    }
    fn form(&self) -> ValueForm<'_> {
        ValueForm { shape: &self.shape, layout: self.channels(), full_scale: self.full_scale, max: self.max }
    }
}
