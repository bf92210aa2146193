//! NIR export of converted networks: graph, fidelity report and limitations of the format.
//!
//! Spikes are 1 in NIR; here a spike carries θ ([`graph()`]).

pub mod fidelity;
pub mod graph;
mod limitations;
mod selection_conv;
mod writer;

pub use graph::graph;
pub use writer::{PoolExport, node_names};
