//! Previews of runs while a control is dragged: some samples first, as many as a tenth of a second allows.

use std::sync::Arc;
use std::time::Instant;

use super::pace::{FIRST_PREFIX_RATE, Pace, PreviewTimes, neurons};
use crate::Result;
use crate::experiment::cache::Cache;
use crate::experiment::preview::{Excerpt, is_prefix, preview};
use crate::experiment::run::{PreparedNetwork, Run};
use crate::experiment::settings::Settings;
use crate::experiment::snapshot::{Focus, Snapshot};
use crate::progress::JobControl;

/// Times of previews that are simulated.
const SIMULATED: PreviewTimes = PreviewTimes { goal: 0.08, short: 0.12 };
/// The same where the first steps of the finished run are the result: what a smaller T shows is there within 50 ms, of which
/// up to two frames pass until it is drawn.
const PREFIX: PreviewTimes = PreviewTimes { goal: 0.016, short: 0.024 };
/// Time for a neuron over one step before any is measured, in seconds.
const FIRST_RATE: f64 = 1.5e-9;

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
        let (pace, times) = match prefix {
            true => (&mut self.prefix, PREFIX),
            false => (&mut self.simulated, SIMULATED),
        };
        let Some(range) = pace.range(whole.recording.samples, work, order.focus.sample, times) else {
            return Ok(None);
        };
        let known = self.excerpt.take().filter(|known| known.is_of(whole, &range));
        let excerpt = self.excerpt.insert(known.unwrap_or_else(|| Excerpt::new(whole, range.clone())));
        let start = Instant::now();
        let Some(run) = preview(settings, excerpt, cache, control)? else { return Ok(None) };
        pace.observe(start.elapsed().as_secs_f64(), work * range.len() as f64);
        let focus = order.focus.within(range);
        let snapshot = Snapshot::compute(run.clone(), focus, order.known.as_deref(), control)?;
        Ok(Some((run, Arc::new(snapshot))))
    }

    /// Takes the time of a whole run as a lower bound: it may have reused layers.
    pub(super) fn observe(&mut self, run: &Run) {
        self.follow(run);
        let seconds = run.seconds.snn + run.seconds.measure;
        let work = neurons(run) * run.steps() as f64 * run.recording.samples as f64;
        self.simulated.observe_at_least(seconds, work);
    }

    /// Begins anew for another network.
    fn follow(&mut self, run: &Run) {
        if !self.network.as_ref().is_some_and(|network| Arc::ptr_eq(network, &run.network)) {
            *self = Self {
                excerpt: None,
                network: Some(run.network.clone()),
                simulated: Pace::new(FIRST_RATE),
                prefix: Pace::new(FIRST_PREFIX_RATE),
            };
        }
    }
}
