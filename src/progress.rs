//! How long work is stopped and watched from outside.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::{Error, Result};

/// What running work tells its owner.
#[derive(Clone, Debug)]
pub enum JobEvent {
    /// What is being done and how much of it is, 0 to 1.
    Progress { stage: &'static str, fraction: f32 },
    /// Thresholds being balanced: the mean of every layer after `batch` of `of` batches.
    Thresholds { batch: usize, of: usize, means: Vec<f32> },
    /// Samples that have run to the end.
    Samples(FinishedSamples),
}

/// Samples of a run that are through.
#[derive(Clone, Debug)]
pub struct FinishedSamples {
    pub samples: Range<usize>,
    /// T.
    pub steps: usize,
    /// Summed over steps, `[T][samples.len()][classes]`.
    pub readout: Vec<f32>,
    /// Spikes of the first of the samples in every spiking layer, `[F]` each; none for layers whose spikes were known.
    pub counts: Vec<Option<Vec<u32>>>,
}

/// A cancel flag and an ear. Cheap to clone; the default never stops and tells nobody.
#[derive(Clone, Default)]
pub struct JobControl {
    cancel: Arc<AtomicBool>,
    listener: Option<Arc<dyn Fn(JobEvent) + Send + Sync>>,
    /// Answers are not told.
    suppress_samples: bool,
    /// Added to the numbers of samples that are told.
    sample_offset: usize,
    /// Neuron-steps that were computed.
    computed: Arc<AtomicU64>,
}

impl JobControl {
    /// Work that tells `listener` what happens; it may be called from several threads.
    pub fn with_listener(listener: impl Fn(JobEvent) + Send + Sync + 'static) -> Self {
        Self { listener: Some(Arc::new(listener)), ..Self::default() }
    }
    /// The same, but the listener does not hear how the samples answer.
    pub fn without_samples(&self) -> Self {
        Self { suppress_samples: true, ..self.clone() }
    }
    /// Asks the work to stop; it does so within some milliseconds.
    pub fn cancel(&self) {
        self.cancel.store(true, Ordering::Relaxed);
    }
    /// Whether stopping was asked for.
    pub fn is_cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }
    /// [`Error::Cancelled`] once stopping was asked for.
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() { Err(Error::Cancelled) } else { Ok(()) }
    }
    /// Tells how far the work is.
    pub fn progress(&self, stage: &'static str, fraction: f32) {
        self.emit(|| JobEvent::Progress { stage, fraction });
    }
    /// Tells an event; it is not even built when nobody listens.
    pub fn emit(&self, event: impl FnOnce() -> JobEvent) {
        if let Some(listener) = &self.listener {
            listener(event());
        }
    }
    /// Tells how samples answer, to a listener that wants to hear it.
    pub fn emit_samples(&self, event: impl FnOnce() -> JobEvent) {
        if !self.suppress_samples {
            self.emit(|| match event() {
                JobEvent::Samples(mut finished) => {
                    finished.samples =
                        finished.samples.start + self.sample_offset..finished.samples.end + self.sample_offset;
                    JobEvent::Samples(finished)
                }
                event => event,
            });
        }
    }
    /// The same for work whose first sample is the owner's sample `sample_offset`.
    pub fn with_sample_offset(&self, first: usize) -> Self {
        Self { sample_offset: self.sample_offset + first, ..self.clone() }
    }
    /// Counts neuron-steps (one neuron or output over one step) whose current was computed.
    pub fn add_computed(&self, neuron_steps: usize) {
        self.computed.fetch_add(neuron_steps as u64, Ordering::Relaxed);
    }
    /// Neuron-steps computed so far under this control and its clones: what shows that nothing is computed twice.
    pub fn computed_neuron_steps(&self) -> u64 {
        self.computed.load(Ordering::Relaxed)
    }
}
