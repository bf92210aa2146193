//! Fan-out of every spiking neuron: accumulations that one spike causes downstream.
//!
//! Counts up to and including the next weights, exact at the borders of convolutions. Pooling passes a spike on to every
//! window that contains it, so spikes are counted before the pool.

use crate::network::{Network, Node, NodeId, Op};

/// Fan-out per neuron of each activation in network order, `[F]` each.
pub fn fan_outs(network: &Network) -> Vec<Vec<f64>> {
    // In reverse order, `reach[id][i]` is the fan-out of value i of node id.
    let mut reach: Vec<Vec<f64>> = network.nodes.iter().map(|node| vec![0.0; node.len()]).collect();
    for (id, node) in network.nodes.iter().enumerate().rev() {
        let own = reach[id].clone();
        for (k, &input) in node.inputs.iter().enumerate() {
            let share = fan_out_of_input(network, node, k, &own);
            reach[input].iter_mut().zip(share).for_each(|(r, s)| *r += s);
        }
    }
    let is_layer = |id: NodeId| matches!(network.nodes[id].op, Op::Activation(_));
    (0..network.nodes.len()).filter(|&id| is_layer(id)).map(|id| std::mem::take(&mut reach[id])).collect()
}

/// Fan-out of each value of input `k` of `node`, `[F_in]`, given the fan-out `own` of the node's values, `[F_out]`.
pub(crate) fn fan_out_of_input(network: &Network, node: &Node, k: usize, own: &[f64]) -> Vec<f64> {
    let source = &network.nodes[node.inputs[k]].shape;
    let len: usize = source.iter().product();
    match &node.op {
        // Weights end the path: each connection is one accumulation, whatever follows.
        Op::Linear { weight, .. } => vec![weight.shape[0] as f64; len],
        Op::Conv2d { weight, stride, padding, dilation, groups, .. } => {
            let per_channel = (weight.shape[0] / groups) as f64;
            let rows = taps(source[1], node.shape[1], weight.shape[2], stride[0], padding[0], dilation[0]);
            let columns = taps(source[2], node.shape[2], weight.shape[3], stride[1], padding[1], dilation[1]);
            let plane = rows.iter().flat_map(|r| columns.iter().map(move |c| r * c * per_channel)).collect::<Vec<_>>();
            plane.repeat(source[0])
        }
        Op::ConvTranspose2d { weight, stride, padding, dilation, .. } => {
            let per_channel = weight.shape[1] as f64;
            let rows = transposed_taps(source[1], node.shape[1], weight.shape[2], stride[0], padding[0], dilation[0]);
            let columns =
                transposed_taps(source[2], node.shape[2], weight.shape[3], stride[1], padding[1], dilation[1]);
            let plane = rows.iter().flat_map(|r| columns.iter().map(move |c| r * c * per_channel)).collect::<Vec<_>>();
            plane.repeat(source[0])
        }
        // Like an average pool, it passes the value on to every output that it contributes to.
        Op::Resample { rows, columns } => {
            let (high, wide) = (node.shape[1], node.shape[2]);
            let share = |w: &crate::network::Weights, out: usize, from: usize| w.data[out * w.shape[1] + from] != 0.0;
            let mut reach = vec![0.0; len];
            for (i, slot) in reach.iter_mut().enumerate() {
                let (c, y, x) = (i / (source[1] * source[2]), i / source[2] % source[1], i % source[2]);
                for oy in (0..high).filter(|&oy| share(rows, oy, y)) {
                    let row = (c * high + oy) * wide;
                    *slot += (0..wide)
                        .filter(|&ox| share(columns, ox, x))
                        .map(|ox| own.get(row + ox).copied().unwrap_or(0.0))
                        .sum::<f64>();
                }
            }
            reach
        }
        // A current that enters a neuron without weights (an identity shortcut) is one accumulation.
        Op::Activation(_) => vec![1.0; len],
        Op::MaxPool2d { kernel, stride, padding, dilation } => {
            window_fan_out(source, &node.shape, own, *kernel, *stride, *padding, *dilation)
        }
        Op::AvgPool2d { kernel, stride, padding, .. } => {
            window_fan_out(source, &node.shape, own, *kernel, *stride, *padding, [1, 1])
        }
        Op::Mean { axes } => scatter(source, own, |index| {
            let mut flat = 0;
            for (axis, (&i, &n)) in index.iter().zip(source).enumerate() {
                if !axes.contains(&axis) {
                    flat = flat * n + i;
                }
            }
            Some(flat)
        }),
        Op::Concat { axis } => {
            let before: usize = node.inputs[..k].iter().map(|&i| network.nodes[i].shape[*axis]).sum();
            scatter(source, own, |index| {
                let mut index = index.to_vec();
                index[*axis] += before;
                Some(flat(&index, &node.shape))
            })
        }
        Op::Transpose { perm } => scatter(source, own, |index| {
            let moved: Vec<usize> = perm.iter().map(|&p| index[p]).collect();
            Some(flat(&moved, &node.shape))
        }),
        Op::Slice { axis, start, end, step } => scatter(source, own, |index| {
            let i = index[*axis];
            let inside = i >= *start && i < *end && (i - start) % step == 0;
            let mut index = index.to_vec();
            index[*axis] = i.saturating_sub(*start) / step;
            inside.then(|| flat(&index, &node.shape))
        }),
        Op::Pad { before, .. } => scatter(source, own, |index| {
            let moved: Vec<usize> = index.iter().zip(before).map(|(i, b)| i + b).collect();
            Some(flat(&moved, &node.shape))
        }),
        Op::Input | Op::Affine { .. } | Op::Add | Op::Reshape | Op::Softmax { .. } | Op::Sigmoid => own.to_vec(),
    }
}

