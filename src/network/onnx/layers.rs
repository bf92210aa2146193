//! Every node that is a layer or moves values about: convolutions, matrices, BatchNorm, pools, shapes.

use super::lower::{Lowering, Value};
use super::proto::NodeProto;
use super::reshape::{axis, resolve, squeezed, unsqueezed};
use super::{names, tensor::Constant};
use crate::Result;
use crate::network::norm::batch_norm;
use crate::network::{NodeId, Op, Weights};

/// Activations that spiking neurons cannot stand for.
const FOREIGN: &[&str] = &[
    "LeakyRelu",
    "PRelu",
    "Elu",
    "Selu",
    "Celu",
    "Tanh",
    "Gelu",
    "HardSwish",
    "Mish",
    "Softplus",
    "Softsign",
    "Swish",
    "Erf",
    "Exp",
    "ThresholdedRelu",
];

impl Lowering<'_> {
    /// The value of a node that is no elementwise operation.
    pub fn layer(&mut self, node: &NodeProto) -> Result<Value> {
        let id = match node.op_type.as_str() {
            "Identity" | "Dropout" | "Cast" => return self.value(node, 0),
            "Conv" => self.convolution(node)?,
            "Gemm" | "MatMul" => self.matrix(node)?,
            "BatchNormalization" => self.batch_norm(node)?,
            "MaxPool" | "AveragePool" => self.pool(node)?,
            "GlobalAveragePool" | "GlobalMaxPool" => self.global_pool(node)?,
            "ReduceMean" => self.mean(node)?,
            "Concat" => self.concat(node)?,
            "Flatten" | "Reshape" | "Squeeze" | "Unsqueeze" => self.reshape(node)?,
            "Transpose" => self.transpose(node)?,
            "Slice" => self.slice(node)?,
            "ConvTranspose" => self.transposed_convolution(node)?,
            "Resize" | "Upsample" => self.resize(node)?,
            "Gather" => self.gather(node)?,
            "Pad" => self.pad(node)?,
            "Softmax" | "LogSoftmax" => self.softmax(node)?,
            "Sigmoid" => {
                let input = self.layer_input(node, 0)?;
                self.push(node, names::of_node(node), Op::Sigmoid, vec![input], &[])?
            }
            op if FOREIGN.contains(&op) => {
                let what = "cannot become integrate-and-fire neurons, which never answer below 0 and rise in a straight line; \
                            train the network with ReLU, clip or QCFS activations";
                return Err(self.refuse(node, format!("{op} activations {what}")));
            }
            "If" | "Loop" | "Scan" => {
                return Err(self.refuse(node, "control flow is not read; export with fixed shapes"));
            }
            op => return Err(self.refuse(node, format!("{op} is an operation that is not read"))),
        };
        Ok(Value::Layer(id))
    }

    /// Input `k` as finite numbers.
    pub fn weights(&self, node: &NodeProto, k: usize) -> Result<std::rc::Rc<Constant>> {
        let constant = self.constant_input(node, k);
        let constant = constant
            .ok_or_else(|| self.refuse(node, format!("input {k} should be trained weights but is no constant")))?;
        match constant.floats().iter().position(|w| !w.is_finite()) {
            Some(at) => Err(self.refuse(node, format!("weight {at} of '{}' is not a finite number", node.input[k]))),
            None => Ok(constant),
        }
    }

    /// Optional weights: `Ok(None)` when the input is absent.
    pub fn bias(&self, node: &NodeProto, k: usize) -> Result<Option<Weights>> {
        if node.input.get(k).is_none_or(String::is_empty) {
            return Ok(None);
        }
        let constant = self.weights(node, k)?;
        Ok(Some(Weights::new(vec![constant.len()], constant.floats())))
    }

    fn convolution(&mut self, node: &NodeProto) -> Result<NodeId> {
        let input = self.layer_input(node, 0)?;
        let constant = self.weights(node, 1)?;
        if constant.dims.len() != 4 {
            return Err(
                self.refuse(node, format!("its weights have shape {:?}; 2-D convolutions are read", constant.dims))
            );
        }
        let kernel = [constant.dims[2], constant.dims[3]];
        let window = self.window(node, input, kernel)?;
        let groups = usize::try_from(node.int("group", 1)).unwrap_or(0);
        let op = Op::Conv2d {
            weight: Weights::new(constant.dims.clone(), constant.floats()),
            bias: self.bias(node, 2)?,
            stride: window.stride,
            padding: window.padding,
            dilation: window.dilation,
            groups,
        };
        let name = self.layer_name(node, 1);
        self.push(node, name, op, vec![input], &[])
    }

    fn matrix(&mut self, node: &NodeProto) -> Result<NodeId> {
        let input = self.layer_input(node, 0)?;
        let constant = self.weights(node, 1)?;
        let &[rows, columns] = constant.dims.as_slice() else {
            return Err(self.refuse(node, format!("its weights have shape {:?}, not a matrix", constant.dims)));
        };
        if node.int("transA", 0) != 0 {
            return Err(self.refuse(node, "a transposed input is not read"));
        }
        let values = constant.floats();
        let alpha = node.float("alpha", 1.0);
        // The graph keeps [out, in]; a plain product is [in, out].
        let (out, wide, at): (_, _, &dyn Fn(usize, usize) -> usize) = if node.int("transB", 0) != 0 {
            (rows, columns, &|o, i| o * columns + i)
        } else {
            (columns, rows, &|o, i| i * columns + o)
        };
        let data =
            (0..out).flat_map(|o| (0..wide).map(move |i| (o, i))).map(|(o, i)| alpha * values[at(o, i)]).collect();
        let beta = node.float("beta", 1.0);
        let bias = self.bias(node, 2)?.map(|b| {
            // A single number is added to every output.
            let data =
                if b.data.len() == 1 { vec![b.data[0] * beta; out] } else { b.data.iter().map(|v| v * beta).collect() };
            Weights::new(vec![data.len()], data)
        });
        let name = self.layer_name(node, 1);
        self.push(node, name, Op::Linear { weight: Weights::new(vec![out, wide], data), bias }, vec![input], &[])
    }

    fn batch_norm(&mut self, node: &NodeProto) -> Result<NodeId> {
        let input = self.layer_input(node, 0)?;
        let part = |k: usize| self.weights(node, k).map(|c| c.floats());
        let (gamma, beta, mean, variance) = (part(1)?, part(2)?, part(3)?, part(4)?);
        let epsilon = f64::from(node.float("epsilon", 1e-5));
        let op = batch_norm([&gamma, &beta, &mean, &variance], epsilon)
            .ok_or_else(|| self.refuse(node, "its four parts differ in length, or a variance is negative"))?;
        let name = self.layer_name(node, 1);
        self.push(node, name, op, vec![input], &[])
    }

    fn pool(&mut self, node: &NodeProto) -> Result<NodeId> {
        let input = self.layer_input(node, 0)?;
        let kernel = self.pair(node, "kernel_shape", 0)?;
        let window = self.window(node, input, kernel)?;
        let mut padding = window.padding;
        if node.int("ceil_mode", 0) != 0 {
            // One more window where the last one hangs over, as padding that never counts.
            for i in 0..2 {
                let size = self.nodes[input].shape.get(i + 1).copied().unwrap_or(0);
                let span = (kernel[i].max(1) - 1) * window.dilation[i] + 1;
                let padded = size + padding[i] + padding[i + 2];
                let over = padded.checked_sub(span).map_or(0, |rest| rest % window.stride[i].max(1));
                // A window that would begin in the padding is dropped.
                let begin = padded.saturating_sub(over).saturating_sub(span) + window.stride[i];
                if over > 0 && begin < size + padding[i] {
                    padding[i + 2] += window.stride[i] - over;
                }
            }
        }
        let op = if node.op_type == "MaxPool" {
            Op::MaxPool2d { kernel, stride: window.stride, padding, dilation: window.dilation }
        } else {
            if window.dilation != [1, 1] {
                return Err(self.refuse(node, "a dilated average pool is not read"));
            }
            let count_include_pad = node.int("count_include_pad", 0) != 0;
            if count_include_pad && padding != window.padding {
                return Err(self.refuse(node, "ceil_mode together with count_include_pad is not read"));
            }
            Op::AvgPool2d { kernel, stride: window.stride, padding, count_include_pad }
        };
        self.push(node, names::of_node(node), op, vec![input], &[])
    }

    fn global_pool(&mut self, node: &NodeProto) -> Result<NodeId> {
        let input = self.layer_input(node, 0)?;
        let &[_, h, w] = self.nodes[input].shape.as_slice() else {
            return Err(self.refuse(node, "pools something that is no image"));
        };
        let (kernel, padding) = ([h, w], [0; 4]);
        let op = if node.op_type == "GlobalMaxPool" {
            Op::MaxPool2d { kernel, stride: [1, 1], padding, dilation: [1, 1] }
        } else {
            Op::AvgPool2d { kernel, stride: [1, 1], padding, count_include_pad: false }
        };
        self.push(node, names::of_node(node), op, vec![input], &[])
    }

    fn softmax(&mut self, node: &NodeProto) -> Result<NodeId> {
        let input = self.layer_input(node, 0)?;
        let rank = self.nodes[input].shape.len() + 1;
        // Before operator set 13 everything from the axis on was one dimension, by default all but the batch.
        let default = if self.opset < 13 { 1 } else { -1 };
        let at = axis(node.int("axis", default), rank).map_err(|e| self.refuse(node, e))?;
        if at + 1 != rank {
            return Err(self.refuse(node, format!("along dimension {at} of {rank}; only along the last one is read")));
        }
        let op = Op::Softmax { log: node.op_type == "LogSoftmax" };
        self.push(node, names::of_node(node), op, vec![input], &[])
    }

    fn mean(&mut self, node: &NodeProto) -> Result<NodeId> {
        let input = self.layer_input(node, 0)?;
        let shape = self.nodes[input].shape.clone();
        let rank = shape.len() + 1;
        let axes = self.ints_of(node, 1, "axes").unwrap_or_else(|| (1..rank as i64).collect());
        let mut axes =
            axes.iter().map(|&a| axis(a, rank)).collect::<Result<Vec<_>, _>>().map_err(|e| self.refuse(node, e))?;
        axes.sort_unstable();
        if axes.first() == Some(&0) {
            return Err(self.refuse(node, "takes the mean over the batch"));
        }
        let axes: Vec<usize> = axes.iter().map(|a| a - 1).collect();
        // The mean of a turned picture over all its places is that of the picture.
        if let Some((source, perm)) = self.order_of(input).filter(|_| node.int("keepdims", 1) == 0) {
            let mut turned: Vec<usize> = axes.iter().map(|&a| perm[a]).collect();
            turned.sort_unstable();
            let kept: Vec<usize> = (0..perm.len()).filter(|i| !turned.contains(i)).collect();
            if kept.iter().copied().eq(perm.iter().copied().filter(|p| !turned.contains(p))) {
                let left: Vec<usize> = kept.iter().map(|&i| self.nodes[source].shape[i]).collect();
                return self.push(node, names::of_node(node), Op::Mean { axes: turned }, vec![source], &left);
            }
        }
        let kept: Vec<usize> = if node.int("keepdims", 1) != 0 {
            (0..shape.len()).map(|i| if axes.contains(&i) { 1 } else { shape[i] }).collect()
        } else {
            (0..shape.len()).filter(|i| !axes.contains(i)).map(|i| shape[i]).collect()
        };
        self.push(node, names::of_node(node), Op::Mean { axes }, vec![input], &kept)
    }

    fn concat(&mut self, node: &NodeProto) -> Result<NodeId> {
        let inputs = (0..node.input.len()).map(|k| self.layer_input(node, k)).collect::<Result<Vec<_>>>()?;
        let rank = inputs.first().map_or(0, |&id| self.nodes[id].shape.len() + 1);
        match axis(node.int("axis", 1), rank).map_err(|e| self.refuse(node, e))? {
            0 => Err(self.refuse(node, "joins along the batch")),
            axis => match self.common_order(&inputs) {
                Some((sources, perm)) => {
                    let (name, op) = (names::of_node(node), Op::Concat { axis: perm[axis - 1] });
                    let joined = self.push(node, name.clone(), op, sources, &[])?;
                    self.ordered(node, format!("{name}.order"), joined, perm)
                }
                None => self.push(node, names::of_node(node), Op::Concat { axis: axis - 1 }, inputs, &[]),
            },
        }
    }

    fn reshape(&mut self, node: &NodeProto) -> Result<NodeId> {
        let input = self.layer_input(node, 0)?;
        let from = self.full_shape(input);
        let axes = self.ints_of(node, 1, "axes");
        let dims = match node.op_type.as_str() {
            "Flatten" => match axis(node.int("axis", 1), from.len() + 1) {
                Ok(1) => Ok(vec![from[0], from[1..].iter().product()]),
                Ok(_) => Err("flattens the batch with the values".to_owned()),
                Err(e) => Err(e),
            },
            "Squeeze" => squeezed(&from[1..], axes.as_ref().map(|a| beyond_batch(a, from.len())).as_deref())
                .map(|rest| std::iter::once(from[0]).chain(rest).collect()),
            "Unsqueeze" => unsqueezed(&from, &axes.unwrap_or_default()),
            _ => match self.ints_of(node, 1, "shape") {
                Some(target) => resolve(&from, &target),
                None => Err("its target is computed while it runs; export with fixed shapes".into()),
            },
        };
        let dims = dims.map_err(|e| self.refuse(node, e))?;
        if dims.first() != Some(&self.batch) {
            let reason = format!("moves values between samples: shape {from:?} becomes {dims:?} (batch first)");
            return Err(self.refuse(node, reason));
        }
        if dims[1..] == self.nodes[input].shape[..] {
            return Ok(input);
        }
        self.push(node, names::of_node(node), Op::Reshape, vec![input], &dims[1..])
    }

    fn slice(&mut self, node: &NodeProto) -> Result<NodeId> {
        let input = self.layer_input(node, 0)?;
        let missing = || self.refuse(node, "its limits are no constants");
        let starts = self.ints_of(node, 1, "starts").ok_or_else(missing)?;
        let ends = self.ints_of(node, 2, "ends").ok_or_else(missing)?;
        let rank = self.nodes[input].shape.len() + 1;
        let axes = self.ints_of(node, 3, "axes").unwrap_or_else(|| (0..starts.len() as i64).collect());
        let steps = self.ints_of(node, 4, "steps").unwrap_or_else(|| vec![1; starts.len()]);
        if ends.len() != starts.len() || axes.len() != starts.len() || steps.len() != starts.len() {
            return Err(self.refuse(node, "its limits differ in number"));
        }
        let mut id = input;
        for k in 0..starts.len() {
            let at = axis(axes[k], rank).map_err(|e| self.refuse(node, e))?;
            let n = self.full_shape(id)[at] as i64;
            let place = |i: i64| (if i < 0 { i.saturating_add(n) } else { i }).clamp(0, n) as usize;
            let (start, end) = (place(starts[k]), place(ends[k]));
            let step =
                usize::try_from(steps[k]).map_err(|_| self.refuse(node, "slices backwards, which is not read"))?;
            match (at, start == 0 && end as i64 == n && step == 1) {
                (_, true) => {}
                (0, false) => return Err(self.refuse(node, "slices the batch")),
                _ => {
                    id = self.push(
                        node,
                        names::of_node(node),
                        Op::Slice { axis: at - 1, start, end, step },
                        vec![id],
                        &[],
                    )?
                }
            }
        }
        Ok(id)
    }

    fn pad(&mut self, node: &NodeProto) -> Result<NodeId> {
        let input = self.layer_input(node, 0)?;
        let mode = node.text("mode");
        if !matches!(mode.as_str(), "" | "constant") {
            return Err(self.refuse(node, format!("padding of kind '{mode}' is not read, only zeros")));
        }
        let value = self
            .constant_input(node, 2)
            .and_then(|c| c.scalar())
            .unwrap_or_else(|| f64::from(node.float("value", 0.0)));
        if value != 0.0 {
            return Err(self.refuse(node, format!("pads with {value}; only zeros are read")));
        }
        let rank = self.nodes[input].shape.len() + 1;
        let pads = self
            .ints_of(node, 1, "pads")
            .filter(|p| node.input.get(3).is_none_or(String::is_empty) && p.len() == 2 * rank);
        let pads: Option<Vec<usize>> = pads.and_then(|p| p.iter().map(|&p| usize::try_from(p).ok()).collect());
        let pads =
            pads.ok_or_else(|| self.refuse(node, "its widths are no constants of at least 0 for every dimension"))?;
        if pads[0] != 0 || pads[rank] != 0 {
            return Err(self.refuse(node, "pads the batch"));
        }
        let op = Op::Pad { before: pads[1..rank].to_vec(), after: pads[rank + 1..].to_vec() };
        self.push(node, names::of_node(node), op, vec![input], &[])
    }

    /// Two positive numbers of an attribute; `default` 0 means that it must be there.
    pub fn pair(&self, node: &NodeProto, name: &str, default: usize) -> Result<[usize; 2]> {
        let Some(values) = node.ints(name).filter(|v| !v.is_empty()) else {
            return match default {
                0 => Err(self.refuse(node, format!("{name} is missing"))),
                d => Ok([d, d]),
            };
        };
        let pair: Option<[usize; 2]> = match *values {
            [a, b] => usize::try_from(a).ok().zip(usize::try_from(b).ok()).map(|(a, b)| [a, b]),
            _ => None,
        };
        pair.filter(|p| p.iter().all(|&v| v > 0 && v < 1 << 20))
            .ok_or_else(|| self.refuse(node, format!("{name} is {values:?}; two numbers above 0 are read")))
    }

    /// Stride, padding and dilation of a sliding window.
    pub fn window(&self, node: &NodeProto, input: NodeId, kernel: [usize; 2]) -> Result<Window> {
        let stride = self.pair(node, "strides", 1)?;
        let dilation = self.pair(node, "dilations", 1)?;
        let shape = &self.nodes[input].shape;
        let mut padding = [0usize; 4];
        match node.text("auto_pad").as_str() {
            "" | "NOTSET" => {
                if let Some(pads) = node.ints("pads").filter(|p| !p.is_empty()) {
                    let pads: Option<Vec<usize>> = pads.iter().map(|&p| usize::try_from(p).ok()).collect();
                    let pads = pads.and_then(|p| <[usize; 4]>::try_from(p).ok());
                    padding = pads.ok_or_else(|| self.refuse(node, "pads should be four numbers of at least 0"))?;
                }
            }
            "VALID" => {}
            side @ ("SAME_UPPER" | "SAME_LOWER") => {
                for i in 0..2 {
                    let size = shape.get(i + 1).copied().unwrap_or(0);
                    let out = size.div_ceil(stride[i]);
                    let span = (kernel[i].max(1) - 1) * dilation[i] + 1;
                    let total = (out.saturating_sub(1) * stride[i] + span).saturating_sub(size);
                    let (small, large) = (total / 2, total - total / 2);
                    (padding[i], padding[i + 2]) = if side == "SAME_UPPER" { (small, large) } else { (large, small) };
                }
            }
            other => return Err(self.refuse(node, format!("auto_pad '{other}' is not known"))),
        }
        Ok(Window { stride, padding, dilation })
    }
}

/// How a window slides.
pub(super) struct Window {
    pub stride: [usize; 2],
    pub padding: [usize; 4],
    pub dilation: [usize; 2],
}

/// Axes of the whole shape as axes of the shape after the batch.
fn beyond_batch(axes: &[i64], rank: usize) -> Vec<i64> {
    axes.iter().map(|&a| if a < 0 { a.saturating_add(rank as i64) } else { a }.saturating_sub(1)).collect()
}
