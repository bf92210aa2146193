//! Names of the nodes of a network in its NIR graph, which other programs accept.

use std::collections::HashSet;

use crate::network::{Network, Op};

/// The name of every node of `network` in its graph.
pub fn node_names(network: &Network) -> Vec<String> {
    let mut taken = HashSet::new();
    network
        .nodes
        .iter()
        .map(|node| unique(if matches!(node.op, Op::Input) { "input" } else { &node.name }, &mut taken))
        .collect()
}

/// `name` as HDF5 and PyTorch allow it (HDF5 reads slashes as paths, PyTorch dots as modules), unique for each call.
pub(super) fn unique(name: &str, taken: &mut HashSet<String>) -> String {
    let plain: String = name.chars().map(|c| if c.is_alphanumeric() || c == '_' { c } else { '_' }).collect();
    let plain = if plain.is_empty() { "node".to_owned() } else { plain };
    let mut unique = plain.clone();
    let mut k = 2;
    while !taken.insert(unique.clone()) {
        unique = format!("{plain}_{k}");
        k += 1;
    }
    unique
}
