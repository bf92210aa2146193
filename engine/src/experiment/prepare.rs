//! Stages before a simulation, through the cache: calibration, balanced thresholds, spiking network.

use std::sync::Arc;
use std::time::Instant;

use super::cache::{Cache, CalibrationKey};
use super::classes::with_names_of_replaced_data;
use super::run::{PreparedNetwork, Timings};
use super::settings::Settings;
use super::{load, memory};
use crate::convert::{
    BalancedThresholds, Calibration, Recipe, SpikingNetwork, ThresholdRule, balance_thresholds, calibration,
};
use crate::data::Samples;
use crate::progress::JobControl;
use crate::simulate::light_calibration;
use crate::{Error, Result, convert};

/// What a run of some settings simulates, and how long it took to prepare.
pub(super) struct Prepared {
    pub model: Arc<PreparedNetwork>,
    pub samples: Arc<Samples>,
    pub calibration: Arc<Calibration>,
    pub balanced: Option<Arc<BalancedThresholds>>,
    pub spiking: Arc<SpikingNetwork>,
    pub seconds: Timings,
}

/// Loads network and samples of `settings` and converts the network.
///
/// # Errors
/// Files that cannot be read, settings that do not fit them, and [`crate::Error::Cancelled`].
pub(super) fn prepare(settings: &Settings, cache: &mut Cache, control: &JobControl) -> Result<Prepared> {
    let mut seconds = Timings::default();
    let (model, samples) = timed(&mut seconds.load, || {
        control.progress("opening", 0.0);
        let model = load::load_network(settings, cache, control)?;
        let samples = load::load_samples(&settings.data, &model.original, cache, control)?;
        Ok((model, samples))
    })?;
    check_ranges(settings, &samples)?;
    let (calibration, balanced, spiking) = timed(&mut seconds.calibrate, || {
        let calibration = load_or_compute_calibration(settings, &model, &samples, cache, control)?;
        let balanced = load_or_compute_balanced(settings, &model, &samples, cache, control)?;
        let spiking =
            load_or_compute_spiking(settings, &model, &samples, &calibration, balanced.as_deref(), cache, control)?;
        Ok((calibration, balanced, spiking))
    })?;
    // After the calibration, which reads the data that a drawing replaces.
    let samples = with_names_of_replaced_data(samples, settings, cache);
    Ok(Prepared { model, samples, calibration, balanced, spiking, seconds })
}

/// Adds the duration of `work` to `seconds`.
pub(super) fn timed<T>(seconds: &mut f64, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    let result = work();
    *seconds += start.elapsed().as_secs_f64();
    result
}

/// Advice on a range of samples of a data set of `count`.
fn range_that_fits(range: &std::ops::Range<usize>, count: usize) -> String {
    match count.checked_sub(range.start).filter(|&rest| rest > 0) {
        Some(rest) => format!("Use at most {rest} from {}.", range.start),
        None => format!("Begin before sample {count}."),
    }
}

pub(super) fn check_ranges(settings: &Settings, samples: &Samples) -> Result<()> {
    samples.check_scaling(&settings.scaling)?;
    let range = &settings.samples;
    if range.is_empty() || range.end > samples.len() {
        return Err(Error::Invalid(format!(
            "Cannot run samples {}..{}: {} has {} samples. {}",
            range.start,
            range.end,
            samples.source,
            samples.len(),
            range_that_fits(range, samples.len())
        )));
    }
    Ok(())
}

/// The spiking network of `settings`, with all stages before it.
pub(super) fn converted(
    settings: &Settings,
    model: &PreparedNetwork,
    run_samples: &Arc<Samples>,
    cache: &mut Cache,
    control: &JobControl,
) -> Result<Arc<SpikingNetwork>> {
    let calibration = load_or_compute_calibration(settings, model, run_samples, cache, control)?;
    let balanced = load_or_compute_balanced(settings, model, run_samples, cache, control)?;
    load_or_compute_spiking(settings, model, run_samples, &calibration, balanced.as_deref(), cache, control)
}

pub(super) fn load_or_compute_calibration(
    settings: &Settings,
    model: &PreparedNetwork,
    run_samples: &Arc<Samples>,
    cache: &mut Cache,
    control: &JobControl,
) -> Result<Arc<Calibration>> {
    let key = CalibrationKey::new(settings, model.original.input_shape());
    if let Some(known) = cache.calibration(&key) {
        return Ok(known);
    }
    let set = calibration_set(settings, model, run_samples, cache, control)?;
    let network = model.program.network();
    let neurons: Vec<usize> = network.activation_nodes().map(|(id, _)| network.nodes[id].len()).collect();
    let range = &settings.calibrate;
    let bytes = calibration::estimate_bytes(range.len(), &neurons);
    memory::check_memory("calibrate", bytes, "Calibrate on fewer samples")?;
    let calibration = Arc::new(convert::calibrate_for(
        &model.program,
        Box::new({
            // Only these samples, so that the data set need not stay.
            let (part, scaling, rows) = (set.part(range.clone()), settings.scaling.clone(), range.len());
            move || Arc::new(part.scaled(0..rows, &scaling))
        }),
        range.len(),
        &settings.recipe,
        control,
    )?);
    cache.insert_calibration(key, calibration.clone());
    Ok(calibration)
}

