//! Loads the network and samples that the settings name, through the cache.
//!
//! Files are read in the background ([`super::background_load`]), so that loading can be cancelled at any moment.

use std::sync::Arc;

use super::cache::{Cache, ModelKey, SamplesKey};
use super::run::PreparedNetwork;
use super::settings::Settings;
use crate::compute::program::Program;
use crate::compute::verify;
use crate::convert::findings::verified;
use crate::convert::{Finding, rewrite};
use crate::data::{DataSpec, Samples, check_labels};
use crate::measure::fan_out::fan_outs;
use crate::network::{Network, OpenedNetwork};
use crate::progress::JobControl;
use crate::{Error, Result, network};

/// Loads the network, rewrites it for conversion and places it on its device.
///
/// # Errors
/// Errors of opening it, and [`Error::Cancelled`].
pub fn load_network(settings: &Settings, cache: &mut Cache, control: &JobControl) -> Result<Arc<PreparedNetwork>> {
    let key: ModelKey = (settings.model.clone(), settings.backend, settings.recipe.pooling);
    if let Some(model) = cache.models.get(&key) {
        return Ok(model);
    }
    let load_key = key.clone();
    let model = cache.opening.get_or_start(&key, control, move || open(&load_key).map(Arc::new))?;
    cache.models.insert(key, model.clone());
    Ok(model)
}

fn open((source, backend, pooling): &ModelKey) -> Result<PreparedNetwork> {
    let OpenedNetwork { network, notes: assumed } = network::open_with_notes(source)?;
    let original = Arc::new(network);
    let (rewritten, rewrites) = rewrite::rewrite_cached(&original, *pooling)?;
    let assumption_note = |text| Finding::note("assumed", Some(&original.name), text);
    let device = backend.device()?;
    let verification = verify::verify_stored_outputs(&original, network::open::split_source(source).0, || {
        Program::new(original.clone(), &device)
    });
    let notes =
        assumed.into_iter().map(assumption_note).chain(verification.iter().map(verified)).chain(rewrites).collect();
    let fan_outs = fan_outs(&rewritten);
    let program = Program::new(rewritten, &device);
    Ok(PreparedNetwork { original, program, notes, fan_outs })
}

/// Loads the data set in the network's input shape. Images are resized; other samples must have as many values.
///
/// # Errors
/// Errors of reading it, [`Error::ShapeMismatch`] for samples of another size, and [`Error::Cancelled`].
pub fn load_samples(
    spec: &str,
    network: &Arc<Network>,
    cache: &mut Cache,
    control: &JobControl,
) -> Result<Arc<Samples>> {
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
    let samples = cache.reading.get_or_start(&key, control, move || read(&spec, &network).map(Arc::new))?;
    cache.samples.insert(key, samples.clone());
    Ok(samples)
}

fn read(spec: &DataSpec, network: &Network) -> Result<Samples> {
    let samples = with_classes_of(network, spec.load_resized(network.input_shape())?);
    let expected_len: usize = network.input_shape().iter().product();
    if samples.sample_len() != expected_len {
        return Err(Error::ShapeMismatch {
            network: network.name.clone(),
            wants: network.input_shape().to_vec(),
            data: samples.source.clone(),
            has: samples.shape.clone(),
        });
    }
    check_labels(&samples, network.classes())?;
    Ok(samples)
}

/// Maps labels to the network's classes by folder name (class name or number), for any order and number of folders.
fn with_classes_of(network: &Network, mut samples: Samples) -> Samples {
    let class_of = |name: &String| {
        let named = network.class_names.iter().position(|class| class == name);
        named.or_else(|| name.parse().ok().filter(|&class| class < network.classes()))
    };
    let classes: Option<Vec<usize>> = samples.class_names.iter().map(class_of).collect();
    if let Some(classes) = classes.filter(|classes| !classes.is_empty()) {
        let network_label = |label: &u16| classes.get(usize::from(*label)).map_or(*label, |&class| class as u16);
        samples.labels = Arc::new(samples.labels.iter().map(network_label).collect());
        samples.class_names = if network.class_names.is_empty() {
            (0..network.classes()).map(|class| class.to_string()).collect()
        } else {
            network.class_names.clone()
        };
    }
    samples
}
