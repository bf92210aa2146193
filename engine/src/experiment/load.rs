//! Loads the network and samples that the settings name, through the cache.
//!
//! Files are read in the background ([`super::background_load`]), so that loading can be cancelled at any moment.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use super::cache::{Cache, ModelKey, SamplesKey};
use super::classes::{class_names_of, with_classes};
use super::open_sizes::{input_sizes, sizes_of_data};
use super::run::PreparedNetwork;
use super::settings::Settings;
use crate::compute::program::Program;
use crate::compute::verify;
use crate::convert::findings::{self, verified};
use crate::convert::{Finding, rewrite};
use crate::data::fit::fit;
use crate::data::{DataSpec, InputForm, Layout, Samples, check_labels};
use crate::error::format_shape;
use crate::measure::fan_out::fan_outs;
use crate::network::left_open::InputSizes;
use crate::network::open::BUILTIN_PREFIX;
use crate::network::{Network, Op, OpenOptions, OpenedNetwork, onnx};
use crate::progress::JobControl;
use crate::task::Detector;
use crate::task::answer::{answering_output, describe_outputs};
use crate::task::detector_head::{HeadText, beside, bundled_head, check_ignored};
use crate::{Error, Result, network};

/// Maximum length of a description of a detector's head.
const MAX_HEAD_BYTES: u64 = 1 << 20;

