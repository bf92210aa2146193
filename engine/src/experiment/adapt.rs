//! Adapts settings to the network and data set that they name: ranges, threshold rule, scaling.

use std::ops::Range;

use super::cache::Cache;
use super::load::{load_network, load_samples};
use super::settings::Settings;
use crate::convert::{Recipe, ThresholdRule};
use crate::data::Scaling;
use crate::error::format_shape;
use crate::network::TrainedNeurons;
use crate::progress::JobControl;
use crate::{Error, Result};

/// Default number of samples on which thresholds are calibrated.
const DEFAULT_CALIBRATION: usize = 256;

/// Default number of samples of a run.
const DEFAULT_SAMPLES: usize = 100;

/// Minimum number of samples that are divided in calibration samples and others.
const MIN_DIVIDED: usize = 64;

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
    /// Also the defaults of a newly opened network: its scaling, and its learned thresholds or its own neurons if it has
    /// them.
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
    if adapt >= Adapt::Recipe {
        let learned = model.original.activation_nodes().all(|(_, activation)| activation.lambda().is_some());
        let rule = &mut adapted.recipe.threshold;
        match (learned, *rule == ThresholdRule::Learned) {
            (true, _) if adapt == Adapt::Network => *rule = ThresholdRule::Learned,
            (false, true) => *rule = Recipe::default().threshold,
            _ => {}
        }
    }
    if adapt == Adapt::Network
        && let Some(neurons) = model.original.neurons
    {
        let own = Recipe::of_trained(neurons);
        let Recipe { steps, threshold, v_init, neuron, reset, tie, .. } = own;
        adapted.recipe = Recipe { steps, threshold, v_init, neuron, reset, tie, ..adapted.recipe };
    }
    let samples = load_samples(&settings.data, &model.original, cache, control)?;
    // A scaling for another number of channels must not prevent opening this network.
    if adapt == Adapt::Network && samples.check_scaling(&adapted.scaling).is_err() {
        adapted.scaling = Scaling::default();
    }
    let pool = match &settings.calibration_data {
        Some(spec) => match load_samples(spec, &model.original, cache, control) {
            Ok(set) => Some(set.len()),
            // A set for the network before must not prevent opening this one.
            Err(Error::ShapeMismatch { .. } | Error::Invalid(_)) if adapt == Adapt::Network => {
                adapted.calibration_data = None;
                None
            }
            Err(Error::ShapeMismatch { network, expected, data, found }) => {
                return Err(Error::Invalid(format!(
                    "Cannot calibrate on {data}: its samples are {}, and '{network}' takes {}. Choose another set, or none.",
                    format_shape(&found),
                    format_shape(&expected)
                )));
            }
            Err(error) => return Err(error),
        },
        None => None,
    };
    if adapted.calibration_data == settings.calibration_data {
        fit_ranges(&mut adapted, samples.len(), pool);
    } else {
        (adapted.calibrate, adapted.samples) = fitted_ranges(samples.len(), None);
    }
    if (&adapted.samples, &adapted.calibrate) != (&settings.samples, &settings.calibrate) {
        let ranges = (adapted.calibrate.clone(), adapted.samples.clone());
        cache.fitted_ranges.insert(settings.data.clone(), ranges);
    }
    Ok(adapted)
}

/// `recipe` for another network after one with its own `neurons`: what was taken from that one is the default again.
pub fn without_trained_neurons(recipe: &Recipe, neurons: TrainedNeurons) -> Recipe {
    let (own, default) = (Recipe::of_trained(neurons), Recipe::default());
    let mut recipe = recipe.clone();
    if (recipe.neuron, recipe.reset) == (own.neuron, own.reset) {
        (recipe.neuron, recipe.reset) = (default.neuron, default.reset);
    }
    if (recipe.tie, recipe.v_init) == (own.tie, own.v_init) {
        (recipe.tie, recipe.v_init) = (default.tie, default.v_init);
    }
    recipe
}

/// Fits the ranges of `settings` that exceed a data set of `count` samples, and a separate calibration set of `pool`. A
/// range that fits stays, unless both are the defaults.
fn fit_ranges(settings: &mut Settings, count: usize, pool: Option<usize>) {
    let run_fits = settings.samples.end <= count;
    let calibration_fits = settings.calibrate.end <= pool.unwrap_or(count);
    let defaults = Settings::default();
    let are_defaults = (&settings.samples, &settings.calibrate) == (&defaults.samples, &defaults.calibrate);
    let (calibrate, run) = fitted_ranges(count, pool);
    match (run_fits, calibration_fits) {
        (true, true) => {}
        (false, true) if pool.is_some() => settings.samples = run,
        (true, false) if pool.is_some() => settings.calibrate = calibrate,
        (false, true) if !are_defaults => settings.samples = beside(&settings.calibrate, count, DEFAULT_SAMPLES),
        (true, false) if !are_defaults => settings.calibrate = beside(&settings.samples, count, DEFAULT_CALIBRATION),
        _ => (settings.calibrate, settings.samples) = (calibrate, run),
    }
}

