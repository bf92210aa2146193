//! Prediction of the time and memory that a row of a plan takes.

use super::plan::Plan;
use super::runner::completed;
use crate::Result;
use crate::experiment::cache::Cache;
use crate::experiment::pipeline;
use crate::progress::JobControl;
use crate::simulate::{SimulationPlan, estimate_bytes};

/// Samples of the short run.
const SAMPLES: usize = 4;
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
    let mut largest = (0, 0);
    for number in 0..plan.rows() {
        let settings = plan.row(number)?.resolve()?.settings;
        let size = settings.samples.len() * settings.recipe.steps;
        if size > largest.0 {
            largest = (size, number);
        }
    }
    let mut cache = Cache::default();
    let whole = completed(&plan.row(largest.1)?.resolve()?, &mut cache, control)?;
    let mut few = whole.clone();
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
    Ok(Prediction {
        seconds: (START + seconds * TIME_MARGIN).ceil() as u64,
        bytes: ((bytes as f64 * MEMORY_MARGIN) as usize).max(LEAST_MEMORY),
    })
}

/// Largest size of this process so far, in bytes; `None` where the system does not report it.
fn peak_memory() -> Option<usize> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<usize>().ok()? * 1024)
}
