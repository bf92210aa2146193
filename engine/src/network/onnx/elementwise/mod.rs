//! Lowers elementwise nodes: chains with scalar constants become one function of a layer.
//!
//! A function is matched with an activation as soon as another node reads its value ([`function_layers`]).

mod activation_matching;
mod comparisons;
mod function_layers;
mod piecewise;
mod segments;

use std::rc::Rc;
use std::sync::Arc;

use super::constant::{Constant, Numbers};
use super::expression::{Binary, Expression, Unary};
use super::lower::{LoweredValue, Lowering};
use super::node_names;
use super::proto::NodeProto;
use crate::Result;
use crate::error::format_shape;
use crate::network::{NodeId, Op};

/// Maximum number of operations of a function; longer chains are not activations.
const MAX_OPERATIONS: usize = 4096;

/// A value that an elementwise node combines, and its name in the file.
#[derive(Clone)]
struct Operand {
    value: LoweredValue,
    name: String,
}

impl Operand {
    fn constant(&self) -> Option<Rc<Constant>> {
        match &self.value {
            LoweredValue::Constant(constant) => Some(constant.clone()),
            _ => None,
        }
    }
}

impl Lowering<'_> {
    /// The value of an elementwise node; `None` for other nodes.
    pub fn elementwise(&mut self, node: &NodeProto) -> Result<Option<LoweredValue>> {
        if let Some(unary) = Unary::of(&node.op_type) {
            let (root, f, name) = self.function_input(node)?;
            return self.extended(node, root, Expression::Unary(unary, f), name).map(Some);
        }
        match node.op_type.as_str() {
            "LeakyRelu" | "PRelu" | "ThresholdedRelu" if self.is_relu(node) => {
                let (root, f, name) = self.function_input(node)?;
                self.extended(node, root, Expression::Unary(Unary::Relu, f), name).map(Some)
            }
            "HardSigmoid" => self.hard_sigmoid(node).map(Some),
            "Clip" => self.clip(node).map(Some),
            "Mean" => self.mean_of_inputs(node).map(Some),
            "Greater" | "GreaterOrEqual" | "Less" | "LessOrEqual" => self.comparison(node).map(Some),
            "Not" => self.negation(node).map(Some),
            "And" => self.over_inputs(node, Binary::Mul).map(Some),
            "Or" => self.over_inputs(node, Binary::Max).map(Some),
            "Where" if matches!(self.value(node, 0)?, LoweredValue::Function { .. }) => self.selection(node).map(Some),
            op => match Binary::of(op) {
                Some(binary) => self.over_inputs(node, binary).map(Some),
                None => Ok(None),
            },
        }
    }

    fn clip(&mut self, node: &NodeProto) -> Result<LoweredValue> {
        let (root, mut f, name) = self.function_input(node)?;
        for (k, attribute, binary) in [(1, "min", Binary::Max), (2, "max", Binary::Min)] {
            let is_given = node.input.get(k).is_some_and(|input| !input.is_empty());
            let limit = match self.constant_input(node, k) {
                Some(constant) => {
                    Some(constant.scalar().ok_or_else(|| self.node_error(node, "its limits are not scalars"))?)
                }
                None if is_given => {
                    return Err(self.node_error(node, "its limits depend on the input, which is not supported"));
                }
                None if node.has(attribute) => Some(f64::from(node.float(attribute, 0.0))),
                None => None,
            };
            if let Some(limit) = limit {
                f = Rc::new(Expression::Binary(binary, f, Rc::new(Expression::Constant(limit))));
            }
        }
        self.extended(node, root, (*f).clone(), name)
    }

    /// `clip(αx + β, 0, 1)`
    fn hard_sigmoid(&mut self, node: &NodeProto) -> Result<LoweredValue> {
        let (root, f, name) = self.function_input(node)?;
        let constant = |c: f64| Rc::new(Expression::Constant(c));
        let (alpha, beta) = (node.float("alpha", 0.2), node.float("beta", 0.5));
        let steps =
            [(Binary::Mul, f64::from(alpha)), (Binary::Add, f64::from(beta)), (Binary::Max, 0.0), (Binary::Min, 1.0)];
        let f = steps.into_iter().fold(f, |f, (op, c)| Rc::new(Expression::Binary(op, f, constant(c))));
        self.extended(node, root, (*f).clone(), name)
    }

    /// `Mean`: the sum of the inputs divided by their number.
    fn mean_of_inputs(&mut self, node: &NodeProto) -> Result<LoweredValue> {
        let value = self.over_inputs(node, Binary::Add)?;
        let count = Constant::of_scalar(Numbers::floats(vec![node.input.len() as f32]));
        let sum = Operand { value, name: self.part_name(node, node.input.len()) };
        let divisor = Operand { value: LoweredValue::Constant(Rc::new(count)), name: String::new() };
        self.binary(node, Binary::Div, sum, divisor)
    }

    /// `op` over all inputs: two, or any number for `Sum`, `Mean`, `Min` and `Max`.
    fn over_inputs(&mut self, node: &NodeProto, op: Binary) -> Result<LoweredValue> {
        let takes_any = matches!(node.op_type.as_str(), "Sum" | "Mean" | "Min" | "Max");
        if node.input.is_empty() || (!takes_any && node.input.len() != 2) {
            return Err(self.node_error(node, format!("has {} inputs; two are expected", node.input.len())));
        }
        let mut operands = (0..node.input.len()).map(|k| self.operand(node, k)).collect::<Result<Vec<_>>>()?;
        if operands.len() > 2 {
            // Layers first: constants then extend a function of them.
            operands.sort_by_key(|operand| operand.constant().is_some());
        }
        let mut rest = operands.into_iter();
        let Some(mut total) = rest.next() else { return Err(self.node_error(node, "has no inputs")) };
        for (k, next) in rest.enumerate() {
            let value = self.binary(node, op, total, next)?;
            total = Operand { value, name: self.part_name(node, k + 1) };
        }
        Ok(total.value)
    }

    /// Input `k` as an operand.
    fn operand(&self, node: &NodeProto, k: usize) -> Result<Operand> {
        Ok(Operand { value: self.value(node, k)?, name: node.input[k].clone() })
    }

    /// A name for a part of a node's value, which no value of the file has.
    fn part_name(&self, node: &NodeProto, k: usize) -> String {
        format!("{}\n{k}", node.output.first().map_or("", String::as_str))
    }

    fn binary(&mut self, node: &NodeProto, op: Binary, a: Operand, b: Operand) -> Result<LoweredValue> {
        let constants = [a.constant(), b.constant()];
        let scalars = match op {
            Binary::Min | Binary::Max | Binary::Greater | Binary::GreaterOrEqual => {
                [self.scalar_of(&a, &b), self.scalar_of(&b, &a)]
            }
            _ => constants.each_ref().map(|c| c.as_ref().and_then(|c| c.scalar())),
        };
        let constant = |c: f64| Rc::new(Expression::Constant(c));
        match (scalars, constants) {
            (_, [Some(_), Some(_)]) => Err(self.node_error(node, "arithmetic on constants that is not supported")),
            ([_, Some(c)], _) => {
                let (root, f, name) = self.function(node, &a)?;
                self.extended(node, root, Expression::Binary(op, f, constant(c)), name)
            }
            ([Some(c), _], _) => {
                let (root, f, name) = self.function(node, &b)?;
                self.extended(node, root, Expression::Binary(op, constant(c), f), name)
            }
            (_, [None, Some(c)]) => self.with_constants(node, op, &a, &c, false),
            (_, [Some(c), None]) => self.with_constants(node, op, &b, &c, true),
            (_, [None, None]) => self.of_layers(node, op, &a, &b),
        }
    }

    /// The number of a constant operand that is one number for all values of `other`.
    fn scalar_of(&self, operand: &Operand, other: &Operand) -> Option<f64> {
        let constant = operand.constant()?;
        if let Some(scalar) = constant.scalar() {
            return Some(scalar);
        }
        let (LoweredValue::Layer(id) | LoweredValue::Function { root: id, .. }) = &other.value else { return None };
        let shape = &self.nodes[*id].shape;
        let values = constant.floats();
        let first = *values.first()?;
        let fits = broadcast(&constant, &aligned_dims(&constant, shape), shape).is_some();
        (fits && values.iter().all(|&value| value == first)).then_some(f64::from(first))
    }

    /// Combines two layers, or two functions of one layer.
    fn of_layers(&mut self, node: &NodeProto, op: Binary, a: &Operand, b: &Operand) -> Result<LoweredValue> {
        let (f, g) = (self.function(node, a)?, self.function(node, b)?);
        if f.0 == g.0 && f.1.size().saturating_add(g.1.size()) < MAX_OPERATIONS {
            let name = if *f.1 == Expression::X { g.2 } else { f.2 };
            return self.extended(node, f.0, Expression::Binary(op, f.1, g.1), name);
        }
        if !matches!(op, Binary::Add | Binary::Sub) {
            return Err(self.node_error(node, self.product_reason(op, f.0, g.0)));
        }
        let name = node_names::of_node(node);
        let first = self.operand_layer(a)?;
        let mut second = self.operand_layer(b)?;
        if op == Binary::Sub {
            let negative = Op::Affine { scale: vec![-1.0], shift: vec![0.0] };
            second = self.push(node, format!("{name}.negative"), negative, vec![second], &[])?;
        }
        let inputs = vec![first, second];
        if let Some((sources, perm)) = self.common_order(&inputs) {
            let sum = self.push(node, name.clone(), Op::Add, sources, &[])?;
            return self.with_layout(node, format!("{name}.order"), sum, perm).map(LoweredValue::Layer);
        }
        Ok(LoweredValue::Layer(self.push(node, name, Op::Add, inputs, &[])?))
    }

    /// Why a product (or quotient, minimum, maximum) of layers `a` and `b` is refused.
    fn product_reason(&self, op: Binary, a: NodeId, b: NodeId) -> String {
        let gate = |gate: NodeId, x: NodeId| {
            matches!(self.nodes[gate].op, Op::Sigmoid) && self.nodes[gate].inputs.first() == Some(&x)
        };
        if op == Binary::Mul && (gate(a, b) || gate(b, a)) {
            return "SiLU (Swish) activations, x times sigmoid(x), cannot be replaced by integrate-and-fire neurons. Train \
                    the network with ReLU, clip or QCFS activations"
                .into();
        }
        "combines two layers; only sums and differences of layers can be converted to spikes".into()
    }

    /// Combines a layer with one number per channel or per value.
    fn with_constants(
        &mut self,
        node: &NodeProto,
        op: Binary,
        operand: &Operand,
        constant: &Constant,
        swapped: bool,
    ) -> Result<LoweredValue> {
        let input = self.operand_layer(operand)?;
        let shape = self.nodes[input].shape.clone();
        let dims = aligned_dims(constant, &shape);
        // One number per channel of a channels-last layer.
        let last = dims.last() == shape.last() && dims[..dims.len().saturating_sub(1)].iter().all(|&d| d == 1);
        if let Some((source, perm)) = self.order_of(input).filter(|(_, perm)| last && perm.last() == Some(&0)) {
            let mut channels = vec![1; perm.len()];
            channels[0] = constant.len();
            let channels_first = Constant { dims: channels, numbers: constant.numbers.clone() };
            let name = node_names::of_node(node);
            let affine = self.affine_with_constants(node, op, source, &channels_first, swapped)?;
            return self.with_layout(node, format!("{name}.order"), affine, perm).map(LoweredValue::Layer);
        }
        self.affine_with_constants(node, op, input, constant, swapped).map(LoweredValue::Layer)
    }

    fn affine_with_constants(
        &mut self,
        node: &NodeProto,
        op: Binary,
        input: NodeId,
        constant: &Constant,
        swapped: bool,
    ) -> Result<NodeId> {
        let shape = self.nodes[input].shape.clone();
        let dims = aligned_dims(constant, &shape);
        let per_channel =
            dims.first() == shape.first() && dims.len() == shape.len() && dims[1..].iter().all(|&d| d == 1);
        let values = if per_channel { Some(constant.floats()) } else { broadcast(constant, &dims, &shape) };
        let Some(values) = values else {
            let reason = format!(
                "a constant of shape {} does not match values of shape {} per channel or per value",
                format_shape(&constant.dims),
                format_shape(&shape)
            );
            return Err(self.node_error(node, reason));
        };
        let affine = |c: f32| -> Option<(f32, f32)> {
            Some(match (op, swapped) {
                (Binary::Add, _) => (1.0, c),
                (Binary::Sub, false) => (1.0, -c),
                (Binary::Sub, true) => (-1.0, c),
                (Binary::Mul, _) => (c, 0.0),
                (Binary::Div, false) if c != 0.0 => (1.0 / c, 0.0),
                _ => return None,
            })
        };
        let Some((scale, shift)) = values.iter().map(|&c| affine(c)).collect::<Option<(Vec<f32>, Vec<f32>)>>() else {
            let reason = match op {
                Binary::Min | Binary::Max => {
                    "takes the minimum or maximum with another number for each channel, which is not supported. Scale the \
                     channels before and after a common limit"
                }
                Binary::Greater | Binary::GreaterOrEqual => {
                    "compares with another number for each channel, which is not supported"
                }
                _ => "divides a layer by 0, or constants by a layer, which cannot be converted",
            };
            return Err(self.node_error(node, reason));
        };
        let name = node_names::of_node(node);
        if per_channel {
            return self.push(node, name, Op::Affine { scale, shift }, vec![input], &[]);
        }
        let flat = self.push(node, format!("{name}.flat"), Op::Reshape, vec![input], &[values.len()])?;
        let affine = self.push(node, name.clone(), Op::Affine { scale, shift }, vec![flat], &[])?;
        self.push(node, format!("{name}.back"), Op::Reshape, vec![affine], &shape)
    }

    /// The first input as a function of a layer.
    fn function_input(&mut self, node: &NodeProto) -> Result<(NodeId, Rc<Expression>, String)> {
        self.function(node, &self.operand(node, 0)?)
    }

    /// A function of a layer: the layer, the function and its name.
    fn function(&self, node: &NodeProto, operand: &Operand) -> Result<(NodeId, Rc<Expression>, String)> {
        match &operand.value {
            LoweredValue::Layer(id) => {
                let name = node_names::of_activation(node, &self.nodes[*id].name);
                Ok((*id, Rc::new(Expression::X), name))
            }
            LoweredValue::Function { root, f, name } => Ok((*root, f.clone(), name.clone())),
            LoweredValue::Constant(_) => Err(self.node_error(node, "arithmetic on constants that is not supported")),
        }
    }

    /// An operand as a layer; a function of one is matched now.
    fn operand_layer(&mut self, operand: &Operand) -> Result<NodeId> {
        match &operand.value {
            LoweredValue::Layer(id) => Ok(*id),
            LoweredValue::Function { root, f, name } => self.recognize(&operand.name, *root, f, name),
            LoweredValue::Constant(_) => Err(crate::Error::Internal("a constant where a layer is expected".into())),
        }
    }

    fn extended(&self, node: &NodeProto, root: NodeId, f: Expression, name: String) -> Result<LoweredValue> {
        if f.size() > MAX_OPERATIONS {
            return Err(self.node_error(node, "a chain of elementwise operations too long for an activation"));
        }
        Ok(LoweredValue::Function { root, f: Rc::new(f), name })
    }
}

