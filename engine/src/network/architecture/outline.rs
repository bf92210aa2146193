//! Outline of a network: name, kind and output shape of each layer.

use crate::network::Node;

/// Name, kind and shape of the output of a layer.
pub type OutlineLayer = (String, &'static str, Vec<usize>);

/// The outline of `nodes`, in their order.
pub fn outline(nodes: &[Node]) -> Vec<OutlineLayer> {
    nodes.iter().map(|node| (node.name.clone(), node.kind_name(), node.shape.clone())).collect()
}
