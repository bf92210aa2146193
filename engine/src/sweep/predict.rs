//! Prediction of the time and memory that a row of a plan takes.

use std::time::Instant;

use super::explain_figures::explain_figures;
use super::plan::{Plan, RowSettings, Work};
use super::runner::completed;
use crate::attack::Attack;
use crate::experiment::attacked::{AttackRequest, AttackSubject, Attacked};
use crate::experiment::cache::Cache;
use crate::experiment::explained::{AttributionOptions, ExplainSubject};
use crate::experiment::{Settings, pipeline};
use crate::progress::JobControl;
use crate::simulate::{SimulationPlan, estimate_bytes};
use crate::{Error, Result};

/// Samples of the short run.
const SAMPLES: usize = 4;
/// Samples of a short attack: those of a block, so that it takes the memory of a whole one.
const ATTACKED: usize = 64;
/// Other machines may be slower.
const TIME_MARGIN: f64 = 3.0;
/// Time to start and to read from a shared file system, in seconds.
const START: f64 = 60.0;
/// What allocations and the program itself take beside the buffers that are counted.
const MEMORY_MARGIN: f64 = 1.25;
/// Least memory, in bytes.
const LEAST_MEMORY: usize = 256 << 20;

/// What a row takes at most, with a margin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prediction {
    pub seconds: u64,
    pub bytes: usize,
}

/// Predicts the row of `plan` with the most samples and steps from a run of it with few samples.
///
/// # Errors
/// Those of the row; [`crate::Error::Cancelled`].
pub fn predict(plan: &Plan, control: &JobControl) -> Result<Prediction> {
    let mut largest: Option<(usize, RowSettings)> = None;
    for number in 0..plan.rows() {
        // Rows whose options do not combine end at once.
        let Ok(row) = plan.row(number)?.resolve() else { continue };
        let size = size(&row);
        if largest.as_ref().is_none_or(|(largest, _)| size > *largest) {
            largest = Some((size, row));
        }
    }
    let Some((_, largest)) = largest else {
        return Err(Error::Invalid(format!("Cannot predict {}: no row can run.", plan.path.display())));
    };
    let mut cache = Cache::default();
    let whole = completed(&largest, &mut cache, control)?;
    let mut few = whole.clone();
    match &largest.work {
        Work::Run => {}
        Work::Attack(request) => return predict_attack(&whole, request, &mut cache, control),
        Work::Explain(options) => return predict_explanation(&whole, options, &mut cache, control),
    }
    few.samples.end = few.samples.end.min(few.samples.start + SAMPLES);
    let run = pipeline::run(&few, &mut cache, control)?;
    let seconds = run.seconds;
    let scale = whole.samples.len() as f64 / few.samples.len() as f64;
    let once = seconds.load + seconds.calibrate;
    let seconds = once + (seconds.ann + seconds.snn + seconds.measure) * scale;
    let simulation = SimulationPlan {
        program: &run.network.program,
        spiking: &run.spiking,
        input: &[],
        samples: whole.samples.len(),
        steps: whole.recipe.steps,
        previous: None,
        unchanged_layers: 0,
    };
    let values: usize = run.ann.pre_activations.iter().map(Vec::len).sum::<usize>() + run.input.len();
    let values = (values as f64 * scale) as usize * size_of::<f32>();
    let bytes = peak_memory().unwrap_or(LEAST_MEMORY) + estimate_bytes(&simulation) + values;
    Ok(with_margins(seconds, bytes))
}

/// Work of a row in steps of samples, where a gradient costs about as much as two evaluations.
fn size(row: &RowSettings) -> usize {
    let Settings { samples, recipe, .. } = &row.settings;
    let once = samples.len().saturating_mul(recipe.steps);
    match &row.work {
        Work::Run => once,
        Work::Attack(request) => {
            let steps = if request.on == Attacked::Snn { recipe.steps } else { 1 };
            let times = request.evaluations().saturating_mul(steps);
            samples.len().saturating_mul(times)
        }
        Work::Explain(options) => {
            let steps = if row.work.is_spiking() { recipe.steps } else { 1 };
            let methods = options.request().map_or(1, |asked| asked.methods.len());
            once.max(
                samples
                    .len()
                    .saturating_mul(methods)
                    .saturating_mul(steps)
                    .saturating_mul(options.budget.unwrap_or(50)),
            )
        }
    }
}

/// Predicts an attack from one step of it on few samples.
fn predict_attack(
    whole: &Settings,
    request: &AttackRequest,
    cache: &mut Cache,
    control: &JobControl,
) -> Result<Prediction> {
    let mut few = whole.clone();
    few.samples.end = few.samples.end.min(few.samples.start + ATTACKED);
    let short = AttackRequest {
        attack: Attack { steps: 1, restarts: 1, queries: 1, ..request.attack.clone() },
        ..request.clone()
    };
    let started = Instant::now();
    let subject = AttackSubject::load(&few, request.on, cache, control)?;
    let loaded = started.elapsed().as_secs_f64();
    request.check(&subject)?;
    short.carry_out(&subject, None, control)?;
    control.check()?;
    let attacked = started.elapsed().as_secs_f64() - loaded;
    let scale = whole.samples.len() as f64 / few.samples.len().max(1) as f64;
    let more = request.evaluations() as f64 / short.evaluations().max(1) as f64;
    // Images, adversarial images and starts.
    let images = whole.samples.len() * subject.pixels.len() * size_of::<f32>() * 4;
    Ok(with_margins(loaded + attacked * scale * more, peak_memory().unwrap_or(LEAST_MEMORY) + images))
}

/// Predicts an explanation from one of few samples.
fn predict_explanation(
    whole: &Settings,
    options: &AttributionOptions,
    cache: &mut Cache,
    control: &JobControl,
) -> Result<Prediction> {
    let mut few = whole.clone();
    few.samples.end = few.samples.end.min(few.samples.start + SAMPLES);
    // Masks of all samples do not fit few of them.
    let short = AttributionOptions { masks: None, ..options.clone() };
    let started = Instant::now();
    explain_figures(&few, &short, cache, control)?;
    let scale = whole.samples.len() as f64 / few.samples.len().max(1) as f64;
    let subject = ExplainSubject::load(&few, options.on()?, cache, control)?;
    // A map for each method, and those of the ANN beside them.
    let maps = 2 * options.request()?.methods.len() * whole.samples.len() * subject.form().len() * size_of::<f32>();
    let seconds = started.elapsed().as_secs_f64() * scale;
    Ok(with_margins(seconds, peak_memory().unwrap_or(LEAST_MEMORY) + maps))
}

/// The prediction of `seconds` and `bytes`, with what may come on top.
fn with_margins(seconds: f64, bytes: usize) -> Prediction {
    Prediction {
        seconds: (START + seconds * TIME_MARGIN).ceil() as u64,
        bytes: ((bytes as f64 * MEMORY_MARGIN) as usize).max(LEAST_MEMORY),
    }
}

/// Largest size of this process so far, in bytes; `None` where the system does not report it.
fn peak_memory() -> Option<usize> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<usize>().ok()? * 1024)
}
