//! Interprets the graph of an ONNX file operator by operator, to verify what was recognized in it.
//!
//! It shares no code with the lowering of the parent folder. Only the elements that are asked for are evaluated, so that it is
//! cheap for any network. Numbers are rounded to the data type of each value; sums of products are exact before that.
//! `int64` and `uint64` are exact up to 2^53.

mod arithmetic;
mod data_type;
mod elementwise;
mod gather;
mod generate;
mod index;
mod linear;
#[cfg(test)]
mod node_tests;
mod normalization;
mod operator;
mod operators;
mod pad;
mod plan;
mod pooling;
mod quantize;
mod rearrange;
mod reduce;
mod resize;
mod stored;
#[cfg(test)]
mod tests;
mod window;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use data_type::DataType;
use operator::{Kind, Operator, Site};
pub use plan::Unknown;
use plan::{Plan, Source, Step, Value};
use stored::Stored;

use super::proto::{GraphProto, NodeProto};

/// Maximum number of elements of a constant that decides shapes or positions.
const MAX_CONSTANT: usize = 1 << 22;

/// A graph whose shapes and operators are known, as far as its nodes are understood.
pub struct Interpreter<'a> {
    plan: Plan<'a>,
    /// Number of every value of the graph, or why it is unknown.
    ids: HashMap<&'a str, Result<usize, Unknown>>,
}

impl<'a> Interpreter<'a> {
    /// Interprets `graph`, whose nodes are in topological order in `order`. `opset` is the version of its operator set,
    /// `path` its file, beside which external data lie, and `input_shape` the shape of its one input, batch first.
    ///
    /// `external` gives the 32-bit floats of tensors in external files, if they were read before.
    ///
    /// Nodes that are not understood make their outputs unknown; they are no error. 16-bit floats are computed with 32 bits, as
    /// the layers of a network that was read.
    pub fn new(
        graph: &'a GraphProto,
        order: &[usize],
        opset: i64,
        path: &'a Path,
        input_shape: &[usize],
        external: &dyn Fn(&str) -> Option<Arc<Vec<f32>>>,
    ) -> Self {
        let is_stored = |name: &str| graph.initializer.iter().any(|tensor| tensor.name == name);
        let input = graph.input.iter().find(|input| !is_stored(&input.name));
        let inputs: Vec<_> = input.map(|input| (input.name.as_str(), input_shape.to_vec())).into_iter().collect();
        let mut interpreter = Self::with_inputs(graph, order, opset, path, &inputs, external);
        interpreter.plan.widens_halves = true;
        interpreter
    }

    /// [`Interpreter::new`] for inputs with names; those without a shape are unknown.
    fn with_inputs(
        graph: &'a GraphProto,
        order: &[usize],
        opset: i64,
        path: &'a Path,
        shapes: &[(&str, Vec<usize>)],
        external: &dyn Fn(&str) -> Option<Arc<Vec<f32>>>,
    ) -> Self {
        let mut interpreter = Self { plan: Plan::default(), ids: HashMap::new() };
        for input in &graph.input {
            let shape = shapes.iter().find(|(name, _)| *name == input.name).map(|(_, shape)| shape.clone());
            let code = input.r#type.as_ref().and_then(|t| t.tensor_type.as_ref()).map_or(1, |t| t.elem_type);
            // A type of 0 is not stated.
            let data_type = DataType::from_code(i64::from(if code == 0 { 1 } else { code }));
            let kind = match (data_type, shape.filter(|shape| index::is_bounded(shape))) {
                (Some(data_type), Some(shape)) => Ok(Kind { data_type, shape }),
                (None, _) => Err(format!("data type {code} is not known")),
                (_, None) => Err("its shape is not known".into()),
            };
            match kind {
                Ok(kind) => interpreter.add(&input.name, kind, Source::Given, false),
                Err(reason) => interpreter.unknown(&input.name, &input.name, reason),
            }
        }
        for tensor in &graph.initializer {
            let is_external = tensor.data_location == 1 && tensor.data_type == 1;
            let known = if is_external { external(&tensor.name) } else { None };
            let stored = known.and_then(|numbers| Stored::shared(&tensor.dims, numbers)).map(Ok);
            interpreter.add_stored(&tensor.name, &tensor.name, stored.unwrap_or_else(|| Stored::new(tensor, path)));
        }
        for node in order.iter().filter_map(|&index| graph.node.get(index)) {
            interpreter.add_node(node, opset, path);
        }
        interpreter
    }

    /// The shape of `value`, batch first.
    ///
    /// # Errors
    /// [`Unknown`] with the node that is not understood.
    pub fn shape(&self, value: &str) -> Result<&[usize], Unknown> {
        Ok(&self.plan.values[self.id(value)?].kind.shape)
    }

    /// Elements of `value` at the flat row-major `indices`. `given(name, index)` supplies the input of the graph, and any
    /// other value at which the evaluation shall stop. It is not asked for `value` itself, unless that is an input, nor for
    /// constants.
    ///
    /// # Errors
    /// [`Unknown`] with the node that is not understood, or a number that is not there.
    pub fn elements(
        &self,
        value: &str,
        indices: &[usize],
        given: &dyn Fn(&str, usize) -> Option<f32>,
    ) -> Result<Vec<f64>, Unknown> {
        self.plan.evaluate(self.id(value)?, indices, given)
    }

