//! Reads state dicts from PyTorch files (`.pt`, `.pth`, `.th`) without executing pickled code.
//!
//! A file is a zip archive (PyTorch 1.6 and later) or the older sequence of pickles. Our own unpickler supports only the
//! objects of a state dict. It refuses any other global by name and never executes anything.
//!
//! Why not the crate `pytorch-reader`: it reads both containers and survives damaged files. But it skips unknown globals
//! instead of naming them, reads a pickled model as if it were a state dict, and loses the order of the keys, which is the
//! order of the layers in a file without a graph.

mod archive;
pub mod dtype;
mod legacy;
mod pickle_cursor;
mod pickle_globals;
mod pickle_value;
mod storage;
#[cfg(test)]
mod tests;
mod unpickler;

use std::path::Path;

use pickle_globals::SAVE;
use pickle_value::{Pickle, PickleValue};
use storage::Storages;

use super::state_dict::StateDict;
use crate::{Error, Result};

/// Maximum file size in bytes; larger files are refused before they are read.
const MAX_BYTES: u64 = 4 << 30;
/// Keys under which training programs store the state dict in a checkpoint.
const CHECKPOINT_KEYS: [&str; 6] = ["state_dict", "model_state_dict", "model", "net", "network", "weights"];

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
        state_dict(&pickle, &archive.storages, bytes.len()).map_err(fail)
    } else {
        let (pickle, storages) = legacy::open(bytes).map_err(fail)?;
        state_dict(&pickle, &storages, bytes.len()).map_err(fail)
    }
}

/// The tensors of the pickle's dictionary, or of the state dict in it. `file_len` (bytes) limits the number of values.
fn state_dict(pickle: &Pickle<'_>, storages: &Storages<'_>, file_len: usize) -> Result<StateDict, (String, String)> {
    let place = || "".to_owned();
    let PickleValue::Dict(root) = pickle.root else {
        let what = pickle.root.kind();
        let reason = format!("contains {what} instead of a state dict (a dictionary of tensors). Save one with {SAVE}");
        return Err((place(), reason));
    };
    let mut dict = root;
    if !pickle.dict(root).iter().any(|(_, value)| matches!(value, PickleValue::Tensor(_))) {
        let inner = CHECKPOINT_KEYS.iter().find_map(|name| {
            pickle.dict(root).iter().find_map(|&(key, value)| match (key, value) {
                (PickleValue::Text(text), PickleValue::Dict(inner)) if text == *name => Some(inner),
                _ => None,
            })
        });
        dict = inner.ok_or_else(|| {
            let keys: Vec<_> = pickle.dict(root).iter().take(8).map(|(key, _)| key.describe()).collect();
            let keys = if keys.is_empty() { "it is empty".into() } else { format!("its keys are {}", keys.join(", ")) };
            (place(), format!("its dictionary contains no tensors ({keys}). Save a state dict with {SAVE}"))
        })?;
    }
    let mut value_budget = file_len;
    let mut entries = Vec::new();
    for &(key, value) in pickle.dict(dict) {
        let (PickleValue::Text(key), PickleValue::Tensor(tensor)) = (key, value) else { continue };
        let view = &pickle.tensors[tensor];
        let weights = storages.read_tensor(view, &pickle.storages[view.storage], &mut value_budget);
        if let Some(weights) = weights.map_err(|reason| (format!("key '{key}'"), reason))? {
            entries.push((key.to_owned(), weights));
        }
    }
    if entries.is_empty() {
        return Err((place(), format!("its state dict contains no floating-point tensors. Save one with {SAVE}")));
    }
    Ok(StateDict::new(entries).without_wrapper_prefix())
}
