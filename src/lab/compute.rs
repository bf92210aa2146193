//! From settings to a finished run. Everything that two settings share is taken from the cache: networks, data sets,
//! calibrations, ANN values, and of the last recording whatever the change left as it was.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use super::cache::{AnnKey, Cache, CalibrationKey};
use super::examine::Patient;
use super::run::{Model, Run, Seconds};
use super::settings::Settings;
use super::{memory, sources};
use crate::compute::AnnRun;
use crate::convert::{Balanced, Calibration, Correction, Recipe, SpikingNetwork, ThresholdRule, balance, calibration};
use crate::data::Samples;
use crate::measure::{Likeness, report_behind};
use crate::progress::{Control, Event, Watched};
use crate::simulate::{Plan, light_calibration};
use crate::{Error, Result, convert, simulate};

/// Computes what `settings` ask for and, where a recipe corrects single neurons, the same without the correction beside it.
pub fn compute_beside_uncorrected(settings: &Settings, cache: &mut Cache, control: &Control) -> Result<Arc<Run>> {
    if settings.recipe.correction == Correction::None {
        return compute(settings, cache, control);
    }
    let mut plain = settings.clone();
    plain.recipe.correction = Correction::None;
    // The corrected run is what was asked for: only it tells of its answers.
    let plain = compute(&plain, cache, &control.without_answers())?;
    let run = compute(settings, cache, control)?;
    // A run that was taken from the cache has it already.
    let _ = run.uncorrected.set(plain);
    Ok(run)
}

/// Computes what `settings` ask for, or returns the finished run from the cache.
pub fn compute(settings: &Settings, cache: &mut Cache, control: &Control) -> Result<Arc<Run>> {
    settings.recipe.check()?;
    if let Some(run) = cache.run(settings) {
        return Ok(run);
    }
    let mut seconds = Seconds::default();
    let (model, samples) = timed(&mut seconds.load, || {
        control.progress("opening", 0.0);
        let model = sources::model(settings, cache, control)?;
        let samples = sources::samples(&settings.data, &model.original, cache, control)?;
        Ok((model, samples))
    })?;
    check_subject(settings, &model, &samples)?;
    let (calibration, balanced, spiking) = timed(&mut seconds.calibrate, || {
        let calibration = calibration_of(settings, &model, &samples, cache, control)?;
        let balanced = balanced_of(settings, &model, &samples, cache, control)?;
        let spiking = spiking_of(settings, &model, &samples, &calibration, balanced.as_deref(), cache, control)?;
        Ok((calibration, balanced, spiking))
    })?;
    let range = settings.samples.clone();
    let count = range.len();
    let key = AnnKey::of(settings);
    // Before the ANN's values are worked out, which can take minutes where they are many.
    refuse_if_too_large(settings, &model, &spiking, cache.ann(&key).is_some())?;
    let (input, ann) = timed(&mut seconds.ann, || match cache.ann(&key) {
        Some(known) => Ok(known),
        None => {
            let input = Arc::new(samples.scaled(range.clone(), &settings.scaling));
            let ann = Arc::new(match cache.ann_beginning(&key) {
                Some(known) => {
                    let rest = &input[known.samples * (input.len() / count.max(1))..];
                    known.joined(&AnnRun::compute(&model.program, rest, count - known.samples, control)?)
                }
                None => AnnRun::compute(&model.program, &input, count, control)?,
            });
            // The ANN sees the mean of what the spiking network sees over time.
            let input = samples.scaled_frames(range.clone(), &settings.scaling).map_or(input, Arc::new);
            cache.keep_ann(key.clone(), input.clone(), ann.clone());
            Ok((input, ann))
        }
    })?;
    let subject = Patient { settings, model: &model, samples: &samples, ann: Some(&ann) };
    let findings = subject.findings(&calibration, Some(&spiking), cache, control)?;
    // Labels are classes: they say nothing about other answers.
    let classes = model.original.gives_classes();
    let labels = samples.labels.get(range).filter(|_| classes).map(<[u16]>::to_vec);
    let labels = Arc::new(labels.unwrap_or_default());
    control.tell_answers(|| {
        let (spiking, ann, labels) = (spiking.clone(), ann.clone(), labels.clone());
        Event::Subject(Arc::new(Watched { spiking, ann, labels, classes, readout: settings.recipe.readout }))
    });
    let base = cache.base(&key, &spiking, settings.recipe.steps);
    let recording = timed(&mut seconds.snn, || {
        let plan = Plan {
            program: &model.program,
            spiking: &spiking,
            input: &input,
            samples: count,
            steps: settings.recipe.steps,
            previous: base.as_ref().map(|(run, _)| &*run.recording),
            unchanged_layers: base.as_ref().map_or(0, |(_, same)| *same),
        };
        // An input that changes over time takes more, which was not to be seen before.
        let bytes = simulate::predict_bytes(&plan);
        memory::refuse_if_too_large("the run", bytes, "use fewer samples or fewer time-steps")?;
        Ok(Arc::new(simulate::run(&plan, control)?))
    })?;
    let mut run = Run {
        settings: settings.clone(),
        model,
        samples,
        input,
        labels,
        calibration,
        balanced,
        spiking,
        ann,
        recording,
        likeness: None,
        findings,
        report: Arc::default(),
        uncorrected: OnceLock::new(),
        seconds,
    };
    control.check()?;
    control.progress("measuring", 0.0);
    let start = Instant::now();
    run.likeness = Likeness::of(&run.model.original, &run.ann, &run.recording).map(Arc::new);
    // Before all other warnings: without boxes there is nothing to look at.
    let boxes = run.likeness.as_ref().and_then(|likeness| likeness.finding());
    run.findings.splice(0..0, boxes);
    convert::findings::sort(&mut run.findings);
    let means: Vec<&[f32]> = run.recording.layers.iter().map(|layer| layer.mean_input.as_slice()).collect();
    // Figures of layers that did the same with the same samples are the same.
    let known = base.as_ref().filter(|(before, _)| Arc::ptr_eq(&before.ann, &run.ann));
    let known = known.map(|(before, same)| (&*before.report, *same));
    run.report = Arc::new(report_behind(&run.subject(&means), run.recording.steps, known, control)?);
    run.seconds.measure = start.elapsed().as_secs_f64();
    let run = Arc::new(run);
    cache.keep_run(key, run.clone());
    Ok(run)
}