/// Loads the network, rewrites it for conversion and places it on its device.
///
/// # Errors
/// Errors of opening it, and [`Error::Cancelled`].
pub fn load_network(settings: &Settings, cache: &mut Cache, control: &JobControl) -> Result<Arc<PreparedNetwork>> {
    let key = ModelKey {
        source: settings.model.clone(),
        output: settings.output.clone(),
        head: settings.head.clone(),
        input: input_sizes(settings, cache, control)?,
        dt: settings.dt,
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
    let (OpenedNetwork { network, notes: assumed, time_step }, input) = open_sized(&key.source, &key.input, key.dt)?;
    // Stored outputs are those of the whole network.
    let whole = Arc::new(network);
    let device = key.backend.device()?;
    let path = network::open::split_source(&key.source).0;
    let verification = verify::verify_stored_outputs(&whole, path, || Program::new(whole.clone(), &device));
    let described = match head_text(key)? {
        // One output alone is read as it is, unless its head is stated.
        Some(_) if key.output.is_some() && key.head.is_none() => None,
        Some(text) => {
            check_ignored(&text, &assumed)?;
            Some(Detector::described(&whole, &text)?)
        }
        None => None,
    };
    let chosen = || match described {
        Some(_) => Ok(None),
        None => answering_output(&whole, key.output.as_deref()),
    };
    let answers = chosen().or_else(|error| {
        // The only output of an ONNX file does not keep its name.
        let names = onnx::output_names(path).unwrap_or_default();
        if key.output.as_ref().is_some_and(|name| names == [name.as_str()]) { Ok(None) } else { Err(error) }
    })?;
    // One output needs no node that flattens it.
    let alone = if whole.outputs().len() == 1 { Some(0) } else { answers };
    let original = alone.map_or_else(|| whole.clone(), |output| Arc::new(whole.with_output(output)));
    let (rewritten, rewrites) = rewrite::rewrite_cached(&original, key.pooling).map_err(|e| with_choice(e, &whole))?;
    let assumption_note = |text| Finding::note("assumed", Some(&original.name), text);
    let sizes = input.as_ref().zip(key.input.assumed.as_ref()).map(|(shape, (file, data))| {
        let text = format!(
            "the file leaves sizes of the input open ({file}): {} is used, as the samples are {data}. State others with \
             --input",
            format_shape(shape)
        );
        Finding::note("input size", None, text)
    });
    let about = if described.is_some() { None } else { describe_outputs(&whole, answers) };
    let notes = about.into_iter().chain(sizes).chain(time_step.and_then(findings::check_time_step));
    let notes = notes.chain(assumed.into_iter().map(assumption_note)).chain(verification.iter().map(verified));
    let notes = notes.chain(rewrites).collect();
    let fan_outs = fan_outs(&rewritten);
    let program = Program::new(rewritten, &device);
    let outputs = whole.outputs().into_iter().map(|output| output.name).collect();
    let detector = described.or_else(|| Detector::from_network(&original)).map(Arc::new);
    Ok(PreparedNetwork {
        original,
        outputs,
        answers,
        detector,
        stated_input: input,
        time_step,
        program,
        notes,
        fan_outs,
    })
}

/// The description of the network's head: the stated file, that of a bundled detector, or the file beside the network.
fn head_text(key: &ModelKey) -> Result<Option<HeadText>> {
    let read = |path: PathBuf| {
        let file = std::fs::File::open(&path).map_err(|e| Error::io(&path, e))?;
        let mut text = String::new();
        file.take(MAX_HEAD_BYTES + 1).read_to_string(&mut text).map_err(|e| Error::io(&path, e))?;
        if text.len() as u64 > MAX_HEAD_BYTES {
            let reason = format!("is longer than {MAX_HEAD_BYTES} bytes; it is no description of a head");
            return Err(Error::file(&path, "", reason));
        }
        Ok(Some(HeadText { path, text }))
    };
    match (&key.head, key.source.strip_prefix(BUILTIN_PREFIX)) {
        (Some(stated), _) => read(PathBuf::from(stated)),
        (None, Some(name)) => Ok(bundled_head(name)),
        (None, None) => {
            let path = beside(network::open::split_source(&key.source).0);
            if path.is_file() { read(path) } else { Ok(None) }
        }
    }
}

/// Opens the network `source` with all its outputs, with sizes that its file leaves open from the samples of `spec` and a
/// time step of `dt` if it is stated.
///
/// # Errors
/// Errors of opening it and of reading the data.
pub fn open_for(source: &str, spec: &DataSpec, dt: Option<f64>) -> Result<Network> {
    let sizes = sizes_of_data(source, &spec.to_string())?;
    open_sized(source, &sizes, dt).map(|(opened, _)| opened.network)
}

/// Opens the network `source` with the first of the shapes in `sizes` that its layers accept.
fn open_sized(source: &str, sizes: &InputSizes, dt: Option<f64>) -> Result<(OpenedNetwork, Option<Vec<usize>>)> {
    let opened_with = |shape: &Vec<usize>| {
        let opened = network::open_with(source, &OpenOptions { input: Some(shape.clone()), dt })?;
        // Other formats than ONNX state their sizes, in this program's order.
        let has = opened.network.input_shape();
        let is_same = has.iter().product::<usize>() == shape.iter().product::<usize>();
        match is_same {
            true => Ok((opened, Some(shape.clone()))),
            false => Err(Error::Invalid(format!(
                "Cannot open '{source}' with --input {}: it takes samples of {}. Omit the option.",
                format_shape(shape),
                format_shape(has)
            ))),
        }
    };
    let Some(first) = sizes.shapes.first() else {
        return network::open_with(source, &OpenOptions { input: None, dt }).map(|opened| (opened, None));
    };
    let error = match (opened_with(first), &sizes.assumed) {
        (Ok(opened), _) => return Ok(opened),
        (Err(error), None) => return Err(error),
        (Err(error), Some(_)) => error,
    };
    if let Some(opened) = sizes.shapes[1..].iter().find_map(|shape| opened_with(shape).ok()) {
        return Ok(opened);
    }
    match error {
        Error::File { path, place, reason } => {
            let reason = format!(
                "{}. The sizes that the file leaves open are those of the data ({}). State others with --input, or open \
                 other data",
                reason.trim_end_matches('.'),
                format_shape(first)
            );
            Err(Error::File { path, place, reason })
        }
        other => Err(other),
    }
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

/// Loads the data set in the form of the network's input: images are resized, other samples are turned where only that
/// fits, and labels are the network's classes.
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
        input: input_form(network),
        classes: network.class_count(),
        class_names: network.class_names.clone(),
        is_classifier: network.is_classifier(),
    };
    if let Some(samples) = cache.samples.get(&key) {
        return Ok(samples);
    }
    let (parsed, network) = (DataSpec::parse(spec)?, network.clone());
    let work = move || read_samples(&parsed, &network).map(Arc::new);
    let samples = cache.reading.get_or_start(&key, control, work)?;
    if let Some(names) = class_names_of(&samples) {
        cache.class_names.insert(spec.to_owned(), names.to_vec());
    }
    cache.samples.insert(key, samples.clone());
    Ok(samples)
}