/// The dimensions of `constant` next to values of `shape`: broadcasting aligns the last ones; leading ones are dropped.
fn aligned_dims(constant: &Constant, shape: &[usize]) -> Vec<usize> {
    let mut dims = constant.dims.clone();
    while dims.len() > shape.len() && dims.first() == Some(&1) {
        dims.remove(0);
    }
    dims
}

/// The values of `constant`, with `dims`, for every value of `shape`; `None` if they cannot be broadcast to it.
fn broadcast(constant: &Constant, dims: &[usize], shape: &[usize]) -> Option<Arc<Vec<f32>>> {
    let values = constant.floats();
    if dims == shape {
        return Some(values);
    }
    let missing = shape.len().checked_sub(dims.len())?;
    if dims.iter().zip(&shape[missing..]).any(|(&d, &n)| d != n && d != 1) {
        return None;
    }
    let total: usize = shape.iter().product();
    let position = |mut i: usize| {
        let (mut at, mut stride) = (0, 1);
        for k in (0..shape.len()).rev() {
            let (d, place) = (if k < missing { 1 } else { dims[k - missing] }, i % shape[k]);
            at += if d == 1 { 0 } else { place * stride };
            stride *= d;
            i /= shape[k];
        }
        at
    };
    (0..total).map(|i| values.get(position(i)).copied()).collect::<Option<Vec<f32>>>().map(Arc::new)
}
