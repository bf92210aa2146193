//! Lowers comparisons of a layer with a number, and selections by them.
//!
//! They are functions of the layer as any other, 1 where a comparison holds and 0 elsewhere, so that a ReLU written as
//! `where(x > 0, x, 0)` or `x * (x > 0)` is matched.

use std::rc::Rc;

use super::Operand;
use crate::Result;
use crate::network::onnx::constant::{Constant, Numbers};
use crate::network::onnx::expression::Binary;
use crate::network::onnx::lower::{LoweredValue, Lowering};
use crate::network::onnx::proto::NodeProto;

impl Lowering<'_> {
    /// `Greater`, `Less`, `GreaterOrEqual` and `LessOrEqual`.
    pub(super) fn comparison(&mut self, node: &NodeProto) -> Result<LoweredValue> {
        let op = if node.op_type.ends_with("OrEqual") { Binary::GreaterOrEqual } else { Binary::Greater };
        let [first, second] = if node.op_type.starts_with("Less") { [1, 0] } else { [0, 1] };
        let (a, b) = (self.operand(node, first)?, self.operand(node, second)?);
        self.binary(node, op, a, b)
    }

    /// `Not` of a comparison.
    pub(super) fn negation(&mut self, node: &NodeProto) -> Result<LoweredValue> {
        let operand = self.operand(node, 0)?;
        self.complement(node, operand)
    }

    /// `Where` by a comparison of a layer, between numbers and functions of the same layer.
    pub(super) fn selection(&mut self, node: &NodeProto) -> Result<LoweredValue> {
        let condition = self.operand(node, 0)?;
        let (root, ..) = self.function(node, &condition)?;
        let mut sides = Vec::new();
        for k in [1, 2] {
            let mut side = self.operand(node, k)?;
            let is_same_layer = match &side.value {
                LoweredValue::Layer(id) | LoweredValue::Function { root: id, .. } => *id == root,
                LoweredValue::Constant(_) => match self.scalar_of(&side, &condition) {
                    Some(number) => {
                        side.value = scalar(number as f32);
                        true
                    }
                    None => false,
                },
            };
            if !is_same_layer {
                let reason = "its condition depends on another layer than what it selects from, which is not supported";
                return Err(self.node_error(node, reason));
            }
            let chosen = match k {
                1 => condition.value.clone(),
                _ => self.complement(node, condition.clone())?,
            };
            let chosen = Operand { value: chosen, name: self.part_name(node, k) };
            let value = self.binary(node, Binary::Mul, chosen, side)?;
            sides.push(Operand { value, name: self.part_name(node, k + 2) });
        }
        match <[Operand; 2]>::try_from(sides) {
            Ok([a, b]) => self.binary(node, Binary::Add, a, b),
            Err(_) => Err(crate::Error::Internal("a selection without two sides".into())),
        }
    }

    /// ReLU where it is written with a parameter: `PRelu` of slope 0, `ThresholdedRelu` above 0, `LeakyRelu` of slope 0.
    pub(super) fn is_relu(&self, node: &NodeProto) -> bool {
        match node.op_type.as_str() {
            "LeakyRelu" => node.float("alpha", 0.01) == 0.0,
            "ThresholdedRelu" => node.float("alpha", 1.0) == 0.0,
            "PRelu" => self.constant_input(node, 1).is_some_and(|slope| slope.floats().iter().all(|s| *s == 0.0)),
            _ => false,
        }
    }

    /// 1 − `operand`
    fn complement(&mut self, node: &NodeProto, operand: Operand) -> Result<LoweredValue> {
        let one = Operand { value: scalar(1.0), name: String::new() };
        self.binary(node, Binary::Sub, one, operand)
    }
}

fn scalar(number: f32) -> LoweredValue {
    LoweredValue::Constant(Rc::new(Constant::of_scalar(Numbers::floats(vec![number]))))
}
