//! Cancellation flag and progress events of a job.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::{Error, Result};

/// An event of a running job.
#[derive(Clone, Debug)]
pub enum JobEvent {
    /// The current stage and its finished fraction, 0 to 1.
    Progress { stage: &'static str, fraction: f32 },
    /// Threshold balancing: the mean threshold of every layer after `batch` of `of` batches.
    Thresholds { batch: usize, of: usize, means: Vec<f32> },
    /// Samples whose simulation is complete.
    Samples(FinishedSamples),
}

/// Results of the samples of a run that are complete.
#[derive(Clone, Debug)]
pub struct FinishedSamples {
    pub samples: Range<usize>,
    /// Number of time steps, T.
    pub steps: usize,
    /// Readout, cumulative over steps, `[T][samples.len()][classes]`.
    pub readout: Vec<f32>,
    /// Spike counts of the first of these samples, `[F]` for every spiking layer; `None` for layers whose spikes were
    /// reused from an earlier run.
    pub counts: Vec<Option<Vec<u32>>>,
}

/// A cancellation flag and an event listener, shared by all clones. The default is never cancelled and has no listener.
#[derive(Clone, Default)]
pub struct JobControl {
    cancel: Arc<AtomicBool>,
    listener: Option<Arc<dyn Fn(JobEvent) + Send + Sync>>,
    /// No [`JobEvent::Samples`] is emitted.
    suppress_samples: bool,
    /// Added to the sample indices of emitted events.
    sample_offset: usize,
    /// The stage that all progress counts as, and the part of it, from 0 to 1.
    part_of: Option<(&'static str, Range<f32>)>,
    /// Number of neuron-steps computed so far.
    computed: Arc<AtomicU64>,
}

impl JobControl {
    /// A control whose events go to `listener`; several threads may call it at once.
    pub fn with_listener(listener: impl Fn(JobEvent) + Send + Sync + 'static) -> Self {
        Self { listener: Some(Arc::new(listener)), ..Self::default() }
    }
    /// The same control without sample events.
    pub fn without_samples(&self) -> Self {
        Self { suppress_samples: true, ..self.clone() }
    }
    /// The same control without events.
    pub fn without_events(&self) -> Self {
        Self { listener: None, ..self.clone() }
    }
    /// Requests cancellation; the job returns within some milliseconds.
    pub fn cancel(&self) {
        self.cancel.store(true, Ordering::Relaxed);
    }
    /// Whether cancellation was requested.
    pub fn is_cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }
    /// Returns early from a cancelled job.
    ///
    /// # Errors
    /// [`Error::Cancelled`] once cancellation was requested.
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() { Err(Error::Cancelled) } else { Ok(()) }
    }
    /// Emits the finished fraction (0 to 1) of a stage.
    pub fn progress(&self, stage: &'static str, fraction: f32) {
        let (stage, fraction) = match &self.part_of {
            Some((whole, part)) => (*whole, part.start + (part.end - part.start) * fraction),
            None => (stage, fraction),
        };
        self.emit(|| JobEvent::Progress { stage, fraction });
    }
    /// The same control for a part of `stage`, from one fraction of it to another.
    pub fn part_of(&self, stage: &'static str, part: Range<f32>) -> Self {
        Self { part_of: Some((stage, part)), ..self.clone() }
    }
    /// Emits an event; without a listener the event is not built.
    pub fn emit(&self, event: impl FnOnce() -> JobEvent) {
        if let Some(listener) = &self.listener {
            listener(event());
        }
    }
    /// Emits a sample event, its sample range shifted by the offset, unless sample events are suppressed.
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
    /// The same control for a part of a job whose first sample has index `first` in the whole.
    pub fn with_sample_offset(&self, first: usize) -> Self {
        Self { sample_offset: self.sample_offset + first, ..self.clone() }
    }
    /// Adds to the count of neuron-steps (one neuron or output over one time step) whose current was computed.
    pub fn add_computed(&self, neuron_steps: usize) {
        self.computed.fetch_add(neuron_steps as u64, Ordering::Relaxed);
    }
    /// Neuron-steps computed so far under this control and its clones. Tests use it to show that nothing is computed twice.
    pub fn computed_neuron_steps(&self) -> u64 {
        self.computed.load(Ordering::Relaxed)
    }
}
