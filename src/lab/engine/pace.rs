//! Pace of previews: how many samples fit into the time that one should take.

use std::ops::Range;

use crate::experiment::run::Run;

/// Time for a neuron, whatever the number of steps, where nothing is simulated, before any is measured, in seconds.
pub(super) const FIRST_PREFIX_RATE: f64 = 1.5e-8;
/// Numbers of samples of a preview.
const COUNTS: [usize; 11] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000];

/// How fast previews of a kind are, and how many samples they have.
#[derive(Clone, Copy, Default)]
pub(super) struct Pace {
    /// Seconds for a unit of work.
    rate: f64,
    /// Number of samples of the last preview.
    count: usize,
}

/// Times of previews of a kind, in seconds.
#[derive(Clone, Copy)]
pub(super) struct PreviewTimes {
    /// What a preview should take.
    pub(super) goal: f64,
    /// Work that takes less needs no preview.
    pub(super) short: f64,
}

impl Pace {
    /// The pace before any preview is measured: `rate` seconds for a unit of work.
    pub(super) fn new(rate: f64) -> Self {
        Self { rate, count: 0 }
    }

    /// The samples of a preview of a run of `all` samples with `work` units each: the first, or those around `sample`,
    /// which the window shows; `None` if all samples take little time.
    pub(super) fn range(&mut self, all: usize, work: f64, sample: usize, times: PreviewTimes) -> Option<Range<usize>> {
        let PreviewTimes { goal, short } = times;
        let one = work * self.rate;
        if one * all as f64 <= short {
            return None;
        }
        // The number stays the same while it is about right, so that the pictures of a drag compare.
        let fits = |count: usize| one * count as f64 <= 1.5 * goal && one * count as f64 >= 0.3 * goal;
        if !fits(self.count) {
            self.count = COUNTS.into_iter().rfind(|&count| one * count as f64 <= goal).unwrap_or(1);
        }
        let count = self.count;
        if 2 * count > all {
            return None;
        }
        let first = (sample.min(all - 1) / count * count).min(all - count);
        Some(first..first + count)
    }

    /// A preview with `work` units took `seconds`.
    pub(super) fn observe(&mut self, seconds: f64, work: f64) {
        self.rate = 0.7 * self.rate + 0.3 * seconds / work.max(1.0);
    }

    /// Work that may have been less than `work` units took `seconds`: a lower bound.
    pub(super) fn observe_at_least(&mut self, seconds: f64, work: f64) {
        self.rate = self.rate.max(seconds / work.max(1.0));
    }
}

/// Neurons of a sample.
pub(super) fn neurons(run: &Run) -> f64 {
    run.spiking.layers.iter().map(|layer| layer.neurons()).sum::<usize>() as f64
}
