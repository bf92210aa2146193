//! From settings to a finished run. Everything that two settings share is taken from the cache: networks, data sets,
//! calibrations, ANN values, and of the last recording whatever the change left as it was.

use std::sync::Arc;
use std::time::Instant;

use super::cache::{AnnKey, Cache, CalibrationKey, SamplesKey};
use super::run::{Model, Run, Seconds};
use super::settings::{Backend, Settings};
use crate::convert::{self, Calibration, Recipe, SpikingNetwork, ThresholdRule, calibration, rewrite};
use crate::data::{DataSpec, Samples, check_labels};
use crate::measure::fan_out::fan_outs;
use crate::measure::report;
use crate::network::forward::Program;
use crate::network::{self, Network};
use crate::simulate::{self, AnnRun, Control, Plan, Recording};
use crate::{Error, Result};

/// How many samples thresholds are calibrated on unless a person says otherwise.
const DEFAULT_CALIBRATION: usize = 256;
/// How many samples are run unless a person says otherwise.
const DEFAULT_SAMPLES: usize = 100;

/// Computes what `settings` ask for, or returns the finished run from the cache.
pub fn compute(settings: &Settings, cache: &mut Cache, control: &Control) -> Result<Arc<Run>> {
    settings.recipe.check()?;
    if let Some(run) = cache.run(settings) {
        return Ok(run);
    }
    let mut seconds = Seconds::default();
    let (model, samples) = timed(&mut seconds.load, || {
        control.progress("opening", 0.0);
        let model = model(&settings.model, settings.backend, cache)?;
        let samples = samples(&settings.data, &model.original, cache)?;
        Ok((model, samples))
    })?;
    check_subject(settings, &model, &samples)?;
    let calibration = timed(&mut seconds.calibrate, || calibration_of(settings, &model, &samples, cache, control))?;
    let spiking = Arc::new(SpikingNetwork::convert(&model.program, &calibration, &settings.recipe)?);
    let range = settings.samples.clone();
    let count = range.len();
    let key = AnnKey::of(settings);
    let (input, ann) = timed(&mut seconds.ann, || match cache.ann(&key) {
        Some(known) => Ok(known),
        None => {
            let input = Arc::new(samples.scaled(range.clone(), &settings.scaling));
            let ann = Arc::new(AnnRun::compute(&model.program, &input, count, control)?);
            cache.keep_ann(key.clone(), input.clone(), ann.clone());
            Ok((input, ann))
        }
    })?;
    let recording = timed(&mut seconds.snn, || {
        let base = cache.base(&key);
        let neurons: Vec<usize> = spiking.layers.iter().map(|layer| layer.neurons()).collect();
        let bytes = Recording::predict_bytes(settings.recipe.steps, count, model.original.classes(), &neurons);
        super::memory::refuse_if_too_large("the recording", bytes, "use fewer samples or fewer time-steps")?;
        let plan = Plan {
            program: &model.program,
            spiking: &spiking,
            input: &input,
            samples: count,
            steps: settings.recipe.steps,
            previous: base.as_ref().map(|run| &*run.recording),
            unchanged_layers: base
                .as_ref()
                .map_or(0, |run| run.spiking.first_difference(&spiking).unwrap_or(spiking.layers.len())),
        };
        Ok(Arc::new(simulate::run(&plan, control)?))
    })?;
    let labels = Arc::new(samples.labels.get(range).map(<[u16]>::to_vec).unwrap_or_default());
    let mut run = Run {
        settings: settings.clone(),
        model,
        samples,
        input,
        labels,
        calibration,
        spiking,
        ann,
        recording,
        report: Arc::default(),
        seconds,
    };
    control.check()?;
    control.progress("measuring", 0.0);
    let start = Instant::now();
    let means: Vec<&[f32]> = run.recording.layers.iter().map(|layer| layer.mean_input.as_slice()).collect();
    run.report = Arc::new(report(&run.subject(&means), run.recording.steps));
    run.seconds.measure = start.elapsed().as_secs_f64();
    let run = Arc::new(run);
    cache.keep_run(key, run.clone());
    Ok(run)
}

/// What of the settings is fitted to what was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// Nothing: they are taken as they are.
    #[default]
    Nothing,
    /// Sample ranges that the data set does not have.
    Ranges,
    /// Besides, what a newly opened network asks for: its scaling, and learned thresholds where it has them.
    Network,
}

