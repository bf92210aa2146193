//! Element types of PyTorch storages, and the conversion of their numbers to f32.

use crate::network::float16::{bf16, f16};

/// Element type of a storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DType {
    F16,
    Bf16,
    F32,
    F64,
    /// Integers and booleans of this size in bytes: counters, which no layer reads.
    Other(usize),
}

impl DType {
    /// Size of one number in bytes.
    pub fn size(self) -> usize {
        match self {
            Self::F16 | Self::Bf16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
            Self::Other(size) => size,
        }
    }

    /// The number in `bytes`, of length [`size`](Self::size).
    pub(super) fn read(self, bytes: &[u8]) -> f32 {
        match (self, bytes) {
            (Self::F16, &[a, b]) => f16(u16::from_le_bytes([a, b])),
            (Self::Bf16, &[a, b]) => bf16(u16::from_le_bytes([a, b])),
            (Self::F32, &[a, b, c, d]) => f32::from_le_bytes([a, b, c, d]),
            (Self::F64, &[a, b, c, d, e, f, g, h]) => f64::from_le_bytes([a, b, c, d, e, f, g, h]) as f32,
            _ => f32::NAN,
        }
    }
}
