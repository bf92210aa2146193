//! Stages before a simulation: calibration, balanced thresholds, the spiking network.

use std::sync::Arc;

use super::cache::{Cache, CalibrationKey};
use super::run::Model;
use super::settings::Settings;
use super::{load, memory};
use crate::convert::{Balanced, Calibration, Recipe, SpikingNetwork, ThresholdRule, balance, calibration};
use crate::data::Samples;
use crate::progress::Control;
use crate::simulate::light_calibration;
use crate::{Error, Result, convert};

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
        Some(spec) => load::samples(spec, &model.original, cache, control)?,
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
