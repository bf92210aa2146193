//! Reads NIR files into the project's own graph. An integrate-and-fire node answers, over many steps, clip(z/θ, 0, 1) of its
//! mean input z: it becomes a scale of 1/θ (folded into the weights before it) and a clip at 1, whose learned threshold is
//! then the neuron's own.

use std::collections::HashMap;
use std::path::Path;

use hdf5_pure::{File, Group};

use super::build::Build;
use crate::network::shape_inference::validate;
use crate::network::{Network, Opened, Weights};
use crate::{Error, Result};

/// Files larger than this are not read.
const MOST_BYTES: u64 = 1 << 30;
/// More values than this in one array are not read.
const MOST_VALUES: u64 = 1 << 28;
/// The most nodes a graph may have.
const MOST_NODES: usize = 1 << 14;

/// Reads the network in the NIR file at `path`, and what has to be known about it.
///
/// # Errors
/// [`Error::Io`] when the file cannot be read, [`Error::File`] with the node when it is no graph that this program runs.
pub fn read(path: &Path) -> Result<Opened> {
    let size = std::fs::metadata(path).map_err(|e| Error::io(path, e))?;
    if size.len() > MOST_BYTES {
        return Err(Error::file(path, "the whole file", "larger than 1 GiB"));
    }
    from_bytes(std::fs::read(path).map_err(|e| Error::io(path, e))?, path)
}

/// Reads a network from the bytes of a file; `path` names it in errors.
///
/// # Errors
/// As [`read`].
pub fn from_bytes(bytes: Vec<u8>, path: &Path) -> Result<Opened> {
    let broken = |e: hdf5_pure::Error| Error::file(path, "the whole file", format!("no readable HDF5 file ({e})"));
    // The reader is young and its input may come from anywhere.
    let read = std::panic::AssertUnwindSafe(|| -> Result<Opened> {
        let file = File::from_bytes(bytes).map_err(broken)?;
        let root = file.group("node").map_err(|_| Error::file(path, "the group 'node'", "is missing: no NIR graph"))?;
        Reader { path }.graph(&root)
    });
    std::panic::catch_unwind(read)
        .unwrap_or_else(|_| Err(Error::file(path, "the whole file", "is damaged: its HDF5 structure makes no sense")))
}

pub(super) struct Reader<'a> {
    path: &'a Path,
}

/// A node of the file before it is placed.
pub(super) struct Item {
    pub(super) name: String,
    pub(super) word: String,
    pub(super) group: Group,
    pub(super) inputs: Vec<usize>,
}

