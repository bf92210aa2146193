//! Opens a network by name: a bundled one, or a file whose content selects the reader.

use std::path::{Path, PathBuf};

use super::architecture::{self, ArchitectureFile};
use super::file_kind::FileKind;
use super::graph::OpenedNetwork;
use super::state_dict::StateDict;
use super::{Network, nir, onnx, pytorch, safetensors, zoo};
use crate::{Error, Result};

/// Prefix of bundled networks and data sets.
pub const BUILTIN_PREFIX: &str = "builtin:";
/// Extensions of network files, for file dialogs. Files are opened by their content, whatever their name.
pub const FILE_EXTENSIONS: [&str; 14] =
    ["onnx", "nir", "safetensors", "pt", "pth", "th", "ckpt", "bin", "pkl", "pickle", "tar", "model", "h5", "keras"];
/// Extensions of weights beside an architecture file, in the order in which they are looked for.
const WEIGHT_EXTENSIONS: [&str; 11] =
    ["safetensors", "pt", "pth", "th", "ckpt", "pth.tar", "tar", "bin", "pkl", "pickle", "model"];
/// Extensions that say that a file is a network.
const NETWORK_EXTENSIONS: [&str; 10] = ["onnx", "nir", "safetensors", "pt", "pth", "th", "ckpt", "pt2", "h5", "keras"];
/// End of the name of an architecture file.
pub(super) const ARCHITECTURE_SUFFIX: &str = ".arch.toml";

/// How a network is opened, where its file leaves a choice.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OpenOptions {
    /// The shape of one sample in the order of the file, for sizes that the file leaves open.
    pub input: Option<Vec<usize>>,
    /// Duration of a time step of a NIR file, in the unit of time of the file, instead of what the file says.
    pub dt: Option<f64>,
}

/// Opens `builtin:NAME` or a file with an ONNX graph, a NIR graph, a network or weights in safetensors, or PyTorch weights.
/// The content of a file decides what it is; its extension decides only if the content is damaged.
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

/// [`open_with_notes`] with options. An input shape that a network has no use for is ignored.
///
/// # Errors
/// As [`open`], and [`Error::File`] for options that do not match the file, and [`Error::Invalid`] for a time step of a file
/// that has none.
pub fn open_with(source: &str, options: &OpenOptions) -> Result<OpenedNetwork> {
    let opened = open_of_any_format(source, options)?;
    match options.dt {
        Some(dt) if opened.time_step.is_none() => Err(Error::Invalid(format!(
            "Cannot open '{source}' with --dt {dt}: only neurons of a NIR file have a time step. Omit the option."
        ))),
        _ => Ok(opened),
    }
}

/// Checks the name of `source`, if it is that of a bundled network.
///
/// # Errors
/// [`Error::Invalid`] with the names that there are.
pub fn check_bundled(source: &str) -> Result<()> {
    let Some(name) = source.strip_prefix(BUILTIN_PREFIX) else { return Ok(()) };
    let names: Vec<_> = zoo::BUNDLED.iter().map(|b| b.name).collect();
    if names.contains(&name) {
        return Ok(());
    }
    let names = names.join(", ");
    Err(Error::Invalid(format!("Cannot open bundled network '{name}': unknown name. Use one of {names}.")))
}

fn open_of_any_format(source: &str, options: &OpenOptions) -> Result<OpenedNetwork> {
    if let Some(name) = source.strip_prefix(BUILTIN_PREFIX) {
        check_bundled(source)?;
        let unknown = || Error::Internal(format!("the bundled network '{name}' cannot be read"));
        return zoo::bundled(name).ok_or_else(unknown)?.map(without_notes);
    }
    let (path, architecture_file) = split_source(source);
    if path.to_string_lossy().to_lowercase().ends_with(ARCHITECTURE_SUFFIX) {
        let weights = weights_of(path)?;
        return from_weights(&weights, Format::of(&weights)?, Some(path), options.input.as_deref());
    }
    let format = Format::of(path)?;
    match format {
        Format::Pytorch | Format::Safetensors => {
            from_weights(path, format, architecture_file, options.input.as_deref())
        }
        _ if architecture_file.is_some() => {
            Err(Error::file(path, "", "only weights without a graph (PyTorch, safetensors) take an architecture file"))
        }
        Format::Onnx => onnx::read_with(path, options.input.as_deref()),
        Format::Nir => nir::read_with_step(path, options.dt),
    }
}

