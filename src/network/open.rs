//! Opens a network by name: a bundled one, or a file whose extension selects the reader.

use std::path::{Path, PathBuf};

use super::architecture::{self, ArchitectureFile};
use super::graph::OpenedNetwork;
use super::{Network, nir, onnx, pytorch, safetensors, zoo};
use crate::{Error, Result};

/// Prefix of bundled networks and data sets.
pub const BUILTIN_PREFIX: &str = "builtin:";
/// Extensions of network files, for file dialogs.
pub const FILE_EXTENSIONS: [&str; 6] = ["onnx", "nir", "safetensors", "pt", "pth", "th"];
/// Extensions of files that may hold weights without a graph; each is also in [`FILE_EXTENSIONS`].
const WEIGHT_EXTENSIONS: [&str; 4] = ["safetensors", "pt", "pth", "th"];
/// End of the name of an architecture file.
const ARCHITECTURE_SUFFIX: &str = ".arch.toml";

/// How a network is opened, where its file leaves a choice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenOptions {
    /// The shape of one sample in the order of the file, for sizes that the file leaves open.
    pub input: Option<Vec<usize>>,
}

/// Opens `builtin:NAME`, an `.onnx` file, a `.nir` graph, a `.safetensors` file, or a PyTorch state dict (`.pt`, `.pth`,
/// `.th`).
///
/// The architecture file of weights without a graph may be appended, `FILE@FILE.toml`. Without it, `NAME.arch.toml` in
/// the same folder is used. The path of the latter also opens the weights.
///
/// # Errors
/// [`Error::Io`] or [`Error::File`] for a file that cannot be read as a network; [`Error::Invalid`] for an unknown
/// bundled network.
pub fn open(source: &str) -> Result<Network> {
    open_with_notes(source).map(|opened| opened.network)
}

/// [`open`], with the assumptions made while reading.
///
/// # Errors
/// As [`open`].
pub fn open_with_notes(source: &str) -> Result<OpenedNetwork> {
    open_with(source, &OpenOptions::default())
}

/// [`open_with_notes`] with options. Those that a format has no use for are ignored.
///
/// # Errors
/// As [`open`], and [`Error::File`] for options that do not match the file.
pub fn open_with(source: &str, options: &OpenOptions) -> Result<OpenedNetwork> {
    if let Some(name) = source.strip_prefix(BUILTIN_PREFIX) {
        return zoo::bundled(name).map(|network| network.map(without_notes)).unwrap_or_else(|| {
            let names: Vec<_> = zoo::BUNDLED.iter().map(|b| b.name).collect();
            Err(Error::Invalid(format!(
                "Cannot open bundled network '{name}': unknown name. Use one of {}.",
                names.join(", ")
            )))
        });
    }
    let (path, architecture_file) = split_source(source);
    if path.to_string_lossy().to_lowercase().ends_with(ARCHITECTURE_SUFFIX) {
        return weights_of(path).and_then(|weights| from_weights(&weights, Some(path)));
    }
    match extension(path).as_str() {
        weights if WEIGHT_EXTENSIONS.contains(&weights) => from_weights(path, architecture_file),
        _ if architecture_file.is_some() => {
            Err(Error::file(path, "", "only .safetensors, .pt, .pth and .th files take an architecture file"))
        }
        "onnx" => onnx::read_with(path, options.input.as_deref()),
        "nir" => nir::read(path),
        "h5" | "keras" => Err(Error::file(
            path,
            "",
            "Keras files are not supported. Export the network to ONNX (tf2onnx) and open that.",
        )),
        _ => {
            std::fs::metadata(path).map_err(|e| Error::io(path, e))?;
            let reason =
                "not a network file. Open it as data instead, or use .onnx, .nir, .safetensors, .pt, .pth or .th.";
            Err(Error::file(path, "", reason))
        }
    }
}

/// Whether `path` looks like a network file that [`open`] reads.
pub fn is_network_file(path: &Path) -> bool {
    let extension = extension(path);
    FILE_EXTENSIONS.contains(&extension.as_str())
        || matches!(extension.as_str(), "h5" | "keras")
        || path.to_string_lossy().to_lowercase().ends_with(ARCHITECTURE_SUFFIX)
}

/// The weight file of `source` and the architecture file after the last `@`, if there is one.
pub fn split_source(source: &str) -> (&Path, Option<&Path>) {
    match source.rsplit_once('@') {
        Some((weights, architecture_file)) if architecture_file.ends_with(".toml") && !Path::new(source).exists() => {
            (Path::new(weights), Some(Path::new(architecture_file)))
        }
        _ => (Path::new(source), None),
    }
}

fn extension(path: &Path) -> String {
    path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default()
}

fn without_notes(network: Network) -> OpenedNetwork {
    OpenedNetwork { network, notes: Vec::new() }
}

/// A template of an architecture file, if `source` is a readable weight file of an unknown architecture. `None` for any
/// other source, also for weights that have an architecture file.
pub fn architecture_template(source: &str) -> Option<String> {
    let (path, None) = split_source(source) else { return None };
    let state = match extension(path).as_str() {
        "safetensors" => match safetensors::load_any(path).ok()? {
            safetensors::FileContent::Network(_) => return None,
            safetensors::FileContent::Weights(state) => state,
        },
        "pt" | "pth" | "th" => pytorch::read(path).ok()?,
        _ => return None,
    };
    match ArchitectureFile::beside(path) {
        Ok(None) => architecture::architecture_template(state),
        _ => None,
    }
}

/// Opens a network of this project, or weights without a graph.
fn from_weights(path: &Path, architecture_file: Option<&Path>) -> Result<OpenedNetwork> {
    let state = if extension(path) == "safetensors" {
        match safetensors::load_any(path)? {
            safetensors::FileContent::Network(network) => return Ok(without_notes(network)),
            safetensors::FileContent::Weights(state) => state,
        }
    } else {
        pytorch::read(path)?
    };
    let architecture_file = match architecture_file {
        Some(file) => Some(ArchitectureFile::load(file)?),
        None => ArchitectureFile::beside(path)?,
    };
    let (network, notes) = architecture::build(state, path, architecture_file.as_ref())?;
    Ok(OpenedNetwork { network, notes })
}

/// The weight file in the folder of the architecture file at `path`.
fn weights_of(path: &Path) -> Result<PathBuf> {
    let name = path.to_string_lossy();
    let stem = &name[..name.len() - ARCHITECTURE_SUFFIX.len()];
    let beside = WEIGHT_EXTENSIONS.iter().map(|extension| PathBuf::from(format!("{stem}.{extension}")));
    beside.into_iter().find(|weights| weights.is_file()).ok_or_else(|| {
        let reason = "no weights of the same name (.safetensors, .pt, .pth, .th) next to this architecture file. Put \
             the weights there.";
        Error::file(path, "", reason)
    })
}
