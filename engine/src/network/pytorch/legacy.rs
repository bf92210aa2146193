//! Legacy container before PyTorch 1.6: a sequence of pickles followed by the storages.
//!
//! The five pickles are a magic number, a version, the writing machine, the state dict and the list of storage keys. For
//! each key follow its number of values and the values.

use std::collections::HashMap;

use super::storage::Storages;
use crate::pickle::unpickler;
use crate::pickle::value::{Pickle, PickleValue, StorageData};

/// The magic number 0x1950a86a20f9469cfc6c, little-endian as in a pickle.
pub(super) const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
const VERSION: PickleValue<'_> = PickleValue::Int(1001);

/// Whether `root` is the magic number at the start of a file.
pub(super) fn is_magic(root: PickleValue<'_>) -> bool {
    matches!(root, PickleValue::Long(magic) if magic == MAGIC)
}

/// Reads the state dict's pickle and the storages after it.
///
/// # Errors
/// Position and reason when the bytes are no such file.
pub(super) fn open(bytes: &[u8]) -> Result<(Pickle<'_>, Storages<'_>), (String, String)> {
    let file_error = |reason: &str| ("".to_owned(), reason.to_owned());
    let mut at = 0;
    let mut next = |what: &str| {
        let (pickle, len) = unpickler::run(&bytes[at..]).map_err(|reason| (what.to_owned(), reason))?;
        at += len;
        Ok::<_, (String, String)>((pickle, at))
    };
    if !is_magic(next("the magic number")?.0.root) {
        return Err(("the magic number".into(), "is not that of a PyTorch file".into()));
    }
    if next("the version")?.0.root != VERSION {
        return Err(("the version".into(), "is not 1001, the only known version".into()));
    }
    let machine = next("the byte order")?.0;
    if let PickleValue::Dict(id) = machine.root
        && machine.dicts[id].contains(&(PickleValue::Text("little_endian"), PickleValue::Bool(false)))
    {
        return Err(file_error("was written on a big-endian machine, which is not supported"));
    }
    let (pickle, _) = next("the state dict")?;
    let (keys, mut at) = next("the storage list")?;
    let sizes: HashMap<&str, usize> = pickle
        .storages
        .iter()
        .filter_map(|storage| match storage.data {
            StorageData::Key(key) => Some((key, storage.kind.size())),
            StorageData::Saved(_) => None,
        })
        .collect();
    let mut storages = HashMap::new();
    for &key in keys.items(keys.root) {
        let PickleValue::Text(key) = key else {
            return Err(("the storage list".into(), "a storage key that is not a string".into()));
        };
        let truncated = || (format!("storage '{key}'"), "the file is truncated".to_owned());
        let size = sizes.get(key).ok_or_else(|| (format!("storage '{key}'"), "belongs to no tensor".to_owned()))?;
        let count = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()).ok_or_else(truncated)?;
        at += count.len();
        let length = usize::try_from(u64::from_le_bytes(*count)).ok().and_then(|count| count.checked_mul(*size));
        let end = length.and_then(|length| at.checked_add(length)).ok_or_else(truncated)?;
        storages.insert(key.to_owned(), bytes.get(at..end).ok_or_else(truncated)?);
        at = end;
    }
    Ok((pickle, Storages(storages)))
}