/// A file format that is read.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Format {
    Onnx,
    Nir,
    Safetensors,
    Pytorch,
}

impl Format {
    /// The format of the file at `path`: by its content, else by its extension.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be read; [`Error::File`] with advice when it is of another format.
    fn of(path: &Path) -> Result<Self> {
        Ok(match (FileKind::of(path)?, extension(path).as_str()) {
            (FileKind::Onnx, _) | (FileKind::Unknown, "onnx") => Self::Onnx,
            (FileKind::Hdf5, _) | (FileKind::Unknown, "nir" | "h5") => Self::Nir,
            (FileKind::Safetensors, _) | (FileKind::Unknown, "safetensors") => Self::Safetensors,
            (FileKind::Weights, _) | (FileKind::Unknown, "pt" | "pth" | "th" | "ckpt" | "pkl" | "pickle") => {
                Self::Pytorch
            }
            (FileKind::Foreign { advice, .. }, _) => return Err(Error::file(path, "", advice)),
            (FileKind::Unknown, _) => {
                let reason =
                    "not a network file. Open it as data instead, or use an ONNX, NIR, safetensors or PyTorch file.";
                return Err(Error::file(path, "", reason));
            }
        })
    }
}

/// Whether `path` looks like a network file: by its extension or, where that may also be one of data, by its content.
pub fn is_network_file(path: &Path) -> bool {
    NETWORK_EXTENSIONS.contains(&extension(path).as_str())
        || path.to_string_lossy().to_lowercase().ends_with(ARCHITECTURE_SUFFIX)
        || FileKind::of(path).is_ok_and(|kind| kind.is_network(path))
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
    OpenedNetwork { network, notes: Vec::new(), time_step: None }
}

/// The weight file at `path`, or beside the architecture file at `path`, and its content.
///
/// # Errors
/// [`Error::Io`] or [`Error::File`] when it cannot be read, and when it has a graph.
pub(super) fn weights_without_graph(path: &Path) -> Result<(PathBuf, StateDict)> {
    let path = match path.to_string_lossy().to_lowercase().ends_with(ARCHITECTURE_SUFFIX) {
        true => weights_of(path)?,
        false => path.to_owned(),
    };
    match weights(&path, Format::of(&path)?)? {
        safetensors::FileContent::Weights(state) => Ok((path, state)),
        safetensors::FileContent::Network(_) => {
            Err(Error::file(&path, "", "has a graph of its own, and needs no architecture file"))
        }
    }
}

/// The content of a file of weights; only safetensors may contain a graph.
fn weights(path: &Path, format: Format) -> Result<safetensors::FileContent> {
    match format {
        Format::Safetensors => safetensors::load_any(path),
        Format::Pytorch => pytorch::read(path).map(safetensors::FileContent::Weights),
        Format::Onnx | Format::Nir => {
            Err(Error::file(path, "", "has a graph of its own, and needs no architecture file"))
        }
    }
}

/// Opens a network of this project, or weights without a graph.
fn from_weights(
    path: &Path,
    format: Format,
    architecture_file: Option<&Path>,
    input: Option<&[usize]>,
) -> Result<OpenedNetwork> {
    let state: StateDict = match weights(path, format)? {
        safetensors::FileContent::Network(network) => return Ok(without_notes(network)),
        safetensors::FileContent::Weights(state) => state,
    };
    let architecture_file = description(path, architecture_file)?;
    let (network, notes) = architecture::build(state, path, architecture_file.as_ref(), input)?;
    Ok(OpenedNetwork { network, notes, time_step: None })
}

