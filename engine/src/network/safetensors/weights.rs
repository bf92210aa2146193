//! Reads the weights of other programs' safetensors files as a state dict.

use safetensors::SafeTensors;
use safetensors::tensor::Dtype;

use crate::ground::number_type::{Float8, NumberType};
use crate::network::Weights;
use crate::network::state_dict::StateDict;
use crate::network::weight_entries::{self, FLOAT_NETWORK, TensorEntry};

/// The tensors as f32, sorted by name, because these files order tensors by type and size.
///
/// # Errors
/// Key and reason for weights that cannot be read, as [`weight_entries::state_dict`].
pub(super) fn state_dict(tensors: &SafeTensors<'_>) -> Result<StateDict, (String, String)> {
    let mut entries: Vec<TensorEntry> = Vec::new();
    for (name, view) in tensors.iter() {
        let number_type = number_type(view.dtype()).ok_or_else(|| {
            (format!("key '{name}'"), format!("holds numbers of type {}. {FLOAT_NETWORK}", view.dtype()))
        })?;
        let weights = Weights::new(view.shape().to_vec(), number_type.read_all(view.data()));
        entries.push(TensorEntry { key: name.to_owned(), number_type, weights });
    }
    entries.sort_by(|a, b| a.key.cmp(&b.key));
    weight_entries::state_dict(entries, Vec::new())
}

/// The type of numbers of at least one byte; `None` for packed ones.
fn number_type(dtype: Dtype) -> Option<NumberType> {
    Some(match dtype {
        Dtype::F64 => NumberType::F64,
        Dtype::F32 => NumberType::F32,
        Dtype::F16 => NumberType::F16,
        Dtype::BF16 => NumberType::Bf16,
        Dtype::F8_E4M3 => NumberType::F8(Float8::E4M3Fn),
        Dtype::F8_E4M3FNUZ => NumberType::F8(Float8::E4M3Fnuz),
        Dtype::F8_E5M2 => NumberType::F8(Float8::E5M2),
        Dtype::F8_E5M2FNUZ => NumberType::F8(Float8::E5M2Fnuz),
        Dtype::BOOL => NumberType::Bool,
        Dtype::U8 => NumberType::Uint(1),
        Dtype::U16 => NumberType::Uint(2),
        Dtype::U32 => NumberType::Uint(4),
        Dtype::U64 => NumberType::Uint(8),
        Dtype::I8 => NumberType::Int(1),
        Dtype::I16 => NumberType::Int(2),
        Dtype::I32 => NumberType::Int(4),
        Dtype::I64 => NumberType::Int(8),
        Dtype::C64 => NumberType::Complex(8),
        _ => return None,
    })
}
