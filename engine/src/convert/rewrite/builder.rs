//! Builds the node list of a rewritten network.

use std::collections::HashMap;

use crate::network::{Network, Node, NodeId};

/// Builds a new node list and maps old node ids to new ones.
pub(super) struct Builder<'a> {
    old: &'a Network,
    pub nodes: Vec<Node>,
    pub map: HashMap<NodeId, NodeId>,
}

impl<'a> Builder<'a> {
    pub fn new(old: &'a Network) -> Self {
        Self { old, nodes: Vec::new(), map: HashMap::new() }
    }
    pub fn push(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        self.nodes.len() - 1
    }
    pub fn copy(&mut self, id: NodeId) {
        let node = &self.old.nodes[id];
        let inputs = node.inputs.iter().map(|input| self.map[input]).collect();
        let new = self.push(Node { inputs, ..node.clone() });
        self.map.insert(id, new);
    }
    pub fn finish(self) -> Network {
        Network { output: self.map[&self.old.output], nodes: self.nodes, ..self.old.clone() }
    }
}
