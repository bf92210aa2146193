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
use crate::network::{Network, OpenedNetwork, onnx};
use crate::progress::JobControl;
use crate::task::answer::{answering_output, describe_outputs};
use crate::{Error, Result, network};

/// Loads the network, rewrites it for conversion and places it on its device.
///
/// # Errors
/// Errors of opening it, and [`Error::Cancelled`].
pub fn load_network(settings: &Settings, cache: &mut Cache, control: &JobControl) -> Result<Arc<PreparedNetwork>> {
    let key = ModelKey {
        source: settings.model.clone(),
        output: settings.output.clone(),
        input: settings.input.clone(),
        backend: settings.backend,
        pooling: settings.recipe.pooling,
    };
    if let Some(model) = cache.models.get(&key) {
        return Ok(model);
    }
    let load_key = key.clone();
    let model = cache.opening.get_or_start(&key, control, move || open(&load_key).map(Arc::new))?;
    cache.models.insert(key, model.clone());
    Ok(model)
}

fn open(key: &ModelKey) -> Result<PreparedNetwork> {
    let OpenedNetwork { network, notes: assumed } = network::open_with_notes(&key.source)?;
    // Stored outputs are those of the whole network.
    let whole = Arc::new(network);
    let device = key.backend.device()?;
    let path = network::open::split_source(&key.source).0;
    let verification = verify::verify_stored_outputs(&whole, path, || Program::new(whole.clone(), &device));
    let answers = answering_output(&whole, key.output.as_deref()).or_else(|error| {
        // The only output of an ONNX file does not keep its name.
        let names = onnx::output_names(path).unwrap_or_default();
        if key.output.as_ref().is_some_and(|name| names == [name.as_str()]) { Ok(None) } else { Err(error) }
    })?;
    let original = answers.map_or_else(|| whole.clone(), |output| Arc::new(whole.with_output(output)));
    let (rewritten, rewrites) = rewrite::rewrite_cached(&original, key.pooling).map_err(|e| with_choice(e, &whole))?;
    let assumption_note = |text| Finding::note("assumed", Some(&original.name), text);
    let notes = describe_outputs(&whole, answers).into_iter();
    let notes = notes.chain(assumed.into_iter().map(assumption_note)).chain(verification.iter().map(verified));
    let notes = notes.chain(rewrites).collect();
    let fan_outs = fan_outs(&rewritten);
    let program = Program::new(rewritten, &device);
    let outputs = whole.outputs().into_iter().map(|output| output.name).collect();
    Ok(PreparedNetwork { original, outputs, answers, stated_input: key.input.clone(), program, notes, fan_outs })
}

/// An error of the conversion of `network`, with the outputs among which another may be free of it.
fn with_choice(error: Error, network: &Network) -> Error {
    let names: Vec<String> = network.outputs().iter().map(|output| format!("'{}'", output.name)).collect();
    let advice = || format!("Choose another output with --output: {}.", names.join(", "));
    match error {
        Error::Network { node, reason } if names.len() > 1 => {
            Error::Network { node, reason: format!("{}. {}", reason.trim_end_matches('.'), advice()) }
        }
        Error::Invalid(text) if names.len() > 1 => Error::Invalid(format!("{text} {}", advice())),
        other => other,
    }
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
        classes: network.class_count(),
        class_names: network.class_names.clone(),
        is_classifier: network.is_classifier(),
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
    // Labels are classes: they do not apply to other outputs.
    if network.is_classifier() {
        check_labels(&samples, network.class_count())?;
    }
    Ok(samples)
}

/// Maps labels to the network's classes by folder name (class name or number), for any order and number of folders.
fn with_classes_of(network: &Network, mut samples: Samples) -> Samples {
    let class_of = |name: &String| {
        let named = network.class_names.iter().position(|class| class == name);
        named.or_else(|| name.parse().ok().filter(|&class| class < network.class_count()))
    };
    let classes: Option<Vec<usize>> = samples.class_names.iter().map(class_of).collect();
    if let Some(classes) = classes.filter(|classes| !classes.is_empty()) {
        let network_label = |label: &u16| classes.get(usize::from(*label)).map_or(*label, |&class| class as u16);
        samples.labels = Arc::new(samples.labels.iter().map(network_label).collect());
        samples.class_names = if network.class_names.is_empty() {
            (0..network.class_count()).map(|class| class.to_string()).collect()
        } else {
            network.class_names.clone()
        };
    }
    samples
}