    fn id(&self, value: &str) -> Result<usize, Unknown> {
        let missing = || Unknown { node: value.to_owned(), reason: "no node gives this value".into() };
        self.ids.get(value).cloned().unwrap_or_else(|| Err(missing()))
    }

    fn add(&mut self, name: &'a str, kind: Kind, source: Source<'a>, is_constant: bool) {
        self.ids.insert(name, Ok(self.plan.values.len()));
        self.plan.values.push(Value { name, kind, source, is_constant });
    }

    fn add_stored(&mut self, name: &'a str, place: &'a str, stored: Result<Stored<'a>, String>) {
        match stored {
            Ok(stored) => {
                let kind = Kind { data_type: stored.data_type, shape: stored.shape.clone() };
                self.add(name, kind, Source::Stored(stored), true);
            }
            Err(reason) => self.unknown(name, place, reason),
        }
    }

    fn unknown(&mut self, name: &'a str, place: &str, reason: String) {
        self.ids.insert(name, Err(Unknown { node: place.to_owned(), reason }));
    }

    fn add_node(&mut self, node: &'a NodeProto, opset: i64, path: &Path) {
        let name = if node.name.is_empty() { node.output.first().map_or("", String::as_str) } else { &node.name };
        let result = match node.op_type.as_str() {
            "Constant" if is_standard(node) => return self.add_constant(node, name, path),
            _ => self.build(node, opset, name),
        };
        let (operands, operator, is_constant) = match result {
            Ok(built) => built,
            Err(unknown) => {
                for output in node.output.iter().filter(|output| !output.is_empty()) {
                    self.ids.insert(output, Err(unknown.clone()));
                }
                return;
            }
        };
        let (step, first) = (self.plan.steps.len(), self.plan.values.len());
        let named = operator.outputs.len().saturating_sub(operator.hidden);
        let inputs = operands.len();
        let outputs = operator.outputs.len();
        for (k, kind) in operator.outputs.into_iter().enumerate() {
            let name = node.output.get(k).filter(|_| k < named).map_or("", String::as_str);
            if !name.is_empty() {
                self.ids.insert(name, Ok(first + k));
            }
            self.plan.values.push(Value { name, kind, source: Source::Computed(step), is_constant });
        }
        for output in node.output.iter().skip(named).filter(|output| !output.is_empty()) {
            self.unknown(output, name, format!("{}: this output is not known", node.op_type));
        }
        let operands = operands.into_iter().chain((first..first + outputs).map(Some)).collect();
        self.plan.steps.push(Step { name, operands, inputs, element: operator.element });
    }

    fn add_constant(&mut self, node: &'a NodeProto, place: &'a str, path: &Path) {
        let Some(name) = node.output.first() else { return };
        let site = Site::new(node, 0, Vec::new(), &|_| Err(String::new()));
        let stored = match site.tensor("value") {
            Some(tensor) => Stored::new(tensor, path),
            None => generate::numbers(&site),
        };
        self.add_stored(name, place, stored.map_err(|reason| format!("Constant: {reason}")));
    }

    /// The values that `node` reads, its operator, and whether its outputs are constant.
    fn build(
        &self,
        node: &'a NodeProto,
        opset: i64,
        name: &str,
    ) -> Result<(Vec<Option<usize>>, Operator, bool), Unknown> {
        let fail = |reason: String| Unknown { node: name.to_owned(), reason: format!("{}: {reason}", node.op_type) };
        if !is_standard(node) {
            return Err(fail(format!("operators of domain '{}' are not known", node.domain)));
        }
        let read = |input: &String| if input.is_empty() { Ok(None) } else { self.id(input).map(Some) };
        let mut operands = node.input.iter().map(read).collect::<Result<Vec<_>, Unknown>>()?;
        // Inputs at the end that are left out are the same as none.
        while operands.last().is_some_and(Option::is_none) {
            operands.pop();
        }
        let kinds = operands.iter().map(|id| id.map(|id| self.plan.values[id].kind.clone())).collect();
        let constants = |k: usize| self.constant(operands.get(k).copied().flatten(), k);
        let site = Site::new(node, opset, kinds, &constants);
        let operator = operators::operator(&site).map_err(fail)?;
        if let Some(kind) = operator.outputs.iter().find(|kind| !index::is_bounded(&kind.shape)) {
            return Err(fail(format!("a value of shape {} is too large", crate::error::format_shape(&kind.shape))));
        }
        let depends_on_shape = matches!(node.op_type.as_str(), "Shape" | "Size" | "EyeLike");
        let is_constant = depends_on_shape || operands.iter().flatten().all(|&id| self.plan.values[id].is_constant);
        Ok((operands, operator, is_constant))
    }

    /// All elements of constant value `id`, which is input `k` of a node.
    fn constant(&self, id: Option<usize>, k: usize) -> Result<Vec<f64>, String> {
        let Some((id, value)) = id.and_then(|id| self.plan.values.get(id).map(|value| (id, value))) else {
            return Err(format!("input {k} is missing"));
        };
        let size = index::count(&value.kind.shape);
        if !value.is_constant {
            return Err(format!("input {k} depends on the network's input"));
        }
        if size > MAX_CONSTANT {
            return Err(format!("input {k} has {size} elements"));
        }
        let indices: Vec<usize> = (0..size).collect();
        self.plan.evaluate(id, &indices, &|_, _| None).map_err(|unknown| unknown.to_string())
    }
}

/// Whether the node is of the standard operator set.
fn is_standard(node: &NodeProto) -> bool {
    matches!(node.domain.as_str(), "" | "ai.onnx")
}
