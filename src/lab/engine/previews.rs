//! Previews of runs while a control is dragged: some samples first, as many as a tenth of a second allows.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use crate::Result;
use crate::experiment::cache::Cache;
use crate::experiment::preview::{Excerpt, preview};
use crate::experiment::run::{PreparedNetwork, Run};
use crate::experiment::settings::Settings;
use crate::experiment::snapshot::{Focus, Snapshot};
use crate::progress::JobControl;

/// Time that the run of a preview should take, in seconds.
const GOAL: f64 = 0.08;
/// Runs that take less need no preview, in seconds.
const SHORT: f64 = 0.12;
/// Time for a neuron over one step before any is measured, in seconds.
const FIRST_RATE: f64 = 1.5e-9;
/// Numbers of samples of a preview.
const COUNTS: [usize; 11] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000];

/// The finished run on which a preview builds, and what the window shows of it.
pub struct PreviewOrder {
    pub whole: Arc<Run>,
    /// The focus in the whole run.
    pub focus: Focus,
    pub known: Option<Arc<Snapshot>>,
}

/// What previews take from one to the next.
#[derive(Default)]
pub(super) struct Previews {
    excerpt: Option<Excerpt>,
    /// The network for which the next two hold.
    network: Option<Arc<PreparedNetwork>>,
    /// Seconds for a neuron over one step.
    rate: f64,
    /// Number of samples of the last preview.
    count: usize,
}

impl Previews {
    /// The preview of the run of `settings` with its snapshot; `None` if the run itself takes little time, or if more
    /// than a simulation is to be done first.
    ///
    /// # Errors
    /// Errors of the run, and [`crate::Error::Cancelled`].
    pub(super) fn compute(
        &mut self,
        settings: &Settings,
        order: &PreviewOrder,
        cache: &mut Cache,
        control: &JobControl,
    ) -> Result<Option<(Arc<Run>, Arc<Snapshot>)>> {
        let whole = &order.whole;
        self.follow(whole);
        let steps = settings.recipe.steps.max(whole.steps());
        let Some(range) = self.range(whole, steps, order.focus.sample) else { return Ok(None) };
        let known = self.excerpt.take().filter(|known| known.is_of(whole, &range));
        let excerpt = self.excerpt.insert(known.unwrap_or_else(|| Excerpt::new(whole, range.clone())));
        let start = Instant::now();
        let Some(run) = preview(settings, excerpt, cache, control)? else { return Ok(None) };
        let work = neuron_steps(&run) * range.len() as f64 * steps as f64 / run.steps() as f64;
        let rate = start.elapsed().as_secs_f64() / work.max(1.0);
        self.rate = 0.7 * self.rate + 0.3 * rate;
        let focus = order.focus.within(range);
        let snapshot = Snapshot::compute(run.clone(), focus, order.known.as_deref(), control)?;
        Ok(Some((run, Arc::new(snapshot))))
    }

    /// Takes the time of a whole run as a lower bound: it may have reused layers.
    pub(super) fn observe(&mut self, run: &Run) {
        self.follow(run);
        let seconds = run.seconds.snn + run.seconds.measure;
        self.rate = self.rate.max(seconds / (neuron_steps(run) * run.recording.samples as f64).max(1.0));
    }

    /// Begins anew for another network.
    fn follow(&mut self, run: &Run) {
        if !self.network.as_ref().is_some_and(|network| Arc::ptr_eq(network, &run.network)) {
            *self = Self { network: Some(run.network.clone()), rate: FIRST_RATE, ..Self::default() };
        }
    }

    /// The samples of a preview: the first, or those around `sample`, which the window shows.
    fn range(&mut self, whole: &Run, steps: usize, sample: usize) -> Option<Range<usize>> {
        let all = whole.recording.samples;
        let one = neuron_steps(whole) / whole.steps() as f64 * steps as f64 * self.rate;
        if one * all as f64 <= SHORT {
            return None;
        }
        // The number stays the same while it is about right, so that the pictures of a drag compare.
        let fits = |count: usize| one * count as f64 <= 2.0 * GOAL && one * count as f64 >= 0.3 * GOAL;
        if !fits(self.count) {
            self.count = COUNTS.into_iter().rfind(|&count| one * count as f64 <= GOAL).unwrap_or(1);
        }
        let count = self.count;
        if 2 * count > all {
            return None;
        }
        let first = (sample.min(all - 1) / count * count).min(all - count);
        Some(first..first + count)
    }
}

/// Neurons of a sample times steps.
fn neuron_steps(run: &Run) -> f64 {
    run.spiking.layers.iter().map(|layer| layer.neurons()).sum::<usize>() as f64 * run.steps() as f64
}