impl Reader<'_> {
    pub(super) fn fail(&self, node: &str, reason: impl Into<String>) -> Error {
        Error::file(self.path, format!("node '{node}'"), reason)
    }

    fn graph(&self, root: &Group) -> Result<Opened> {
        if self.text(root, "the graph", "type")? != "NIRGraph" {
            return Err(Error::file(self.path, "the graph", "is no NIRGraph"));
        }
        let missing = |what: &str| Error::file(self.path, "the graph", format!("has no {what}"));
        let nodes = root.group("nodes").map_err(|_| missing("nodes"))?;
        let names = nodes.groups().map_err(|_| missing("readable nodes"))?;
        if names.len() > MOST_NODES {
            return Err(Error::file(self.path, "the graph", format!("has more than {MOST_NODES} nodes")));
        }
        let mut items = Vec::new();
        for name in names {
            let group = nodes.group(&name).map_err(|e| self.fail(&name, e.to_string()))?;
            let word = self.text(&group, &name, "type")?;
            items.push(Item { name, word, group, inputs: Vec::new() });
        }
        let places: HashMap<String, usize> = items.iter().enumerate().map(|(i, item)| (item.name.clone(), i)).collect();
        for (from, to) in self.edges(root)? {
            let place = |name: &str| {
                places.get(name).copied().ok_or_else(|| {
                    Error::file(self.path, "the edges", format!("name a node '{name}' that is not there"))
                })
            };
            let (from, to) = (place(&from)?, place(&to)?);
            items[to].inputs.push(from);
        }
        let order = self.order(&items)?;
        let mut build = Build { reader: self, nodes: Vec::new(), placed: vec![None; items.len()], notes: Vec::new() };
        let mut output = None;
        for index in order {
            if let Some(id) = build.place(&items, index)? {
                output = Some(id);
            }
        }
        let output = output.ok_or_else(|| Error::file(self.path, "the graph", "has no Output node"))?;
        let name = self.path.file_stem().map_or_else(|| "network".into(), |s| s.to_string_lossy().into_owned());
        let network = Network { name, nodes: build.nodes, output, scaling: None, class_names: Vec::new() };
        validate(&network).map_err(|e| Error::file(self.path, "the graph", e.to_string()))?;
        let mut notes = build.notes;
        if let Ok(metadata) = root.group("metadata") {
            let known = ["T", "v_init", "tie", "reset", "grade"];
            let said =
                known.iter().filter_map(|key| Some(format!("{key} = {}", self.text(&metadata, "metadata", key).ok()?)));
            let said: Vec<String> = said.collect();
            if !said.is_empty() {
                notes.push(format!(
                    "the file was written for {}; set the recipe alike to run it alike",
                    said.join(", ")
                ));
            }
        }
        Ok(Opened { network, notes })
    }

    fn edges(&self, root: &Group) -> Result<Vec<(String, String)>> {
        let broken = |e: String| Error::file(self.path, "the edges", e);
        let edges = root.dataset("edges").map_err(|e| broken(e.to_string()))?;
        let shape = edges.shape().map_err(|e| broken(e.to_string()))?;
        if shape.len() != 2 || shape[1] != 2 || shape[0] > MOST_VALUES {
            return Err(broken(format!("have shape {shape:?}, not [E, 2]")));
        }
        let ends = edges.read_string().map_err(|e| broken(e.to_string()))?;
        Ok(ends.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect())
    }

    /// Every node after all that it reads.
    fn order(&self, items: &[Item]) -> Result<Vec<usize>> {
        let mut waiting: Vec<usize> = items.iter().map(|item| item.inputs.len()).collect();
        let mut readers = vec![Vec::new(); items.len()];
        for (to, item) in items.iter().enumerate() {
            item.inputs.iter().for_each(|&from| readers[from].push(to));
        }
        let mut ready: Vec<usize> = (0..items.len()).filter(|&i| waiting[i] == 0).collect();
        let mut order = Vec::new();
        while let Some(next) = ready.pop() {
            order.push(next);
            for &reader in &readers[next] {
                waiting[reader] -= 1;
                if waiting[reader] == 0 {
                    ready.push(reader);
                }
            }
        }
        match waiting.iter().position(|&n| n > 0) {
            Some(item) => Err(self.fail(&items[item].name, "is part of a loop; recurrent networks are not read")),
            None => Ok(order),
        }
    }

    fn text(&self, group: &Group, node: &str, field: &str) -> Result<String> {
        let text = group.dataset(field).and_then(|data| data.read_string());
        let text = text.map_err(|e| self.fail(node, format!("its '{field}' cannot be read ({e})")))?;
        text.into_iter().next().ok_or_else(|| self.fail(node, format!("its '{field}' is empty")))
    }

    /// Numbers of a field with their shape.
    pub(super) fn numbers(&self, group: &Group, node: &str, field: &str) -> Result<Weights> {
        let broken = |e: String| self.fail(node, format!("its '{field}' cannot be read ({e})"));
        let data = group.dataset(field).map_err(|e| broken(e.to_string()))?;
        let shape = data.shape().map_err(|e| broken(e.to_string()))?;
        let count = shape.iter().try_fold(1u64, |n, &d| n.checked_mul(d)).filter(|&n| n <= MOST_VALUES);
        let count = count.ok_or_else(|| broken(format!("claims {shape:?} values")))?;
        let values = data.read_f32().map_err(|e| broken(e.to_string()))?;
        if values.len() as u64 != count {
            return Err(broken(format!("{} values for shape {shape:?}", values.len())));
        }
        if let Some(at) = values.iter().position(|v| !v.is_finite()) {
            return Err(broken(format!("value {at} is {}, not a finite number", values[at])));
        }
        Ok(Weights::new(shape.iter().map(|&d| d as usize).collect(), values))
    }

    pub(super) fn whole(&self, group: &Group, node: &str, field: &str) -> Result<Vec<usize>> {
        let values = self.numbers(group, node, field)?;
        let one = |&v: &f32| (v.fract() == 0.0 && (0.0..1e7).contains(&v)).then_some(v as usize);
        let all: Option<Vec<usize>> = values.data.iter().map(one).collect();
        all.ok_or_else(|| {
            self.fail(node, format!("its '{field}' is {:?}, no whole numbers of at least 0", values.data))
        })
    }

    /// One number for both sides of a picture, or one for each.
    pub(super) fn pair(&self, group: &Group, node: &str, field: &str) -> Result<[usize; 2]> {
        match self.whole(group, node, field)?[..] {
            [both] => Ok([both; 2]),
            [a, b] => Ok([a, b]),
            ref other => {
                Err(self.fail(node, format!("its '{field}' has {} numbers; one or two are read", other.len())))
            }
        }
    }
}
