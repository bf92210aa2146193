//! Dispatch of all operators that are not elementwise, and lowering of layers with weights.

use super::constant::Constant;
use super::lower::{LoweredValue, Lowering};
use super::node_names;
use super::proto::NodeProto;
use super::reshape::axis;
use crate::Result;
use crate::network::batch_norm::batch_norm;
use crate::network::{NodeId, Op, Weights};

/// Activations that spiking neurons cannot replace.
const UNSUPPORTED_ACTIVATIONS: &[&str] = &[
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
    /// The value of a node that is not elementwise.
    pub fn layer(&mut self, node: &NodeProto) -> Result<LoweredValue> {
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
                self.push(node, node_names::of_node(node), Op::Sigmoid, vec![input], &[])?
            }
            op if UNSUPPORTED_ACTIVATIONS.contains(&op) => {
                let what = "cannot be replaced by integrate-and-fire neurons, whose output is linear and never \
                            negative. Train the network with ReLU, clip or QCFS activations.";
                return Err(self.node_error(node, format!("{op} activations {what}")));
            }
            "If" | "Loop" | "Scan" => {
                return Err(self.node_error(node, "control flow is not supported. Export with fixed shapes."));
            }
            op => return Err(self.node_error(node, format!("operation {op} is not supported"))),
        };
        Ok(LoweredValue::Layer(id))
    }

    /// Input `k` as constant weights, all finite.
    pub fn weights(&self, node: &NodeProto, k: usize) -> Result<std::rc::Rc<Constant>> {
        let constant = self.constant_input(node, k);
        let constant = constant.ok_or_else(|| self.node_error(node, format!("input {k} must be constant weights")))?;
        match constant.floats().iter().position(|w| !w.is_finite()) {
            Some(at) => {
                Err(self.node_error(node, format!("weight {at} of '{}' is not a finite number", node.input[k])))
            }
            None => Ok(constant),
        }
    }

    /// Input `k` as an optional bias, `[C]`: `Ok(None)` when it is absent.
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
            return Err(self.node_error(
                node,
                format!(
                    "its weights have shape {}; 2-D convolutions are supported",
                    crate::error::format_shape(&constant.dims)
                ),
            ));
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
            return Err(self.node_error(
                node,
                format!("its weights have shape {}, not that of a matrix", crate::error::format_shape(&constant.dims)),
            ));
        };
        if node.int("transA", 0) != 0 {
            return Err(self.node_error(node, "a transposed input is not supported"));
        }
        let values = constant.floats();
        let alpha = node.float("alpha", 1.0);
        // The project's graph stores [out, in]; a plain product has [in, out].
        let (out, features_in, at): (_, _, &dyn Fn(usize, usize) -> usize) = if node.int("transB", 0) != 0 {
            (rows, columns, &|o, i| o * columns + i)
        } else {
            (columns, rows, &|o, i| i * columns + o)
        };
        let data = (0..out)
            .flat_map(|o| (0..features_in).map(move |i| (o, i)))
            .map(|(o, i)| alpha * values[at(o, i)])
            .collect();
        let beta = node.float("beta", 1.0);
        let bias = self.bias(node, 2)?.map(|b| {
            // A scalar bias is added to every output.
            let data =
                if b.data.len() == 1 { vec![b.data[0] * beta; out] } else { b.data.iter().map(|v| v * beta).collect() };
            Weights::new(vec![data.len()], data)
        });
        let name = self.layer_name(node, 1);
        self.push(node, name, Op::Linear { weight: Weights::new(vec![out, features_in], data), bias }, vec![input], &[])
    }

    fn batch_norm(&mut self, node: &NodeProto) -> Result<NodeId> {
        let input = self.layer_input(node, 0)?;
        let part = |k: usize| self.weights(node, k).map(|c| c.floats());
        let (gamma, beta, mean, variance) = (part(1)?, part(2)?, part(3)?, part(4)?);
        let epsilon = f64::from(node.float("epsilon", 1e-5));
        let op = batch_norm([&gamma, &beta, &mean, &variance], epsilon).ok_or_else(|| {
            self.node_error(node, "its four parameters have different lengths, or a variance is negative")
        })?;
        let name = self.layer_name(node, 1);
        self.push(node, name, op, vec![input], &[])
    }

    fn softmax(&mut self, node: &NodeProto) -> Result<NodeId> {
        let input = self.layer_input(node, 0)?;
        let rank = self.nodes[input].shape.len() + 1;
        // Before operator set 13, all dimensions from the axis on counted as one, by default all but the batch.
        let default = if self.opset < 13 { 1 } else { -1 };
        let at = axis(node.int("axis", default), rank).map_err(|e| self.node_error(node, e))?;
        if at + 1 != rank {
            return Err(
                self.node_error(node, format!("along dimension {at} of {rank}; only the last one is supported"))
            );
        }
        let op = Op::Softmax { log: node.op_type == "LogSoftmax" };
        self.push(node, node_names::of_node(node), op, vec![input], &[])
    }
}
