//! Turns the tensors of a weight file into a state dict: which are weights, and which refused.
//!
//! Readers of every weight format call it, so that number types, quantized weights and parametrized weights are treated
//! alike.

use super::state_dict::StateDict;
use super::{Weights, parametrization};
use crate::ground::number_type::NumberType;

/// A tensor of a weight file.
#[derive(Clone, Debug)]
pub(super) struct TensorEntry {
    pub(super) key: String,
    pub(super) number_type: NumberType,
    pub(super) weights: Weights,
}

/// Parts of the last name of a key that say that the numbers of a file are quantized.
const SCALES: [&str; 8] = ["scale", "zero_point", "qzeros", "absmax", "quant_map", "quant_state", "scb", "codebook"];

/// Why quantized weights are refused, after what the file has.
pub(super) const FLOAT_NETWORK: &str =
    "A quantized network cannot be converted. Open the float network from which it was made";

/// The state dict of `entries`, with `notes` about the file and about what is assumed here.
///
/// Integers are counters and indices and are left out, unless their key is that of a weight or the file has nothing else.
///
/// # Errors
/// Key and reason for complex and quantized weights and for parametrized weights that the file does not determine; an
/// empty key if no weights are left.
pub(super) fn state_dict(entries: Vec<TensorEntry>, mut notes: Vec<String>) -> Result<StateDict, (String, String)> {
    let place = |key: &str| format!("key '{key}'");
    let has_floats = entries.iter().any(|entry| entry.number_type.is_float());
    let scale = entries.iter().map(|entry| entry.key.as_str()).find(|key| is_scale(key)).map(str::to_owned);
    let mut kept: Vec<(String, Weights)> = Vec::new();
    let mut whole: Vec<(String, NumberType)> = Vec::new();
    for TensorEntry { key, number_type, weights } in entries {
        let is_matrix = weights.shape.len() > 1;
        match number_type {
            NumberType::Complex(_) => {
                let reason = format!("holds {} numbers; only real weights are supported", number_type.name());
                return Err((place(&key), reason));
            }
            NumberType::Quantized(_) => {
                return Err((place(&key), format!("holds {} numbers. {FLOAT_NETWORK}", number_type.name())));
            }
            NumberType::F8(_) | NumberType::Int(_) | NumberType::Uint(_)
                if is_matrix && is_weight(&key) && scale.is_some() =>
            {
                let reason = format!(
                    "holds {} numbers, which '{}' scales. {FLOAT_NETWORK}",
                    number_type.name(),
                    scale.as_deref().unwrap_or_default()
                );
                return Err((place(&key), reason));
            }
            _ if number_type.is_float() => kept.push((key, weights)),
            _ if number_type.is_whole() && !is_counter(&key) && (is_weight(&key) || !has_floats) => {
                if !key.ends_with("_mask") {
                    whole.push((key.clone(), number_type));
                }
                kept.push((key, weights));
            }
            _ => {}
        }
    }
    if kept.is_empty() {
        return Err((String::new(), "its state dict contains no floating-point tensors".into()));
    }
    if let Some((key, number_type)) = whole.first() {
        let more = if whole.len() > 1 { format!(" and {} more tensors", whole.len() - 1) } else { String::new() };
        notes.push(format!(
            "'{key}'{more} hold whole numbers ({}), which are read as the weights. If they are quantized and their scales \
             are elsewhere, open the float network instead",
            number_type.name()
        ));
    }
    let (kept, computed) = parametrization::resolve(kept)?;
    notes.extend(computed);
    Ok(StateDict::new(kept).with_notes(notes).without_wrapper_prefix())
}

fn last_name(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

fn is_scale(key: &str) -> bool {
    let name = last_name(key).to_ascii_lowercase();
    SCALES.iter().any(|part| name.contains(part))
}

fn is_weight(key: &str) -> bool {
    let name = last_name(key);
    ["weight", "bias", "kernel"].iter().any(|part| name.contains(part)) || matches!(name, "W" | "b" | "w")
}

/// Whether `key` counts something: the batches of a BatchNorm, the models of an average.
fn is_counter(key: &str) -> bool {
    matches!(last_name(key), "num_batches_tracked" | "n_averaged" | "position_ids")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: &str, number_type: NumberType, shape: &[usize]) -> TensorEntry {
        let weights = Weights::new(shape.to_vec(), vec![1.0; shape.iter().product()]);
        TensorEntry { key: key.into(), number_type, weights }
    }

    #[test]
    fn whole_weights_are_read_with_a_note_and_counters_are_left_out() {
        let entries = vec![
            entry("fc.weight", NumberType::Int(1), &[2, 3]),
            entry("fc.bias", NumberType::F32, &[2]),
            entry("bn.num_batches_tracked", NumberType::Int(8), &[]),
            entry("attn.relative_position_index", NumberType::Int(8), &[4, 4]),
        ];
        let state = state_dict(entries, Vec::new()).unwrap();
        assert_eq!(state.iter().map(|(key, _)| key).collect::<Vec<_>>(), ["fc.weight", "fc.bias"]);
        assert!(state.notes()[0].contains("'fc.weight' hold whole numbers (int8)"), "{:?}", state.notes());
        // Nothing but integers: all of them.
        let all = vec![entry("a", NumberType::Uint(1), &[2, 3]), entry("n_averaged", NumberType::Int(8), &[])];
        assert_eq!(state_dict(all, Vec::new()).unwrap().len(), 1);
    }

    #[test]
    fn quantized_and_complex_weights_are_refused_by_key() {
        let refused = |entries: Vec<TensorEntry>| state_dict(entries, Vec::new()).unwrap_err();
        let scaled = |number_type, scale: &str| {
            refused(vec![entry("fc.weight", number_type, &[2, 3]), entry(scale, NumberType::F32, &[2])])
        };
        for (number_type, scale) in [
            (NumberType::Int(1), "fc.weight_scale"),
            (NumberType::Int(1), "fc.SCB"),
            (NumberType::F8(crate::ground::number_type::Float8::E4M3Fn), "fc.weight_scale_inv"),
        ] {
            let (place, reason) = scaled(number_type, scale);
            assert_eq!(place, "key 'fc.weight'");
            assert!(reason.contains(scale) && reason.contains("float network"), "{reason}");
        }
        let (_, reason) = refused(vec![entry("w", NumberType::Complex(8), &[2])]);
        assert!(reason.contains("complex64"));
        assert!(refused(vec![entry("w", NumberType::Quantized(1), &[2])]).1.contains("qint8"));
        assert!(refused(Vec::new()).1.contains("no floating-point tensors"));
    }
}
