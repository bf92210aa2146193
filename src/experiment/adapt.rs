//! Adapts settings to the network and data set that they name.

use super::cache::Cache;
use super::load::{load_network, load_samples};
use super::settings::Settings;
use crate::Result;
use crate::convert::{Recipe, ThresholdRule};
use crate::data::Scaling;
use crate::progress::JobControl;

/// How many samples thresholds are calibrated on unless a person says otherwise.
const DEFAULT_CALIBRATION: usize = 256;

/// How many samples are run unless a person says otherwise.
const DEFAULT_SAMPLES: usize = 100;

/// What of the settings is fitted to what was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Adapt {
    /// Nothing: they are taken as they are.
    #[default]
    Nothing,
    /// Sample ranges that the data set does not have.
    Ranges,
    /// Besides, a threshold rule that the network cannot have.
    Recipe,
    /// Besides, what a newly opened network asks for: its scaling, and learned thresholds where it has them.
    Network,
}

/// The settings fitted to the network and data set that they name.
///
/// # Errors
/// What opening them gives, and [`Error::Cancelled`].
pub fn adapt_settings(settings: &Settings, fit: Adapt, cache: &mut Cache, control: &JobControl) -> Result<Settings> {
    let mut fitted = settings.clone();
    if fit == Adapt::Nothing {
        return Ok(fitted);
    }
    let model = load_network(settings, cache, control)?;
    if fit == Adapt::Network
        && let Some(scaling) = &model.original.scaling
    {
        fitted.scaling = scaling.clone();
    }
    // What was right for another network's channels stops nobody from opening this one.
    if fit == Adapt::Network && fitted.scaling.check(model.original.input_shape()).is_err() {
        fitted.scaling = Scaling::default();
    }
    if fit >= Adapt::Recipe {
        let learned = model.original.activation_nodes().all(|(_, activation)| activation.lambda().is_some());
        let rule = &mut fitted.recipe.threshold;
        match (learned, *rule == ThresholdRule::Learned) {
            (true, _) if fit == Adapt::Network => *rule = ThresholdRule::Learned,
            (false, true) => *rule = Recipe::default().threshold,
            _ => {}
        }
    }
    let count = load_samples(&settings.data, &model.original, cache, control)?.len();
    if fitted.samples.end > count {
        let first = if count > DEFAULT_CALIBRATION { DEFAULT_CALIBRATION } else { 0 };
        fitted.samples = first..(first + DEFAULT_SAMPLES).min(count);
    }
    let pool = match &settings.calibration_data {
        Some(spec) => load_samples(spec, &model.original, cache, control)?.len(),
        None => count,
    };
    if fitted.calibrate.end > pool {
        fitted.calibrate = 0..pool.min(DEFAULT_CALIBRATION);
    }
    Ok(fitted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scaling_of_other_channels_keeps_no_network_shut() {
        let colors = Scaling::parse("mean=.5,.5,.5;std=.2,.2,.2").unwrap();
        let settings = Settings { scaling: colors, ..Settings::default() };
        let fitted =
            |fit| adapt_settings(&settings, fit, &mut Cache::default(), &JobControl::default()).unwrap().scaling;
        assert_eq!(fitted(Adapt::Network), Scaling::default());
        assert_eq!(fitted(Adapt::Ranges), settings.scaling, "the network stays, and what was set for it");
    }
}