/// For every input position along one axis, the number of (output, kernel tap) pairs that read it.
fn taps(inputs: usize, outputs: usize, kernel: usize, stride: usize, before: usize, dilation: usize) -> Vec<f64> {
    let mut count = vec![0.0; inputs];
    for position in (0..outputs).flat_map(|o| (0..kernel).map(move |k| o * stride + k * dilation)) {
        if let Some(slot) = position.checked_sub(before).and_then(|i| count.get_mut(i)) {
            *slot += 1.0;
        }
    }
    count
}

/// The same for a transposed convolution: number of outputs that every input position contributes to.
fn transposed_taps(
    inputs: usize,
    outputs: usize,
    kernel: usize,
    stride: usize,
    before: usize,
    dilation: usize,
) -> Vec<f64> {
    let reached = |i: usize| {
        let places = (0..kernel).filter_map(|k| (i * stride + k * dilation).checked_sub(before));
        places.filter(|&o| o < outputs).count() as f64
    };
    (0..inputs).map(reached).collect()
}

fn window_fan_out(
    source: &[usize],
    target: &[usize],
    own: &[f64],
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 4],
    dilation: [usize; 2],
) -> Vec<f64> {
    let [c, h, w] = [source[0], source[1], source[2]];
    let [_, oh, ow] = [target[0], target[1], target[2]];
    let mut reach = vec![0.0; c * h * w];
    for (i, &value) in own.iter().enumerate() {
        let (channel, oy, ox) = (i / (oh * ow), i / ow % oh, i % ow);
        for (ky, kx) in (0..kernel[0]).flat_map(|ky| (0..kernel[1]).map(move |kx| (ky, kx))) {
            let y = (oy * stride[0] + ky * dilation[0]).checked_sub(padding[0]).filter(|y| *y < h);
            let x = (ox * stride[1] + kx * dilation[1]).checked_sub(padding[1]).filter(|x| *x < w);
            if let (Some(y), Some(x)) = (y, x) {
                reach[(channel * h + y) * w + x] += value;
            }
        }
    }
    reach
}

/// Reads one value of `own` per index of `source`, at the position that `position_of` returns; 0 if `None`.
fn scatter(source: &[usize], own: &[f64], position_of: impl Fn(&[usize]) -> Option<usize>) -> Vec<f64> {
    let len: usize = source.iter().product();
    let mut index = vec![0; source.len()];
    let mut out = Vec::with_capacity(len);
    for i in 0..len {
        let mut rest = i;
        for (slot, &n) in index.iter_mut().zip(source).rev() {
            *slot = rest % n;
            rest /= n;
        }
        out.push(position_of(&index).and_then(|p| own.get(p)).copied().unwrap_or(0.0));
    }
    out
}

fn flat(index: &[usize], shape: &[usize]) -> usize {
    index.iter().zip(shape).fold(0, |flat, (i, n)| flat * n + i)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn border_positions_of_a_convolution_have_a_smaller_fan_out() {
        // 3 wide, padding 1: the corner is read by 2 windows, the middle by 3.
        assert_eq!(taps(4, 4, 3, 1, 1, 1), vec![2.0, 3.0, 3.0, 2.0]);
        assert_eq!(taps(4, 2, 2, 2, 0, 1), vec![1.0; 4]);
        assert_eq!(taps(5, 3, 1, 2, 0, 1), vec![1.0, 0.0, 1.0, 0.0, 1.0]);
    }

    #[test]
    fn every_spike_before_a_pool_has_the_fan_out_of_its_output() {
        assert_eq!(window_fan_out(&[1, 2, 2], &[1, 1, 1], &[10.0], [2, 2], [2, 2], [0; 4], [1, 1]), vec![10.0; 4]);
    }
}
