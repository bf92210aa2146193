//! Builds a network from a state dict, by its architecture file or by a recognized family.

use std::path::Path;

use super::assembler::{NetworkAssembler, architecture_hint};
use super::family::DEFAULT_LEVELS;
use super::file::ArchitectureFile;
use super::recognition::{Recognized, recognize};
use crate::error::format_shape;
use crate::network::state_dict::StateDict;
use crate::network::{Activation, Network, Weights};
use crate::{Error, Result};

/// Maximum number of layers in the message about an unknown architecture.
const MAX_LISTED_LAYERS: usize = 12;

/// Activations of PyTorch that no family has: weights alone do not tell that a network contains them.
const OTHER_ACTIVATIONS: [&str; 24] = [
    "Tanh",
    "Sigmoid",
    "GELU",
    "SiLU",
    "ELU",
    "SELU",
    "CELU",
    "LeakyReLU",
    "PReLU",
    "RReLU",
    "ReLU6",
    "Softplus",
    "Softsign",
    "Mish",
    "Hardswish",
    "Hardtanh",
    "Hardsigmoid",
    "LogSigmoid",
    "Tanhshrink",
    "Softshrink",
    "Hardshrink",
    "Threshold",
    "GLU",
    "MultiheadAttention",
];

/// Number of channels of images that the network with weights `state` takes in any height and width; `None` if its input is
/// stated by `described` or follows from the weights, or if it is of no known family.
pub fn channels_of_any_size(state: StateDict, described: Option<&ArchitectureFile>) -> Option<usize> {
    if described.is_some_and(|file| file.input.is_some() || !file.layers.is_empty()) {
        return None;
    }
    let Recognized { family, state, .. } = recognize(state).ok()?;
    (family.takes_any_size)(&state).then(|| (family.input)(&state)[0])
}

/// The network with weights `state`, and the assumptions made, in sentences. `path` is the weight file, named in errors;
/// `described` is its architecture file. `image` is the shape of its input, `[C, H, W]`, if it takes images of any size and
/// the architecture file does not state it.
///
/// # Errors
/// [`Error::File`] with the key that is missing, unused or of a wrong shape, or, for an unknown architecture, with how to
/// describe it.
pub fn build(
    state: StateDict,
    path: &Path,
    described: Option<&ArchitectureFile>,
    image: Option<&[usize]>,
) -> Result<(Network, Vec<String>)> {
    let name = super::file_name::stem(path);
    let description = described.cloned().unwrap_or_default();
    let mut assumed = description.assumed();
    let mut notes = state.notes().to_vec();
    let mut network = if description.layers.is_empty() {
        let recognized = recognize(state).map_err(|state| unknown_architecture(&state, path))?;
        let Recognized { family, state, note } = recognized;
        notes.extend(note);
        check_activations(&state, path)?;
        if assumed.max_pool.is_none() {
            assumed.max_pool = max_pool(&state);
            if assumed.max_pool == Some(false) {
                notes.push("the modules of the file have average pools, and so has the network".into());
            }
        }
        let usual = (family.input)(&state);
        let is_possible =
            |image: &&[usize]| image.len() == 3 && image.first() == usual.first() && (family.takes_any_size)(&state);
        let image = image.filter(is_possible).map(<[usize]>::to_vec);
        let input = description.input.clone().or(image).unwrap_or(usual);
        let mut assembler = NetworkAssembler::new(path, family.name, &state, &input, assumed)?;
        description.ignore.iter().for_each(|prefix| assembler.ignore(prefix));
        (family.assemble)(&mut assembler)?;
        let assumption = if family.assumption.is_empty() { String::new() } else { format!(", {}", family.assumption) };
        let note = format!(
            "these are weights without a graph; from their keys the architecture is inferred as {} with input \
             {}{assumption}. Describe another one in {}",
            family.name,
            format_shape(&input),
            architecture_hint(path)
        );
        notes.push(note);
        assembler.finish(name)?
    } else {
        description.assemble(&state, path, name)?
    };
    let is_qcfs = |(_, activation)| matches!(activation, Activation::Qcfs { .. });
    if description.levels.is_none() && description.layers.is_empty() && network.activation_nodes().any(is_qcfs) {
        notes.push(format!(
            "the number of levels of its QCFS activations is not in the file: L = {DEFAULT_LEVELS} is assumed. To \
             change it, write levels = 4 (or the trained value) in {}",
            architecture_hint(path)
        ));
    }
    if !description.class_names.is_empty() && description.class_names.len() != network.class_count() {
        let reason = format!("{} names for {} classes", description.class_names.len(), network.class_count());
        return Err(Error::file(&description.path, "class-names", reason));
    }
    network.scaling = description.scaling;
    network.class_names = description.class_names;
    Ok((network, notes))
}

/// A template of an architecture file for the weights `state`; `None` if they belong to a known family.
pub fn architecture_template(state: StateDict) -> Option<String> {
    recognize(state).err().map(|state| super::template::architecture_template(&state))
}

