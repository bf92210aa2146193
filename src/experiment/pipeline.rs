//! From settings to a finished run. Everything that two settings share is taken from the cache: networks, data sets,
//! calibrations, ANN values, and of the last recording whatever the change left as it was.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use super::cache::{AnnKey, Cache};
use super::diagnose::DiagnosisInput;
use super::partial::PartialContext;
use super::prepare::{check_ranges, load_or_compute_balanced, load_or_compute_calibration, load_or_compute_spiking};
use super::run::{PreparedNetwork, Run, Timings};
use super::settings::Settings;
use super::{load, memory};
use crate::compute::AnnRun;
use crate::convert::{Correction, SpikingNetwork};
use crate::measure::measure_run_reusing;
use crate::progress::JobControl;
use crate::simulate::SimulationPlan;
use crate::task::OutputAgreement;
use crate::{Result, convert, simulate};

/// Computes what `settings` ask for and, where a recipe corrects single neurons, the same without the correction beside it.
///
/// `on_start` gets what the samples of the run asked for are compared with, before the first of them is done.
///
/// # Errors
/// As [`run`].
pub fn run_with_baseline(
    settings: &Settings,
    cache: &mut Cache,
    control: &JobControl,
    on_start: &dyn Fn(Arc<PartialContext>),
) -> Result<Arc<Run>> {
    if settings.recipe.correction == Correction::None {
        return run_watched(settings, cache, control, on_start);
    }
    let mut plain = settings.clone();
    plain.recipe.correction = Correction::None;
    // The corrected run is what was asked for: only it tells of its answers.
    let plain = run(&plain, cache, &control.without_samples())?;
    let run = run_watched(settings, cache, control, on_start)?;
    // A run that was taken from the cache has it already.
    let _ = run.uncorrected.set(plain);
    Ok(run)
}

/// Computes what `settings` ask for, or returns the finished run from the cache.
///
/// # Errors
/// Files that cannot be read, settings that do not fit them, a run that does not fit in memory, and
/// [`Error::Cancelled`].
pub fn run(settings: &Settings, cache: &mut Cache, control: &JobControl) -> Result<Arc<Run>> {
    run_watched(settings, cache, control, &|_| ())
}

