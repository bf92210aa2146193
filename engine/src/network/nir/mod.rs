//! NIR (Neural Intermediate Representation) graphs: the data types, the reader and the HDF5 writer.
//!
//! NIR (Pedersen et al., Nature Communications 2024) stores graphs of spiking networks in HDF5 files, as the Python package
//! `nir` reads and writes them. [`crate::export`] builds the graphs to be written.

mod build;
mod hdf5;
pub mod items;
mod layers;
mod nested;
#[cfg(test)]
mod neuron_tests;
mod neurons;
#[cfg(test)]
mod package_tests;
mod read;
mod scales;
#[cfg(test)]
mod tests;
mod time_step;

pub use hdf5::{to_bytes, write};
pub use read::{from_bytes, from_bytes_with_step, read, read_with_step};

use super::Weights;

/// Version of the written format.
pub const VERSION: &str = "1.0.8";

/// A graph: nodes by name, and edges from name to name. The values of several edges into a node are summed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NirGraph {
    pub nodes: Vec<(String, NirNode)>,
    pub edges: Vec<(String, String)>,
    /// Metadata of the graph: keys and values, as text.
    pub metadata: Vec<(String, String)>,
}

/// A node with its metadata.
#[derive(Clone, Debug, PartialEq)]
pub struct NirNode {
    pub kind: NirOp,
    pub metadata: Vec<(String, String)>,
}

/// The node types that this program reads and writes. Shapes exclude the batch.
#[derive(Clone, Debug, PartialEq)]
pub enum NirOp {
    Input {
        shape: Vec<usize>,
    },
    Output {
        shape: Vec<usize>,
    },
    /// `weight` `[out, in]`, `bias` `[out]`.
    Affine {
        weight: Weights,
        bias: Weights,
    },
    Linear {
        weight: Weights,
    },
    /// `weight` `[C_out, C_in/groups, kH, kW]`, `bias` `[C_out]`; `input_shape` is `[H, W]` of the input image.
    Conv2d {
        input_shape: Option<[usize; 2]>,
        weight: Weights,
        bias: Weights,
        stride: [usize; 2],
        padding: [usize; 2],
        dilation: [usize; 2],
        groups: usize,
    },
    /// `weight` `[C_out, C_in/groups, k]`, `bias` `[C_out]`; `input_shape` is the length of the input.
    Conv1d {
        input_shape: usize,
        weight: Weights,
        bias: Weights,
        stride: usize,
        padding: usize,
        dilation: usize,
        groups: usize,
    },
    SumPool2d {
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
    },
    AvgPool2d {
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
    },
    Flatten {
        input: Vec<usize>,
        start: i64,
        end: i64,
    },
    /// Elementwise factor.
    Scale {
        scale: Weights,
    },
    /// `dv/dt = r·I`; a spike of 1 where v > θ, after which v is set to `v_reset`. All three have the layer's shape.
    If {
        r: Weights,
        threshold: Weights,
        reset: Weights,
    },
}

impl NirOp {
    /// Name of the node type in the file.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Input { .. } => "Input",
            Self::Output { .. } => "Output",
            Self::Affine { .. } => "Affine",
            Self::Linear { .. } => "Linear",
            Self::Conv2d { .. } => "Conv2d",
            Self::Conv1d { .. } => "Conv1d",
            Self::SumPool2d { .. } => "SumPool2d",
            Self::AvgPool2d { .. } => "AvgPool2d",
            Self::Flatten { .. } => "Flatten",
            Self::Scale { .. } => "Scale",
            Self::If { .. } => "IF",
        }
    }
}
