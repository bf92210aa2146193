//! Weights that are NumPy arrays in a pickle.

use super::storage::spend;
use crate::network::Weights;
use crate::pickle::numpy_array::{ArrayParts, row_major};
use crate::pickle::value::{PickleValue, Tables};

impl<'a> Tables<'a> {
    /// The numbers of the array `value` as f32, row-major. Subtracts their number from `value_budget`.
    ///
    /// # Errors
    /// The reason if its bytes do not match its shape, or if the budget is used up.
    pub fn read_array(&self, value: PickleValue<'a>, value_budget: &mut usize) -> Result<Weights, String> {
        let parts = self.array_parts(value).ok_or("is no array of numbers")?;
        let ArrayParts { shape, number_type, bytes, .. } = parts;
        let count = shape.iter().try_fold(1usize, |count, &n| count.checked_mul(n));
        let count = count
            .filter(|count| count.checked_mul(number_type.size()) == Some(bytes.len()))
            .ok_or_else(|| format!("has {} bytes for shape {}", bytes.len(), crate::error::format_shape(&shape)))?;
        spend(value_budget, count, &shape)?;
        let swapped: Vec<u8>;
        let bytes = match parts.is_big_endian && number_type.size() > 1 {
            false => bytes,
            true => {
                let numbers = bytes.chunks_exact(number_type.size());
                swapped = numbers.flat_map(|number| number.iter().rev().copied()).collect();
                &swapped
            }
        };
        let data = number_type.read_all(bytes);
        Ok(Weights::new(shape.clone(), if parts.is_fortran { row_major(&data, &shape) } else { data }))
    }
}
