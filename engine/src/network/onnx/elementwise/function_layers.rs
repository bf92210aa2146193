//! Layers of elementwise functions: one activation where a function is one, else the sum or multiple of its parts.

use super::activation_matching::{MatchedActivation, match_activation};
use crate::network::onnx::expression::{Binary, Expression, Unary};
use crate::network::onnx::lower::Lowering;
use crate::network::onnx::proto::NodeProto;
use crate::network::{NodeId, Op};
use crate::{Error, Result};

/// Maximum number of operations of a function that is taken apart; every part is matched anew.
const MAX_PARTS: usize = 128;

impl Lowering<'_> {
    /// The node that computes function `f` of `root`, which the file calls `value`.
    ///
    /// # Errors
    /// [`Error::File`] if the function is neither a supported activation nor a sum of such.
    pub fn recognize(&mut self, value: &str, root: NodeId, f: &Expression, name: &str) -> Result<NodeId> {
        if let Some(&id) = self.recognized.get(value) {
            return Ok(id);
        }
        // Elementwise functions are independent of the order of dimensions: neurons get channels first.
        let order = self.order_of(root);
        let source = order.as_ref().map_or(root, |(source, _)| *source);
        let mut id = self.function_layer(source, f, name).map_err(|error| match error {
            Error::Invalid(reason) => {
                let what = "the elementwise operations that end here are neither ReLU, clip(0, λ) nor QCFS, the \
                            activations that integrate-and-fire neurons can replace";
                let value = value.split('\n').next().unwrap_or_default();
                Error::file(self.path, format!("'{name}' (value '{value}')"), format!("{what}: {reason}"))
            }
            other => other,
        })?;
        if let Some((_, perm)) = order {
            id = self.with_layout(&pseudo_node(name), format!("{name}.order"), id, perm)?;
        }
        self.recognized.insert(value.to_owned(), id);
        Ok(id)
    }

    /// Function `f` of `root` as one activation, or as a sum or multiple of functions that are.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the reason why `f` is none.
    fn function_layer(&mut self, root: NodeId, f: &Expression, name: &str) -> Result<NodeId> {
        if *f == Expression::X {
            return Ok(root);
        }
        let known = self.functions.iter().find(|(source, function, _)| *source == root && function == f);
        if let Some((.., id)) = known {
            return Ok(*id);
        }
        let id = self.new_function_layer(root, f, name)?;
        self.functions.push((root, f.clone(), id));
        Ok(id)
    }

    fn new_function_layer(&mut self, root: NodeId, f: &Expression, name: &str) -> Result<NodeId> {
        let reason = match match_activation(f) {
            Ok(matched) => return self.matched_layer(root, &matched, name),
            Err(reason) => reason,
        };
        if f.size() > MAX_PARTS {
            return Err(Error::Invalid(reason));
        }
        // The reason for the whole function says more than that for a part of it.
        self.sum_of_parts(root, f, name)?.ok_or(Error::Invalid(reason))
    }

    /// Function `f` of `root` as a sum or multiple of its parts; `None` if it, or a part, is none.
    fn sum_of_parts(&mut self, root: NodeId, f: &Expression, name: &str) -> Result<Option<NodeId>> {
        match self.parts(root, f, name) {
            Ok(id) => Ok(Some(id)),
            Err(Error::Invalid(_)) => Ok(None),
            Err(other) => Err(other),
        }
    }

    fn parts(&mut self, root: NodeId, f: &Expression, name: &str) -> Result<NodeId> {
        let node = pseudo_node(name);
        match f {
            Expression::Unary(Unary::Neg, a) => {
                let a = self.function_layer(root, a, name)?;
                self.push(&node, format!("{name}.negative"), affine((-1.0, 0.0)), vec![a], &[])
            }
            // An activation of a sum: the sum is a layer of its own.
            Expression::Unary(op, a) if **a != Expression::X => {
                let a = self.function_layer(root, a, name)?;
                let outer = Expression::Unary(*op, std::rc::Rc::new(Expression::X));
                self.function_layer(a, &outer, name)
            }
            Expression::Binary(op, a, b) if b.is_constant() && **a != Expression::X => {
                let a = self.function_layer(root, a, name)?;
                let outer = Expression::Binary(*op, std::rc::Rc::new(Expression::X), b.clone());
                self.function_layer(a, &outer, name)
            }
            Expression::Binary(op, a, b) if a.is_constant() && **b != Expression::X => {
                let b = self.function_layer(root, b, name)?;
                let outer = Expression::Binary(*op, a.clone(), std::rc::Rc::new(Expression::X));
                self.function_layer(b, &outer, name)
            }
            Expression::Binary(op @ (Binary::Add | Binary::Sub), a, b) if !a.is_constant() && !b.is_constant() => {
                let a = self.function_layer(root, a, name)?;
                let mut b = self.function_layer(root, b, name)?;
                if *op == Binary::Sub {
                    b = self.push(&node, format!("{name}.negative"), affine((-1.0, 0.0)), vec![b], &[])?;
                }
                self.push(&node, format!("{name}.sum"), Op::Add, vec![a, b], &[])
            }
            _ => Err(Error::Invalid(String::new())),
        }
    }

    fn matched_layer(&mut self, root: NodeId, matched: &MatchedActivation, name: &str) -> Result<NodeId> {
        let node = pseudo_node(name);
        let mut id = root;
        if let Some(x) = matched.tie {
            self.note(format!(
                "'{name}' has steps: an input that lies exactly on one, as at {x}, gets the level above it here and another in \
                 the file (a comparison by > instead of >=, or rounding of halves to even)."
            ));
        }
        if matched.before != (1.0, 0.0) {
            let suffix = if matched.activation.is_some() { ".in" } else { "" };
            id = self.push(&node, format!("{name}{suffix}"), affine(matched.before), vec![id], &[])?;
        }
        if let Some(activation) = matched.activation {
            id = self.push(&node, name.to_owned(), Op::Activation(activation), vec![id], &[])?;
            if matched.after != (1.0, 0.0) {
                id = self.push(&node, format!("{name}.out"), affine(matched.after), vec![id], &[])?;
            }
        }
        Ok(id)
    }
}

fn affine((slope, offset): (f64, f64)) -> Op {
    Op::Affine { scale: vec![slope as f32], shift: vec![offset as f32] }
}

/// A node for errors about the function called `name`.
fn pseudo_node(name: &str) -> NodeProto {
    NodeProto { name: name.to_owned(), op_type: "elementwise".into(), ..NodeProto::default() }
}
