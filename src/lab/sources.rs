//! What settings name, opened: network and data set, read beside the work so that it can stop at any moment; and settings
//! fitted to what was found in the files.

use std::sync::Arc;

use super::cache::{Cache, ModelKey, SamplesKey};
use super::run::Model;
use super::settings::Settings;
use crate::compute::program::Program;
use crate::compute::verify;
use crate::convert::findings::verified;
use crate::convert::{Finding, Recipe, ThresholdRule, rewrite};
use crate::data::{DataSpec, Samples, Scaling, check_labels};
use crate::measure::fan_out::fan_outs;
use crate::network::{Network, Opened};
use crate::progress::Control;
use crate::{Error, Result, network};

/// How many samples thresholds are calibrated on unless a person says otherwise.
const DEFAULT_CALIBRATION: usize = 256;
/// How many samples are run unless a person says otherwise.
const DEFAULT_SAMPLES: usize = 100;

/// What of the settings is fitted to what was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
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
pub fn fitted(settings: &Settings, fit: Fit, cache: &mut Cache, control: &Control) -> Result<Settings> {
    let mut fitted = settings.clone();
    if fit == Fit::Nothing {
        return Ok(fitted);
    }
    let model = model(settings, cache, control)?;
    if fit == Fit::Network
        && let Some(scaling) = &model.original.scaling
    {
        fitted.scaling = scaling.clone();
    }
    // What was right for another network's channels stops nobody from opening this one.
    if fit == Fit::Network && fitted.scaling.check(model.original.input_shape()).is_err() {
        fitted.scaling = Scaling::default();
    }
    if fit >= Fit::Recipe {
        let learned = model.original.activations().all(|(_, activation)| activation.lambda().is_some());
        let rule = &mut fitted.recipe.threshold;
        match (learned, *rule == ThresholdRule::Learned) {
            (true, _) if fit == Fit::Network => *rule = ThresholdRule::Learned,
            (false, true) => *rule = Recipe::default().threshold,
            _ => {}
        }
    }
    let count = samples(&settings.data, &model.original, cache, control)?.len();
    if fitted.samples.end > count {
        let first = if count > DEFAULT_CALIBRATION { DEFAULT_CALIBRATION } else { 0 };
        fitted.samples = first..(first + DEFAULT_SAMPLES).min(count);
    }
    let pool = match &settings.calibration_data {
        Some(spec) => samples(spec, &model.original, cache, control)?.len(),
        None => count,
    };
    if fitted.calibrate.end > pool {
        fitted.calibrate = 0..pool.min(DEFAULT_CALIBRATION);
    }
    Ok(fitted)
}

/// The opened and rewritten network on its device.
///
/// # Errors
/// What opening it gives, and [`Error::Cancelled`].
pub fn model(settings: &Settings, cache: &mut Cache, control: &Control) -> Result<Arc<Model>> {
    let key: ModelKey = (settings.model.clone(), settings.backend, settings.recipe.pooling);
    if let Some(model) = cache.models.get(&key) {
        return Ok(model);
    }
    let asked = key.clone();
    let model = cache.opening.wait(&key, control, move || open(&asked).map(Arc::new))?;
    cache.models.keep(key, model.clone());
    Ok(model)
}

fn open((source, backend, pooling): &ModelKey) -> Result<Model> {
    let Opened { network, notes: assumed } = network::open_noted(source)?;
    let original = Arc::new(network);
    let (rewritten, rewrites) = rewrite::shared(&original, *pooling)?;
    let about = |text| Finding::note("assumed", Some(&original.name), text);
    let device = backend.device()?;
    let checked = verify::beside(&original, network::open::parts(source).0, || Program::new(original.clone(), &device));
    let notes = assumed.into_iter().map(about).chain(checked.iter().map(verified)).chain(rewrites).collect();
    let fan_outs = fan_outs(&rewritten);
    let program = Program::new(rewritten, &device);
    Ok(Model { original, program, notes, fan_outs })
}

/// The data set in the shape the network wants: pictures are fitted, other samples must have as many values.
///
/// # Errors
/// What reading it gives, samples that the network cannot see, and [`Error::Cancelled`].
pub fn samples(spec: &str, network: &Arc<Network>, cache: &mut Cache, control: &Control) -> Result<Arc<Samples>> {
    let key = SamplesKey {
        spec: spec.to_owned(),
        shape: network.input_shape().to_vec(),
        classes: network.classes(),
        class_names: network.class_names.clone(),
    };
    if let Some(samples) = cache.samples.get(&key) {
        return Ok(samples);
    }
    let (spec, network) = (DataSpec::parse(spec)?, network.clone());
    let samples = cache.reading.wait(&key, control, move || read(&spec, &network).map(Arc::new))?;
    cache.samples.keep(key, samples.clone());
    Ok(samples)
}

fn read(spec: &DataSpec, network: &Network) -> Result<Samples> {
    let samples = with_classes_of(network, spec.load_resized(network.input_shape())?);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scaling_of_other_channels_keeps_no_network_shut() {
        let colors = Scaling::parse("mean=.5,.5,.5;std=.2,.2,.2").unwrap();
        let settings = Settings { scaling: colors, ..Settings::default() };
        let fitted = |fit| fitted(&settings, fit, &mut Cache::default(), &Control::default()).unwrap().scaling;
        assert_eq!(fitted(Fit::Network), Scaling::default());
        assert_eq!(fitted(Fit::Ranges), settings.scaling, "the network stays, and what was set for it");
    }
}
