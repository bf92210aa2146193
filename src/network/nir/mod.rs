//! NIR, the Neural Intermediate Representation (Pedersen et al., Nature Communications 2024): graphs of spiking networks in
//! HDF5 files, as the Python package `nir` reads and writes them. This is the format and the reader; what is written is
//! built by [`crate::export`].

mod build;
mod hdf5;
pub mod items;
mod read;
#[cfg(test)]
mod tests;

pub use hdf5::{to_bytes, write};
pub use read::{from_bytes, read};

use super::Weights;

/// The version of the format that is written.
pub const VERSION: &str = "1.0.8";

/// A graph: nodes by name, and edges from name to name. Several edges into a node are added up.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NirGraph {
    pub nodes: Vec<(String, NirNode)>,
    pub edges: Vec<(String, String)>,
    /// Texts and numbers beside the graph, as text.
    pub metadata: Vec<(String, String)>,
}

/// A node and what is remembered with it.
#[derive(Clone, Debug, PartialEq)]
pub struct NirNode {
    pub kind: NirOp,
    pub metadata: Vec<(String, String)>,
}

/// The kinds of nodes that this program reads and writes. Shapes leave out the batch.
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
    /// `weight` `[C_out, C_in/groups, kH, kW]`, `bias` `[C_out]`; `input_shape` is that of the picture.
    Conv2d {
        input_shape: Option<[usize; 2]>,
        weight: Weights,
        bias: Weights,
        stride: [usize; 2],
        padding: [usize; 2],
        dilation: [usize; 2],
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
    /// `dv/dt = r·I`; a spike of 1 where v > θ, and v back to `v_reset`. All of the layer's shape.
    If {
        r: Weights,
        threshold: Weights,
        reset: Weights,
    },
}

impl NirOp {
    /// The format's word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Input { .. } => "Input",
            Self::Output { .. } => "Output",
            Self::Affine { .. } => "Affine",
            Self::Linear { .. } => "Linear",
            Self::Conv2d { .. } => "Conv2d",
            Self::SumPool2d { .. } => "SumPool2d",
            Self::AvgPool2d { .. } => "AvgPool2d",
            Self::Flatten { .. } => "Flatten",
            Self::Scale { .. } => "Scale",
            Self::If { .. } => "IF",
        }
    }
}
