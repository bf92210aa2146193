//! Preview: a run on some samples of a finished one, computed before the whole run.
//!
//! It needs nothing but a simulation of these samples: their ANN values and unchanged layers are those of the finished run.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::cache::{AnnKey, Cache};
use super::prepare::spiking_from_cache;
use super::run::{Run, Timings};
use super::settings::Settings;
use crate::convert::{Correction, InitialPotential, Readout, ThresholdRule};
use crate::measure::measure_run;
use crate::progress::JobControl;
use crate::simulate::{SimulationPlan, simulate};
use crate::task::OutputAgreement;
use crate::{Error, Result};

/// Some samples of a finished run.
pub struct Excerpt {
    whole: Arc<Run>,
    range: Range<usize>,
    part: Run,
}

impl Excerpt {
    /// The samples `range` of `whole`.
    pub fn new(whole: &Arc<Run>, range: Range<usize>) -> Self {
        Self { whole: whole.clone(), part: part(whole, &range), range }
    }
    /// Whether it has the samples `range` of `whole`.
    pub fn is_of(&self, whole: &Arc<Run>, range: &Range<usize>) -> bool {
        Arc::ptr_eq(&self.whole, whole) && self.range == *range
    }
}

/// Whether a run of `shorter` is the first steps of a run of `longer`.
pub fn is_prefix(shorter: &Settings, longer: &Settings) -> bool {
    let recipe = &shorter.recipe;
    let mut same = shorter.clone();
    same.recipe.steps = longer.recipe.steps;
    // What is chosen for T differs with it.
    let depends_on_steps = recipe.threshold == ThresholdRule::Mse
        || recipe.bias_correction
        || recipe.initial == InitialPotential::Calibrated
        || matches!(recipe.readout, Readout::Delayed(None));
    recipe.steps > 0 && recipe.steps < longer.recipe.steps && !depends_on_steps && same == *longer
}

/// The run of `settings` on the samples of `excerpt`; `None` if they are not its samples, or if more than a simulation is
/// to be done first (calibrating, balancing).
///
/// # Errors
/// Errors of the conversion and the simulation, and [`Error::Cancelled`].
pub fn preview(
    settings: &Settings,
    excerpt: &Excerpt,
    cache: &mut Cache,
    control: &JobControl,
) -> Result<Option<Arc<Run>>> {
    settings.recipe.validate()?;
    if AnnKey::new(settings) != AnnKey::new(&excerpt.whole.settings) {
        return Ok(None);
    }
    let Some(run) = run_on(settings, excerpt, &excerpt.part, cache, control)? else { return Ok(None) };
    if settings.recipe.correction != Correction::None {
        let mut plain = settings.clone();
        plain.recipe.correction = Correction::None;
        let base = excerpt.part.uncorrected.get().map_or(&excerpt.part, |plain| plain);
        if let Some(plain) = run_on(&plain, excerpt, base, cache, control)? {
            let _ = run.uncorrected.set(Arc::new(plain));
        }
    }
    Ok(Some(Arc::new(run)))
}

/// The run of `settings` on the samples of `excerpt`, reusing the unchanged layers of `base`.
fn run_on(
    settings: &Settings,
    excerpt: &Excerpt,
    base: &Run,
    cache: &mut Cache,
    control: &JobControl,
) -> Result<Option<Run>> {
    let model = &excerpt.whole.network;
    let Some(prepared) = spiking_from_cache(settings, model, cache, control)? else { return Ok(None) };
    let (calibration, balanced, spiking) = prepared;
    let all = spiking.layers.len();
    let unchanged = base.spiking.first_difference(&spiking).unwrap_or(all);
    // A shorter run can continue only if all layers are unchanged.
    let unchanged = if base.steps() < settings.recipe.steps && unchanged < all { 0 } else { unchanged };
    let plan = SimulationPlan {
        program: &model.program,
        spiking: &spiking,
        input: &base.input,
        samples: base.recording.samples,
        steps: settings.recipe.steps,
        previous: Some(&base.recording),
        unchanged_layers: unchanged,
    };
    let recording = Arc::new(simulate(&plan, control)?);
    let settings = Settings { samples: base.settings.samples.clone(), ..settings.clone() };
    let mut run =
        Run { settings, calibration, balanced, spiking, recording, uncorrected: OnceLock::new(), ..base.clone() };
    run.output_agreement = excerpt.whole.output_agreement.as_ref().and_then(|_| {
        let detector = run.network.detector.as_deref();
        OutputAgreement::new(&run.network.original, detector, &run.ann, &run.recording).map(Arc::new)
    });
    if excerpt.whole.scene.is_some() {
        run.score_scene(control)?;
    }
    run.measure_pooling(control)?;
    run.report = Arc::new(measure_run(&run.run_data(&[]), run.recording.steps, control)?);
    if control.is_cancelled() { Err(Error::Cancelled) } else { Ok(Some(run)) }
}

/// The samples `range` of `whole`, without measured figures.
fn part(whole: &Run, range: &Range<usize>) -> Run {
    let all = whole.recording.samples.max(1);
    let width = whole.input.len() / all;
    let mut settings = whole.settings.clone();
    settings.samples = settings.samples.start + range.start..settings.samples.start + range.end;
    let uncorrected = OnceLock::new();
    if let Some(plain) = whole.uncorrected.get() {
        let _ = uncorrected.set(Arc::new(part(plain, range)));
    }
    Run {
        settings,
        input: Arc::new(whole.input[range.start * width..range.end * width].to_vec()),
        labels: Arc::new(whole.labels.get(range.clone()).unwrap_or_default().to_vec()),
        ann: Arc::new(whole.ann.part(range.clone())),
        recording: Arc::new(whole.recording.part(range.clone())),
        pooled_means: Arc::default(),
        scene: None,
        output_agreement: None,
        report: Arc::default(),
        uncorrected,
        preview_of: Some(whole.recording.samples),
        seconds: Timings::default(),
        ..whole.clone()
    }
}
