//! Opens a network by the name a person gives it: a bundled one or a file, told apart by its ending.

use std::path::Path;

use super::{Network, format, onnx, zoo};
use crate::{Error, Result};

/// Prefix of bundled networks and data sets.
pub const BUILTIN: &str = "builtin:";

/// Opens `builtin:NAME`, an `.onnx` file or a `.safetensors` file of this project.
pub fn open(source: &str) -> Result<Network> {
    if let Some(name) = source.strip_prefix(BUILTIN) {
        return zoo::bundled(name).unwrap_or_else(|| {
            let names: Vec<_> = zoo::BUNDLED.iter().map(|b| b.name).collect();
            Err(Error::Invalid(format!("there is no bundled network '{name}'; there are {}", names.join(", "))))
        });
    }
    let path = Path::new(source);
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    match ending.as_str() {
        "onnx" => onnx::read(path),
        "safetensors" => format::load(path),
        "pt" | "pth" | "th" | "h5" | "keras" => Err(Error::file(
            path,
            "the whole file",
            "this holds weights without the graph; export the network to ONNX and open that (torch.onnx.export, tf2onnx)",
        )),
        _ => Err(Error::file(path, "its name", "not a network file that is known here; use .onnx or .safetensors")),
    }
}

/// Whether `path` looks like a network file that [`open`] reads.
pub fn is_network_file(path: &Path) -> bool {
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    matches!(ending.as_str(), "onnx" | "safetensors" | "pt" | "pth" | "th" | "h5" | "keras")
}
