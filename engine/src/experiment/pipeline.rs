//! Pipeline of a run: from settings to a measured recording, stage by stage through the cache.
//!
//! Stages that two settings share are reused: networks, data sets, calibrations, ANN values, and the layers of an earlier
//! recording that the change did not affect.

mod in_groups;

use std::sync::{Arc, OnceLock};
use std::time::Instant;

pub use in_groups::run_in_groups;

use super::cache::{AnnKey, Cache};
use super::diagnose::DiagnosisInput;
use super::memory;
use super::memory::freed::release_freed_memory;
use super::partial::PartialContext;
use super::prepare::{Prepared, prepare, timed};
use super::run::{PreparedNetwork, Run};
use super::settings::Settings;
use crate::compute::AnnRun;
use crate::convert::{Correction, SpikingNetwork, ThresholdRule};
use crate::data::Samples;
use crate::measure::{measure_run_reusing, pooling_findings};
use crate::progress::JobControl;
use crate::simulate::SimulationPlan;
use crate::task::OutputAgreement;
use crate::task::classification::Classes;
use crate::task::scene_scores::{ReadoutWindow, scoring_bytes};
use crate::{Result, convert, simulate};

/// Computes the run of `settings` and, if its recipe has a correction, the same run without it as a baseline.
///
/// `on_start` receives the context of the requested run before its first sample is finished.
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
        return run_with_context(settings, cache, control, on_start);
    }
    let mut uncorrected = settings.clone();
    uncorrected.recipe.correction = Correction::None;
    // The corrected run is the requested one: only it emits finished samples.
    let baseline = run(&uncorrected, cache, &control.without_samples())?;
    let run = run_with_context(settings, cache, control, on_start)?;
    // The cache may have discarded the final state of the baseline since. A run from the cache already has one.
    let _ = run.uncorrected.set(cache.run(&uncorrected).unwrap_or(baseline));
    Ok(run)
}

/// Computes the run of `settings`, or returns it from the cache.
///
/// # Errors
/// Files that cannot be read, settings that do not fit them, a run that does not fit in memory, and
/// [`crate::Error::Cancelled`].
pub fn run(settings: &Settings, cache: &mut Cache, control: &JobControl) -> Result<Arc<Run>> {
    run_with_context(settings, cache, control, &|_| ())
}

fn run_with_context(
    settings: &Settings,
    cache: &mut Cache,
    control: &JobControl,
    on_start: &dyn Fn(Arc<PartialContext>),
) -> Result<Arc<Run>> {
    settings.recipe.validate()?;
    if let Some(run) = cache.run(settings) {
        return Ok(run);
    }
    let prepared = prepare(settings, cache, control)?;
    whole_run(settings, prepared, cache, control, on_start)
}

