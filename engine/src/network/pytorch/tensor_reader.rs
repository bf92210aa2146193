//! Reads tensors and arrays of a pickle, wherever their numbers are in the file.

use std::collections::HashMap;

use super::legacy;
use super::storage::{StorageBytes, Storages};
use crate::ground::number_type::NumberType;
use crate::network::Weights;
use crate::pickle::globals::META;
use crate::pickle::value::{Pickle, PickleValue, StorageData, StorageRef, Tables};

/// Reads tensors as f32, within budgets that the size of the file sets.
pub(super) struct TensorReader<'p, 'a> {
    pickle: &'p Pickle<'a>,
    storages: &'p Storages<'a>,
    /// Number of values that may still be read.
    value_budget: usize,
    /// Number of bytes of saved storages that may still be opened.
    saved_budget: usize,
    /// Storages that are files of their own, by index.
    saved: HashMap<usize, StorageBytes<'p>>,
}

impl<'a> Tables<'a> {
    /// Number of dimensions of a tensor or array; `None` for other values. Tensors that cannot be read count as matrices.
    pub fn tensor_rank(&self, value: PickleValue<'a>) -> Option<usize> {
        match value {
            PickleValue::Tensor(id) => {
                let view = self.tensors.get(id)?;
                Some(if view.unreadable.is_some() { 2 } else { view.shape.len() })
            }
            PickleValue::Object(_) => self.array_type(value).map(|(shape, _)| shape.len()),
            // Quantized layers keep their weights as a tuple.
            PickleValue::Tuple(_) => self.unreadable(value).map(|_| 2),
            _ => None,
        }
    }

    /// Why a tensor, or a tensor in a tuple, cannot be read; `None` if it can, and for other values.
    pub fn unreadable(&self, value: PickleValue<'a>) -> Option<&'static str> {
        match value {
            PickleValue::Tensor(id) => self.tensors.get(id)?.unreadable,
            PickleValue::Tuple(_) => self.items(value).iter().take(4).find_map(|&item| match item {
                PickleValue::Tensor(id) => self.tensors.get(id)?.unreadable,
                _ => None,
            }),
            _ => None,
        }
    }
}

impl<'p, 'a> TensorReader<'p, 'a> {
    /// A reader for a file of `file_len` bytes.
    pub fn new(pickle: &'p Pickle<'a>, storages: &'p Storages<'a>, file_len: usize) -> Self {
        Self {
            pickle,
            storages,
            value_budget: file_len,
            saved_budget: file_len.saturating_mul(2),
            saved: HashMap::new(),
        }
    }

    /// The numbers of the tensor or array `value` and their type in the file; `None` for any other value.
    ///
    /// # Errors
    /// The reason why its numbers cannot be read.
    pub fn read(&mut self, value: PickleValue<'a>) -> Result<Option<(NumberType, Weights)>, String> {
        if let Some(reason) = self.pickle.unreadable(value) {
            return Err(reason.into());
        }
        let id = match value {
            PickleValue::Tensor(id) => id,
            PickleValue::Object(_) => {
                let Some((_, number_type)) = self.pickle.array_type(value) else { return Ok(None) };
                return Ok(Some((number_type, self.pickle.read_array(value, &mut self.value_budget)?)));
            }
            _ => return Ok(None),
        };
        let view = self.pickle.tensors.get(id).ok_or("is a tensor that the file lacks")?;
        let storage = self.storage(view.storage)?;
        let number_type = view.number_type.unwrap_or(storage.kind);
        Ok(Some((number_type, storage.read_tensor(view, &mut self.value_budget)?)))
    }

    fn storage(&mut self, index: usize) -> Result<StorageBytes<'p>, String> {
        let storage = self.pickle.storages.get(index).ok_or("has a storage that the file lacks")?;
        if storage.is_meta {
            return Err(META.into());
        }
        match storage.data {
            StorageData::Key(key) => bytes_of(storage, key, self.storages),
            StorageData::Saved(value) => {
                if let Some(&known) = self.saved.get(&index) {
                    return Ok(known);
                }
                let bytes = self.pickle.bytes(value).ok_or("has a storage without bytes")?;
                let rest = self.saved_budget.checked_sub(bytes.len());
                self.saved_budget = rest.ok_or("and the tensors before it open more bytes than the file has")?;
                let found = saved(bytes)?;
                self.saved.insert(index, found);
                Ok(found)
            }
        }
    }
}

fn bytes_of<'s>(storage: &StorageRef<'s>, key: &'s str, storages: &Storages<'s>) -> Result<StorageBytes<'s>, String> {
    let shown: String = key.chars().filter(|c| !c.is_control()).take(40).collect();
    let bytes = storages.0.get(key).ok_or_else(|| format!("its storage '{shown}' is not in the file"))?;
    Ok(StorageBytes { name: key, kind: storage.kind, bytes, count: storage.count, start: storage.start })
}

/// The storage in the bytes of a file that holds nothing else.
fn saved(bytes: &[u8]) -> Result<StorageBytes<'_>, String> {
    let (pickle, storages) =
        legacy::open(bytes).map_err(|(place, reason)| format!("its storage: {place}: {reason}"))?;
    let PickleValue::Storage(index) = pickle.root else {
        return Err("its storage is saved in a form that is not known".into());
    };
    match pickle.storages.get(index).map(|storage| (storage, storage.data)) {
        Some((storage, StorageData::Key(key))) => bytes_of(storage, key, &storages),
        _ => Err("its storage is saved in a form that is not known".into()),
    }
}
