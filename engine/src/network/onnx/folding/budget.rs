//! Memory limit of folded constants, from the bytes that the network's files have.

use std::cell::Cell;

use crate::network::onnx::shapes;

/// Bytes that any network may fold.
const BASE: u64 = 256 << 20;
/// Bytes that may be folded for each byte of the files: int4 weights become 8 times as large, and pass several nodes.
const PER_BYTE: u64 = 64;
/// Maximum of all folded bytes.
const MAX: u64 = 4 << 30;

/// Bytes that folded constants of one network may still take.
#[derive(Debug)]
pub struct Budget {
    left: Cell<u64>,
}

impl Budget {
    /// The budget of a network whose files have `bytes`.
    pub fn of_files(bytes: u64) -> Self {
        Self { left: Cell::new(bytes.saturating_mul(PER_BYTE).saturating_add(BASE).min(MAX)) }
    }

    /// The number of values of a new constant of shape `dims`, whose memory is taken from the budget.
    ///
    /// # Errors
    /// A message if the budget does not have it.
    pub fn count(&self, dims: &[usize]) -> Result<usize, String> {
        let count = shapes::count(dims);
        // Weights are floats of 4 bytes.
        let bytes = count.and_then(|n| u64::try_from(n).ok()?.checked_mul(4));
        match count.zip(bytes.and_then(|bytes| self.left.get().checked_sub(bytes))) {
            Some((count, left)) => {
                self.left.set(left);
                Ok(count)
            }
            None => Err(format!(
                "a constant of shape {} is too large to be computed when the network is opened",
                crate::error::format_shape(dims)
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_bounded_together() {
        let budget = Budget::of_files(0);
        assert_eq!(budget.count(&[1 << 20, 32]), Ok(1 << 25));
        assert!(budget.count(&[1 << 25]).is_ok());
        assert!(budget.count(&[1]).unwrap_err().contains("too large"));
        assert!(Budget::of_files(u64::MAX).count(&[usize::MAX, 2]).is_err());
    }
}
