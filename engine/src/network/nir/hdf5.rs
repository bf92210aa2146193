//! Writes a NIR graph as an HDF5 file.
//!
//! The file has a dataset `version` and a group `node` with type, nodes, edges and metadata.

use std::path::Path;

use hdf5_pure::{FileBuilder, GroupBuilder};

use super::{NirGraph, NirOp, VERSION};
use crate::files::write_bytes;
use crate::network::Weights;
use crate::{Error, Result};

/// Writes `graph` to `path`, atomically.
///
/// # Errors
/// [`Error::Io`] when the operating system refuses; [`Error::Internal`] as [`to_bytes`].
pub fn write(graph: &NirGraph, path: &Path) -> Result<()> {
    write_bytes(path, &to_bytes(graph)?)
}

/// `graph` as the bytes of an HDF5 file.
///
/// # Errors
/// [`Error::Internal`] when a name is invalid in HDF5.
pub fn to_bytes(graph: &NirGraph) -> Result<Vec<u8>> {
    let mut file = FileBuilder::new();
    file.create_dataset("version").with_vlen_strings(&[VERSION]).with_shape(&[]);
    let mut root = file.create_group("node");
    write_text(&mut root, "type", "NIRGraph");
    let mut nodes = root.create_group("nodes");
    for (name, node) in &graph.nodes {
        let mut group = nodes.create_group(name);
        write_text(&mut group, "type", node.kind.as_str());
        write_fields(&mut group, &node.kind);
        write_metadata(&mut group, &node.metadata);
        nodes.add_group(group.finish());
    }
    root.add_group(nodes.finish());
    let ends: Vec<&str> = graph.edges.iter().flat_map(|(a, b)| [a.as_str(), b.as_str()]).collect();
    root.create_dataset("edges").with_vlen_strings(&ends).with_shape(&[graph.edges.len() as u64, 2]);
    write_metadata(&mut root, &graph.metadata);
    file.add_group(root.finish());
    file.finish().map_err(|e| Error::Internal(format!("cannot write the graph as HDF5: {e}")))
}

fn write_fields(group: &mut GroupBuilder, kind: &NirOp) {
    match kind {
        NirOp::Input { shape } | NirOp::Output { shape } => write_usizes(group, "shape", shape),
        NirOp::Affine { weight, bias } => {
            write_floats(group, "weight", weight);
            write_floats(group, "bias", bias);
        }
        NirOp::Linear { weight } => write_floats(group, "weight", weight),
        NirOp::Conv2d { input_shape, weight, bias, stride, padding, dilation, groups } => {
            if let Some(shape) = input_shape {
                write_usizes(group, "input_shape", shape);
            }
            write_floats(group, "weight", weight);
            write_floats(group, "bias", bias);
            write_usizes(group, "stride", stride);
            write_usizes(group, "padding", padding);
            write_usizes(group, "dilation", dilation);
            write_usize(group, "groups", *groups);
        }
        NirOp::Conv1d { input_shape, weight, bias, stride, padding, dilation, groups } => {
            write_floats(group, "weight", weight);
            write_floats(group, "bias", bias);
            let numbers = [input_shape, stride, padding, dilation, groups];
            let names = ["input_shape", "stride", "padding", "dilation", "groups"];
            names.into_iter().zip(numbers).for_each(|(name, number)| write_usize(group, name, *number));
        }
        NirOp::SumPool2d { kernel, stride, padding } | NirOp::AvgPool2d { kernel, stride, padding } => {
            write_usizes(group, "kernel_size", kernel);
            write_usizes(group, "stride", stride);
            write_usizes(group, "padding", padding);
        }
        NirOp::Flatten { input, start, end } => {
            write_usizes(group, "input_type", input);
            group.create_dataset("start_dim").with_i64_data(&[*start]).with_shape(&[]);
            group.create_dataset("end_dim").with_i64_data(&[*end]).with_shape(&[]);
        }
        NirOp::Scale { scale } => write_floats(group, "scale", scale),
        NirOp::If { r, threshold, reset } => {
            write_floats(group, "r", r);
            write_floats(group, "v_threshold", threshold);
            // 0 is the default. It is omitted because version 1.0.4 of the package, which sinabs requires, lacks the field.
            if reset.data.iter().any(|&v| v != 0.0) {
                write_floats(group, "v_reset", reset);
            }
        }
    }
}

fn write_metadata(group: &mut GroupBuilder, entries: &[(String, String)]) {
    if entries.is_empty() {
        return;
    }
    let mut inner = group.create_group("metadata");
    entries.iter().for_each(|(key, value)| write_text(&mut inner, key, value));
    group.add_group(inner.finish());
}

fn write_text(group: &mut GroupBuilder, name: &str, value: &str) {
    group.create_dataset(name).with_vlen_strings(&[value]).with_shape(&[]);
}

fn write_usize(group: &mut GroupBuilder, name: &str, value: usize) {
    group.create_dataset(name).with_i64_data(&[value as i64]).with_shape(&[]);
}

fn write_usizes(group: &mut GroupBuilder, name: &str, values: &[usize]) {
    let values: Vec<i64> = values.iter().map(|&v| v as i64).collect();
    group.create_dataset(name).with_i64_data(&values).with_shape(&[values.len() as u64]);
}

fn write_floats(group: &mut GroupBuilder, name: &str, weights: &Weights) {
    let shape: Vec<u64> = weights.shape.iter().map(|&n| n as u64).collect();
    group.create_dataset(name).with_f32_data(&weights.data).with_shape(&shape);
}
