//! Nodes of a NIR file, and typed readers of their fields.

use std::path::Path;

use hdf5_pure::Group;

use crate::error::format_shape;
use crate::network::Weights;
use crate::{Error, Result};

/// Maximum number of nodes of a graph.
pub(super) const MAX_NODES: usize = 1 << 14;
/// Maximum number of values of one array.
pub(super) const MAX_VALUES: u64 = 1 << 28;

pub(super) struct NodeReader<'a> {
    pub(super) path: &'a Path,
}

/// A node of the file: name, type, fields, and indices of its inputs.
pub(super) struct FileNode {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) group: Group,
    pub(super) inputs: Vec<usize>,
}

impl NodeReader<'_> {
    pub(super) fn fail(&self, node: &str, reason: impl Into<String>) -> Error {
        Error::file(self.path, format!("node '{node}'"), reason)
    }

    pub(super) fn read_text(&self, group: &Group, node: &str, field: &str) -> Result<String> {
        let text = group.dataset(field).and_then(|data| data.read_string());
        let text = text.map_err(|e| self.fail(node, format!("its '{field}' cannot be read ({e})")))?;
        text.into_iter().next().ok_or_else(|| self.fail(node, format!("its '{field}' is empty")))
    }

    /// The numbers of a field with their shape, all finite.
    pub(super) fn read_floats(&self, group: &Group, node: &str, field: &str) -> Result<Weights> {
        let field_error = |e: String| self.fail(node, format!("its '{field}' cannot be read ({e})"));
        let data = group.dataset(field).map_err(|e| field_error(e.to_string()))?;
        let shape = data.shape().map_err(|e| field_error(e.to_string()))?;
        let count = shape.iter().try_fold(1u64, |n, &d| n.checked_mul(d)).filter(|&n| n <= MAX_VALUES);
        let count = count.ok_or_else(|| field_error(format!("announces {} values", format_shape(&shape))))?;
        let values = data.read_f32().map_err(|e| field_error(e.to_string()))?;
        if values.len() as u64 != count {
            return Err(field_error(format!("{} values for shape {}", values.len(), format_shape(&shape))));
        }
        if let Some(at) = values.iter().position(|v| !v.is_finite()) {
            return Err(field_error(format!("value {at} is {}, not a finite number", values[at])));
        }
        Ok(Weights::new(shape.iter().map(|&d| d as usize).collect(), values))
    }

    pub(super) fn read_usizes(&self, group: &Group, node: &str, field: &str) -> Result<Vec<usize>> {
        let values = self.read_floats(group, node, field)?;
        let to_usize = |&v: &f32| (v.fract() == 0.0 && (0.0..1e7).contains(&v)).then_some(v as usize);
        let all: Option<Vec<usize>> = values.data.iter().map(to_usize).collect();
        all.ok_or_else(|| self.fail(node, format!("its '{field}' is {:?}, not integers of at least 0", values.data)))
    }

    /// `[y, x]` from one number for both, or one for each.
    pub(super) fn read_pair(&self, group: &Group, node: &str, field: &str) -> Result<[usize; 2]> {
        match self.read_usizes(group, node, field)?[..] {
            [both] => Ok([both; 2]),
            [a, b] => Ok([a, b]),
            ref other => {
                Err(self.fail(node, format!("its '{field}' has {} numbers; one or two are supported", other.len())))
            }
        }
    }
}
