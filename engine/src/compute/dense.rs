//! One Burn tensor function per operation of a network.
//!
//! The ANN, the stateless parts of the spiking network and training share them. Values are `[N, F]` as in
//! [`super::program`].

use burn::tensor::module::{avg_pool2d, conv_transpose2d, conv2d, max_pool2d};
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions, PadMode};
use burn::tensor::{Device, Tensor, TensorData, activation};

use super::storage::values_on_ndarray;
use crate::network::{Activation, Network, Node, Op, Weights};

/// The tensors of one node on a device.
#[derive(Clone, Debug)]
pub enum NodeParams {
    /// The node has no weights.
    None,
    /// `weight` `[C_out, C_in/groups, kH, kW]` (transposed: `[C_in, C_out/groups, kH, kW]`), `bias` `[C_out]`.
    Conv { weight: Tensor<4>, bias: Option<Tensor<1>> },
    /// `weight` `[in, out]` (transposed from the file's order), `bias` `[out]`.
    Linear { weight: Tensor<2>, bias: Option<Tensor<1>> },
    /// `rows` `[H_out, H_in]`, `columns` `[W_in, W_out]` (transposed from the node's order).
    Resample { rows: Tensor<2>, columns: Tensor<2> },
    /// `scale` and `shift` `[C]` or `[1]`.
    Affine { scale: Tensor<1>, shift: Tensor<1> },
}

impl NodeParams {
    /// Moves the weights of `op` to `device`.
    pub fn of(op: &Op, device: &Device) -> Self {
        let vector = |data: &[f32]| Tensor::<1>::from_data(TensorData::new(data.to_vec(), [data.len()]), device);
        let bias = |bias: &Option<Weights>| bias.as_ref().map(|b| vector(&b.data));
        match op {
            Op::Conv2d { weight, bias: b, .. } | Op::ConvTranspose2d { weight, bias: b, .. } => {
                let shape: [usize; 4] = [weight.shape[0], weight.shape[1], weight.shape[2], weight.shape[3]];
                let weight = Tensor::from_data(TensorData::new(weight.data.to_vec(), shape), device);
                Self::Conv { weight, bias: bias(b) }
            }
            Op::Linear { weight, bias: b } => {
                let shape = [weight.shape[0], weight.shape[1]];
                let weight = Tensor::<2>::from_data(TensorData::new(weight.data.to_vec(), shape), device).transpose();
                Self::Linear { weight, bias: bias(b) }
            }
            Op::Affine { scale, shift } => Self::Affine { scale: vector(scale), shift: vector(shift) },
            Op::Resample { rows, columns } => {
                let matrix = |w: &Weights| {
                    Tensor::<2>::from_data(TensorData::new(w.data.to_vec(), [w.shape[0], w.shape[1]]), device)
                };
                Self::Resample { rows: matrix(rows), columns: matrix(columns).transpose() }
            }
            _ => Self::None,
        }
    }
}

/// Rows from which on the matrix products of burn-flex give a row the same sums, however many there are.
const MIN_ROWS: usize = 4;

