//! A converted network as a NIR graph. NIR's neurons send spikes of 1, here a spike carries θ: the θ of the layers before go
//! into the weights that read them, or into a `Scale` where a spike meets no weights.

pub mod fidelity;
pub mod graph;
mod limitations;
mod selection_conv;
mod writer;

pub use graph::graph;
pub use writer::{PoolExport, node_names};