/// At most `wanted` samples before or after `taken`, whichever are more; the first of all if these are too few.
fn beside(taken: &Range<usize>, count: usize, wanted: usize) -> Range<usize> {
    let after = count.saturating_sub(taken.end);
    let (first, free) = if after >= taken.start { (taken.end, after) } else { (0, taken.start) };
    let (first, free) = if free < MIN_DIVIDED / 2 { (0, count) } else { (first, free) };
    first..first + free.min(wanted)
}

/// Calibration samples and samples of a run that fit a data set of `count` samples, and a separate calibration set of
/// `pool`. Both ranges of one set are apart, if it is large enough to be divided.
pub fn fitted_ranges(count: usize, pool: Option<usize>) -> (Range<usize>, Range<usize>) {
    let run_count = DEFAULT_SAMPLES.min(count);
    if let Some(pool) = pool {
        return (0..pool.min(DEFAULT_CALIBRATION), 0..run_count);
    }
    if count < MIN_DIVIDED {
        return (0..count, 0..run_count);
    }
    let first = (count - run_count.min(count / 2)).min(DEFAULT_CALIBRATION);
    (0..first, first..(first + DEFAULT_SAMPLES).min(count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::Reset;

    #[test]
    fn a_scaling_for_other_channels_does_not_prevent_opening_a_network() {
        let colors = Scaling::parse("mean=.5,.5,.5;std=.2,.2,.2").unwrap();
        let settings = Settings { scaling: colors, ..Settings::default() };
        let adapted =
            |adapt| adapt_settings(&settings, adapt, &mut Cache::default(), &JobControl::default()).unwrap().scaling;
        assert_eq!(adapted(Adapt::Network), Scaling::default());
        assert_eq!(adapted(Adapt::Ranges), settings.scaling, "the network stays, and what was set for it");
    }

    #[test]
    fn neurons_of_a_trained_network_do_not_stay_for_the_next() {
        let neurons = TrainedNeurons { decay: 900, hard_reset: true, steps: 8 };
        let own = Recipe::of_trained(neurons);
        let (next, default) = (without_trained_neurons(&own, neurons), Recipe::default());
        assert_eq!((next.neuron, next.reset, next.v_init), (default.neuron, default.reset, default.v_init));
        assert_eq!(next.steps, 8);
        // What the user has chosen since stays.
        let chosen = Recipe { reset: Reset::Soft, v_init: 0.25, ..own };
        assert_eq!(without_trained_neurons(&chosen, neurons), chosen);
    }

    #[test]
    fn default_ranges_fit_small_data_sets() {
        assert_eq!(fitted_ranges(1000, None), (0..256, 256..356));
        assert_eq!(fitted_ranges(356, None), (0..256, 256..356));
        assert_eq!(fitted_ranges(300, None), (0..200, 200..300));
        assert_eq!(fitted_ranges(100, None), (0..50, 50..100));
        assert_eq!(fitted_ranges(40, None), (0..40, 0..40));
        assert_eq!(fitted_ranges(1, None), (0..1, 0..1));
        assert_eq!(fitted_ranges(300, Some(40)), (0..40, 0..100));
    }

    #[test]
    fn a_range_that_fits_stays() {
        let fitted = |samples: Range<usize>, calibrate: Range<usize>, count, pool| {
            let mut settings = Settings { samples, calibrate, ..Settings::default() };
            fit_ranges(&mut settings, count, pool);
            (settings.calibrate, settings.samples)
        };
        assert_eq!(fitted(256..356, 0..256, 300, None), (0..200, 200..300));
        assert_eq!(fitted(0..100, 0..256, 200, None), (100..200, 0..100));
        assert_eq!(fitted(256..356, 0..50, 200, None), (0..50, 50..150));
        assert_eq!(fitted(0..190, 0..256, 200, None), (0..200, 0..190), "ten are too few");
        assert_eq!(fitted(256..356, 0..256, 300, Some(600)), (0..256, 0..100));
        assert_eq!(fitted(0..100, 0..256, 300, Some(100)), (0..100, 0..100));
        assert_eq!(fitted(5..9, 2..4, 9, None), (2..4, 5..9));
    }
}
