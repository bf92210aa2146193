//! Constant folding: evaluates nodes whose inputs are all constant.
//!
//! Exporters leave such nodes in the graph to compute shapes, to transpose weights or to store them in fewer bits.

mod arithmetic;
mod broadcast;
mod budget;
mod cast;
mod create;
mod gather;
mod product;
mod quantize;
mod rearrange;
mod reduce;
mod strided;
#[cfg(test)]
mod tests;
mod unary;

use std::path::Path;

pub use broadcast::common_dims;
pub use budget::Budget;
pub use rearrange::expanded;
pub use strided::{advance, transposed};

use super::constant::Constant;
use super::proto::NodeProto;

/// Applies an expression to the numbers of a constant, whatever their storage, and keeps their element type.
macro_rules! each_storage {
    ($numbers:expr, $values:ident => $body:expr) => {
        match $numbers {
            Numbers::Float(of, $values) => Numbers::Float(*of, std::sync::Arc::new($body)),
            Numbers::Double($values) => Numbers::Double(std::sync::Arc::new($body)),
            Numbers::Int(of, $values) => Numbers::Int(*of, std::sync::Arc::new($body)),
        }
    };
}
use each_storage;

/// A node whose inputs are constants.
pub struct Folding<'a> {
    pub node: &'a NodeProto,
    /// Absent optional inputs are `None`.
    pub inputs: &'a [Option<&'a Constant>],
    /// The network's file, for tensors in attributes.
    pub path: &'a Path,
    pub budget: &'a Budget,
}

impl Folding<'_> {
    /// The values of the node's outputs; `Ok(None)` if this operation is not folded.
    ///
    /// # Errors
    /// The reason why the operation cannot be evaluated.
    pub fn fold(&self) -> Result<Option<Vec<Constant>>, String> {
        let value = match self.node.op_type.as_str() {
            "Split" => return self.split().map(Some),
            "Identity" => self.input(0)?.clone(),
            "Dropout" => self.dropout()?,
            "Cast" | "CastLike" => self.cast()?,
            "Shape" => Constant::ints(super::shapes::as_ints(&self.input(0)?.dims)),
            "Size" => self.size()?,
            "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze" => self.reshape()?,
            "Transpose" => self.transpose()?,
            "Concat" => self.concat()?,
            "Slice" => self.slice()?,
            "Expand" => self.expand()?,
            "Tile" => self.tile()?,
            "Pad" => self.pad()?,
            "Gather" => self.gather()?,
            "GatherElements" => self.gather_elements()?,
            "GatherND" => self.gather_nd()?,
            "ScatterND" => self.scatter_nd()?,
            "Range" => self.range()?,
            "ConstantOfShape" => self.constant_of_shape()?,
            "EyeLike" => self.eye_like()?,
            "OneHot" => self.one_hot()?,
            "Trilu" => self.trilu()?,
            "NonZero" => self.non_zero()?,
            "CumSum" => self.cumulative_sum()?,
            "DequantizeLinear" => self.dequantize()?,
            "QuantizeLinear" => self.quantize()?,
            "MatMul" => self.matrix_product()?,
            "Gemm" => self.gemm()?,
            "Where" => self.select_where()?,
            op if op.starts_with("Reduce") => match self.reduce()? {
                Some(value) => value,
                None => return Ok(None),
            },
            _ => match self.arithmetic()? {
                Some(value) => value,
                None => match self.unary()? {
                    Some(value) => value,
                    None => return Ok(None),
                },
            },
        };
        Ok(Some(vec![value]))
    }

    /// `Dropout`, which does nothing in inference. In training it drops weights at random.
    fn dropout(&self) -> Result<Constant, String> {
        let is_zero = |k: usize| self.optional(k).and_then(Constant::scalar) == Some(0.0);
        match self.optional(2).is_some() && !is_zero(2) && !is_zero(1) {
            true => Err("drops constants at random. Export in evaluation mode.".into()),
            false => self.input(0).cloned(),
        }
    }

    /// Input `k`, which the operation requires.
    fn input(&self, k: usize) -> Result<&Constant, String> {
        self.optional(k).ok_or_else(|| format!("input {k} is missing"))
    }
    fn optional(&self, k: usize) -> Option<&Constant> {
        self.inputs.get(k).copied().flatten()
    }
    /// The integers of input `k`, or of attribute `name` in older operator sets; `None` if both are absent.
    fn ints(&self, k: usize, name: &str) -> Result<Option<Vec<i64>>, String> {
        match self.optional(k) {
            Some(constant) => constant.as_ints().map(Some).ok_or_else(|| format!("input {k} is not integers")),
            None => Ok(self.node.ints(name).map(<[i64]>::to_vec)),
        }
    }
}
