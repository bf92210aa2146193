//! Single values of a node, from single values of its inputs: the plain definition of every operation.
//!
//! Slow and independent of the tensor functions. Checks of a network that was read compute a few values with it.

use super::{Activation, Node, Op};

/// A value, and the magnitude of the terms it is summed from: rounding errors are small beside the latter.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Element {
    pub value: f64,
    pub magnitude: f64,
}

impl Element {
    /// A value that is not computed.
    pub fn given(value: f64) -> Self {
        Self { value, magnitude: value.abs() }
    }
    fn constant(value: f32) -> Self {
        Self::given(f64::from(value))
    }
    fn add(&mut self, weight: f64, x: Self) {
        self.value += weight * x.value;
        self.magnitude += weight.abs() * x.magnitude;
    }
    /// The value through a function that does not enlarge differences.
    fn through(self, f: impl Fn(f64) -> f64) -> Self {
        Self { value: f(self.value), magnitude: self.magnitude }
    }
}

/// Value `index` (flat, one sample) of `node`; `shapes` are those of its inputs, and `fetch(k, i)` gives value `i` of
/// input `k`. The node fits its inputs (see [`super::shape_inference`]).
pub fn element(
    node: &Node,
    shapes: &[&[usize]],
    index: usize,
    fetch: &mut dyn FnMut(usize, usize) -> Element,
) -> Element {
    let x = shapes.first().copied().unwrap_or_default();
    let at = position(&node.shape, index);
    let bias = |bias: &Option<super::Weights>, c: usize| {
        bias.as_ref().map_or(Element::default(), |b| Element::constant(b.data[c]))
    };
    match &node.op {
        Op::Input => Element::default(),
        Op::Conv2d { weight, bias: b, stride, padding, dilation, groups } => {
            let [per_group, kh, kw] = [weight.shape[1], weight.shape[2], weight.shape[3]];
            let group = at[0] / (weight.shape[0] / groups);
            let mut sum = bias(b, at[0]);
            for c in 0..per_group {
                for (ky, kx) in (0..kh).flat_map(|ky| (0..kw).map(move |kx| (ky, kx))) {
                    let y = (at[1] * stride[0] + ky * dilation[0]).checked_sub(padding[0]).filter(|&y| y < x[1]);
                    let z = (at[2] * stride[1] + kx * dilation[1]).checked_sub(padding[1]).filter(|&z| z < x[2]);
                    let Some((y, z)) = y.zip(z) else { continue };
                    let w = weight.data[((at[0] * per_group + c) * kh + ky) * kw + kx];
                    sum.add(f64::from(w), fetch(0, ((group * per_group + c) * x[1] + y) * x[2] + z));
                }
            }
            sum
        }
        Op::ConvTranspose2d { weight, bias: b, stride, padding, dilation, groups, .. } => {
            let [inputs, per_group, kh, kw] = [weight.shape[0], weight.shape[1], weight.shape[2], weight.shape[3]];
            let (group, within) = (at[0] / per_group, at[0] % per_group);
            let per_group_in = inputs / groups;
            let mut sum = bias(b, at[0]);
            let source = |place: usize, before: usize, k: usize, dilation: usize, stride: usize, size: usize| {
                let from = (place + before).checked_sub(k * dilation)?;
                (from % stride == 0 && from / stride < size).then_some(from / stride)
            };
            for c in group * per_group_in..(group + 1) * per_group_in {
                for (ky, kx) in (0..kh).flat_map(|ky| (0..kw).map(move |kx| (ky, kx))) {
                    let y = source(at[1], padding[0], ky, dilation[0], stride[0], x[1]);
                    let z = source(at[2], padding[1], kx, dilation[1], stride[1], x[2]);
                    let Some((y, z)) = y.zip(z) else { continue };
                    let w = weight.data[((c * per_group + within) * kh + ky) * kw + kx];
                    sum.add(f64::from(w), fetch(0, (c * x[1] + y) * x[2] + z));
                }
            }
            sum
        }
        Op::Resample { rows, columns } => {
            let (row, column) = (&rows.data[at[1] * x[1]..][..x[1]], &columns.data[at[2] * x[2]..][..x[2]]);
            let mut sum = Element::default();
            for (y, &r) in row.iter().enumerate().filter(|(_, r)| **r != 0.0) {
                for (z, &c) in column.iter().enumerate().filter(|(_, c)| **c != 0.0) {
                    sum.add(f64::from(r) * f64::from(c), fetch(0, (at[0] * x[1] + y) * x[2] + z));
                }
            }
            sum
        }
        Op::Linear { weight, bias: b } => {
            let inputs = weight.shape[1];
            let mut sum = bias(b, index);
            weight.data[index * inputs..][..inputs]
                .iter()
                .enumerate()
                .for_each(|(i, &w)| sum.add(f64::from(w), fetch(0, i)));
            sum
        }
        Op::Affine { scale, shift } => {
            let c = if scale.len() == 1 { 0 } else { at[0] };
            let mut sum = Element::constant(shift[c]);
            sum.add(f64::from(scale[c]), fetch(0, index));
            sum
        }
        Op::Activation(activation) => activate(*activation, fetch(0, index)),
        Op::MaxPool2d { kernel, stride, padding, dilation } => {
            let mut most = Element { value: f64::NEG_INFINITY, magnitude: 0.0 };
            window(at, x, kernel, stride, padding, dilation, |i| {
                let v = fetch(0, i);
                most = Element { value: most.value.max(v.value), magnitude: most.magnitude.max(v.magnitude) };
            });
            most
        }
        Op::AvgPool2d { kernel, stride, padding, count_include_pad } => {
            let (mut sum, mut count) = (Element::default(), 0usize);
            window(at, x, kernel, stride, padding, &[1, 1], |i| {
                sum.add(1.0, fetch(0, i));
                count += 1;
            });
            let count = if *count_include_pad { kernel[0] * kernel[1] } else { count };
            Element { value: sum.value / count as f64, magnitude: sum.magnitude / count as f64 }
        }
        Op::Mean { axes } => {
            let strides = strides(x);
            // Kept dimensions of 1 may be among those of the node, or dropped from them.
            let mut own = at.as_slice()[..node.shape.len()].iter();
            let dropped = node.shape.len() != x.len();
            let mut base = 0;
            for (axis, stride) in strides.iter().enumerate() {
                let place = if dropped && axes.contains(&axis) { 0 } else { own.next().copied().unwrap_or(0) };
                base += if axes.contains(&axis) { 0 } else { place * stride };
            }
            let mut sources = vec![base];
            for &axis in axes {
                sources = sources
                    .iter()
                    .flat_map(|&s| (0..x[axis]).map(move |k| (s, k)))
                    .map(|(s, k)| s + k * strides[axis])
                    .collect();
            }
            let mut sum = Element::default();
            sources.iter().for_each(|&i| sum.add(1.0 / sources.len() as f64, fetch(0, i)));
            sum
        }
        Op::Add => {
            let mut sum = Element::default();
            (0..shapes.len()).for_each(|k| sum.add(1.0, fetch(k, index)));
            sum
        }
        Op::Concat { axis } => {
            let mut place = at[*axis];
            for (k, shape) in shapes.iter().enumerate() {
                if place < shape[*axis] {
                    let mut at = at;
                    at[*axis] = place;
                    return fetch(k, flat(shape, &at));
                }
                place -= shape[*axis];
            }
            Element::default()
        }
        Op::Reshape => fetch(0, index),
        Op::Transpose { perm } => {
            let mut from = [0; 8];
            perm.iter().enumerate().for_each(|(k, &p)| from[p] = at[k]);
            fetch(0, flat(x, &from))
        }
        Op::Slice { axis, start, step, .. } => {
            let mut from = at;
            from[*axis] = start + at[*axis] * step;
            fetch(0, flat(x, &from))
        }
        Op::Pad { before, .. } => {
            let mut from = [0; 8];
            for k in 0..x.len() {
                match at[k].checked_sub(before[k]).filter(|&place| place < x[k]) {
                    Some(place) => from[k] = place,
                    None => return Element::default(),
                }
            }
            fetch(0, flat(x, &from))
        }
        Op::Sigmoid => fetch(0, index).through(|v| 1.0 / (1.0 + (-v).exp())),
        Op::Softmax { log } => {
            let last = node.shape.last().copied().unwrap_or(1);
            let start = index / last * last;
            let row: Vec<Element> = (start..start + last).map(|i| fetch(0, i)).collect();
            let most = row.iter().fold(f64::NEG_INFINITY, |m, v| m.max(v.value));
            let sum: f64 = row.iter().map(|v| (v.value - most).exp()).sum();
            let magnitude = row.iter().fold(1.0, |m: f64, v| m.max(v.magnitude));
            let own = row[index - start].value - most;
            Element { value: if *log { own - sum.ln() } else { own.exp() / sum }, magnitude }
        }
    }
}