/// Computes the run of what is prepared, all samples at once.
fn whole_run(
    settings: &Settings,
    prepared: Prepared,
    cache: &mut Cache,
    control: &JobControl,
    on_start: &dyn Fn(Arc<PartialContext>),
) -> Result<Arc<Run>> {
    let Prepared { model, mut samples, calibration, balanced, spiking, mut seconds } = prepared;
    let range = settings.samples.clone();
    let count = range.len();
    let key = AnnKey::new(settings);
    // Before the ANN's values are computed, which can take minutes for many samples.
    check_memory(settings, &model, &spiking, &samples, cache.ann(&key).is_some())?;
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
            // The ANN reads the mean over time of the input of the spiking network.
            let input = samples.scaled_frames(range.clone(), &settings.scaling).map_or(input, Arc::new);
            cache.insert_ann(key.clone(), input.clone(), ann.clone());
            Ok((input, ann))
        }
    })?;
    let diagnosis = DiagnosisInput { settings, model: &model, samples: &samples, ann: Some(&ann) };
    let findings = diagnosis.findings(&calibration, Some(&spiking), cache, control)?;
    let classes = are_classes(&model, &samples);
    // Labels are classes: they do not apply to other outputs.
    let labels = samples.labels.get(range).filter(|_| classes).map(<[u16]>::to_vec);
    let labels = Arc::new(labels.unwrap_or_default());
    if classes && cache.discards_samples {
        cache.samples.clear();
        samples = Arc::new(samples.without_values());
    }
    on_start(Arc::new(PartialContext {
        spiking: spiking.clone(),
        ann: ann.clone(),
        labels: labels.clone(),
        classes,
        readout: settings.recipe.readout,
    }));
    let reusable = cache.reusable_run(&key, &spiking, settings.recipe.steps);
    // What one stage of large maps has freed is of no use to the next, and the prediction does not count it.
    let release = || {
        if !classes {
            release_freed_memory()
        }
    };
    release();
    let recording = timed(&mut seconds.snn, || {
        let plan = SimulationPlan {
            program: &model.program,
            spiking: &spiking,
            input: &input,
            samples: count,
            steps: settings.recipe.steps,
            previous: reusable.as_ref().map(|(run, _)| &*run.recording),
            unchanged_layers: reusable.as_ref().map_or(0, |(_, same)| *same),
        };
        // Input that changes over time needs more memory, which the earlier check could not know.
        let bytes = simulate::estimate_bytes(&plan);
        memory::check_memory("run", bytes, "Use fewer samples or fewer time-steps")?;
        Ok(Arc::new(simulate::simulate(&plan, control)?))
    })?;
    release();
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
        scene: None,
        window: ReadoutWindow { rule: settings.recipe.readout, delay: None },
        pooled_means: Arc::default(),
        output_agreement: None,
        findings,
        report: Arc::default(),
        preview_of: None,
        uncorrected: OnceLock::new(),
        seconds,
    };
    control.check()?;
    let start = Instant::now();
    if !classes {
        control.progress("scoring", 0.0);
        run.score_scene(control)?;
    }
    control.progress("measuring", 0.0);
    run.output_agreement = (!classes)
        .then(|| OutputAgreement::new(&run.network.original, run.network.detector.as_deref(), &run.ann, &run.recording))
        .flatten()
        .map(Arc::new);
    // Before all other warnings: without boxes there is nothing to show.
    let boxes = run.output_agreement.as_ref().and_then(|agreement| agreement.finding());
    run.findings.splice(0..0, boxes);
    convert::findings::sort(&mut run.findings);
    run.measure_pooling(control)?;
    // Unchanged layers with the same samples have the same figures.
    let known = reusable.as_ref().filter(|(before, _)| Arc::ptr_eq(&before.ann, &run.ann));
    let known = known.map(|(before, same)| (&*before.report, *same));
    run.report = Arc::new(measure_run_reusing(&run.run_data(&[]), run.recording.steps, known, control)?);
    add_findings_of_report(&mut run);
    run.seconds.measure = start.elapsed().as_secs_f64();
    let run = Arc::new(run);
    cache.insert_run(key, run.clone());
    Ok(run)
}

/// Whether the network's outputs are the classes of the samples.
fn are_classes(model: &PreparedNetwork, samples: &Samples) -> bool {
    model.detector.is_none() && Classes::of(&model.original, &samples.labels).are()
}

/// Adds what the figures of a finished run tell.
fn add_findings_of_report(run: &mut Run) {
    run.findings.extend(pooling_findings(&run.report));
    if let (Some(balanced), ThresholdRule::Balance(rule)) = (&run.balanced, run.settings.recipe.threshold) {
        run.findings.extend(convert::findings::unsettled_balancing(balanced, rule));
    }
    convert::findings::sort(&mut run.findings);
}

/// Refuses the run of `settings` if it would not fit in memory, including the ANN's values unless they are known.
fn check_memory(
    settings: &Settings,
    model: &PreparedNetwork,
    spiking: &SpikingNetwork,
    data: &Samples,
    known: bool,
) -> Result<()> {
    let (program, network) = (&model.program, model.program.network());
    let values: usize = network.activation_nodes().map(|(id, _)| network.nodes[id].len()).sum();
    let values = values + network.input_shape().iter().product::<usize>() + network.classes();
    let scoring = scoring_bytes(&model.original, &data.targets, rayon::current_num_threads());
    let mask_bytes = data.targets.masks().map_or(0, |masks| masks.height * masks.width);
    let bytes = |samples: usize, steps: usize| {
        let plan = SimulationPlan { program, spiking, input: &[], samples, steps, previous: None, unchanged_layers: 0 };
        let scored = if scoring > 0 { scoring + samples * mask_bytes } else { 0 };
        simulate::estimate_bytes(&plan).max(simulate::recording_bytes(&plan) + scored)
            + if known { 0 } else { samples * values * 4 }
    };
    memory::check_run_memory(settings.samples.len(), settings.recipe.steps, bytes)
}
