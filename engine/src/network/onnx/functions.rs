//! Local functions of an ONNX file: nodes that call one are replaced by its nodes.

use std::collections::HashMap;
use std::path::Path;

use super::proto::{AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto};
use crate::{Error, Result};

/// Maximum number of nodes after replacement.
const MAX_NODES: usize = 1 << 18;
/// Maximum depth of functions that call functions.
const MAX_DEPTH: usize = 32;

/// Whether `domain` is that of the ONNX operators.
pub fn is_standard(domain: &str) -> bool {
    matches!(domain, "" | "ai.onnx")
}

/// The operator set version of the ONNX operators.
pub fn opset(imports: &[OperatorSetIdProto]) -> Option<i64> {
    imports.iter().filter(|set| is_standard(&set.domain)).map(|set| set.version).max()
}

/// The graph of `model` with calls of its functions replaced by their nodes.
///
/// # Errors
/// [`Error::File`] with the node or function, if functions call themselves, are too many or use another operator set.
pub fn without_functions(model: &mut ModelProto, path: &Path) -> Result<Option<GraphProto>> {
    let Some(mut graph) = model.graph.take() else { return Ok(None) };
    if !model.functions.is_empty() {
        let functions = model.functions.iter().map(|f| ((f.domain.as_str(), f.name.as_str(), f.overload.as_str()), f));
        let mut calls =
            Calls { functions: functions.collect(), opset: opset(&model.opset_import), path, count: 0, nodes: 0 };
        graph.node = calls.replaced(std::mem::take(&mut graph.node), 0)?;
    }
    Ok(Some(graph))
}

/// Replacement of the calls in one file.
struct Calls<'a> {
    /// By domain, name and overload.
    functions: HashMap<(&'a str, &'a str, &'a str), &'a FunctionProto>,
    opset: Option<i64>,
    path: &'a Path,
    /// Calls replaced so far.
    count: usize,
    /// Nodes written so far.
    nodes: usize,
}

impl Calls<'_> {
    /// `nodes` with every call replaced, also inside of branches.
    fn replaced(&mut self, nodes: Vec<NodeProto>, depth: usize) -> Result<Vec<NodeProto>> {
        let mut out = Vec::with_capacity(nodes.len());
        for mut node in nodes {
            let key = (node.domain.as_str(), node.op_type.as_str(), node.overload.as_str());
            let Some(&function) = self.functions.get(&key) else {
                for graph in node.attribute.iter_mut().filter_map(|a| a.g.as_mut()) {
                    graph.node = self.replaced(std::mem::take(&mut graph.node), depth)?;
                }
                self.nodes += 1;
                out.push(node);
                continue;
            };
            let refuse = |reason: String| {
                Err(Error::file(self.path, format!("function '{}' of node '{}'", function.name, node.name), reason))
            };
            if depth >= MAX_DEPTH || self.nodes > MAX_NODES {
                return refuse("it calls itself, or too many others. Export without local functions.".into());
            }
            if let (Some(own), Some(other)) = (self.opset, opset(&function.opset_import))
                && own != other
            {
                return refuse(format!(
                    "it is written for operator set {other}, the network for {own}. Export without local functions."
                ));
            }
            self.count += 1;
            let body = body(function, &node, self.count);
            out.extend(self.replaced(body, depth + 1)?);
        }
        Ok(out)
    }
}

/// The nodes of `function` with the names and attributes of its call `node`, the `count`th of the file.
fn body(function: &FunctionProto, node: &NodeProto, count: usize) -> Vec<NodeProto> {
    let mut names: HashMap<&str, String> = HashMap::new();
    for (k, name) in function.input.iter().enumerate() {
        names.insert(name, node.input.get(k).cloned().unwrap_or_default());
    }
    for (name, given) in function.output.iter().zip(&node.output).filter(|(_, given)| !given.is_empty()) {
        names.insert(name, given.clone());
    }
    let call = Call { names, node, function, count };
    function.node.iter().map(|inner| call.renamed(inner)).collect()
}

/// One call: what the names and attributes of the function's body stand for.
struct Call<'a> {
    names: HashMap<&'a str, String>,
    node: &'a NodeProto,
    function: &'a FunctionProto,
    count: usize,
}

impl Call<'_> {
    fn name(&self, name: &str) -> String {
        match self.names.get(name) {
            Some(outer) => outer.clone(),
            None if name.is_empty() => String::new(),
            None => format!("{name}#{}", self.count),
        }
    }

    fn renamed(&self, inner: &NodeProto) -> NodeProto {
        let name = match (self.node.name.is_empty(), inner.name.is_empty()) {
            (true, _) => inner.name.clone(),
            (false, true) => self.node.name.clone(),
            (false, false) => format!("{}/{}", self.node.name, inner.name),
        };
        // The call knows the module of the source program, if its nodes do not.
        let metadata_props = match inner.metadata_props.is_empty() {
            true => self.node.metadata_props.clone(),
            false => inner.metadata_props.clone(),
        };
        NodeProto {
            input: inner.input.iter().map(|name| self.name(name)).collect(),
            output: inner.output.iter().map(|name| self.name(name)).collect(),
            name,
            attribute: inner.attribute.iter().filter_map(|a| self.attribute(a)).collect(),
            metadata_props,
            ..inner.clone()
        }
    }

    /// `attribute` with the value that the call gives it; `None` if it gives none and there is no default.
    fn attribute(&self, attribute: &AttributeProto) -> Option<AttributeProto> {
        if !attribute.ref_attr_name.is_empty() {
            let named = |a: &&AttributeProto| a.name == attribute.ref_attr_name;
            let given = self.node.attribute.iter().find(named);
            let value = given.or_else(|| self.function.attribute_proto.iter().find(named))?;
            return Some(AttributeProto { name: attribute.name.clone(), ..value.clone() });
        }
        let mut attribute = attribute.clone();
        if let Some(graph) = attribute.g.as_mut() {
            graph.node = graph.node.iter().map(|node| self.renamed(node)).collect();
            graph.output.iter_mut().for_each(|output| output.name = self.name(&output.name));
            graph.input.iter_mut().for_each(|input| input.name = self.name(&input.name));
            graph.initializer.iter_mut().for_each(|tensor| tensor.name = self.name(&tensor.name));
        }
        Some(attribute)
    }
}
