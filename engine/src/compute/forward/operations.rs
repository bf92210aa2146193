//! Operations without weights in a layout of their own, on slices; the rest on Burn tensors.

use super::pooling::{average_pool, max_pool, mean};
use crate::compute::dense::{apply_node, tensor_to_vec};
use crate::compute::program::Program;
use crate::compute::simd::dispatch;
use crate::compute::simd::isa::{Isa, Kernel};
use crate::network::{NodeId, Op};

/// Applies node `id` to `inputs`, `[samples, F]` each; `out` is `[samples, F]`. Where `inputs` lacks the first input of an
/// addition, a scaling, an activation or a reshape, it is in `out`.
pub fn apply(program: &Program, id: NodeId, inputs: &[&[f32]], samples: usize, out: &mut [f32]) {
    let network = program.network();
    let node = &network.nodes[id];
    let shapes: Vec<&[usize]> = node.inputs.iter().map(|&input| network.nodes[input].shape.as_slice()).collect();
    let in_place = inputs.len() < node.inputs.len();
    let x = inputs.first().copied().unwrap_or_default();
    let shape = shapes.first().copied().unwrap_or_default();
    let len = |k: usize| shapes[k].iter().product::<usize>().max(1);
    let out_len = node.len().max(1);
    let each = |out: &mut [f32], work: &dyn Fn(&[f32], &mut [f32])| {
        x.chunks(len(0)).zip(out.chunks_mut(out_len)).for_each(|(x, out)| work(x, out));
    };
    match &node.op {
        Op::Add => {
            let others = if in_place { inputs } else { &inputs[1..] };
            if !in_place {
                out.copy_from_slice(x);
            }
            others.iter().for_each(|other| dispatch(AddTo { out: &mut *out, other }));
        }
        Op::Affine { scale, shift } => {
            if !in_place {
                out.copy_from_slice(x);
            }
            for out in out.chunks_mut(out_len) {
                for (c, out) in out.chunks_mut((out_len / scale.len().max(1)).max(1)).enumerate() {
                    dispatch(Scale { out, scale: scale[c], shift: shift[c] });
                }
            }
        }
        Op::Activation(activation) => {
            if !in_place {
                out.copy_from_slice(x);
            }
            dispatch(crate::compute::convolution::epilogue::ActivateInPlace { activation: *activation, values: out });
        }
        Op::Reshape => {
            if !in_place {
                out.copy_from_slice(x);
            }
        }
        Op::MaxPool2d { .. } => each(out, &|x, out| max_pool(&node.op, shape, x, &node.shape, out)),
        Op::AvgPool2d { .. } => each(out, &|x, out| average_pool(&node.op, shape, x, &node.shape, out)),
        Op::Mean { axes } => each(out, &|x, out| mean(axes, shape, x, out)),
        Op::Concat { axis } => {
            let inner = |shape: &[usize]| shape[*axis..].iter().product::<usize>();
            let width = inner(&node.shape).max(1);
            let mut start = 0;
            for (x, shape) in inputs.iter().zip(&shapes) {
                let part = inner(shape);
                // The parts of all rows before the axis, of all samples.
                for (from, to) in x.chunks(part.max(1)).zip(out.chunks_mut(width)) {
                    to[start..start + part].copy_from_slice(from);
                }
                start += part;
            }
        }
        Op::Transpose { perm } => {
            let strides = strides(shape);
            let strides: Vec<usize> = perm.iter().map(|&p| strides[p]).collect();
            each(out, &|x, out| gather(x, 0, &node.shape, &strides, out));
        }
        Op::Slice { axis, start, step, .. } => {
            let mut strides = strides(shape);
            let first = start * strides[*axis];
            strides[*axis] *= step;
            each(out, &|x, out| gather(x, first, &node.shape, &strides, out));
        }
        Op::Pad { before, .. } => {
            let strides = strides(&node.shape);
            let first = before.iter().zip(&strides).map(|(before, stride)| before * stride).sum();
            out.fill(0.0);
            each(out, &|x, out| scatter(x, first, shape, &strides, out));
        }
        _ => {
            // Sample by sample, so that no value depends on the number of samples.
            for k in 0..samples {
                let tensors =
                    inputs.iter().enumerate().map(|(i, x)| program.tensor(x[k * len(i)..][..len(i)].to_vec(), 1));
                let value = apply_node(network, node, program.params(id), tensors.collect());
                out[k * out_len..][..node.len()].copy_from_slice(&tensor_to_vec(value));
            }
        }
    }
}

struct AddTo<'a> {
    out: &'a mut [f32],
    other: &'a [f32],
}

impl Kernel for AddTo<'_> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        self.out.iter_mut().zip(self.other).for_each(|(to, from)| *to += from);
    }
}

struct Scale<'a> {
    out: &'a mut [f32],
    scale: f32,
    shift: f32,
}

impl Kernel for Scale<'_> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        self.out.iter_mut().for_each(|value| *value = *value * self.scale + self.shift);
    }
}

fn strides(shape: &[usize]) -> Vec<usize> {
    (0..shape.len()).map(|k| shape[k + 1..].iter().product()).collect()
}

/// `out` `[shape]` from the values of `x` that lie `strides` apart.
fn gather(x: &[f32], first: usize, shape: &[usize], strides: &[usize], out: &mut [f32]) {
    let mut done = 0;
    visit_rows(first, shape, strides, &mut |first, count, stride| {
        let (to, from) = (&mut out[done..done + count], x.get(first..).unwrap_or_default());
        match stride {
            1 => to.copy_from_slice(&from[..count]),
            2 => to.iter_mut().zip(from.chunks(2)).for_each(|(to, from)| *to = from[0]),
            _ => to.iter_mut().zip(from.iter().step_by(stride)).for_each(|(to, from)| *to = *from),
        }
        done += count;
    });
}

/// `x` `[shape]` to values of `out` that lie `strides` apart.
fn scatter(x: &[f32], first: usize, shape: &[usize], strides: &[usize], out: &mut [f32]) {
    let mut done = 0;
    visit_rows(first, shape, strides, &mut |first, count, stride| {
        let (from, to) = (&x[done..done + count], out.get_mut(first..).unwrap_or_default());
        match stride {
            1 => to[..count].copy_from_slice(from),
            _ => to.iter_mut().step_by(stride).zip(from).for_each(|(to, from)| *to = *from),
        }
        done += count;
    });
}

/// Calls `f` with the place of the first element, the number and the distance of the elements of every row (along the last
/// dimension) of an array, in row-major order.
fn visit_rows(first: usize, shape: &[usize], strides: &[usize], f: &mut impl FnMut(usize, usize, usize)) {
    match (shape, strides) {
        ([], _) | (_, []) => f(first, 1, 1),
        ([count], [stride, ..]) => f(first, *count, *stride),
        ([count, shape @ ..], [stride, strides @ ..]) => {
            (0..*count).for_each(|k| visit_rows(first + k * stride, shape, strides, f));
        }
    }
}
