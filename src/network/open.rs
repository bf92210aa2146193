//! Opens a network by the name a person gives it: a bundled one or a file, told apart by its ending.

use std::path::{Path, PathBuf};

use super::architecture::{self, ArchitectureFile};
use super::graph::OpenedNetwork;
use super::{Network, nir, onnx, pytorch, safetensors, zoo};
use crate::{Error, Result};

/// Prefix of bundled networks and data sets.
pub const BUILTIN_PREFIX: &str = "builtin:";
/// Endings of network files, for dialogs.
pub const FILE_EXTENSIONS: [&str; 6] = ["onnx", "nir", "safetensors", "pt", "pth", "th"];
/// What the name of an architecture file ends with.
const ARCHITECTURE: &str = ".arch.toml";

/// Opens `builtin:NAME`, an `.onnx` file, a `.nir` graph, a `.safetensors` file, or a PyTorch state dict (`.pt`, `.pth`, `.th`). Weights
/// without a graph may be followed by their architecture file, `FILE@FILE.toml`; otherwise the one beside them is taken,
/// `NAME.arch.toml`, whose own name opens them as well.
///
/// # Errors
/// [`Error::Io`] and [`Error::File`] for what is no network, [`Error::Invalid`] for names that mean nothing.
pub fn open(source: &str) -> Result<Network> {
    open_with_notes(source).map(|opened| opened.network)
}

/// The same, with what had to be assumed.
///
/// # Errors
/// As [`open`].
pub fn open_with_notes(source: &str) -> Result<OpenedNetwork> {
    if let Some(name) = source.strip_prefix(BUILTIN_PREFIX) {
        return zoo::bundled(name).map(|network| network.map(certain)).unwrap_or_else(|| {
            let names: Vec<_> = zoo::BUNDLED.iter().map(|b| b.name).collect();
            Err(Error::Invalid(format!(
                "Cannot open bundled network '{name}': unknown name. Use one of {}.",
                names.join(", ")
            )))
        });
    }
    let (path, described) = split_source(source);
    if path.to_string_lossy().to_lowercase().ends_with(ARCHITECTURE) {
        return weights_of(path).and_then(|weights| from_weights(&weights, Some(path)));
    }
    match ending(path).as_str() {
        "safetensors" | "pt" | "pth" | "th" => from_weights(path, described),
        _ if described.is_some() => {
            Err(Error::file(path, "", "only .safetensors, .pt, .pth and .th files take an architecture file"))
        }
        "onnx" => onnx::read(path).map(certain),
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
    let ending = ending(path);
    FILE_EXTENSIONS.contains(&ending.as_str())
        || matches!(ending.as_str(), "h5" | "keras")
        || path.to_string_lossy().to_lowercase().ends_with(ARCHITECTURE)
}

/// The file that `source` names and the architecture file after the last `@`, if there is one.
pub fn split_source(source: &str) -> (&Path, Option<&Path>) {
    match source.rsplit_once('@') {
        Some((weights, described)) if described.ends_with(".toml") && !Path::new(source).exists() => {
            (Path::new(weights), Some(Path::new(described)))
        }
        _ => (Path::new(source), None),
    }
}

fn ending(path: &Path) -> String {
    path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default()
}

fn certain(network: Network) -> OpenedNetwork {
    OpenedNetwork { network, notes: Vec::new() }
}

/// An architecture file to begin with, where `source` are weights that can be read but belong to nothing that is known; `None`
/// for everything else, also where a file beside them describes them.
pub fn architecture_template(source: &str) -> Option<String> {
    let (path, None) = split_source(source) else { return None };
    let state = match ending(path).as_str() {
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

/// A network of this project, or weights without a graph.
fn from_weights(path: &Path, described: Option<&Path>) -> Result<OpenedNetwork> {
    let state = if ending(path) == "safetensors" {
        match safetensors::load_any(path)? {
            safetensors::FileContent::Network(network) => return Ok(certain(network)),
            safetensors::FileContent::Weights(state) => state,
        }
    } else {
        pytorch::read(path)?
    };
    let described = match described {
        Some(file) => Some(ArchitectureFile::load(file)?),
        None => ArchitectureFile::beside(path)?,
    };
    let (network, notes) = architecture::build(state, path, described.as_ref())?;
    Ok(OpenedNetwork { network, notes })
}

/// The weights that lie beside the architecture file at `path`.
fn weights_of(path: &Path) -> Result<PathBuf> {
    let name = path.to_string_lossy();
    let stem = &name[..name.len() - ARCHITECTURE.len()];
    let beside = FILE_EXTENSIONS.iter().skip(2).map(|ending| PathBuf::from(format!("{stem}.{ending}")));
    beside.into_iter().find(|weights| weights.is_file()).ok_or_else(|| {
        let reason = "no weights of the same name (.safetensors, .pt, .pth, .th) next to this architecture file. Put \
             the weights there.";
        Error::file(path, "", reason)
    })
}