/// Refuses a whole pickled model with activations that the family inferred from its weights does not have.
fn check_activations(state: &StateDict, path: &Path) -> Result<()> {
    let is_other = |class: &str| {
        class
            .rsplit_once('.')
            .is_some_and(|(module, name)| module.starts_with("torch.nn") && OTHER_ACTIVATIONS.contains(&name))
    };
    match state.modules().iter().find(|(_, class)| is_other(class)) {
        Some((module, class)) => {
            let name = class.rsplit('.').next().unwrap_or_default();
            let reason = format!(
                "the pickled model has a {name} there, and the network inferred from its weights has ReLU alone. Describe it \
                 in {}, or export it to ONNX",
                architecture_hint(path)
            );
            Err(Error::file(path, format!("module '{module}'"), reason))
        }
        None => Ok(()),
    }
}

/// Whether the pools of a whole pickled model are max pools; `None` if its modules do not tell.
fn max_pool(state: &StateDict) -> Option<bool> {
    let has = |name: &str| state.modules().iter().any(|(_, class)| class.ends_with(name));
    match (has(".MaxPool2d"), has(".AvgPool2d")) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        _ => None,
    }
}

fn unknown_architecture(state: &StateDict, path: &Path) -> Error {
    let shown = |min_rank: usize| -> Vec<String> {
        let tensors = state.iter().filter(|(_, weights)| weights.shape.len() >= min_rank);
        let text = |(key, weights): (&str, &Weights)| match weights.shape[..] {
            [] => key.to_owned(),
            ref shape => format!("{} {}", key.strip_suffix(".weight").unwrap_or(key), format_shape(shape)),
        };
        tensors.map(text).collect()
    };
    // Vectors alone are shown if there is nothing else.
    let layers = [2, 0].into_iter().map(shown).find(|layers| !layers.is_empty()).unwrap_or_default();
    let more = if layers.len() > MAX_LISTED_LAYERS { ", …" } else { "" };
    let layers = layers[..layers.len().min(MAX_LISTED_LAYERS)].join(", ");
    let reason = format!(
        "these are weights without a graph, and their keys match no known architecture. Describe it in {}, or export \
         it to ONNX. \"spikescope check {} --write-arch {}\" writes a template. Its layers: {layers}{more}",
        architecture_hint(path),
        path.display(),
        super::file_name::architecture_file(path).display()
    );
    Error::file(path, "the architecture", reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(classes: &[&str]) -> StateDict {
        let matrix = |out: usize, inputs: usize| Weights::new(vec![out, inputs], vec![0.5; out * inputs]);
        let entries = [("0.weight".to_owned(), matrix(5, 6)), ("2.weight".to_owned(), matrix(3, 5))];
        let modules = classes.iter().enumerate().map(|(at, class)| (at.to_string(), (*class).to_owned()));
        StateDict::new(entries).with_modules(modules.collect())
    }

    #[test]
    fn whole_models_with_another_activation_are_refused() {
        let path = Path::new("net.pt");
        let relu = state(&["torch.nn.modules.linear.Linear", "torch.nn.modules.activation.ReLU", "mine.Tanh"]);
        assert!(build(relu, path, None, None).is_ok());
        let tanh = state(&["torch.nn.modules.linear.Linear", "torch.nn.modules.activation.Tanh"]);
        let text = build(tanh.clone(), path, None, None).unwrap_err().to_string();
        assert!(text.contains("module '1'") && text.contains("Tanh") && text.contains("ONNX"), "{text}");
        // Layers that the user lists are the user's.
        let listed =
            "input = [6]\nlayers = [{ op = \"linear\", key = \"0\" }, \"relu\", { op = \"linear\", key = \"2\" }]";
        let described = ArchitectureFile::parse(listed, Path::new("net.arch.toml")).unwrap();
        assert!(build(tanh, path, Some(&described), None).is_ok());
    }

    #[test]
    fn notes_of_the_reader_come_first_and_layers_are_always_listed() {
        let read = state(&[]).with_notes(vec!["first".into()]);
        assert_eq!(build(read, Path::new("net.pth.tar"), None, None).unwrap().1[0], "first");
        let listed = |key: &str, shape: &[usize]| {
            let weights = Weights::new(shape.to_vec(), vec![0.0; shape.iter().product()]);
            build(StateDict::new([(key.to_owned(), weights)]), Path::new("net.pth.tar"), None, None)
                .unwrap_err()
                .to_string()
        };
        for (text, layers) in [
            (listed("scale", &[3]), "Its layers: scale 3."),
            (listed("count", &[]), "Its layers: count."),
            (listed("conv.weight", &[2, 3, 5]), "Its layers: conv 2x3x5."),
        ] {
            assert!(text.contains(layers) && text.contains("net.arch.toml"), "{text}");
        }
    }
}
