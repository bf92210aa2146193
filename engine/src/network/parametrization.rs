//! Parametrized weights of a state dict: weight norm, spectral norm and pruning masks become plain weights.
//!
//! PyTorch saves the parts from which a layer computes its weight at every call: `weight_g` and `weight_v`, or in newer
//! files `parametrizations.weight.original0` and `original1`. The weight in evaluation mode follows from them exactly.

use std::collections::HashMap;

use super::Weights;

/// A place in the file and the reason why its weights cannot be used.
type Refusal = (String, String);
/// Keys and weights in file order.
type Entries = Vec<(String, Weights)>;

/// Infix of the keys of `torch.nn.utils.parametrize`.
const PARAMETRIZATIONS: &str = "parametrizations.";
const ADVICE: &str =
    "Call torch.nn.utils.parametrize.remove_parametrizations(layer, \"weight\") in PyTorch and save again";

/// Names of the parts of a weight `{base}`, and how it follows from them.
struct Parts {
    base: String,
    /// The keys that the weight replaces; the first is the one that it is computed from.
    keys: Vec<String>,
    rule: Rule,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Rule {
    /// `v · g / |v|`; keys v, g.
    WeightNorm,
    /// `w / (uᵀ W v)`; keys w, u, v.
    SpectralNorm,
    /// `w · mask`; keys w, mask.
    Mask,
}

impl Rule {
    fn as_str(self) -> &'static str {
        match self {
            Self::WeightNorm => "weight norm (g v / |v|)",
            Self::SpectralNorm => "spectral norm (w / uᵀWv)",
            Self::Mask => "pruning (w times its mask)",
        }
    }
}

/// Replaces the parts of parametrized weights in `entries` by the weights, in the place of their first part. Returns a
/// note that names them, or `None` if there are none.
///
/// # Errors
/// Key and reason for a parametrization that the file does not describe, and for parts that do not fit each other.
pub(super) fn resolve(entries: Entries) -> Result<(Entries, Option<String>), Refusal> {
    let index: HashMap<&str, &Weights> = entries.iter().map(|(key, weights)| (key.as_str(), weights)).collect();
    let mut found: Vec<Parts> = Vec::new();
    for (key, _) in &entries {
        if let Some(parts) = parts(key, &index)?
            && !found.iter().any(|other| other.base == parts.base)
        {
            found.push(parts);
        }
    }
    if found.is_empty() {
        return Ok((entries, None));
    }
    let mut computed: HashMap<String, (String, Weights)> = HashMap::new();
    let mut replaced: HashMap<String, bool> = HashMap::new();
    for parts in &found {
        let values: Vec<&Weights> = parts.keys.iter().filter_map(|key| index.get(key.as_str()).copied()).collect();
        let weight = compute(parts.rule, &values).map_err(|reason| (format!("key '{}'", parts.keys[0]), reason))?;
        let first = entries.iter().map(|(key, _)| key).find(|key| parts.keys.contains(key));
        if let Some(first) = first {
            computed.insert(first.clone(), (parts.base.clone(), weight));
        }
        replaced.extend(parts.keys.iter().map(|key| (key.clone(), true)));
    }
    let mut rules: Vec<String> = Vec::new();
    for rule in [Rule::WeightNorm, Rule::SpectralNorm, Rule::Mask] {
        let names: Vec<&str> =
            found.iter().filter(|parts| parts.rule == rule).map(|parts| parts.base.as_str()).collect();
        if let Some(first) = names.first() {
            let more = if names.len() > 1 { format!(" and {} more", names.len() - 1) } else { String::new() };
            rules.push(format!("'{first}'{more} by {}", rule.as_str()));
        }
    }
    let note = format!("weights that the file has in parts are computed: {}", rules.join("; "));
    let mut out = Vec::with_capacity(entries.len());
    for (key, weights) in entries {
        match computed.remove(&key) {
            Some(weight) => out.push(weight),
            None if replaced.contains_key(&key) => {}
            None => out.push((key, weights)),
        }
    }
    Ok((out, Some(note)))
}