/// The settings fitted to the network and data set that they name.
pub fn fitted(settings: &Settings, fit: Fit, cache: &mut Cache) -> Result<Settings> {
    let mut fitted = settings.clone();
    if fit == Fit::Nothing {
        return Ok(fitted);
    }
    let model = model(&settings.model, settings.backend, cache)?;
    if fit == Fit::Network {
        if let Some(scaling) = &model.original.scaling {
            fitted.scaling = scaling.clone();
        }
        let learned = model.original.activations().all(|(_, activation)| activation.lambda().is_some());
        let rule = &mut fitted.recipe.threshold;
        match (learned, *rule == ThresholdRule::Learned) {
            (true, _) => *rule = ThresholdRule::Learned,
            (false, true) => *rule = Recipe::default().threshold,
            (false, false) => {}
        }
    }
    let count = samples(&settings.data, &model.original, cache)?.len();
    if fitted.samples.end > count {
        let first = if count > DEFAULT_CALIBRATION { DEFAULT_CALIBRATION } else { 0 };
        fitted.samples = first..(first + DEFAULT_SAMPLES).min(count);
    }
    let pool = match &settings.calibration_data {
        Some(spec) => samples(spec, &model.original, cache)?.len(),
        None => count,
    };
    if fitted.calibrate.end > pool {
        fitted.calibrate = 0..pool.min(DEFAULT_CALIBRATION);
    }
    Ok(fitted)
}

/// The opened and rewritten network on its device.
pub fn model(source: &str, backend: Backend, cache: &mut Cache) -> Result<Arc<Model>> {
    if let Some(model) = cache.model(source, backend) {
        return Ok(model);
    }
    let original = Arc::new(network::open(source)?);
    let (rewritten, notes) = rewrite::shared(&original)?;
    let fan_outs = fan_outs(&rewritten);
    let program = Program::new(rewritten, &backend.device());
    let model = Arc::new(Model { original, program, notes, fan_outs });
    cache.keep_model(source, backend, model.clone());
    Ok(model)
}

/// The data set in the shape the network wants: pictures are fitted, other samples must have as many values.
pub fn samples(spec: &str, network: &Network, cache: &mut Cache) -> Result<Arc<Samples>> {
    let key = SamplesKey {
        spec: spec.to_owned(),
        shape: network.input_shape().to_vec(),
        classes: network.classes(),
        class_names: network.class_names.clone(),
    };
    if let Some(samples) = cache.samples(&key) {
        return Ok(samples);
    }
    let spec = DataSpec::parse(spec)?;
    let samples = Arc::new(with_classes_of(network, spec.load_resized(network.input_shape())?));
    let wanted: usize = network.input_shape().iter().product();
    if samples.sample_len() != wanted {
        return Err(Error::Mismatch {
            network: network.name.clone(),
            wants: network.input_shape().to_vec(),
            data: samples.source.clone(),
            has: samples.shape.clone(),
        });
    }
    check_labels(&samples, network.classes())?;
    cache.keep_samples(key, samples.clone());
    Ok(samples)
}

/// Folders named like the network's classes (or like their numbers) are those classes, whatever their order on the disk
/// and however many there are.
fn with_classes_of(network: &Network, mut samples: Samples) -> Samples {
    let class_of = |name: &String| {
        let named = network.class_names.iter().position(|class| class == name);
        named.or_else(|| name.parse().ok().filter(|&class| class < network.classes()))
    };
    let classes: Option<Vec<usize>> = samples.class_names.iter().map(class_of).collect();
    if let Some(classes) = classes.filter(|classes| !classes.is_empty()) {
        let own = |label: &u16| classes.get(usize::from(*label)).map_or(*label, |&class| class as u16);
        samples.labels = Arc::new(samples.labels.iter().map(own).collect());
        samples.class_names = if network.class_names.is_empty() {
            (0..network.classes()).map(|class| class.to_string()).collect()
        } else {
            network.class_names.clone()
        };
    }
    samples
}

fn check_subject(settings: &Settings, model: &Model, samples: &Samples) -> Result<()> {
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

fn calibration_of(
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
    let set = match &settings.calibration_data {
        Some(spec) => samples(spec, &model.original, cache)?,
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
    let network = model.program.network();
    let neurons: Vec<usize> = network.activations().map(|(id, _)| network.nodes[id].len()).collect();
    let bytes = calibration::predict_bytes(range.len(), &neurons);
    super::memory::refuse_if_too_large("the calibration", bytes, "calibrate on fewer samples")?;
    let input = set.scaled(range.clone(), &settings.scaling);
    let calibration = Arc::new(convert::calibrate(&model.program, &input, range.len(), control)?);
    cache.keep_calibration(key, calibration.clone());
    Ok(calibration)
}

fn timed<T>(seconds: &mut f64, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    let result = work();
    *seconds = start.elapsed().as_secs_f64();
    result
}
