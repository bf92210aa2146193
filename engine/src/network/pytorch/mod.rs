//! Reads state dicts from PyTorch files and pickles without executing pickled code.
//!
//! A file is a zip archive (PyTorch 1.6 and later), the older sequence of pickles, or a plain pickle of tensors or arrays. What
//! the floor `pickle` finds that is no tensor and no container is a placeholder with a name. So checkpoints open whatever was
//! saved with the weights.
//!
//! Why not the crate `pytorch-reader`: it reads both containers and survives damaged files. But it reads a pickled model as
//! if it were a state dict, and loses the order of the keys, which is the order of the layers in a file without a graph.

mod archive;
#[cfg(test)]
mod checkpoint_tests;
mod legacy;
mod module_state;
mod numpy_weights;
mod storage;
mod tensor_reader;
#[cfg(test)]
mod tests;
mod weights_lookup;

use std::path::Path;

use crate::pickle::globals::{QUANTIZED, SAVE, runs_commands};
use crate::pickle::unpickler;
use crate::pickle::value::{Pickle, PickleValue};
use storage::Storages;
use tensor_reader::TensorReader;

use super::state_dict::StateDict;
use super::weight_entries::{self, TensorEntry};
use crate::{Error, Result};

/// Maximum file size in bytes; larger files are refused before they are read.
const MAX_BYTES: u64 = 4 << 30;

/// Reads the state dict in the PyTorch file at `path`.
///
/// # Errors
/// [`Error::Io`] when the file cannot be read; [`Error::File`] with the position when it contains no state dict.
pub fn read(path: &Path) -> Result<StateDict> {
    let meta = std::fs::metadata(path).map_err(|e| Error::io(path, e))?;
    if !meta.is_file() {
        return Err(Error::file(path, "", "not a file"));
    }
    if meta.len() > MAX_BYTES {
        return Err(Error::file(path, "", format!("{} bytes, above the size limit", meta.len())));
    }
    let bytes = std::fs::read(path).map_err(|e| Error::io(path, e))?;
    from_bytes(&bytes, path)
}

/// Reads a state dict from the bytes of a PyTorch file; `path` is its name in errors.
///
/// # Errors
/// [`Error::File`] with the position when the bytes contain no state dict.
pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<StateDict> {
    let fail = |(place, reason): (String, String)| Error::file(path, place, reason);
    if bytes.starts_with(b"PK") {
        let archive = archive::Archive::open(bytes).map_err(fail)?;
        let pickle = unpickler::run(archive.pickle).map_err(|reason| fail(("data.pkl".into(), reason)))?.0;
        return state_dict(&pickle, &archive.storages, bytes.len(), Vec::new()).map_err(fail);
    }
    let file_error = |reason: &str| Err(Error::file(path, "", reason));
    if bytes.get(257..262) == Some(b"ustar") {
        return file_error(
            "is a tar archive. Unpack it; if PyTorch before 0.1.10 wrote it, load it in PyTorch and save it again.",
        );
    }
    if bytes.first() != Some(&0x80) {
        return file_error("not a PyTorch file: neither a zip archive nor the older sequence of pickles");
    }
    let (pickle, len) = unpickler::run(bytes).map_err(|reason| fail(("".into(), reason)))?;
    if legacy::is_magic(pickle.root) {
        let (pickle, storages) = legacy::open(bytes).map_err(fail)?;
        return state_dict(&pickle, &storages, bytes.len(), Vec::new()).map_err(fail);
    }
    let rest = bytes.len() - len;
    let more = format!("{rest} bytes follow the first pickle of the file and are not read");
    let notes = if rest > 0 { vec![more] } else { Vec::new() };
    state_dict(&pickle, &Storages::default(), bytes.len(), notes).map_err(fail)
}

/// The weights in a pickle. `file_len` (bytes) limits the number of values.
fn state_dict(
    pickle: &Pickle<'_>,
    storages: &Storages<'_>,
    file_len: usize,
    mut notes: Vec<String>,
) -> Result<StateDict, (String, String)> {
    let whole_file = |reason: String| (String::new(), reason);
    let found = weights_lookup::find(pickle, pickle.root).map_err(whole_file)?;
    let found = found.ok_or_else(|| whole_file(without_weights(pickle)))?;
    // The modules of a quantized model keep their weights in objects of their own.
    let is_quantized = |class: &str| class.contains(".quantized.") && !class.ends_with("FloatFunctional");
    if let Some((module, class)) = found.modules.iter().find(|(_, class)| is_quantized(class)) {
        let class = class.rsplit('.').next().unwrap_or_default();
        return Err((format!("module '{module}'"), format!("({class}) {QUANTIZED}")));
    }
    let mut reader = TensorReader::new(pickle, storages, file_len);
    let mut entries = Vec::new();
    for (key, value) in found.tensors {
        let tensor = reader.read(value).map_err(|reason| (format!("key '{key}'"), reason))?;
        entries.extend(tensor.map(|(number_type, weights)| TensorEntry { key, number_type, weights }));
    }
    notes.extend(found.notes);
    if let Some(name) = pickle.names.iter().find(|name| runs_commands(name)) {
        notes.push(format!(
            "the file names '{name}', which can run commands when another program loads it. Nothing of it is executed here"
        ));
    }
    let state = weight_entries::state_dict(entries, notes).map_err(|(place, reason)| match place.is_empty() {
        true => (place, format!("{reason}. Save one with {SAVE}")),
        false => (place, reason),
    })?;
    Ok(state.with_modules(found.modules))
}

/// Why a pickle without weights is refused.
fn without_weights(pickle: &Pickle<'_>) -> String {
    let PickleValue::Dict(_) = pickle.root else {
        let what = pickle.describe(pickle.root);
        return format!("contains {what} instead of a state dict (a dictionary of tensors). Save one with {SAVE}");
    };
    let entries = pickle.entries(pickle.root).iter().take(8);
    let shown = |key: PickleValue<'_>| match pickle.key(key) {
        Some(key) => format!("'{}'", key.chars().filter(|c| !c.is_control()).take(40).collect::<String>()),
        None => key.kind().to_owned(),
    };
    let keys = entries.map(|&(key, value)| match value {
        PickleValue::Object(_) => format!("{} ({})", shown(key), pickle.describe(value)),
        _ => shown(key),
    });
    let keys: Vec<String> = keys.collect();
    let keys = if keys.is_empty() { "it is empty".into() } else { format!("its keys are {}", keys.join(", ")) };
    format!("its dictionary contains no tensors ({keys}). Save a state dict with {SAVE}")
}
