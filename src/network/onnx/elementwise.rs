//! Lowers elementwise nodes: chains with scalar constants become one function of a layer.
//!
//! A function is matched with an activation as soon as another node reads its value.

use std::rc::Rc;

use super::activation_matching::match_activation;
use super::constant::Constant;
use super::expression::{Binary, Expression, Unary};
use super::lower::{LoweredValue, Lowering};
use super::node_names;
use super::proto::NodeProto;
use crate::network::{NodeId, Op};
use crate::{Error, Result};

/// Maximum number of operations of a function; longer chains are not activations.
const MAX_OPERATIONS: usize = 4096;

impl Lowering<'_> {
    /// The value of an elementwise node; `None` for other nodes.
    pub fn elementwise(&mut self, node: &NodeProto) -> Result<Option<LoweredValue>> {
        if let Some(unary) = Unary::of(&node.op_type) {
            let (root, f, name) = self.function(node, 0)?;
            return self.extended(node, root, Expression::Unary(unary, f), name).map(Some);
        }
        if node.op_type == "HardSigmoid" {
            return self.hard_sigmoid(node).map(Some);
        }
        if node.op_type == "Clip" {
            return self.clip(node).map(Some);
        }
        match Binary::of(&node.op_type) {
            Some(binary) if node.input.len() == 2 => self.binary(node, binary).map(Some),
            Some(_) => Err(self.node_error(node, "more than two inputs are not supported here")),
            None => Ok(None),
        }
    }

    fn clip(&mut self, node: &NodeProto) -> Result<LoweredValue> {
        let (root, mut f, name) = self.function(node, 0)?;
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
        let (root, f, name) = self.function(node, 0)?;
        let constant = |c: f64| Rc::new(Expression::Constant(c));
        let alpha = if node.has("alpha") { node.float("alpha", 0.2) } else { 0.2 };
        let beta = if node.has("beta") { node.float("beta", 0.5) } else { 0.5 };
        let steps =
            [(Binary::Mul, f64::from(alpha)), (Binary::Add, f64::from(beta)), (Binary::Max, 0.0), (Binary::Min, 1.0)];
        let f = steps.into_iter().fold(f, |f, (op, c)| Rc::new(Expression::Binary(op, f, constant(c))));
        self.extended(node, root, (*f).clone(), name)
    }

    fn binary(&mut self, node: &NodeProto, op: Binary) -> Result<LoweredValue> {
        let constants = [self.constant_input(node, 0), self.constant_input(node, 1)];
        let scalars = constants.each_ref().map(|c| c.as_ref().and_then(|c| c.scalar()));
        let constant = |c: f64| Rc::new(Expression::Constant(c));
        match (scalars, &constants) {
            ([_, Some(c)], _) => {
                let (root, f, name) = self.function(node, 0)?;
                self.extended(node, root, Expression::Binary(op, f, constant(c)), name)
            }
            ([Some(c), _], _) => {
                let (root, f, name) = self.function(node, 1)?;
                self.extended(node, root, Expression::Binary(op, constant(c), f), name)
            }
            (_, [None, Some(c)]) => self.with_constants(node, op, 0, &c.clone(), false),
            (_, [Some(c), None]) => self.with_constants(node, op, 1, &c.clone(), true),
            (_, [Some(_), Some(_)]) => Err(self.node_error(node, "constants of shapes that do not match")),
            (_, [None, None]) => {
                let (a, b) = (self.function(node, 0)?, self.function(node, 1)?);
                // Two functions of one layer, unless both are the layer itself.
                if a.0 == b.0 && !(*a.1 == Expression::X && *b.1 == Expression::X && op != Binary::Add) {
                    let name = if *a.1 == Expression::X { b.2 } else { a.2 };
                    return self.extended(node, a.0, Expression::Binary(op, a.1, b.1), name);
                }
                if op != Binary::Add {
                    return Err(
                        self.node_error(node, "combines two layers; only a sum of layers can be converted to spikes")
                    );
                }
                let inputs = vec![self.layer_input(node, 0)?, self.layer_input(node, 1)?];
                let name = node_names::of_node(node);
                if let Some((sources, perm)) = self.common_order(&inputs) {
                    let sum = self.push(node, name.clone(), Op::Add, sources, &[])?;
                    return self.with_layout(node, format!("{name}.order"), sum, perm).map(LoweredValue::Layer);
                }
                let id = self.push(node, name, Op::Add, inputs, &[])?;
                Ok(LoweredValue::Layer(id))
            }
        }
    }

    /// Combines a layer with one number per channel or per value.
    fn with_constants(
        &mut self,
        node: &NodeProto,
        op: Binary,
        k: usize,
        constant: &Constant,
        swapped: bool,
    ) -> Result<LoweredValue> {
        let input = self.layer_input(node, k)?;
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
        let full = dims == shape;
        if !per_channel && !full {
            let reason = format!(
                "a constant of shape {} does not match values of shape {} per channel",
                crate::error::format_shape(&constant.dims),
                crate::error::format_shape(&shape)
            );
            return Err(self.node_error(node, reason));
        }
        let values = constant.floats();
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
            return Err(self.node_error(node, "this combination of a layer with constants cannot be converted"));
        };
        let name = node_names::of_node(node);
        if per_channel {
            return self.push(node, name, Op::Affine { scale, shift }, vec![input], &[]);
        }
        let flat = self.push(node, format!("{name}.flat"), Op::Reshape, vec![input], &[values.len()])?;
        let affine = self.push(node, name.clone(), Op::Affine { scale, shift }, vec![flat], &[])?;
        self.push(node, format!("{name}.back"), Op::Reshape, vec![affine], &shape)
    }

    /// Input `k` as a function of a layer: the layer, the function and its name.
    fn function(&mut self, node: &NodeProto, k: usize) -> Result<(NodeId, Rc<Expression>, String)> {
        match self.value(node, k)? {
            LoweredValue::Layer(id) => {
                let name = node_names::of_activation(node, &self.nodes[id].name);
                Ok((id, Rc::new(Expression::X), name))
            }
            LoweredValue::Function { root, f, name } => Ok((root, f, name)),
            LoweredValue::Constant(_) => Err(self.node_error(node, "arithmetic on constants that is not supported")),
        }
    }

    fn extended(&self, node: &NodeProto, root: NodeId, f: Expression, name: String) -> Result<LoweredValue> {
        if f.size() > MAX_OPERATIONS {
            return Err(self.node_error(node, "a chain of elementwise operations too long for an activation"));
        }
        Ok(LoweredValue::Function { root, f: Rc::new(f), name })
    }

    /// The node that computes function `f` of `root`, which the file calls `value`.
    ///
    /// # Errors
    /// [`Error::File`] if the function is no supported activation.
    pub fn recognize(&mut self, value: &str, root: NodeId, f: &Expression, name: &str) -> Result<NodeId> {
        if let Some(&id) = self.recognized.get(value) {
            return Ok(id);
        }
        let refused = |reason: String| {
            let what = "the elementwise operations that end here are neither ReLU, clip(0, λ) nor QCFS, the \
                        activations that integrate-and-fire neurons can replace";
            Error::file(self.path, format!("'{name}' (value '{value}')"), format!("{what}: {reason}"))
        };
        let matched = match_activation(f).map_err(refused)?;
        let error_node = NodeProto { name: name.to_owned(), op_type: "elementwise".into(), ..NodeProto::default() };
        // Elementwise functions are independent of the order of dimensions: neurons get channels first.
        let order = self.order_of(root);
        let root = order.as_ref().map_or(root, |(source, _)| *source);
        let affine = |(slope, offset): (f64, f64)| Op::Affine { scale: vec![slope as f32], shift: vec![offset as f32] };
        let mut id = root;
        if matched.before != (1.0, 0.0) {
            let suffix = if matched.activation.is_some() { ".in" } else { "" };
            id = self.push(&error_node, format!("{name}{suffix}"), affine(matched.before), vec![id], &[])?;
        }
        if let Some(activation) = matched.activation {
            id = self.push(&error_node, name.to_owned(), Op::Activation(activation), vec![id], &[])?;
            if matched.after != (1.0, 0.0) {
                id = self.push(&error_node, format!("{name}.out"), affine(matched.after), vec![id], &[])?;
            }
        }
        if let Some((_, perm)) = order {
            id = self.with_layout(&error_node, format!("{name}.order"), id, perm)?;
        }
        self.recognized.insert(value.to_owned(), id);
        Ok(id)
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
