//! What the options of a run omit, taken from the network and the data.

use super::{RunArgs, layer_thresholds};
use crate::Result;
use crate::convert::Recipe;
use crate::experiment::Settings;
use crate::experiment::adapt::{Adapt, adapt_settings};
use crate::experiment::cache::Cache;
use crate::experiment::load::load_network;
use crate::progress::JobControl;

/// Without `--scale`, uses the input scaling that the network's file or its architecture file states, if any; and, where
/// the options say nothing, the neurons of a network that was trained as a spiking one.
///
/// # Errors
/// Those of loading the network.
pub fn use_stated_scaling(settings: &mut Settings, args: &RunArgs, cache: &mut Cache) -> Result<()> {
    if args.scale.is_none() {
        let model = load_network(settings, cache, &JobControl::default())?;
        settings.scaling = model.original.scaling.clone().unwrap_or(settings.scaling.clone());
    }
    // A recipe of its own says everything.
    if args.recipe.is_none()
        && let Some(neurons) = load_network(settings, cache, &JobControl::default())?.original.neurons
    {
        let (given, own) = (settings.recipe.clone(), Recipe::of_trained(neurons));
        let recipe = &mut settings.recipe;
        recipe.threshold = if args.threshold.is_some() { given.threshold } else { own.threshold };
        recipe.v_init = if args.v_init.is_some() { given.v_init } else { own.v_init };
        recipe.tie = if args.tie.is_some() { given.tie } else { own.tie };
        recipe.reset = if args.reset.is_some() { given.reset } else { own.reset };
        recipe.neuron = if args.neuron.is_some() { given.neuron } else { own.neuron };
        recipe.steps = if args.steps.is_some() { given.steps } else { own.steps };
    }
    Ok(())
}

/// Fits the ranges that the options omit to a data set that is smaller than the default ranges need.
///
/// # Errors
/// Those of loading the network and the data.
pub fn fit_default_ranges(
    settings: &mut Settings,
    args: &RunArgs,
    cache: &mut Cache,
    control: &JobControl,
) -> Result<()> {
    if args.samples.is_some() && args.calibrate.is_some() {
        return Ok(());
    }
    let fitted = adapt_settings(settings, Adapt::Ranges, cache, control)?;
    if args.samples.is_none() {
        settings.samples = fitted.samples;
    }
    if args.calibrate.is_none() {
        settings.calibrate = fitted.calibrate;
    }
    Ok(())
}

/// Checks that the layers of `--theta` exist.
///
/// # Errors
/// Those of loading the network; [`crate::Error::Invalid`] for a layer that it does not have.
pub fn check_theta(settings: &Settings, args: &RunArgs, cache: &mut Cache) -> Result<()> {
    if args.theta.is_empty() {
        return Ok(());
    }
    let model = load_network(settings, cache, &JobControl::default())?;
    layer_thresholds::check_layers(&args.theta, model.program.network())
}
