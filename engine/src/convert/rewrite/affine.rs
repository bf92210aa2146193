//! Folds affine layers into the weights before them.

use super::builder::Builder;
use crate::network::{Network, Op, Weights};

/// Folds each affine layer into the convolution, linear or affine layer that it alone reads: `W' = s·W`, `b' = s·b +
/// shift` per output channel, in f64.
pub(super) fn fold_affine(network: &Network) -> Network {
    let readers = network.consumers();
    let mut builder = Builder::new(network);
    for (id, node) in network.nodes.iter().enumerate() {
        let Op::Affine { scale, shift } = &node.op else {
            builder.copy(id);
            continue;
        };
        let source = node.inputs[0];
        let target = builder.map[&source];
        let folded = if readers[source] == 1 { fold_into(&builder.nodes[target].op, scale, shift) } else { None };
        match folded {
            Some(op) => {
                builder.nodes[target].op = op;
                builder.map.insert(id, target);
            }
            None => builder.copy(id),
        }
    }
    builder.finish()
}

/// `op` followed by `scale` and `shift` as one operation, if there is one.
fn fold_into(op: &Op, scale: &[f32], shift: &[f32]) -> Option<Op> {
    let pick = |v: &[f32], c: usize| f64::from(if v.len() == 1 { v[0] } else { v[c] });
    let weights = |weight: &Weights, bias: &Option<Weights>| {
        let channels = weight.shape[0];
        let row = weight.data.len() / channels;
        if scale.len() != 1 && scale.len() != channels {
            return None;
        }
        let data = weight.data.iter().enumerate().map(|(i, &w)| (f64::from(w) * pick(scale, i / row)) as f32).collect();
        let old = |c: usize| bias.as_ref().map_or(0.0, |b| f64::from(b.data[c]));
        let bias = (0..channels).map(|c| (old(c) * pick(scale, c) + pick(shift, c)) as f32).collect();
        Some((Weights::new(weight.shape.clone(), data), Some(Weights::new(vec![channels], bias))))
    };
    match op {
        Op::Conv2d { weight, bias, stride, padding, dilation, groups } => {
            let (weight, bias) = weights(weight, bias)?;
            Some(Op::Conv2d { weight, bias, stride: *stride, padding: *padding, dilation: *dilation, groups: *groups })
        }
        Op::ConvTranspose2d { weight, bias, stride, padding, output_padding, dilation, groups } => {
            let (stride, padding, output_padding) = (*stride, *padding, *output_padding);
            let (weight, bias) = fold_into_transposed(weight, bias, *groups, scale, shift)?;
            Some(Op::ConvTranspose2d {
                weight,
                bias,
                stride,
                padding,
                output_padding,
                dilation: *dilation,
                groups: *groups,
            })
        }
        Op::Linear { weight, bias } => {
            let (weight, bias) = weights(weight, bias)?;
            Some(Op::Linear { weight, bias })
        }
        Op::Affine { scale: first, shift: first_shift } => {
            let channels = first.len().max(scale.len());
            let both =
                |c: usize| (pick(first, c) * pick(scale, c), pick(first_shift, c) * pick(scale, c) + pick(shift, c));
            let (scale, shift) = (0..channels).map(|c| (both(c).0 as f32, both(c).1 as f32)).unzip();
            Some(Op::Affine { scale, shift })
        }
        _ => None,
    }
}

/// The weights `[C_in, C_out/groups, kH, kW]` and biases of a transposed convolution followed by `scale` and `shift`.
fn fold_into_transposed(
    weight: &Weights,
    bias: &Option<Weights>,
    groups: usize,
    scale: &[f32],
    shift: &[f32],
) -> Option<(Weights, Option<Weights>)> {
    let &[inputs, per_group, kh, kw] = weight.shape.as_slice() else { return None };
    let channels = per_group * groups;
    if scale.len() != 1 && scale.len() != channels {
        return None;
    }
    let pick = |v: &[f32], c: usize| f64::from(if v.len() == 1 { v[0] } else { v[c] });
    let out_of = |i: usize| (i / (kh * kw * per_group)) / (inputs / groups) * per_group + i / (kh * kw) % per_group;
    let scaled = weight.data.iter().enumerate().map(|(i, &w)| (f64::from(w) * pick(scale, out_of(i))) as f32);
    let old = |c: usize| bias.as_ref().map_or(0.0, |b| f64::from(b.data[c]));
    let biases = (0..channels).map(|c| (old(c) * pick(scale, c) + pick(shift, c)) as f32).collect();
    Some((Weights::new(weight.shape.clone(), scaled.collect()), Some(Weights::new(vec![channels], biases))))
}
