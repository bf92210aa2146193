//! NIR export of converted networks: graphs for each reader, with grades and the Python that makes it agree.
//!
//! Spikes are 1 in NIR; here a spike carries θ ([`graph()`]).

mod agreement;
mod biases;
pub mod fidelity;
pub mod graph;
mod lines;
mod neuron_factors;
mod node_names;
mod node_weights;
mod pools;
mod portable;
mod reader;
mod selection_conv;
mod selections;
mod square_kernel;
mod writer;

pub use graph::{NirExport, graph};
pub use node_names::node_names;
pub use reader::{NirReader, NirTarget, PoolExport};