fn run_watched(
    settings: &Settings,
    cache: &mut Cache,
    control: &JobControl,
    on_start: &dyn Fn(Arc<PartialContext>),
) -> Result<Arc<Run>> {
    settings.recipe.validate()?;
    if let Some(run) = cache.run(settings) {
        return Ok(run);
    }
    let mut seconds = Timings::default();
    let (model, samples) = timed(&mut seconds.load, || {
        control.progress("opening", 0.0);
        let model = load::load_network(settings, cache, control)?;
        let samples = load::load_samples(&settings.data, &model.original, cache, control)?;
        Ok((model, samples))
    })?;
    check_ranges(settings, &model, &samples)?;
    let (calibration, balanced, spiking) = timed(&mut seconds.calibrate, || {
        let calibration = load_or_compute_calibration(settings, &model, &samples, cache, control)?;
        let balanced = load_or_compute_balanced(settings, &model, &samples, cache, control)?;
        let spiking =
            load_or_compute_spiking(settings, &model, &samples, &calibration, balanced.as_deref(), cache, control)?;
        Ok((calibration, balanced, spiking))
    })?;
    let range = settings.samples.clone();
    let count = range.len();
    let key = AnnKey::new(settings);
    // Before the ANN's values are worked out, which can take minutes where they are many.
    check_memory(settings, &model, &spiking, cache.ann(&key).is_some())?;
    let (input, ann) = timed(&mut seconds.ann, || match cache.ann(&key) {
        Some(known) => Ok(known),
        None => {
            let input = Arc::new(samples.scaled(range.clone(), &settings.scaling));
            let ann = Arc::new(match cache.ann_prefix(&key) {
                Some(known) => {
                    let rest = &input[known.samples * (input.len() / count.max(1))..];
                    known.concat(&AnnRun::compute(&model.program, rest, count - known.samples, control)?)
                }
                None => AnnRun::compute(&model.program, &input, count, control)?,
            });
            // The ANN sees the mean of what the spiking network sees over time.
            let input = samples.scaled_frames(range.clone(), &settings.scaling).map_or(input, Arc::new);
            cache.insert_ann(key.clone(), input.clone(), ann.clone());
            Ok((input, ann))
        }
    })?;
    let subject = DiagnosisInput { settings, model: &model, samples: &samples, ann: Some(&ann) };
    let findings = subject.findings(&calibration, Some(&spiking), cache, control)?;
    // Labels are classes: they say nothing about other answers.
    let classes = model.original.is_classifier();
    let labels = samples.labels.get(range).filter(|_| classes).map(<[u16]>::to_vec);
    let labels = Arc::new(labels.unwrap_or_default());
    on_start(Arc::new(PartialContext {
        spiking: spiking.clone(),
        ann: ann.clone(),
        labels: labels.clone(),
        classes,
        readout: settings.recipe.readout,
    }));
    let base = cache.reusable_run(&key, &spiking, settings.recipe.steps);
    let recording = timed(&mut seconds.snn, || {
        let plan = SimulationPlan {
            program: &model.program,
            spiking: &spiking,
            input: &input,
            samples: count,
            steps: settings.recipe.steps,
            previous: base.as_ref().map(|(run, _)| &*run.recording),
            unchanged_layers: base.as_ref().map_or(0, |(_, same)| *same),
        };
        // An input that changes over time takes more, which was not to be seen before.
        let bytes = simulate::estimate_bytes(&plan);
        memory::check_memory("run", bytes, "Use fewer samples or fewer time-steps")?;
        Ok(Arc::new(simulate::simulate(&plan, control)?))
    })?;
    let mut run = Run {
        settings: settings.clone(),
        network: model,
        samples,
        input,
        labels,
        calibration,
        balanced,
        spiking,
        ann,
        recording,
        output_agreement: None,
        findings,
        report: Arc::default(),
        uncorrected: OnceLock::new(),
        seconds,
    };
    control.check()?;
    control.progress("measuring", 0.0);
    let start = Instant::now();
    run.output_agreement = OutputAgreement::new(&run.network.original, &run.ann, &run.recording).map(Arc::new);
    // Before all other warnings: without boxes there is nothing to look at.
    let boxes = run.output_agreement.as_ref().and_then(|likeness| likeness.finding());
    run.findings.splice(0..0, boxes);
    convert::findings::sort(&mut run.findings);
    let means: Vec<&[f32]> = run.recording.layers.iter().map(|layer| layer.mean_input.as_slice()).collect();
    // Figures of layers that did the same with the same samples are the same.
    let known = base.as_ref().filter(|(before, _)| Arc::ptr_eq(&before.ann, &run.ann));
    let known = known.map(|(before, same)| (&*before.report, *same));
    run.report = Arc::new(measure_run_reusing(&run.run_data(&means), run.recording.steps, known, control)?);
    run.seconds.measure = start.elapsed().as_secs_f64();
    let run = Arc::new(run);
    cache.insert_run(key, run.clone());
    Ok(run)
}

/// Refuses what `settings` ask for where it would not fit in memory: the run, and the ANN's values unless they are known.
fn check_memory(settings: &Settings, model: &PreparedNetwork, spiking: &SpikingNetwork, known: bool) -> Result<()> {
    let (program, network) = (&model.program, model.program.network());
    let values: usize = network.activation_nodes().map(|(id, _)| network.nodes[id].len()).sum();
    let values = values + network.input_shape().iter().product::<usize>();
    let bytes = |samples: usize, steps: usize| {
        let plan = SimulationPlan { program, spiking, input: &[], samples, steps, previous: None, unchanged_layers: 0 };
        simulate::estimate_bytes(&plan) + if known { 0 } else { samples * values * 4 }
    };
    memory::check_run_memory(settings.samples.len(), settings.recipe.steps, bytes)
}

fn timed<T>(seconds: &mut f64, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    let result = work();
    *seconds = start.elapsed().as_secs_f64();
    result
}
