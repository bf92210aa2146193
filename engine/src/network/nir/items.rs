//! Nodes of a NIR file, and typed readers of their fields.

use std::path::Path;

use hdf5_pure::{Dataset, Datatype, DatatypeByteOrder, Group};

use crate::error::format_shape;
use crate::ground::number_type::NumberType;
use crate::network::Weights;
use crate::{Error, Result};

/// Maximum number of nodes of a file.
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
        let text = text.map_err(|e| self.fail(node, format!("its '{field}' cannot be read ({})", hdf5_reason(&e))))?;
        text.into_iter().next().ok_or_else(|| self.fail(node, format!("its '{field}' is empty")))
    }

    /// The numbers of a field with their shape, all finite.
    pub(super) fn read_floats(&self, group: &Group, node: &str, field: &str) -> Result<Weights> {
        let numbers = self.read_numbers(group, node, field)?;
        match numbers.data.iter().position(|v| !v.is_finite()) {
            Some(at) => Err(self.fail(
                node,
                format!("its '{field}' cannot be read (value {at} is {}, not a finite number)", numbers.data[at]),
            )),
            None => Ok(numbers),
        }
    }

    /// The numbers of a field with their shape; they may be infinite.
    pub(super) fn read_numbers(&self, group: &Group, node: &str, field: &str) -> Result<Weights> {
        let field_error = |e: String| self.fail(node, format!("its '{field}' cannot be read ({e})"));
        let data = group.dataset(field).map_err(|e| field_error(hdf5_reason(&e)))?;
        let shape = data.shape().map_err(|e| field_error(hdf5_reason(&e)))?;
        let count = shape.iter().try_fold(1u64, |n, &d| n.checked_mul(d)).filter(|&n| n <= MAX_VALUES);
        let count = count.ok_or_else(|| field_error(format!("announces {} values", format_shape(&shape))))?;
        let values = match half_precision(&data) {
            Some(values) => values,
            None => data.read_f32().map_err(|e| field_error(hdf5_reason(&e)))?,
        };
        if values.len() as u64 != count {
            return Err(field_error(format!("{} values for shape {}", values.len(), format_shape(&shape))));
        }
        Ok(Weights::new(shape.iter().map(|&d| d as usize).collect(), values))
    }

    /// The integers of a field, which may be negative.
    pub(super) fn read_integers(&self, group: &Group, node: &str, field: &str) -> Result<Vec<i64>> {
        let values = self.read_floats(group, node, field)?;
        let to_integer = |&v: &f32| (v.fract() == 0.0 && v.abs() < 1e7).then_some(v as i64);
        let all: Option<Vec<i64>> = values.data.iter().map(to_integer).collect();
        all.ok_or_else(|| self.fail(node, format!("its '{field}' is {:?}, not integers", values.data)))
    }

    pub(super) fn read_usizes(&self, group: &Group, node: &str, field: &str) -> Result<Vec<usize>> {
        let values = self.read_integers(group, node, field)?;
        let all: Option<Vec<usize>> = values.iter().map(|&v| usize::try_from(v).ok()).collect();
        all.ok_or_else(|| self.fail(node, format!("its '{field}' is {values:?}, not integers of at least 0")))
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

/// Why something in an HDF5 file cannot be read, with what to do where writing the file again helps.
pub(super) fn hdf5_reason(error: &hdf5_pure::Error) -> String {
    const AGAIN: &str = "Write the file again: nir.write(\"new.nir\", nir.read(\"old.nir\"))";
    let text = error.to_string();
    // The address of a soft link in groups of the first version.
    if text.contains(&u64::MAX.to_string()) {
        return format!("it is a link, which is not followed. {AGAIN}");
    }
    if text.contains("path not found") {
        return "it is not in the file, or a link, which is not followed".into();
    }
    let is_limit = ["layout version", "unsupported", "filter", "chunk"].iter().any(|limit| text.contains(limit));
    if is_limit { format!("{text}. {AGAIN}") } else { text }
}

/// The numbers of a little-endian dataset in half precision, which the HDF5 reader does not convert; `None` for others.
fn half_precision(data: &Dataset) -> Option<Vec<f32>> {
    match data.datatype().ok()? {
        Datatype::FloatingPoint { size: 2, byte_order: DatatypeByteOrder::LittleEndian, layout }
            if layout.exponent_size == 5 =>
        {
            data.read_raw().ok().map(|bytes| NumberType::F16.read_all(&bytes))
        }
        _ => None,
    }
}
