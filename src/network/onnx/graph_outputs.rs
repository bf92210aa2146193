//! Finishes the graph: joins its outputs to one and removes unused nodes.

use super::lower::{LoweredValue, Lowering};
use super::proto::{GraphProto, NodeProto};
use crate::network::{Network, NodeId, Op};
use crate::{Error, Result};

impl Lowering<'_> {
    /// The finished network.
    ///
    /// # Errors
    /// [`Error::File`] for an output without a node and for a softmax or sigmoid inside the network.
    pub fn finish(mut self, graph: &GraphProto) -> Result<Network> {
        let names = std::mem::take(&mut self.outputs);
        let ids = names.iter().map(|name| self.output(name)).collect::<Result<Vec<_>>>()?;
        let output = match ids[..] {
            [only] if self.nodes[only].shape.len() == 1 => only,
            [only] => self.flattened(&names[0], only)?,
            _ => {
                let flattened =
                    names.iter().zip(&ids).map(|(name, &id)| self.flattened(name, id)).collect::<Result<Vec<_>>>()?;
                let error_node =
                    NodeProto { name: "outputs".into(), op_type: "outputs".into(), ..NodeProto::default() };
                self.push(&error_node, "outputs".into(), Op::Concat { axis: 0 }, flattened, &[])?
            }
        };
        let stem = self.path.file_stem().map(|s| s.to_string_lossy().into_owned());
        let name = stem.filter(|s| !s.is_empty()).unwrap_or_else(|| graph.name.clone());
        let (nodes, output) = self.reachable(output);
        let network = Network { name, nodes, output, scaling: None, class_names: Vec::new() };
        if let Some(node) = network.inner_output_function() {
            let reason = format!(
                "a {} inside the network cannot be converted to spikes; only one at the end is supported",
                node.kind_name()
            );
            return Err(Error::file(self.path, format!("node '{}'", node.name), reason));
        }
        Ok(network)
    }

    fn output(&mut self, name: &str) -> Result<NodeId> {
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
            self.nodes[taken].name = self.unique(format!("{name}.value"));
        }
        let len: usize = self.nodes[id].shape.iter().product();
        self.push(&error_node, name.to_owned(), Op::Reshape, vec![id], &[len])
    }

    /// The nodes that `output` depends on and the input, renumbered, and the new index of `output`.
    fn reachable(&mut self, output: NodeId) -> (Vec<crate::network::Node>, NodeId) {
        let mut kept = vec![false; self.nodes.len()];
        kept[0] = true;
        let mut pending = vec![output];
        while let Some(id) = pending.pop() {
            if !std::mem::replace(&mut kept[id], true) || id == output {
                pending.extend(&self.nodes[id].inputs);
            }
        }
        let mut new_index = Vec::with_capacity(kept.len());
        let mut count = 0;
        for &kept in &kept {
            new_index.push(count);
            count += usize::from(kept);
        }
        let nodes =
            std::mem::take(&mut self.nodes).into_iter().zip(&kept).filter(|(_, kept)| **kept).map(|(mut node, _)| {
                node.inputs.iter_mut().for_each(|input| *input = new_index[*input]);
                node
            });
        (nodes.collect(), new_index[output])
    }
}
