//! Lowers layers with weights: convolutions, fully connected layers, batch normalization.

use std::rc::Rc;
use std::sync::Arc;

use crate::Result;
use crate::error::format_shape;
use crate::network::batch_norm::batch_norm;
use crate::network::onnx::constant::Constant;
use crate::network::onnx::folding::transposed;
use crate::network::onnx::lower::{LoweredValue, Lowering};
use crate::network::onnx::proto::NodeProto;
use crate::network::shape_inference::first_not_finite;
use crate::network::{NodeId, Op, Weights};

impl Lowering<'_> {
    /// Input `k` as constant weights, all finite.
    pub(super) fn weights(&self, node: &NodeProto, k: usize) -> Result<Rc<Constant>> {
        let constant = self.constant_input(node, k);
        let constant = constant.ok_or_else(|| {
            let reason = match node.input.get(k).is_none_or(String::is_empty) {
                true => format!("input {k} must be constant weights, but it is missing"),
                false => {
                    format!("input {k} ('{}') must be constant weights, but it depends on the input", node.input[k])
                }
            };
            self.node_error(node, reason)
        })?;
        let values = constant.floats();
        match first_not_finite(&values) {
            Some(at) if values[at].is_nan() => {
                let reason = "is not a number (NaN): the training of this network diverged";
                Err(self.node_error(node, format!("weight {at} of '{}' {reason}", node.input[k])))
            }
            Some(at) => {
                Err(self.node_error(node, format!("weight {at} of '{}' is not a finite number", node.input[k])))
            }
            None => Ok(constant),
        }
    }

    /// Input `k` as an optional bias, `[C]`: `Ok(None)` when it is absent.
    pub(super) fn bias(&self, node: &NodeProto, k: usize) -> Result<Option<Weights>> {
        if node.input.get(k).is_none_or(String::is_empty) {
            return Ok(None);
        }
        let constant = self.weights(node, k)?;
        Ok(Some(Weights { shape: vec![constant.len()], data: constant.floats() }))
    }

    /// Input 1 as the weights `[A, B, kH, kW]` of a convolution over one or two dimensions, and the number of those.
    pub(super) fn kernel_weights(&self, node: &NodeProto) -> Result<(Weights, usize)> {
        let constant = self.weights(node, 1)?;
        let (shape, spatial) = match constant.dims[..] {
            [a, b, length] => (vec![a, b, 1, length], 1),
            [a, b, height, width] => (vec![a, b, height, width], 2),
            _ => {
                let reason = format!(
                    "its weights have shape {}; 1-D and 2-D convolutions are supported",
                    format_shape(&constant.dims)
                );
                return Err(self.node_error(node, reason));
            }
        };
        self.check_kernel(node, &constant.dims[2..])?;
        Ok((Weights { shape, data: constant.floats() }, spatial))
    }

    pub(super) fn convolution(&mut self, node: &NodeProto) -> Result<NodeId> {
        let (weight, spatial) = self.kernel_weights(node)?;
        let input = self.image_input(node, 0, spatial)?;
        let window = self.window(node, input, [weight.shape[2], weight.shape[3]])?;
        let op = Op::Conv2d {
            weight,
            bias: self.bias(node, 2)?,
            stride: window.stride,
            padding: window.padding,
            dilation: window.dilation,
            groups: usize::try_from(node.int("group", 1)).unwrap_or(0),
        };
        let name = self.layer_name(node, 1);
        let id = self.push(node, name, op, vec![input], &[])?;
        self.without_height(node, id, spatial)
    }

    /// Lowers `Gemm`: a product with constant weights, and a constant bias.
    pub(super) fn gemm(&mut self, node: &NodeProto) -> Result<NodeId> {
        let input = self.layer_input(node, 0)?;
        let constant = self.weights(node, 1)?;
        let (Some((rows, columns)), 2) = (matrix(&constant), self.full_shape(input).len()) else {
            let shapes = format!("{} and {}", format_shape(&self.full_shape(input)), format_shape(&constant.dims));
            return Err(self.node_error(node, format!("multiplies shapes {shapes}; two matrices are expected")));
        };
        if node.int("transA", 0) != 0 {
            return Err(self.node_error(node, "its attribute transA = 1 is not supported"));
        }
        let (alpha, beta) = (node.float("alpha", 1.0), node.float("beta", 1.0));
        // The project's graph stores [out, in]; a plain product has [in, out].
        let (out, features, data) = match node.int("transB", 0) {
            0 => (columns, rows, transposed(&constant.floats(), rows, columns)),
            _ => (rows, columns, constant.floats()),
        };
        let bias = match self.value(node, 2) {
            _ if node.input.get(2).is_none_or(String::is_empty) => None,
            Ok(LoweredValue::Constant(bias)) => {
                // Broadcast to [N, out]: one number for each output, or one for all.
                let is_row = matches!(bias.dims[..], [n] | [1, n] if n == out);
                if !is_row && bias.len() != 1 {
                    let reason =
                        format!("has {} biases (shape {}) for {out} outputs", bias.len(), format_shape(&bias.dims));
                    return Err(self.node_error(node, reason));
                }
                let values = self.weights(node, 2)?.floats();
                Some(scaled(if is_row { values } else { Arc::new(vec![values[0]; out]) }, beta))
            }
            _ => return Err(self.node_error(node, "its bias depends on the input, which is not supported")),
        };
        let bias = bias.map(|data| Weights { shape: vec![out], data });
        let weight = Weights { shape: vec![out, features], data: scaled(data, alpha) };
        let name = self.layer_name(node, 1);
        self.rows_times(node, name, input, weight, bias)
    }

    /// Lowers `MatMul` with a constant matrix on either side.
    pub(super) fn matrix_product(&mut self, node: &NodeProto) -> Result<NodeId> {
        let sides = [self.value(node, 0)?, self.value(node, 1)?];
        let is_constant = sides.each_ref().map(|side| matches!(side, LoweredValue::Constant(_)));
        if is_constant == [false, false] {
            let reason = "multiplies layers with each other (attention), which is not supported";
            return Err(self.node_error(node, reason));
        }
        let k = usize::from(!is_constant[0]);
        let constant = self.weights(node, k)?;
        let input = self.layer_input(node, 1 - k)?;
        let Some((rows, columns)) = matrix(&constant) else {
            let reason = format!("its weights have shape {}, not that of a matrix", format_shape(&constant.dims));
            return Err(self.node_error(node, reason));
        };
        let name = self.layer_name(node, k);
        if k == 1 {
            let weight = Weights { shape: vec![columns, rows], data: transposed(&constant.floats(), rows, columns) };
            return self.rows_times(node, name, input, weight, None);
        }
        // W · X: one product for each column of X.
        let shape = self.nodes[input].shape.clone();
        let weight = Weights { shape: vec![rows, columns], data: constant.floats() };
        match (shape[..].split_last(), self.unbatched.contains(&input)) {
            (Some((_, [])), true) => self.push(node, name, Op::Linear { weight, bias: None }, vec![input], &[]),
            (Some((&n, &[ref outer @ .., features])), is_unbatched) if outer.iter().all(|&n| n == 1) => {
                let image = self.push(node, format!("{name}.columns"), Op::Reshape, vec![input], &[features, 1, n])?;
                let op = point_convolution(weight, None);
                let id = self.push(node, name.clone(), op, vec![image], &[])?;
                let target = [outer, &[rows, n]].concat();
                let id = self.push(node, format!("{name}.shape"), Op::Reshape, vec![id], &target)?;
                debug_assert_eq!(is_unbatched, self.unbatched.contains(&id));
                Ok(id)
            }
            _ => {
                let reason = format!("multiplies weights with shape {}", format_shape(&self.full_shape(input)));
                Err(self.node_error(node, format!("{reason}, which is not supported")))
            }
        }
    }

    /// `weight` `[out, in]` applied to the last dimension of `input`.
    fn rows_times(
        &mut self,
        node: &NodeProto,
        name: String,
        input: NodeId,
        weight: Weights,
        bias: Option<Weights>,
    ) -> Result<NodeId> {
        let shape = self.nodes[input].shape.clone();
        let (out, features) = (weight.shape[0], weight.shape[1]);
        if let [_] = shape[..] {
            return self.push(node, name, Op::Linear { weight, bias }, vec![input], &[]);
        }
        let Some((&own, outer)) = shape.split_last().filter(|(own, _)| **own == features) else {
            let reason = format!("its weights {features}x{out} do not match shape {}", format_shape(&shape));
            return Err(self.node_error(node, reason));
        };
        let rows: usize = outer.iter().product();
        let target = [outer, &[out]].concat();
        if rows == 1 {
            let flat = self.push(node, format!("{name}.flat"), Op::Reshape, vec![input], &[own])?;
            let id = self.push(node, name.clone(), Op::Linear { weight, bias }, vec![flat], &[])?;
            return self.push(node, format!("{name}.shape"), Op::Reshape, vec![id], &target);
        }
        // Several rows share the weights, as positions of an image share those of a convolution.
        let table = self.push(node, format!("{name}.rows"), Op::Reshape, vec![input], &[rows, features])?;
        let turned = self.push(node, format!("{name}.order"), Op::Transpose { perm: vec![1, 0] }, vec![table], &[])?;
        let image = self.push(node, format!("{name}.image"), Op::Reshape, vec![turned], &[features, 1, rows])?;
        let id = self.push(node, name.clone(), point_convolution(weight, bias), vec![image], &[])?;
        let table = self.push(node, format!("{name}.table"), Op::Reshape, vec![id], &[out, rows])?;
        let turned = self.push(node, format!("{name}.back"), Op::Transpose { perm: vec![1, 0] }, vec![table], &[])?;
        match target[..] == [rows, out] {
            true => Ok(turned),
            false => self.push(node, format!("{name}.shape"), Op::Reshape, vec![turned], &target),
        }
    }

    pub(super) fn batch_norm(&mut self, node: &NodeProto) -> Result<NodeId> {
        let input = self.layer_input(node, 0)?;
        if self.unbatched.contains(&input) {
            return Err(self.node_error(node, "its input has no batch dimension, which is not supported"));
        }
        let part = |k: usize| self.weights(node, k).map(|c| c.floats());
        let (gamma, beta, mean, variance) = (part(1)?, part(2)?, part(3)?, part(4)?);
        let epsilon = f64::from(node.float("epsilon", 1e-5));
        let op = batch_norm([&gamma, &beta, &mean, &variance], epsilon).ok_or_else(|| {
            self.node_error(node, "its four parameters have different lengths, or a variance is negative")
        })?;
        // Operator sets before 14 say by further outputs that statistics are updated.
        let has_statistics = self.opset < 14 && node.output.iter().skip(1).any(|name| !name.is_empty());
        if node.int("training_mode", 0) != 0 || has_statistics {
            self.note_training(node);
        }
        let name = self.layer_name(node, 1);
        // One factor for all is no batch normalization of several channels.
        if self.nodes[input].shape.first() != Some(&gamma.len()) {
            let shape = format_shape(&self.full_shape(input));
            return Err(self.node_error(node, format!("its {} parameters do not match shape {shape}", gamma.len())));
        }
        self.push(node, name, op, vec![input], &[])
    }
}

/// Rows and columns of a constant matrix; leading dimensions of 1 do not count.
fn matrix(constant: &Constant) -> Option<(usize, usize)> {
    match constant.dims[..] {
        [ref outer @ .., rows, columns] if outer.iter().all(|&n| n == 1) => Some((rows, columns)),
        _ => None,
    }
}

/// `weight` `[out, in]` as a convolution of single points.
fn point_convolution(weight: Weights, bias: Option<Weights>) -> Op {
    let weight = Weights { shape: vec![weight.shape[0], weight.shape[1], 1, 1], data: weight.data };
    Op::Conv2d { weight, bias, stride: [1, 1], padding: [0; 4], dilation: [1, 1], groups: 1 }
}

/// `values` times `factor`; not copied if that is 1.
fn scaled(values: Arc<Vec<f32>>, factor: f32) -> Arc<Vec<f32>> {
    if factor == 1.0 { values } else { Arc::new(values.iter().map(|v| v * factor).collect()) }
}