/// The parts of the weight to which `key` belongs; `None` for a plain weight.
fn parts(key: &str, index: &HashMap<&str, &Weights>) -> Result<Option<Parts>, Refusal> {
    if let Some((before, rest)) = key.split_once(PARAMETRIZATIONS)
        && (before.is_empty() || before.ends_with('.'))
    {
        return parametrized(key, before, rest, index).map(Some);
    }
    // `torch.nn.utils.weight_norm` and `prune` name the parts after the parameter: weight, bias, weight_hh_l0.
    let is_parameter = |base: &str| {
        let name = base.rsplit('.').next().unwrap_or_default();
        name.starts_with("weight") || name.starts_with("bias")
    };
    let with = |base: &str, suffixes: &[&str]| {
        if !is_parameter(base) {
            return None;
        }
        let keys: Vec<String> = suffixes.iter().map(|suffix| format!("{base}{suffix}")).collect();
        (!index.contains_key(base) && keys.iter().all(|key| index.contains_key(key.as_str()))).then_some(keys)
    };
    if let Some(base) = key.strip_suffix("_v").or_else(|| key.strip_suffix("_g"))
        && let Some(keys) = with(base, &["_v", "_g"])
    {
        return Ok(Some(Parts { base: base.to_owned(), keys, rule: Rule::WeightNorm }));
    }
    let Some(base) = ["_orig", "_mask", "_u", "_v"].iter().find_map(|suffix| key.strip_suffix(suffix)) else {
        return Ok(None);
    };
    if let Some(keys) = with(base, &["_orig", "_mask"]) {
        return Ok(Some(Parts { base: base.to_owned(), keys, rule: Rule::Mask }));
    }
    if let Some(keys) = with(base, &["_orig", "_u", "_v"]) {
        return Ok(Some(Parts { base: base.to_owned(), keys, rule: Rule::SpectralNorm }));
    }
    Ok(None)
}

/// The parts of `{before}parametrizations.{rest}`.
fn parametrized(key: &str, before: &str, rest: &str, index: &HashMap<&str, &Weights>) -> Result<Parts, Refusal> {
    let name = rest.split('.').next().unwrap_or_default();
    let at = format!("{before}{PARAMETRIZATIONS}{name}.");
    let mut present: Vec<&str> = index.keys().filter_map(|key| key.strip_prefix(at.as_str())).collect();
    present.sort_unstable();
    let (rule, parts): (Rule, &[&str]) = match present[..] {
        ["original0", "original1"] => (Rule::WeightNorm, &["original1", "original0"]),
        ["0._u", "0._v", "original"] => (Rule::SpectralNorm, &["original", "0._u", "0._v"]),
        _ => {
            let reason = format!("is a parametrized weight that the file alone does not determine. {ADVICE}");
            return Err((format!("key '{key}'"), reason));
        }
    };
    let keys = parts.iter().map(|part| format!("{at}{part}")).collect();
    Ok(Parts { base: format!("{before}{name}"), keys, rule })
}

fn compute(rule: Rule, parts: &[&Weights]) -> Result<Weights, String> {
    match (rule, parts) {
        (Rule::WeightNorm, [v, g]) => weight_norm(v, g),
        (Rule::SpectralNorm, [w, u, v]) => spectral_norm(w, u, v),
        (Rule::Mask, [w, mask]) if w.shape == mask.shape => {
            let data = w.data.iter().zip(mask.data.iter()).map(|(w, mask)| w * mask).collect();
            Ok(Weights::new(w.shape.clone(), data))
        }
        _ => Err(format!("its parts do not fit each other. {ADVICE}")),
    }
}

/// `g v / |v|`; the norm is over all dimensions in which `g` has size 1.
fn weight_norm(v: &Weights, g: &Weights) -> Result<Weights, String> {
    let rank = v.shape.len();
    // A scalar g is one norm for all.
    let g_shape = if g.data.len() == 1 { vec![1; rank] } else { g.shape.clone() };
    let fits = g_shape.len() == rank && g_shape.iter().zip(&v.shape).all(|(&g, &v)| g == v || g == 1);
    if !fits || g.data.len() != g_shape.iter().product::<usize>() {
        return Err(format!(
            "its norms have shape {} for weights of {}",
            crate::error::format_shape(&g.shape),
            crate::error::format_shape(&v.shape)
        ));
    }
    // Index of the norm that belongs to every value.
    let group = |mut at: usize| {
        let (mut index, mut step) = (0, 1);
        for axis in (0..rank).rev() {
            let position = at % v.shape[axis];
            at /= v.shape[axis];
            index += if g_shape[axis] == 1 { 0 } else { position * step };
            step *= g_shape[axis];
        }
        index
    };
    let mut squares = vec![0f64; g.data.len()];
    v.data.iter().enumerate().for_each(|(at, &value)| squares[group(at)] += f64::from(value).powi(2));
    let factors: Vec<f64> =
        squares.iter().zip(g.data.iter()).map(|(square, &g)| f64::from(g) / square.sqrt()).collect();
    let data = v.data.iter().enumerate().map(|(at, &value)| (f64::from(value) * factors[group(at)]) as f32).collect();
    Ok(Weights::new(v.shape.clone(), data))
}