/// Applies one node to its inputs, each `[N, F_i]`; returns `[N, F]`.
pub fn apply_node(network: &Network, node: &Node, params: &NodeParams, mut inputs: Vec<Tensor<2>>) -> Tensor<2> {
    let in_shape = |k: usize| network.nodes[node.inputs[k]].shape.as_slice();
    let x = if matches!(node.op, Op::Add | Op::Concat { .. }) { None } else { inputs.pop() };
    let rows = x.as_ref().or(inputs.first()).map_or(0, |x| x.dims()[0]);
    let image = |x: Tensor<2>| -> Tensor<4> {
        let [c, h, w] = [in_shape(0)[0], in_shape(0)[1], in_shape(0)[2]];
        x.reshape([rows, c, h, w])
    };
    let pairs = |p: &[usize; 4]| [(p[0], p[2]), (p[1], p[3])];
    match (&node.op, x) {
        (Op::Add, _) => inputs.into_iter().reduce(|a, b| a + b).unwrap_or_else(|| unreachable!("add without inputs")),
        (Op::Concat { axis }, _) => {
            let parts = inputs.into_iter().enumerate().map(|(k, x)| expand(x, in_shape(k), rows)).collect();
            Tensor::cat(parts, axis + 1 + 4 - node.shape.len()).reshape([rows as i32, -1])
        }
        (Op::Conv2d { stride, padding, dilation, groups, .. }, Some(x)) => {
            let NodeParams::Conv { weight, bias } = params else { unreachable!("convolution without weights") };
            let options = ConvOptions::new_with_padding(*stride, pairs(padding), *dilation, *groups);
            conv2d(image(x), weight.clone(), bias.clone(), options).reshape([rows as i32, -1])
        }
        (Op::ConvTranspose2d { stride, padding, output_padding, dilation, groups, .. }, Some(x)) => {
            let NodeParams::Conv { weight, bias } = params else {
                unreachable!("transposed convolution without weights")
            };
            let options = ConvTransposeOptions::new(*stride, [0, 0], *output_padding, *dilation, *groups);
            let full = conv_transpose2d(image(x), weight.clone(), bias.clone(), options);
            let [n, c, h, w] = full.dims();
            let [top, left, bottom, right] = *padding;
            full.slice([0..n, 0..c, top..h - bottom, left..w - right]).reshape([rows as i32, -1])
        }
        (Op::Resample { .. }, Some(x)) => {
            let NodeParams::Resample { rows: up, columns } = params else {
                unreachable!("resize without its matrices")
            };
            let [height, width] = [in_shape(0)[1], in_shape(0)[2]];
            // [N·C·H, W] · [W, W'], then over the other dimension.
            let wide = image(x).reshape([-1, width as i32]).matmul(columns.clone());
            let out = columns.dims()[1];
            let planes = wide.reshape([-1, height as i32, out as i32]);
            up.clone().unsqueeze::<3>().matmul(planes).reshape([rows as i32, -1])
        }
        (Op::Linear { .. }, Some(x)) => {
            let NodeParams::Linear { weight, bias } = params else { unreachable!("linear layer without weights") };
            // Products of very few rows add in another order: a sample would depend on how many are computed with it.
            let y = match rows {
                1..MIN_ROWS => {
                    let repeated = vec![x; MIN_ROWS.div_ceil(rows)];
                    Tensor::cat(repeated, 0).matmul(weight.clone()).narrow(0, 0, rows)
                }
                _ => x.matmul(weight.clone()),
            };
            match bias {
                Some(bias) => y + bias.clone().unsqueeze::<2>(),
                None => y,
            }
        }
        (Op::Affine { .. }, Some(x)) => {
            let NodeParams::Affine { scale, shift } = params else { unreachable!("affine without numbers") };
            let channels = scale.dims()[0];
            let x = x.reshape([rows as i32, channels as i32, -1]);
            let wide = |v: &Tensor<1>| v.clone().reshape([1, channels, 1]);
            (x * wide(scale) + wide(shift)).reshape([rows as i32, -1])
        }
        (Op::Activation(activation), Some(x)) => activate(*activation, x),
        (Op::MaxPool2d { kernel, stride, padding, dilation }, Some(x)) => {
            let options = burn::tensor::ops::MaxPoolOptions {
                kernel_size: *kernel,
                stride: *stride,
                padding: pairs(padding),
                dilation: *dilation,
                ceil_mode: false,
            };
            max_pool2d(image(x), options).reshape([rows as i32, -1])
        }
        (Op::AvgPool2d { kernel, stride, padding, count_include_pad }, Some(x)) => {
            let options = burn::tensor::ops::AvgPoolOptions {
                kernel_size: *kernel,
                stride: *stride,
                padding: pairs(padding),
                count_include_pad: *count_include_pad,
                ceil_mode: false,
            };
            avg_pool2d(image(x), options).reshape([rows as i32, -1])
        }
        (Op::Mean { axes }, Some(x)) => {
            let offset = 1 + 4 - in_shape(0).len();
            let mut x = expand(x, in_shape(0), rows);
            for axis in axes {
                x = x.mean_dim(axis + offset);
            }
            x.reshape([rows as i32, -1])
        }
        (Op::Transpose { perm }, Some(x)) => {
            let offset = 1 + 4 - perm.len();
            let mut order = [0isize, 1, 2, 3, 4];
            perm.iter().enumerate().for_each(|(k, &p)| order[offset + k] = (p + offset) as isize);
            expand(x, in_shape(0), rows).permute(order).reshape([rows as i32, -1])
        }
        (Op::Slice { axis, start, end, step }, Some(x)) => {
            let axis = axis + 1 + 4 - in_shape(0).len();
            let slice = burn::tensor::Slice::new(*start as isize, Some(*end as isize), *step as isize);
            expand(x, in_shape(0), rows).slice_dim(axis, slice).reshape([rows as i32, -1])
        }
        (Op::Pad { before, after }, Some(x)) => {
            let offset = 1 + 4 - before.len();
            let mut pads = [(0, 0); 5];
            before.iter().zip(after).enumerate().for_each(|(k, (&b, &a))| pads[offset + k] = (b, a));
            expand(x, in_shape(0), rows).pad(pads, PadMode::Constant(0.0)).reshape([rows as i32, -1])
        }
        (Op::Softmax { log }, Some(x)) => {
            let last = node.shape.last().copied().unwrap_or(1);
            let x = x.reshape([-1, last as i32]);
            let y = if *log { activation::log_softmax(x, 1) } else { activation::softmax(x, 1) };
            y.reshape([rows as i32, -1])
        }
        (Op::Sigmoid, Some(x)) => activation::sigmoid(x),
        (Op::Reshape | Op::Input, Some(x)) => x,
        (_, None) => unreachable!("a node without inputs"),
    }
}