fn activate(activation: Activation, z: Element) -> Element {
    match activation {
        Activation::Relu => z.through(|z| z.max(0.0)),
        Activation::Clip { lambda } => z.through(|z| z.clamp(0.0, f64::from(lambda))),
        Activation::Qcfs { lambda, .. } => Element {
            value: f64::from(activation.apply(z.value as f32)),
            // Between jumps the value does not depend on the rounding of z.
            magnitude: f64::from(lambda),
        },
    }
}

/// Calls `f` with the flat index of every value under the window of output `at` that is not padding.
fn window(
    at: [usize; 8],
    x: &[usize],
    kernel: &[usize; 2],
    stride: &[usize; 2],
    padding: &[usize; 4],
    dilation: &[usize; 2],
    mut f: impl FnMut(usize),
) {
    for (ky, kx) in (0..kernel[0]).flat_map(|ky| (0..kernel[1]).map(move |kx| (ky, kx))) {
        let y = (at[1] * stride[0] + ky * dilation[0]).checked_sub(padding[0]).filter(|&y| y < x[1]);
        let z = (at[2] * stride[1] + kx * dilation[1]).checked_sub(padding[1]).filter(|&z| z < x[2]);
        if let Some((y, z)) = y.zip(z) {
            f((at[0] * x[1] + y) * x[2] + z);
        }
    }
}

/// The multi-index of flat `index` in `shape` (at most 8 dimensions), padded with zeros.
fn position(shape: &[usize], mut index: usize) -> [usize; 8] {
    let mut at = [0; 8];
    for (k, &n) in shape.iter().enumerate().take(8).rev() {
        at[k] = index % n.max(1);
        index /= n.max(1);
    }
    at
}

fn flat(shape: &[usize], at: &[usize; 8]) -> usize {
    shape.iter().zip(at).fold(0, |index, (&n, &place)| index * n + place)
}

fn strides(shape: &[usize]) -> Vec<usize> {
    (0..shape.len()).map(|k| shape[k + 1..].iter().product()).collect()
}
