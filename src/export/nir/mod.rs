//! NIR export of converted networks: graphs for each reader, with grades and the Python that makes it agree.
//!
//! Spikes are 1 in NIR; here a spike carries θ ([`graph()`]).

mod agreement;
pub mod fidelity;
pub mod graph;
mod portable;
mod reader;
mod selection_conv;
mod square_kernel;
mod writer;

pub use graph::{NirExport, graph};
pub use reader::{NirReader, NirTarget, PoolExport};
pub use writer::node_names;