/// `[N, F]` viewed as `[N, 1…, shape…]` of rank 5, so that operations on any axis need one rank only.
fn expand(x: Tensor<2>, shape: &[usize], rows: usize) -> Tensor<5> {
    let mut dims = [1usize; 5];
    dims[0] = rows;
    let offset = 5 - shape.len();
    dims[offset..].copy_from_slice(shape);
    x.reshape(dims)
}

/// The activation on a tensor of pre-activations.
fn activate(activation: Activation, z: Tensor<2>) -> Tensor<2> {
    match activation {
        Activation::Relu => z.clamp_min(0.0),
        Activation::Clip { lambda } => z.clamp(0.0, lambda),
        Activation::Qcfs { lambda, levels, shift } => {
            let levels = levels as f32;
            (z * (levels / lambda) + shift).floor().clamp(0.0, levels) * (lambda / levels)
        }
    }
}

/// The values of a tensor, row-major; copied if another tensor shares the storage, and on burn-ndarray.
pub fn tensor_to_vec(tensor: Tensor<2>) -> Vec<f32> {
    if let Some(values) = values_on_ndarray(&tensor) {
        return values;
    }
    let data = tensor.into_data();
    match data.try_into_vec::<f32>() {
        Ok(values) => values,
        // Burn's float type is f32 on every device this crate opens.
        Err(error) => unreachable!("a float tensor that is not f32: {error:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_the_same_sums_however_many_there_are() {
        let value = |k: usize| ((k * 37 % 101) as f32 - 50.0) / 30.0;
        for (inputs, outputs) in [(784, 128), (50, 10)] {
            let weight = Weights::new(vec![outputs, inputs], (0..inputs * outputs).map(value).collect());
            let node = |name: &str, op, inputs: &[usize], shape: &[usize]| Node {
                name: name.into(),
                op,
                inputs: inputs.to_vec(),
                shape: shape.to_vec(),
            };
            let linear = Op::Linear { weight, bias: None };
            let nodes = vec![node("x", Op::Input, &[], &[inputs]), node("y", linear, &[0], &[outputs])];
            let network =
                Network { name: "n".into(), output: 1, nodes, scaling: None, class_names: vec![], neurons: None };
            let device = Device::flex();
            let params = NodeParams::of(&network.nodes[1].op, &device);
            let sums = |rows: usize| {
                let x =
                    TensorData::new((0..rows * inputs).map(|k| value(k + 11)).collect::<Vec<f32>>(), [rows, inputs]);
                let x = Tensor::<2>::from_data(x, &device);
                tensor_to_vec(apply_node(&network, &network.nodes[1], &params, vec![x]))
            };
            let all = sums(9);
            for rows in 1..9 {
                assert!(sums(rows) == all[..rows * outputs], "{inputs} to {outputs}, {rows} of 9 rows");
            }
        }
    }
}
