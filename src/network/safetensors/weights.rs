//! Reads the weights of other programs' safetensors files as a state dict.

use safetensors::SafeTensors;
use safetensors::tensor::Dtype;

use crate::network::Weights;
use crate::network::float16::{bf16, f16};
use crate::network::state_dict::StateDict;

/// The floating-point tensors as f32, sorted by name, because these files order tensors by type and size. Integers
/// (counters of batch normalization) are skipped.
pub(super) fn state_dict(tensors: &SafeTensors<'_>) -> StateDict {
    let mut entries: Vec<(String, Weights)> = tensors
        .iter()
        .filter_map(|(name, view)| {
            let bytes = view.data();
            let data: Vec<f32> = match view.dtype() {
                Dtype::F32 => bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
                Dtype::F64 => bytes.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b) as f32).collect(),
                Dtype::F16 => bytes.as_chunks().0.iter().map(|b| f16(u16::from_le_bytes(*b))).collect(),
                Dtype::BF16 => bytes.as_chunks().0.iter().map(|b| bf16(u16::from_le_bytes(*b))).collect(),
                _ => return None,
            };
            Some((name.to_owned(), Weights::new(view.shape().to_vec(), data)))
        })
        .collect();
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    StateDict::new(entries).without_wrapper_prefix()
}
