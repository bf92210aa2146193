//! Previews of runs while a control is dragged: some samples first, as many as a tenth of a second allows.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use crate::Result;
use crate::experiment::cache::Cache;
use crate::experiment::preview::{Excerpt, is_prefix, preview};
use crate::experiment::run::{PreparedNetwork, Run};
use crate::experiment::settings::Settings;
use crate::experiment::snapshot::{Focus, Snapshot};
use crate::progress::JobControl;

/// Time that a simulated preview should take, in seconds.
const GOAL: f64 = 0.08;
/// Runs that take less need no preview, in seconds.
const SHORT: f64 = 0.12;
/// The same where the first steps of the finished run are the result: what a smaller T shows is there within 50 ms, of which
/// up to two frames pass until it is drawn.
const PREFIX_GOAL: f64 = 0.016;
const PREFIX_SHORT: f64 = 0.024;
/// Time for a neuron over one step before any is measured, in seconds.
const FIRST_RATE: f64 = 1.5e-9;
/// Time for a neuron, whatever the number of steps, where nothing is simulated, before any is measured, in seconds.
const FIRST_PREFIX_RATE: f64 = 1.5e-8;
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
    simulated: Pace,
    prefix: Pace,
}

/// How fast previews of a kind are, and how many samples they have.
#[derive(Clone, Copy, Default)]
struct Pace {
    /// Seconds for a unit of work.
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
        let prefix = is_prefix(settings, &whole.settings);
        let steps = settings.recipe.steps.max(whole.steps());
        let work = if prefix { neurons(whole) } else { neurons(whole) * steps as f64 };
        let (pace, goal, short) = match prefix {
            true => (&mut self.prefix, PREFIX_GOAL, PREFIX_SHORT),
            false => (&mut self.simulated, GOAL, SHORT),
        };
        let Some(range) = pace.range(whole.recording.samples, work, order.focus.sample, (goal, short)) else {
            return Ok(None);
        };
        let known = self.excerpt.take().filter(|known| known.is_of(whole, &range));
        let excerpt = self.excerpt.insert(known.unwrap_or_else(|| Excerpt::new(whole, range.clone())));
        let start = Instant::now();
        let Some(run) = preview(settings, excerpt, cache, control)? else { return Ok(None) };
        let rate = start.elapsed().as_secs_f64() / (work * range.len() as f64).max(1.0);
        pace.rate = 0.7 * pace.rate + 0.3 * rate;
        let focus = order.focus.within(range);
        let snapshot = Snapshot::compute(run.clone(), focus, order.known.as_deref(), control)?;
        Ok(Some((run, Arc::new(snapshot))))
    }

    /// Takes the time of a whole run as a lower bound: it may have reused layers.
    pub(super) fn observe(&mut self, run: &Run) {
        self.follow(run);
        let seconds = run.seconds.snn + run.seconds.measure;
        let work = neurons(run) * run.steps() as f64 * run.recording.samples as f64;
        self.simulated.rate = self.simulated.rate.max(seconds / work.max(1.0));
    }

    /// Begins anew for another network.
    fn follow(&mut self, run: &Run) {
        if !self.network.as_ref().is_some_and(|network| Arc::ptr_eq(network, &run.network)) {
            *self = Self {
                excerpt: None,
                network: Some(run.network.clone()),
                simulated: Pace { rate: FIRST_RATE, count: 0 },
                prefix: Pace { rate: FIRST_PREFIX_RATE, count: 0 },
            };
        }
    }
}

impl Pace {
    /// The samples of a preview of a run of `all` samples with `work` units each: the first, or those around `sample`,
    /// which the window shows. `goal` and `short` in seconds.
    fn range(&mut self, all: usize, work: f64, sample: usize, (goal, short): (f64, f64)) -> Option<Range<usize>> {
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
}

/// Neurons of a sample.
fn neurons(run: &Run) -> f64 {
    run.spiking.layers.iter().map(|layer| layer.neurons()).sum::<usize>() as f64
}
