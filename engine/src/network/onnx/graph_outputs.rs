//! Finishes the graph: joins its outputs to one and removes unused nodes.

use std::path::Path;
use std::rc::Rc;

use prost::Message;

use super::lower::{LoweredValue, Lowering};
use super::proto::{GraphProto, ModelProto, NodeProto};
use crate::network::chosen_output::{VALUE_SUFFIX, is_seen_through, reachable};
use crate::network::outputs::ignored_output;
use crate::network::{Network, NodeId, Op};
use crate::{Error, Result};

/// Names of the outputs of the network in the ONNX file at `path`; a network with one output does not keep its name.
///
/// # Errors
/// [`Error::Io`] or [`Error::File`] when the file cannot be read.
pub fn output_names(path: &Path) -> Result<Vec<String>> {
    let bytes = std::fs::read(path).map_err(|e| Error::io(path, e))?;
    let model = ModelProto::decode(bytes.as_slice())
        .map_err(|e| Error::file(path, "", format!("not an ONNX file, or truncated ({e})")))?;
    Ok(model.graph.unwrap_or_default().output.into_iter().map(|output| output.name).collect())
}

/// A copy of an error about the file.
fn copy_of(error: &Error) -> Error {
    match error {
        Error::File { path, place, reason } => Error::file(path, place.clone(), reason.clone()),
        other => Error::Invalid(other.to_string()),
    }
}

impl Lowering<'_> {
    /// Lowers `node`. In a network with several outputs a failure is remembered: it matters if no output can be read.
    ///
    /// # Errors
    /// As [`Lowering::node`], in a network with one output.
    pub fn node_or_failure(&mut self, node: &NodeProto) -> Result<()> {
        let error = match node.input.iter().find_map(|name| self.failed.get(name)) {
            Some(error) => error.clone(),
            None => match self.node(node) {
                Err(error) if self.outputs.len() > 1 => Rc::new(error),
                result => return result,
            },
        };
        let named = node.output.iter().filter(|name| !name.is_empty());
        self.failed.extend(named.map(|name| (name.clone(), error.clone())));
        Ok(())
    }

    /// The finished network, and notes on what was assumed or ignored.
    ///
    /// # Errors
    /// [`Error::File`] if no output can be read, and for a softmax or sigmoid inside a network with one output. Of several
    /// outputs the chosen one must be free of them, which is known later.
    pub fn finish(mut self, graph: &GraphProto) -> Result<(Network, Vec<String>)> {
        let names = std::mem::take(&mut self.outputs);
        let (mut read, mut first_error) = (Vec::new(), None);
        for name in &names {
            match self.output(name) {
                Ok(id) => read.push((name, id)),
                Err(error) if names.len() == 1 => return Err(error),
                Err(error) => {
                    self.note(format!("{}{error}", ignored_output(name)));
                    first_error.get_or_insert(error);
                }
            }
        }
        let output = match (read.as_slice(), first_error) {
            ([], Some(error)) => return Err(error),
            (&[(_, only)], None) if self.nodes[only].shape.len() == 1 && !is_seen_through(&self.nodes, only) => only,
            (&[(name, only)], _) => self.flattened(name, only)?,
            (all, _) => {
                let flattened = all.iter().map(|&(name, id)| self.flattened(name, id)).collect::<Result<Vec<_>>>()?;
                let error_node =
                    NodeProto { name: "outputs".into(), op_type: "outputs".into(), ..NodeProto::default() };
                self.push(&error_node, "outputs".into(), Op::Concat { axis: 0 }, flattened, &[])?
            }
        };
        let stem = self.path.file_stem().map(|s| s.to_string_lossy().into_owned());
        let name = stem.filter(|s| !s.is_empty()).unwrap_or_else(|| graph.name.clone());
        let (nodes, output) = reachable(std::mem::take(&mut self.nodes), output);
        let network = Network { name, nodes, output, scaling: None, class_names: Vec::new(), neurons: None };
        if let (1, Some(node)) = (read.len(), network.inner_output_function()) {
            let reason = format!(
                "a {} inside the network cannot be converted to spikes; only one at the end is supported",
                node.kind_name()
            );
            return Err(Error::file(self.path, format!("node '{}'", node.name), reason));
        }
        Ok((network, self.notes))
    }

    fn output(&mut self, name: &str) -> Result<NodeId> {
        if let Some(error) = self.failed.get(name) {
            return Err(copy_of(error));
        }
        match self.values.get(name).cloned() {
            Some(LoweredValue::Layer(id)) => Ok(id),
            Some(LoweredValue::Function { root, f, name: function_name }) => {
                self.recognize(name, root, &f, &function_name)
            }
            Some(LoweredValue::Constant(_)) => {
                Err(Error::file(self.path, format!("output '{name}'"), "does not depend on the input"))
            }
            None => Err(Error::file(self.path, format!("output '{name}'"), "no node produces it")),
        }
    }

    /// Adds a flattening node with the output's name after node `id`.
    fn flattened(&mut self, name: &str, id: NodeId) -> Result<NodeId> {
        let error_node = NodeProto { name: name.to_owned(), op_type: "output".into(), ..NodeProto::default() };
        // The output's name has priority over a layer of the same name.
        if let Some(taken) = self.nodes.iter().position(|node| node.name == name) {
            self.nodes[taken].name = self.unique(format!("{name}{VALUE_SUFFIX}"));
        }
        let len: usize = self.nodes[id].shape.iter().product();
        self.push(&error_node, name.to_owned(), Op::Reshape, vec![id], &[len])
    }
}
