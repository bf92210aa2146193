//! The report of a run after fewer steps than it has.

use std::ops::Range;
use std::sync::Arc;

use crate::Result;
use crate::experiment::run::Run;
use crate::measure::measure_run::group_size;
use crate::measure::{MeasureInParts, Report, RunData};
use crate::progress::JobControl;
use crate::simulate::prefix::{OnSlices, mean_inputs, pooled_means};

/// Samples of one part, for each thread: what the caches hold is measured at once, and the next part takes its memory.
const SAMPLES_AT_ONCE: usize = 4;

/// The measures of some samples of a run after fewer steps than it has, which those of all samples can begin with.
#[derive(Clone)]
pub struct MeasuredSamples {
    samples: Range<usize>,
    steps: usize,
    sums: MeasureInParts,
}

impl std::fmt::Debug for MeasuredSamples {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "samples {:?} after {} steps", self.samples, self.steps)
    }
}

/// As many samples as `range` has, `sample` among them, of a run of `all`: from the first of a group of the measures on, so that
/// what is measured on them is part of the whole; `range` itself where such samples would lack `sample`.
pub fn preview_samples(range: Range<usize>, sample: usize, all: usize) -> Range<usize> {
    let group = group_size(all);
    let start = sample.min(all.saturating_sub(range.len())) / group * group;
    let aligned = start..start + range.len();
    if aligned.contains(&sample) { aligned } else { range }
}

/// The report of `run` after `steps` steps; its layers are measured on `samples` alone, unless the steps are all. `known` are
/// measures of the same run.
///
/// # Errors
/// [`crate::Error::Cancelled`], and errors of the simulation.
pub fn report_at(
    run: &Run,
    steps: usize,
    samples: Range<usize>,
    known: Option<&MeasuredSamples>,
    control: &JobControl,
) -> Result<(Arc<Report>, Option<MeasuredSamples>)> {
    if steps == run.steps() {
        return Ok((run.report.clone(), None));
    }
    let all = run.recording.samples;
    let is_part = |known: &&MeasuredSamples| {
        known.steps == steps && samples == (0..all) && known.samples.start.is_multiple_of(group_size(all))
    };
    let (mut sums, rest) = match known.filter(is_part) {
        Some(known) => (known.sums.clone(), vec![0..known.samples.start, known.samples.end..all]),
        None => (MeasureInParts::new(&run.spiking, all, steps), vec![samples.clone()]),
    };
    for samples in rest.into_iter().filter(|samples| !samples.is_empty()) {
        add_samples(run, steps, samples, &mut sums, control)?;
    }
    let report = Arc::new(sums.finish(&run.run_data(&[])));
    Ok((report, Some(MeasuredSamples { samples, steps, sums })))
}

/// Measures `samples` of `run` after `steps` steps.
fn add_samples(
    run: &Run,
    steps: usize,
    samples: Range<usize>,
    sums: &mut MeasureInParts,
    control: &JobControl,
) -> Result<()> {
    let (program, spiking, input, recording) = (&run.network.program, &run.spiking, &run.input, &run.recording);
    let Some(prefix) = OnSlices::without_pools(program, spiking, input, recording, steps) else {
        return add_behind_pools(run, steps, samples, sums, control);
    };
    let mut means = vec![Vec::new(); spiking.layers.len()];
    let mut counts = vec![Vec::new(); spiking.layers.len()];
    let size = SAMPLES_AT_ONCE * rayon::current_num_threads();
    for first in samples.clone().step_by(size) {
        let samples = first..(first + size).min(samples.end);
        prefix.means_and_counts(samples.clone(), &mut means, &mut counts, control)?;
        let means: Vec<&[f32]> = means.iter().map(Vec::as_slice).collect();
        let data = RunData { counts: &counts, first_mean: first, ..run.run_data(&means) };
        sums.add(&data, samples, 0, control)?;
    }
    Ok(())
}

/// The same where the mean inputs are those of whole stages, as max pools read single steps.
fn add_behind_pools(
    run: &Run,
    steps: usize,
    samples: Range<usize>,
    sums: &mut MeasureInParts,
    control: &JobControl,
) -> Result<()> {
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
    sums.add(&data, samples, 0, control)
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
            let (in_parts, _) = report_at(&run, steps, 0..25, None, &control).unwrap();
            assert_eq!(format!("{in_parts:?}"), format!("{whole:?}"), "T = {steps}");
            for sample in [0, 9, 24] {
                let samples = preview_samples(sample / 5 * 5..sample / 5 * 5 + 5, sample, 25);
                assert!(samples.contains(&sample) && samples.len() == 5, "{samples:?}");
                let (_, known) = report_at(&run, steps, samples, None, &control).unwrap();
                let (with_known, _) = report_at(&run, steps, 0..25, known.as_ref(), &control).unwrap();
                assert_eq!(format!("{with_known:?}"), format!("{whole:?}"), "T = {steps}, sample {sample}");
            }
        }
    }
}
