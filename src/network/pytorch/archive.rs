//! The zip container (PyTorch 1.6 and later): `NAME/data.pkl` and one entry `NAME/data/KEY` per storage, all stored
//! without compression, so that every number lies in the file itself.

use std::collections::HashMap;
use std::io::Cursor;

use zip::{CompressionMethod, ZipArchive};

use super::pickle_globals::SAVE;
use super::storage::Storages;

/// The parts of a zip file.
pub(super) struct Archive<'a> {
    pub pickle: &'a [u8],
    pub storages: Storages<'a>,
}

impl<'a> Archive<'a> {
    /// Finds the pickle and the storages.
    ///
    /// # Errors
    /// Place and reason when it is no whole zip file or not one of PyTorch's state dicts.
    pub fn open(bytes: &'a [u8]) -> Result<Self, (String, String)> {
        let whole = |reason: String| ("".to_owned(), reason);
        let mut zip = ZipArchive::new(Cursor::new(bytes))
            .map_err(|error| whole(format!("not a complete zip archive ({error}). The file may be truncated.")))?;
        let mut pickle = None;
        let mut order = None;
        let mut storages = HashMap::new();
        let mut script = false;
        for index in 0..zip.len() {
            let entry = zip.by_index_raw(index).map_err(|e| whole(format!("entry {index} cannot be read ({e})")))?;
            let name = entry.name().to_owned();
            let inner = name.split_once('/').map_or(name.as_str(), |(_, inner)| inner);
            script |= inner == "constants.pkl" || inner.starts_with("code/");
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
                None => order = Some(content),
            }
        }
        if order.is_some_and(|order| order != b"little") {
            return Err(whole("was written on a big-endian machine, which is not supported".into()));
        }
        match pickle {
            _ if script => {
                let reason = "is a TorchScript program, not a state dict. Load it in PyTorch and save its weights with";
                Err(whole(format!("{reason} {SAVE}")))
            }
            None => Err(whole("is a zip archive without data.pkl, which every PyTorch file has".into())),
            Some(pickle) => Ok(Self { pickle, storages: Storages(storages) }),
        }
    }
}
