//! Zip container of PyTorch 1.6 and later: the pickle and the storages.
//!
//! The entries are `NAME/data.pkl` and `NAME/data/KEY` per storage. They are stored without compression, so their bytes
//! are slices of the file.

use std::collections::HashMap;
use std::io::Cursor;

use zip::{CompressionMethod, ZipArchive};

use super::storage::Storages;
use crate::pickle::globals::SAVE;

/// Pickle and storages of a zip file.
pub(super) struct Archive<'a> {
    pub pickle: &'a [u8],
    pub storages: Storages<'a>,
}

impl<'a> Archive<'a> {
    /// Finds the pickle and the storages.
    ///
    /// # Errors
    /// Position and reason when the bytes are no complete zip file of a PyTorch state dict.
    pub fn open(bytes: &'a [u8]) -> Result<Self, (String, String)> {
        let file_error = |reason: String| ("".to_owned(), reason);
        let mut zip = ZipArchive::new(Cursor::new(bytes))
            .map_err(|error| file_error(format!("not a complete zip archive ({error}). The file may be truncated.")))?;
        let names: Vec<String> = zip.file_names().map(str::to_owned).collect();
        if let Some(reason) = foreign_archive(&names) {
            return Err(file_error(reason));
        }
        // The folder of the pickle: PyTorch names it after the file.
        let folder =
            names.iter().find_map(|name| name.strip_suffix("data.pkl").filter(|f| f.is_empty() || f.ends_with('/')));
        let folder = folder.unwrap_or_default().to_owned();
        let mut pickle = None;
        let mut byte_order = None;
        let mut storages = HashMap::new();
        for index in 0..zip.len() {
            let entry =
                zip.by_index_raw(index).map_err(|e| file_error(format!("entry {index} cannot be read ({e})")))?;
            let name = entry.name().to_owned();
            let Some(inner) = name.strip_prefix(folder.as_str()) else { continue };
            if !matches!(inner, "data.pkl" | "byteorder") && !inner.starts_with("data/") {
                continue;
            }
            if entry.compression() != CompressionMethod::Stored {
                return Err((name, "is compressed, unlike PyTorch files. Save the file again.".into()));
            }
            let start = entry.data_start().and_then(|start| usize::try_from(start).ok());
            let end =
                start.zip(usize::try_from(entry.compressed_size()).ok()).and_then(|(start, n)| start.checked_add(n));
            let content = start.zip(end).and_then(|(start, end)| bytes.get(start..end));
            let content = content.ok_or_else(|| (name.clone(), "reaches beyond the end of the file".to_owned()))?;
            match inner.strip_prefix("data/") {
                Some(key) => drop(storages.insert(key.to_owned(), content)),
                None if inner == "data.pkl" => pickle = Some(content),
                None => byte_order = Some(content),
            }
        }
        if byte_order.is_some_and(|byte_order| byte_order != b"little") {
            return Err(file_error("was written on a big-endian machine, which is not supported".into()));
        }
        match pickle {
            None => Err(file_error("is a zip archive without data.pkl, which every PyTorch file has".into())),
            Some(pickle) => Ok(Self { pickle, storages: Storages(storages) }),
        }
    }
}

/// Why Keras files are refused.
const KERAS: &str = "Keras files are not supported. Export the network to ONNX (tf2onnx) and open that";

/// Why an archive with entries of these `names` is no archive of weights; `None` if it may be one.
fn foreign_archive(names: &[String]) -> Option<String> {
    let inner = |name: &str| name.split_once('/').map_or(name, |(_, inner)| inner).to_owned();
    let has = |wanted: &str| names.iter().any(|name| name == wanted || inner(name) == wanted);
    if has("constants.pkl") || has("attributes.pkl") || names.iter().any(|name| inner(name).starts_with("code/")) {
        return Some(format!(
            "is a TorchScript program, not a state dict. Load it in PyTorch and save its weights with {SAVE}"
        ));
    }
    if has("archive_format") || has("serialized_exported_program.json") {
        return Some(format!(
            "is a program of torch.export (.pt2). Export the network to ONNX (torch.onnx.export) and open that, or save its \
             weights with {SAVE}"
        ));
    }
    if has("model.weights.h5") {
        return Some(KERAS.into());
    }
    None
}
