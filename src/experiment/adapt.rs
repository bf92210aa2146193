//! Adapts settings to the network and data set that they name: ranges, threshold rule, scaling.

use super::cache::Cache;
use super::load::{load_network, load_samples};
use super::settings::Settings;
use crate::Result;
use crate::convert::{Recipe, ThresholdRule};
use crate::data::Scaling;
use crate::progress::JobControl;

/// Default number of samples on which thresholds are calibrated.
const DEFAULT_CALIBRATION: usize = 256;

/// Default number of samples of a run.
const DEFAULT_SAMPLES: usize = 100;

/// Which settings are adapted to the opened files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Adapt {
    /// None.
    #[default]
    Nothing,
    /// Sample ranges that exceed the data set.
    Ranges,
    /// Also a threshold rule that the network does not support.
    Recipe,
    /// Also the defaults of a newly opened network: its scaling, and its learned thresholds if it has them.
    Network,
}

/// The settings, adapted to the network and data set that they name.
///
/// # Errors
/// Errors of opening both, and [`crate::Error::Cancelled`].
pub fn adapt_settings(settings: &Settings, adapt: Adapt, cache: &mut Cache, control: &JobControl) -> Result<Settings> {
    let mut adapted = settings.clone();
    if adapt == Adapt::Nothing {
        return Ok(adapted);
    }
    let model = load_network(settings, cache, control)?;
    if adapt == Adapt::Network
        && let Some(scaling) = &model.original.scaling
    {
        adapted.scaling = scaling.clone();
    }
    // A scaling for another number of channels must not prevent opening this network.
    if adapt == Adapt::Network && adapted.scaling.check(model.original.input_shape()).is_err() {
        adapted.scaling = Scaling::default();
    }
    if adapt >= Adapt::Recipe {
        let learned = model.original.activation_nodes().all(|(_, activation)| activation.lambda().is_some());
        let rule = &mut adapted.recipe.threshold;
        match (learned, *rule == ThresholdRule::Learned) {
            (true, _) if adapt == Adapt::Network => *rule = ThresholdRule::Learned,
            (false, true) => *rule = Recipe::default().threshold,
            _ => {}
        }
    }
    let count = load_samples(&settings.data, &model.original, cache, control)?.len();
    if adapted.samples.end > count {
        let first = if count > DEFAULT_CALIBRATION { DEFAULT_CALIBRATION } else { 0 };
        adapted.samples = first..(first + DEFAULT_SAMPLES).min(count);
    }
    let pool = match &settings.calibration_data {
        Some(spec) => load_samples(spec, &model.original, cache, control)?.len(),
        None => count,
    };
    if adapted.calibrate.end > pool {
        adapted.calibrate = 0..pool.min(DEFAULT_CALIBRATION);
    }
    Ok(adapted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scaling_for_other_channels_does_not_prevent_opening_a_network() {
        let colors = Scaling::parse("mean=.5,.5,.5;std=.2,.2,.2").unwrap();
        let settings = Settings { scaling: colors, ..Settings::default() };
        let adapted =
            |adapt| adapt_settings(&settings, adapt, &mut Cache::default(), &JobControl::default()).unwrap().scaling;
        assert_eq!(adapted(Adapt::Network), Scaling::default());
        assert_eq!(adapted(Adapt::Ranges), settings.scaling, "the network stays, and what was set for it");
    }
}