/// Refuses what `settings` ask for where it would not fit in memory: the run, and the ANN's values unless they are known.
fn refuse_if_too_large(settings: &Settings, model: &Model, spiking: &SpikingNetwork, known: bool) -> Result<()> {
    let (program, network) = (&model.program, model.program.network());
    let values: usize = network.activations().map(|(id, _)| network.nodes[id].len()).sum();
    let values = values + network.input_shape().iter().product::<usize>();
    let bytes = |samples: usize, steps: usize| {
        let plan = Plan { program, spiking, input: &[], samples, steps, previous: None, unchanged_layers: 0 };
        simulate::predict_bytes(&plan) + if known { 0 } else { samples * values * 4 }
    };
    memory::refuse_too_large_run(settings.samples.len(), settings.recipe.steps, bytes)
}

pub(super) fn check_subject(settings: &Settings, model: &Model, samples: &Samples) -> Result<()> {
    settings.scaling.check(model.original.input_shape())?;
    let range = &settings.samples;
    if range.is_empty() || range.end > samples.len() {
        return Err(Error::Invalid(format!(
            "samples {}..{} do not fit: {} has {} samples",
            range.start,
            range.end,
            samples.source,
            samples.len()
        )));
    }
    Ok(())
}

pub(super) fn calibration_of(
    settings: &Settings,
    model: &Model,
    run_samples: &Arc<Samples>,
    cache: &mut Cache,
    control: &Control,
) -> Result<Arc<Calibration>> {
    let key = CalibrationKey::of(settings);
    if let Some(known) = cache.calibration(&key) {
        return Ok(known);
    }
    let input = calibration_input(settings, model, run_samples, cache, control)?;
    let network = model.program.network();
    let neurons: Vec<usize> = network.activations().map(|(id, _)| network.nodes[id].len()).collect();
    let range = &settings.calibrate;
    let bytes = calibration::predict_bytes(range.len(), &neurons);
    memory::refuse_if_too_large("the calibration", bytes, "calibrate on fewer samples")?;
    let calibration = Arc::new(convert::calibrate(&model.program, &input, range.len(), control)?);
    cache.keep_calibration(key, calibration.clone());
    Ok(calibration)
}

/// The calibration samples, scaled, `[rows, F]`.
fn calibration_input(
    settings: &Settings,
    model: &Model,
    run_samples: &Arc<Samples>,
    cache: &mut Cache,
    control: &Control,
) -> Result<Vec<f32>> {
    let set = match &settings.calibration_data {
        Some(spec) => sources::samples(spec, &model.original, cache, control)?,
        None => run_samples.clone(),
    };
    let range = &settings.calibrate;
    if range.is_empty() || range.end > set.len() {
        return Err(Error::Invalid(format!(
            "calibration samples {}..{} do not fit: {} has {} samples",
            range.start,
            range.end,
            set.source,
            set.len()
        )));
    }
    Ok(set.scaled(range.clone(), &settings.scaling))
}

/// Balanced thresholds, where the recipe balances them.
pub(super) fn balanced_of(
    settings: &Settings,
    model: &Model,
    run_samples: &Arc<Samples>,
    cache: &mut Cache,
    control: &Control,
) -> Result<Option<Arc<Balanced>>> {
    let ThresholdRule::Balance(rule) = settings.recipe.threshold else { return Ok(None) };
    let granularity = settings.recipe.granularity;
    let key = (CalibrationKey::of(settings), rule, granularity);
    if let Some(known) = cache.balanced.get(&key) {
        return Ok(Some(known));
    }
    let input = calibration_input(settings, model, run_samples, cache, control)?;
    let rows = settings.calibrate.len();
    let balanced = Arc::new(balance(&model.program, &input, rows, rule, granularity, control)?);
    cache.balanced.keep(key, balanced.clone());
    Ok(Some(balanced))
}

/// The converted network: thresholds, and whatever the recipe wants measured on the calibration samples.
pub(super) fn spiking_of(
    settings: &Settings,
    model: &Model,
    run_samples: &Arc<Samples>,
    calibration: &Calibration,
    balanced: Option<&Balanced>,
    cache: &mut Cache,
    control: &Control,
) -> Result<Arc<SpikingNetwork>> {
    let (recipe, program, rows) = (&settings.recipe, &model.program, settings.calibrate.len());
    let key = CalibrationKey::of(settings);
    let spiking = SpikingNetwork::convert(program, calibration, balanced, recipe)?;
    if !light_calibration::wanted(recipe) {
        return Ok(Arc::new(spiking));
    }
    // Neither the readout nor a correction changes what is measured, but the correction is part of the network.
    let key = (key, Recipe { readout: Default::default(), ..recipe.clone() });
    if let Some(known) = cache.tuned.get(&key) {
        return Ok(known);
    }
    let input = calibration_input(settings, model, run_samples, cache, control)?;
    let tuned = Arc::new(light_calibration::tune(program, spiking, &input, rows, recipe, control)?);
    cache.tuned.keep(key, tuned.clone());
    Ok(tuned)
}

fn timed<T>(seconds: &mut f64, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    let result = work();
    *seconds = start.elapsed().as_secs_f64();
    result
}
