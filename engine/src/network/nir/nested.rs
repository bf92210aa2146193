//! Flattens nested NIR graphs: the nodes of all graphs by path, with the indices of their inputs.
//!
//! A node `b` of a graph that is node `a` of another is called `a.b`. Edges into a graph lead to its Input node, edges from
//! it come from its Output node; both pass their value on.

use std::collections::{HashMap, HashSet};

use hdf5_pure::Group;

use super::items::{FileNode, MAX_NODES, MAX_VALUES, NodeReader, hdf5_reason};
use super::time_step::stated_dt;
use crate::Result;

/// Maximum number of graphs around a node.
const MAX_DEPTH: usize = 32;
/// Type of the Input and Output nodes of inner graphs, which do nothing.
pub(super) const IDENTITY: &str = "Identity";

/// All nodes of a file, and the edges between them by path.
#[derive(Default)]
pub(super) struct FlatGraph {
    pub items: Vec<FileNode>,
    /// Inner graphs and nodes whose metadata state a time step: what they are, and the value as text.
    pub inner_steps: Vec<(String, String)>,
    /// Number of nodes and graphs so far; a damaged file may link a graph into itself.
    count: usize,
    edges: Vec<(String, String)>,
    /// For every path, the node that edges to it enter and the node that edges from it leave.
    ports: HashMap<String, Ports>,
}

#[derive(Default)]
struct Ports {
    enter: Vec<usize>,
    leave: Vec<usize>,
}

impl FlatGraph {
    /// Reads the graph `root` and all graphs in it.
    ///
    /// # Errors
    /// [`crate::Error::File`] with the node or graph that cannot be read.
    pub fn read(reader: &NodeReader<'_>, root: &Group) -> Result<Self> {
        let mut graph = Self::default();
        graph.add(reader, root, "", 0)?;
        graph.connect(reader)?;
        Ok(graph)
    }

    /// Adds the nodes of `group`, the graph at `path`; returns its own Input and Output nodes.
    fn add(&mut self, reader: &NodeReader<'_>, group: &Group, path: &str, depth: usize) -> Result<Ports> {
        let graph = if path.is_empty() { "the graph".to_owned() } else { format!("graph '{path}'") };
        let fail = |reason: String| crate::Error::file(reader.path, graph.clone(), reason);
        if depth > MAX_DEPTH {
            return Err(fail(format!("is nested more than {MAX_DEPTH} deep")));
        }
        let nodes = group.group("nodes").map_err(|_| fail("has no nodes".into()))?;
        let names = nodes.groups().map_err(|e| fail(format!("has no readable nodes ({})", hdf5_reason(&e))))?;
        let mut own = Ports::default();
        let prefix = if path.is_empty() { String::new() } else { format!("{path}.") };
        for name in names {
            let full = format!("{prefix}{name}");
            self.count += 1;
            if self.count > MAX_NODES {
                return Err(fail(format!("has more than {MAX_NODES} nodes")));
            }
            let node = nodes.group(&name).map_err(|e| reader.fail(&full, hdf5_reason(&e)))?;
            let kind = reader.read_text(&node, &full, "type")?;
            if let Some(dt) = stated_dt(&node) {
                let what = if kind == "NIRGraph" { "graph" } else { "node" };
                self.inner_steps.push((format!("{what} '{full}'"), dt));
            }
            let ports = if kind == "NIRGraph" {
                self.add(reader, &node, &full, depth + 1)?
            } else {
                let index = self.items.len();
                let (is_input, is_output) = (kind == "Input", kind == "Output");
                own.enter.extend(is_input.then_some(index));
                own.leave.extend(is_output.then_some(index));
                // The ports of inner graphs do nothing.
                let kind = if depth > 0 && (is_input || is_output) { IDENTITY.to_owned() } else { kind };
                self.items.push(FileNode { name: full.clone(), kind, group: node, inputs: Vec::new() });
                Ports { enter: vec![index], leave: vec![index] }
            };
            if self.ports.insert(full.clone(), ports).is_some() {
                return Err(reader.fail(&full, "exists twice: as a node with a period in its name and in a graph"));
            }
        }
        let edges = read_edges(reader, group, &graph)?;
        self.edges.extend(edges.into_iter().map(|(from, to)| (format!("{prefix}{from}"), format!("{prefix}{to}"))));
        Ok(own)
    }

    /// Sets the inputs of all nodes.
    fn connect(&mut self, reader: &NodeReader<'_>) -> Result<()> {
        let mut seen = HashSet::new();
        for (from, to) in &self.edges {
            let fail = |reason: String| crate::Error::file(reader.path, "the edges", reason);
            if !seen.insert((from, to)) {
                return Err(fail(format!("name '{from}' to '{to}' twice")));
            }
            let ports = |name: &str| {
                self.ports.get(name).ok_or_else(|| fail(format!("name a node '{name}' that does not exist")))
            };
            let single = |name: &str, found: &[usize], what: &str| match found {
                [one] => Ok(*one),
                found => Err(reader.fail(
                    name,
                    format!("is a graph with {} {what} nodes; graphs with one are supported", found.len()),
                )),
            };
            let from_index = single(from, &ports(from)?.leave, "Output")?;
            let to_index = single(to, &ports(to)?.enter, "Input")?;
            self.items[to_index].inputs.push(from_index);
        }
        Ok(())
    }
}

fn read_edges(reader: &NodeReader<'_>, group: &Group, graph: &str) -> Result<Vec<(String, String)>> {
    let place = if graph == "the graph" { "the edges".to_owned() } else { format!("the edges of {graph}") };
    let broken = |e: String| crate::Error::file(reader.path, place.clone(), e);
    let edges = group.dataset("edges").map_err(|e| broken(format!("cannot be read ({})", hdf5_reason(&e))))?;
    let shape = edges.shape().map_err(|e| broken(format!("cannot be read ({})", hdf5_reason(&e))))?;
    if shape.first() == Some(&0) {
        return Ok(Vec::new());
    }
    if shape.len() != 2 || shape[1] != 2 || shape[0] > MAX_VALUES {
        return Err(broken(format!("have shape {}, not Ex2", crate::error::format_shape(&shape))));
    }
    let ends = edges.read_string().map_err(|e| broken(format!("cannot be read ({})", hdf5_reason(&e))))?;
    Ok(ends.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect())
}
