//! Gathers the values of tensors, which are views of storages, as f32.

use std::collections::HashMap;

use crate::ground::number_type::NumberType;
use crate::network::Weights;
use crate::pickle::value::TensorView;

/// The bytes of all storages of a file, by key.
#[derive(Debug, Default)]
pub(super) struct Storages<'a>(pub HashMap<String, &'a [u8]>);

/// A storage whose bytes are found.
#[derive(Clone, Copy, Debug)]
pub(super) struct StorageBytes<'s> {
    /// Its name for messages.
    pub name: &'s str,
    pub kind: NumberType,
    pub bytes: &'s [u8],
    /// Number of elements that the pickle states.
    pub count: usize,
    /// Start of the view in elements.
    pub start: usize,
}

impl StorageBytes<'_> {
    /// The values of `view`, row-major. Subtracts their number from `value_budget`, so that memory stays within a multiple
    /// of the file size even if many tensors share a storage.
    ///
    /// # Errors
    /// The reason: the storage is shorter than stated, the view exceeds it, or the budget is used up.
    pub fn read_tensor(self, view: &TensorView, value_budget: &mut usize) -> Result<Weights, String> {
        let Self { kind: stored, bytes, start, .. } = self;
        let kind = view.number_type.unwrap_or(stored);
        let name: String = self.name.chars().filter(|c| !c.is_control()).take(40).collect();
        let out_of_bounds = || {
            format!(
                "shape {} exceeds its storage '{name}' of {} bytes",
                crate::error::format_shape(&view.shape),
                bytes.len()
            )
        };
        let length = self.count.checked_mul(stored.size()).filter(|&length| length <= bytes.len());
        let length =
            length.ok_or_else(|| format!("its storage '{name}' should have {} values and is truncated", self.count))?;
        // A storage without a type counts in bytes.
        let available = length / kind.size().max(1);
        let count = view.shape.iter().try_fold(1usize, |count, &n| count.checked_mul(n)).ok_or_else(out_of_bounds)?;
        // Offset of the last element of the view.
        let span = view
            .shape
            .iter()
            .zip(&view.stride)
            .try_fold(0usize, |sum, (&n, &stride)| sum.checked_add(n.saturating_sub(1).checked_mul(stride)?));
        if count == 0 {
            return Ok(Weights::new(view.shape.clone(), Vec::new()));
        }
        let first = view.offset.checked_add(start);
        let end = first.zip(span).and_then(|(first, span)| first.checked_add(span)?.checked_add(1));
        let (first, _) = first.zip(end.filter(|&end| end <= available)).ok_or_else(out_of_bounds)?;
        spend(value_budget, count, &view.shape)?;
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
        Ok(Weights::new(view.shape.clone(), data))
    }
}

/// Subtracts `count` values of a tensor of `shape` from the budget.
///
/// # Errors
/// The reason if the file cannot hold so many values.
pub(super) fn spend(value_budget: &mut usize, count: usize, shape: &[usize]) -> Result<(), String> {
    *value_budget = value_budget.checked_sub(count).ok_or_else(|| {
        format!(
            "shape {} and the tensors before it need more values than the file can hold",
            crate::error::format_shape(shape)
        )
    })?;
    Ok(())
}
