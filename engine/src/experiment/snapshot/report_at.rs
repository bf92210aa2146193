//! The report of a run after fewer steps than it has.

use std::ops::Range;
use std::sync::Arc;

use crate::Result;
use crate::experiment::run::Run;
use crate::measure::{MeasureInParts, Report, RunData};
use crate::progress::JobControl;
use crate::simulate::prefix::{OnSlices, mean_inputs, pooled_means};

/// Samples of one part, for each thread: what the caches hold is measured at once, and the next part takes its memory.
const SAMPLES_AT_ONCE: usize = 4;

/// The report of `run` after `steps` steps; its layers are measured on `samples` alone, unless the steps are all.
///
/// # Errors
/// [`crate::Error::Cancelled`], and errors of the simulation.
pub fn report_at(run: &Run, steps: usize, samples: Range<usize>, control: &JobControl) -> Result<Arc<Report>> {
    if steps == run.steps() {
        return Ok(run.report.clone());
    }
    let (program, spiking, input, recording) = (&run.network.program, &run.spiking, &run.input, &run.recording);
    let Some(prefix) = OnSlices::without_pools(program, spiking, input, recording, steps) else {
        return report_with_pools(run, steps, samples, control);
    };
    let mut measure = MeasureInParts::new(spiking, recording.samples, steps);
    let mut means = vec![Vec::new(); spiking.layers.len()];
    let size = SAMPLES_AT_ONCE * rayon::current_num_threads();
    for first in samples.clone().step_by(size) {
        let samples = first..(first + size).min(samples.end);
        prefix.mean_inputs(samples.clone(), &mut means, control)?;
        let means: Vec<&[f32]> = means.iter().map(Vec::as_slice).collect();
        measure.add(&RunData { first_mean: first, ..run.run_data(&means) }, samples, 0, control)?;
    }
    Ok(Arc::new(measure.finish(&run.run_data(&[]))))
}

/// The same where the mean inputs are those of whole stages, as max pools read single steps.
fn report_with_pools(run: &Run, steps: usize, samples: Range<usize>, control: &JobControl) -> Result<Arc<Report>> {
    let (program, spiking, recording) = (&run.network.program, &run.spiking, &run.recording);
    let width = run.input.len() / recording.samples.max(1);
    let input = &run.input[samples.start * width..samples.end * width];
    let part = if samples.len() == recording.samples { None } else { Some(recording.part(samples.clone())) };
    let part = part.as_ref().unwrap_or(recording);
    let means = mean_inputs(program, spiking, input, part, steps, control)?;
    let means: Vec<&[f32]> = means.iter().map(Vec::as_slice).collect();
    let pooled = if run.pooled_means.iter().all(Vec::is_empty) {
        Vec::new()
    } else {
        pooled_means(program, spiking, input, part, steps, control)?
    };
    let data = RunData { pooled_means: &pooled, first_mean: samples.start, ..run.run_data(&means) };
    let mut measure = MeasureInParts::new(spiking, recording.samples, steps);
    measure.add(&data, samples, 0, control)?;
    Ok(Arc::new(measure.finish(&run.run_data(&[]))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::cache::Cache;
    use crate::experiment::{Settings, pipeline};
    use crate::measure::measure_run;

    #[test]
    fn parts_give_the_report_of_all_samples_at_once() {
        let mut settings = Settings { model: "builtin:digits-resnet".into(), samples: 256..281, ..Settings::default() };
        settings.recipe.steps = 8;
        let control = JobControl::default();
        let run = pipeline::run(&settings, &mut Cache::default(), &control).unwrap();
        for steps in [1, 5] {
            let (program, recording) = (&run.network.program, &run.recording);
            let means = mean_inputs(program, &run.spiking, &run.input, recording, steps, &control).unwrap();
            let means: Vec<&[f32]> = means.iter().map(Vec::as_slice).collect();
            let whole = measure_run(&run.run_data(&means), steps, &control).unwrap();
            let in_parts = report_at(&run, steps, 0..25, &control).unwrap();
            assert_eq!(format!("{in_parts:?}"), format!("{whole:?}"), "T = {steps}");
        }
    }
}
