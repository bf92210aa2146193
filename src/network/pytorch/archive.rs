//! Zip container of PyTorch 1.6 and later: the pickle and the storages.
//!
//! The entries are `NAME/data.pkl` and `NAME/data/KEY` per storage. They are stored without compression, so their bytes
//! are slices of the file.

use std::collections::HashMap;
use std::io::Cursor;

use zip::{CompressionMethod, ZipArchive};

use super::pickle_globals::SAVE;
use super::storage::Storages;

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
        let mut pickle = None;
        let mut byte_order = None;
        let mut storages = HashMap::new();
        let mut is_script = false;
        for index in 0..zip.len() {
            let entry =
                zip.by_index_raw(index).map_err(|e| file_error(format!("entry {index} cannot be read ({e})")))?;
            let name = entry.name().to_owned();
            let inner = name.split_once('/').map_or(name.as_str(), |(_, inner)| inner);
            is_script |= inner == "constants.pkl" || inner.starts_with("code/");
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
            _ if is_script => {
                let reason = "is a TorchScript program, not a state dict. Load it in PyTorch and save its weights with";
                Err(file_error(format!("{reason} {SAVE}")))
            }
            None => Err(file_error("is a zip archive without data.pkl, which every PyTorch file has".into())),
            Some(pickle) => Ok(Self { pickle, storages: Storages(storages) }),
        }
    }
}