/// The data set of the calibration samples, which has enough of them.
fn calibration_set(
    settings: &Settings,
    model: &PreparedNetwork,
    run_samples: &Arc<Samples>,
    cache: &mut Cache,
    control: &JobControl,
) -> Result<Arc<Samples>> {
    let set = match &settings.calibration_data {
        Some(spec) => load::load_samples(spec, &model.original, cache, control)?,
        None => run_samples.clone(),
    };
    let range = &settings.calibrate;
    set.check_scaling(&settings.scaling)?;
    if range.is_empty() || range.end > set.len() {
        return Err(Error::Invalid(format!(
            "Cannot calibrate on samples {}..{}: {} has {} samples. {}",
            range.start,
            range.end,
            set.source,
            set.len(),
            range_that_fits(range, set.len())
        )));
    }
    Ok(set)
}

/// The calibration samples, scaled, `[rows, F]`.
fn scaled_calibration_samples(
    settings: &Settings,
    model: &PreparedNetwork,
    run_samples: &Arc<Samples>,
    cache: &mut Cache,
    control: &JobControl,
) -> Result<Vec<f32>> {
    let set = calibration_set(settings, model, run_samples, cache, control)?;
    Ok(set.scaled(settings.calibrate.clone(), &settings.scaling))
}

/// Balanced thresholds; `None` if the recipe does not balance them.
pub(super) fn load_or_compute_balanced(
    settings: &Settings,
    model: &PreparedNetwork,
    run_samples: &Arc<Samples>,
    cache: &mut Cache,
    control: &JobControl,
) -> Result<Option<Arc<BalancedThresholds>>> {
    let ThresholdRule::Balance(rule) = settings.recipe.threshold else { return Ok(None) };
    let granularity = settings.recipe.granularity;
    let key = (CalibrationKey::new(settings, model.original.input_shape()), rule, granularity);
    if let Some(known) = cache.balanced.get(&key) {
        return Ok(Some(known));
    }
    let input = scaled_calibration_samples(settings, model, run_samples, cache, control)?;
    let rows = settings.calibrate.len();
    let balanced = Arc::new(balance_thresholds(&model.program, &input, rows, rule, granularity, control)?);
    cache.balanced.insert(key, balanced.clone());
    Ok(Some(balanced))
}

/// The converted network, with light calibration on the calibration samples if the recipe requests it.
pub(super) fn load_or_compute_spiking(
    settings: &Settings,
    model: &PreparedNetwork,
    run_samples: &Arc<Samples>,
    calibration: &Calibration,
    balanced: Option<&BalancedThresholds>,
    cache: &mut Cache,
    control: &JobControl,
) -> Result<Arc<SpikingNetwork>> {
    let (recipe, program, rows) = (&settings.recipe, &model.program, settings.calibrate.len());
    let key = CalibrationKey::new(settings, model.original.input_shape());
    calibration.prepare(recipe, control)?;
    let spiking = SpikingNetwork::convert(program, calibration, balanced, recipe)?;
    if !light_calibration::is_requested(recipe) {
        return Ok(Arc::new(spiking));
    }
    // Neither readout nor correction changes the light calibration, but the correction is part of the network.
    let key = (key, Recipe { readout: Default::default(), ..recipe.clone() });
    if let Some(known) = cache.tuned.get(&key) {
        return Ok(known);
    }
    let input = scaled_calibration_samples(settings, model, run_samples, cache, control)?;
    let calibrated = Arc::new(light_calibration::calibrate_light(program, spiking, &input, rows, recipe, control)?);
    cache.tuned.insert(key, calibrated.clone());
    Ok(calibrated)
}

/// Calibration, balanced thresholds if the recipe has them, and spiking network.
pub(super) type PreparedConversion = (Arc<Calibration>, Option<Arc<BalancedThresholds>>, Arc<SpikingNetwork>);

/// Calibration, balanced thresholds and spiking network of `settings`, if nothing but the conversion is left to do.
pub(super) fn spiking_from_cache(
    settings: &Settings,
    model: &PreparedNetwork,
    cache: &mut Cache,
    control: &JobControl,
) -> Result<Option<PreparedConversion>> {
    let recipe = &settings.recipe;
    let key = CalibrationKey::new(settings, model.original.input_shape());
    let Some(calibration) = cache.calibration(&key) else { return Ok(None) };
    let balanced = match recipe.threshold {
        ThresholdRule::Balance(rule) => match cache.balanced.get(&(key.clone(), rule, recipe.granularity)) {
            None => return Ok(None),
            known => known,
        },
        _ => None,
    };
    if light_calibration::is_requested(recipe) {
        let key = (key, Recipe { readout: Default::default(), ..recipe.clone() });
        return Ok(cache.tuned.get(&key).map(|spiking| (calibration, balanced, spiking)));
    }
    calibration.prepare(recipe, control)?;
    let spiking = Arc::new(SpikingNetwork::convert(&model.program, &calibration, balanced.as_deref(), recipe)?);
    Ok(Some((calibration, balanced, spiking)))
}
