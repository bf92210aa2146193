//! The end of reading: outputs joined to one answer, nodes that nothing reads left out.

use super::lower::{Lowering, Value};
use super::proto::{GraphProto, NodeProto};
use crate::network::{Network, NodeId, Op};
use crate::{Error, Result};

impl Lowering<'_> {
    /// The finished network.
    pub fn finish(mut self, graph: &GraphProto) -> Result<Network> {
        let names = std::mem::take(&mut self.outputs);
        let ids = names.iter().map(|name| self.output(name)).collect::<Result<Vec<_>>>()?;
        let output = match ids[..] {
            [only] if self.nodes[only].shape.len() == 1 => only,
            [only] => self.flat(&names[0], only)?,
            _ => {
                let flat = names.iter().zip(&ids).map(|(name, &id)| self.flat(name, id)).collect::<Result<Vec<_>>>()?;
                let place = NodeProto { name: "outputs".into(), op_type: "outputs".into(), ..NodeProto::default() };
                self.push(&place, "outputs".into(), Op::Concat { axis: 0 }, flat, &[])?
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
            Some(Value::Layer(id)) => Ok(id),
            Some(Value::Function { root, f, name: first }) => self.recognize(name, root, &f, &first),
            Some(Value::Constant(_)) => {
                Err(Error::file(self.path, format!("output '{name}'"), "does not depend on the input"))
            }
            None => Err(Error::file(self.path, format!("output '{name}'"), "no node produces it")),
        }
    }

    /// The output `id` as a flat list that carries its name.
    fn flat(&mut self, name: &str, id: NodeId) -> Result<NodeId> {
        let place = NodeProto { name: name.to_owned(), op_type: "output".into(), ..NodeProto::default() };
        // The name is the output's, whatever the layer before it is called.
        if let Some(taken) = self.nodes.iter().position(|node| node.name == name) {
            self.nodes[taken].name = self.unique(format!("{name}.value"));
        }
        let len: usize = self.nodes[id].shape.iter().product();
        self.push(&place, name.to_owned(), Op::Reshape, vec![id], &[len])
    }

    /// The nodes that `output` depends on, and the input.
    fn reachable(&mut self, output: NodeId) -> (Vec<crate::network::Node>, NodeId) {
        let mut kept = vec![false; self.nodes.len()];
        kept[0] = true;
        let mut open = vec![output];
        while let Some(id) = open.pop() {
            if !std::mem::replace(&mut kept[id], true) || id == output {
                open.extend(&self.nodes[id].inputs);
            }
        }
        let mut places = Vec::with_capacity(kept.len());
        let mut count = 0;
        for &kept in &kept {
            places.push(count);
            count += usize::from(kept);
        }
        let nodes =
            std::mem::take(&mut self.nodes).into_iter().zip(&kept).filter(|(_, kept)| **kept).map(|(mut node, _)| {
                node.inputs.iter_mut().for_each(|input| *input = places[*input]);
                node
            });
        (nodes.collect(), places[output])
    }
}
