//! Neural networks: the graph of layers, its outputs, and the readers of network files.
//!
//! Weights are plain numbers here; [`compute`](crate::compute) puts them on a Burn device and runs them. Knows no window,
//! no thread and no file dialog.

pub mod architecture;
pub mod architecture_draft;
mod batch_norm;
mod chosen_output;
mod file_kind;
pub mod graph;
pub mod left_open;
pub mod nir;
pub(crate) mod node_elements;
pub mod onnx;
pub mod open;
pub mod outputs;
mod parametrization;
pub mod pytorch;
pub mod safetensors;
pub mod score_map;
pub mod shape_inference;
pub mod state_dict;
mod weight_entries;
pub mod zoo;

pub use graph::{Activation, Network, Node, NodeId, Op, OpenedNetwork, TrainedNeurons, Weights};
pub use open::{OpenOptions, open, open_with, open_with_notes};
pub use outputs::{argmax, predicted_class};