/// The architecture file of the weights at `path`: the stated one, or that in the same folder.
fn description(path: &Path, stated: Option<&Path>) -> Result<Option<ArchitectureFile>> {
    match stated {
        Some(file) => Ok(Some(ArchitectureFile::load(file)?).filter(|file| !file.is_empty())),
        None => ArchitectureFile::beside(path),
    }
}

/// Number of channels of images that the weights `source` take in any height and width; `None` for all other networks.
///
/// # Errors
/// As [`open`], of a file that cannot be read.
pub fn channels_of_any_size(source: &str) -> Result<Option<usize>> {
    let (path, mut file) = split_source(source);
    if source.starts_with(BUILTIN_PREFIX) {
        return Ok(None);
    }
    let mut weights_path = path.to_owned();
    if path.to_string_lossy().to_lowercase().ends_with(ARCHITECTURE_SUFFIX) {
        (weights_path, file) = (weights_of(path)?, Some(path));
    }
    let format = Format::of(&weights_path)?;
    if !matches!(format, Format::Pytorch | Format::Safetensors) {
        return Ok(None);
    }
    match weights(&weights_path, format)? {
        safetensors::FileContent::Network(_) => Ok(None),
        safetensors::FileContent::Weights(state) => {
            let file = description(&weights_path, file)?;
            Ok(architecture::channels_of_any_size(state, file.as_ref()))
        }
    }
}

/// The weight file in the folder of the architecture file at `path`.
fn weights_of(path: &Path) -> Result<PathBuf> {
    let name = path.to_string_lossy();
    let stem = &name[..name.len() - ARCHITECTURE_SUFFIX.len()];
    let beside = WEIGHT_EXTENSIONS.iter().map(|extension| PathBuf::from(format!("{stem}.{extension}")));
    beside.into_iter().find(|weights| weights.is_file()).ok_or_else(|| {
        let endings = WEIGHT_EXTENSIONS.map(|extension| format!(".{extension}")).join(", ");
        let reason = format!("no weights of the same name ({endings}) next to this architecture file. Put them there.");
        Error::file(path, "", reason)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEIGHTS: &[u8] = include_bytes!("../../../tests/seeds/mlp.pt");

    #[test]
    fn networks_open_under_any_name_and_data_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        };
        for name in ["net.pth.tar", "net.ckpt", "net.bin", "net.pkl", "net.model", "net", "net.onnx"] {
            let path = put(name, WEIGHTS);
            let network = open(&path.display().to_string()).unwrap_or_else(|error| panic!("{error}"));
            assert!(is_network_file(&path) && network.classes() == 3, "{name}");
            assert!(network.name == "net", "{name}: {}", network.name);
        }
        for (name, word) in [("x.bin", "not a network file"), ("cut.pt", "truncated"), ("empty.pt", "is empty")] {
            let bytes = match name {
                "x.bin" => &[7; 3073][..],
                "cut.pt" => &WEIGHTS[..500],
                _ => &[],
            };
            let path = put(name, bytes);
            let text = open(&path.display().to_string()).unwrap_err().to_string();
            assert!(text.contains(name) && text.contains(word), "{text}");
        }
        assert!(!is_network_file(&folder.path().join("x.bin")) && !is_network_file(folder.path()));
        assert!(open(&folder.path().display().to_string()).unwrap_err().to_string().contains("is a folder"));
    }

    #[test]
    fn architecture_file_beside_double_extension_is_found_and_opens_its_weights() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("net.pth.tar"), WEIGHTS).unwrap();
        std::fs::write(folder.path().join("net.arch.toml"), "class-names = [\"a\", \"b\", \"c\"]\n").unwrap();
        for name in ["net.pth.tar", "net.arch.toml"] {
            let network = open(&folder.path().join(name).display().to_string()).unwrap();
            assert_eq!(network.class_names, ["a", "b", "c"], "{name}");
        }
        std::fs::remove_file(folder.path().join("net.pth.tar")).unwrap();
        let text = open(&folder.path().join("net.arch.toml").display().to_string()).unwrap_err().to_string();
        assert!(text.contains(".pth.tar"), "{text}");
    }
}
