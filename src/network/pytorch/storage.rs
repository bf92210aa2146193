//! Reads tensors from storages: parses tensor views of the pickle and gathers their values as f32.

use std::collections::HashMap;

use super::dtype::DType;
use super::pickle_globals::Global;
use super::pickle_value::{PickleValue, StorageRef, Tables, TensorView};
use crate::network::Weights;

/// Maximum number of dimensions of a tensor.
const MAX_DIMENSIONS: usize = 8;

impl<'a> Tables<'a> {
    /// The storage of a persistent id `("storage", type, key, location, count[, view])`.
    pub fn storage(&self, id: PickleValue<'a>) -> Result<StorageRef<'a>, String> {
        let bad = || "a persistent id without a storage".to_owned();
        let &[
            PickleValue::Text("storage"),
            PickleValue::Global(Global::Storage(kind)),
            PickleValue::Text(key),
            _,
            PickleValue::Int(count),
            ref rest @ ..,
        ] = self.items(id)
        else {
            return Err(bad());
        };
        let start = match rest.first() {
            None | Some(PickleValue::None) => 0,
            Some(&view) => match self.items(view) {
                &[_, PickleValue::Int(start), PickleValue::Int(_)] => usize::try_from(start).map_err(|_| bad())?,
                _ => return Err(bad()),
            },
        };
        Ok(StorageRef { kind, key, count: usize::try_from(count).map_err(|_| bad())?, start })
    }

    /// The tensor of `_rebuild_tensor(storage, offset, shape, stride, …)`.
    pub fn view(&self, arguments: &[PickleValue<'a>]) -> Result<TensorView, String> {
        let &[
            PickleValue::Storage(storage),
            PickleValue::Int(offset),
            shape @ PickleValue::Tuple(_),
            stride @ PickleValue::Tuple(_),
            ..,
        ] = arguments
        else {
            return Err("a tensor without storage, offset, shape and stride".into());
        };
        let numbers = |list: PickleValue<'a>| {
            let number = |value: &PickleValue<'_>| match *value {
                PickleValue::Int(number) => usize::try_from(number).ok(),
                _ => None,
            };
            self.items(list).iter().take(MAX_DIMENSIONS + 1).map(number).collect::<Option<Vec<_>>>()
        };
        let parts = (usize::try_from(offset).ok(), numbers(shape), numbers(stride));
        match parts {
            (Some(offset), Some(shape), Some(stride))
                if shape.len() == stride.len() && shape.len() <= MAX_DIMENSIONS =>
            {
                Ok(TensorView { storage, offset, shape, stride })
            }
            _ => Err("a tensor with an invalid shape or stride".into()),
        }
    }
}

/// The bytes of all storages of a file, by key.
#[derive(Debug, Default)]
pub(super) struct Storages<'a>(pub HashMap<String, &'a [u8]>);

impl Storages<'_> {
    /// Reads the values of `view`, row-major; `None` for integers. Subtracts their number from `value_budget`, so that memory
    /// stays within a multiple of the file size even if many tensors share a storage.
    ///
    /// # Errors
    /// The reason: the storage is missing or shorter than stated, the view exceeds it, or the budget is used up.
    pub fn read_tensor(
        &self,
        view: &TensorView,
        storage: &StorageRef<'_>,
        value_budget: &mut usize,
    ) -> Result<Option<Weights>, String> {
        let kind = storage.kind;
        if matches!(kind, DType::Other(_)) {
            return Ok(None);
        }
        let key: String = storage.key.chars().filter(|c| !c.is_control()).take(40).collect();
        let bytes = self.0.get(storage.key).ok_or_else(|| format!("its storage '{key}' is not in the file"))?;
        let out_of_bounds = || {
            format!(
                "shape {} exceeds its storage '{key}' of {} bytes",
                crate::error::format_shape(&view.shape),
                bytes.len()
            )
        };
        let count = view.shape.iter().try_fold(1usize, |count, &n| count.checked_mul(n)).ok_or_else(out_of_bounds)?;
        // Offset of the last element of the view.
        let span = view
            .shape
            .iter()
            .zip(&view.stride)
            .try_fold(0usize, |sum, (&n, &stride)| sum.checked_add(n.saturating_sub(1).checked_mul(stride)?));
        let first = view.offset.checked_add(storage.start);
        let end = first.zip(span).and_then(|(first, span)| first.checked_add(span)?.checked_add(1));
        let length = storage.count.checked_mul(kind.size()).filter(|&length| length <= bytes.len());
        length.ok_or_else(|| format!("its storage '{key}' should have {} values and is truncated", storage.count))?;
        if count == 0 {
            return Ok(Some(Weights::new(view.shape.clone(), Vec::new())));
        }
        let (first, _) = first.zip(end.filter(|&end| end <= storage.count)).ok_or_else(out_of_bounds)?;
        *value_budget = value_budget.checked_sub(count).ok_or_else(|| {
            format!(
                "shape {} and the tensors before it need more values than the file can hold",
                crate::error::format_shape(&view.shape)
            )
        })?;
        let number = |at: usize| kind.read(&bytes[at * kind.size()..(at + 1) * kind.size()]);
        let mut data = Vec::with_capacity(count);
        let mut index = vec![0usize; view.shape.len()];
        let mut at = first;
        for _ in 0..count {
            data.push(number(at));
            // Increment the index, last dimension first. `at` may wrap in between (a dimension of 1 can have any stride);
            // after the loop it is within the bounds checked above.
            for axis in (0..index.len()).rev() {
                index[axis] += 1;
                at = at.wrapping_add(view.stride[axis]);
                if index[axis] < view.shape[axis] {
                    break;
                }
                at = at.wrapping_sub(index[axis].wrapping_mul(view.stride[axis]));
                index[axis] = 0;
            }
        }
        Ok(Some(Weights::new(view.shape.clone(), data)))
    }
}