/// `w / (uᵀ W v)` with W the weights as a matrix of one row per output.
fn spectral_norm(w: &Weights, u: &Weights, v: &Weights) -> Result<Weights, String> {
    let (rows, columns) = (u.data.len(), v.data.len());
    if rows.checked_mul(columns) != Some(w.data.len()) || w.shape.first() != Some(&rows) || columns == 0 {
        let reason = "is under spectral norm along another dimension than the first. Call \
                      torch.nn.utils.remove_spectral_norm(layer) in PyTorch and save again";
        return Err(reason.into());
    }
    let row = |row: &[f32]| row.iter().zip(v.data.iter()).map(|(&w, &v)| f64::from(w) * f64::from(v)).sum::<f64>();
    let sigma: f64 = w.data.chunks(columns).zip(u.data.iter()).map(|(w, &u)| row(w) * f64::from(u)).sum();
    Ok(Weights::new(w.shape.clone(), w.data.iter().map(|&w| (f64::from(w) / sigma) as f32).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: &str, shape: &[usize], data: &[f32]) -> (String, Weights) {
        (key.to_owned(), Weights::new(shape.to_vec(), data.to_vec()))
    }

    #[test]
    fn weight_norm_of_both_forms_gives_rows_of_length_g() {
        let (v, g) = ([3.0, 4.0, 0.0, 2.0], [10.0, 3.0]);
        for [at_v, at_g] in [
            ["fc.weight_v", "fc.weight_g"],
            ["fc.parametrizations.weight.original1", "fc.parametrizations.weight.original0"],
        ] {
            let entries = vec![entry("fc.bias", &[2], &[0.0; 2]), entry(at_g, &[2, 1], &g), entry(at_v, &[2, 2], &v)];
            let (out, note) = resolve(entries).unwrap();
            assert_eq!(out[1].0, "fc.weight");
            assert_eq!(*out[1].1.data, [6.0, 8.0, 0.0, 3.0]);
            assert!(out.len() == 2 && note.unwrap().contains("'fc.weight' by weight norm"));
        }
        // One norm for all (dim = None), and norms of the second dimension.
        let all = resolve(vec![entry("weight_g", &[], &[10.0]), entry("weight_v", &[2, 2], &[3.0, 0.0, 4.0, 0.0])])
            .unwrap()
            .0;
        assert_eq!(*all[0].1.data, [6.0, 0.0, 8.0, 0.0]);
        let second = vec![entry("weight_g", &[1, 2], &[5.0, 1.0]), entry("weight_v", &[2, 2], &[3.0, 2.0, 4.0, 0.0])];
        assert_eq!(*resolve(second).unwrap().0[0].1.data, [3.0, 1.0, 4.0, 0.0]);
        assert!(resolve(vec![entry("weight_g", &[3, 1], &[1.0; 3]), entry("weight_v", &[2, 2], &v)]).is_err());
    }

    #[test]
    fn spectral_norm_and_masks_are_computed_and_unknown_ones_refused() {
        let (w, u, v) = ([2.0, 0.0, 0.0, 1.0], [1.0, 0.0], [1.0, 0.0]);
        let old = vec![entry("weight_orig", &[2, 2], &w), entry("weight_u", &[2], &u), entry("weight_v", &[2], &v)];
        assert_eq!(*resolve(old).unwrap().0[0].1.data, [1.0, 0.0, 0.0, 0.5]);
        let at = |part: &str| format!("a.parametrizations.weight.{part}");
        let new = [at("original"), at("0._u"), at("0._v")];
        let new = vec![entry(&new[0], &[2, 2], &w), entry(&new[1], &[2], &u), entry(&new[2], &[2], &v)];
        assert_eq!(resolve(new).unwrap().0[0].0, "a.weight");
        let pruned = vec![entry("weight_orig", &[2, 2], &w), entry("weight_mask", &[2, 2], &[0.0, 1.0, 1.0, 1.0])];
        assert_eq!(*resolve(pruned).unwrap().0[0].1.data, [0.0, 0.0, 0.0, 1.0]);
        let (place, reason) = resolve(vec![entry(&at("original"), &[2, 2], &w)]).unwrap_err();
        assert!(place.contains("parametrizations") && reason.contains("remove_parametrizations"));
        // Names that only look like parts stay.
        let plain = vec![entry("attn.w_v", &[1], &[1.0]), entry("attn.w_u", &[1], &[1.0])];
        assert!(resolve(plain).unwrap().1.is_none());
    }
}