/// Reads the samples of `spec` in the form of the network's input, without a cache.
///
/// # Errors
/// As [`load_samples`].
pub fn read_samples(spec: &DataSpec, network: &Network) -> Result<Samples> {
    let samples = spec.load_resized(&input_form(network).image_shape())?;
    fit_samples(samples, spec, network)
}

/// Fits `samples` of `spec` to the input and the classes of `network`.
///
/// # Errors
/// [`Error::ShapeMismatch`] for samples of another size; [`Error::Invalid`] for labels that are no classes.
pub fn fit_samples(samples: Samples, spec: &DataSpec, network: &Network) -> Result<Samples> {
    let input = input_form(network);
    let (data, found) = (samples.source.clone(), samples.shape.clone());
    let Some(samples) = fit(samples, &input, spec.options.layout)? else {
        return Err(Error::ShapeMismatch { network: network.name.clone(), expected: input.shape, data, found });
    };
    let samples = with_classes(samples, &network.class_names, network.class_count(), spec.options.classes)?;
    // Labels are classes: they do not apply to other outputs.
    if network.is_classifier() {
        check_labels(&samples, network.class_count())?;
    }
    Ok(samples)
}

/// The shape of `samples` of `spec` for a new network, which has the channels first.
pub fn channels_first(samples: &Samples, spec: &DataSpec) -> Vec<usize> {
    match (samples.shape.as_slice(), spec.options.layout.unwrap_or(samples.channels())) {
        (&[h, w, c], Layout::ChannelsLast) => vec![c, h, w],
        (&[h, w], _) => vec![1, h, w],
        (shape, _) => shape.to_vec(),
    }
}

/// The network's input: its shape, and the position of the channels as its first layers read them.
fn input_form(network: &Network) -> InputForm {
    let mut form = InputForm::new(network.input_shape());
    // Nodes that have the order of values of the input.
    let mut same = vec![false; network.nodes.len()];
    for (id, node) in network.nodes.iter().enumerate() {
        let reads_input = node.inputs.iter().any(|&input| same.get(input) == Some(&true));
        if !(matches!(node.op, Op::Input) || reads_input) {
            continue;
        }
        let layout = match &node.op {
            Op::Conv2d { .. }
            | Op::ConvTranspose2d { .. }
            | Op::Resample { .. }
            | Op::MaxPool2d { .. }
            | Op::AvgPool2d { .. } => Some(Layout::ChannelsFirst),
            Op::Affine { scale, .. } if scale.len() > 1 && form.shape.len() > 1 => Some(Layout::ChannelsFirst),
            // Where the values of `[H, W, C]` go to channels-first layers, and the reverse.
            Op::Transpose { perm } if perm == &[2, 0, 1] => Some(Layout::ChannelsLast),
            Op::Transpose { perm } if perm == &[1, 2, 0] => Some(Layout::ChannelsFirst),
            _ => None,
        };
        if layout.is_some() {
            form.layout = layout;
            return form;
        }
        let ones = |shape: &[usize]| shape.iter().copied().filter(|&d| d != 1).collect::<Vec<_>>();
        same[id] = match node.op {
            Op::Reshape => ones(&node.shape) == ones(&form.shape),
            _ => matches!(node.op, Op::Input | Op::Affine { .. } | Op::Activation(_) | Op::Pad { .. } | Op::Add),
        };
    }
    form
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::zoo::{ZooArchitecture, parse_activation};

    #[test]
    fn the_first_layer_tells_where_the_channels_are() {
        let network = |architecture: ZooArchitecture, shape: &[usize]| {
            architecture.build(shape, 3, parse_activation("relu").unwrap(), 1).unwrap()
        };
        let cnn = network(ZooArchitecture::Cnn, &[3, 8, 8]);
        assert_eq!(input_form(&cnn).layout, Some(Layout::ChannelsFirst));
        let mlp = network(ZooArchitecture::Mlp, &[3, 8, 8]);
        assert_eq!(input_form(&mlp).layout, None);
    }
}
