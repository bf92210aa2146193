//! Back through the network node by node, each node by a rule: guided gradients, DeepLIFT, LRP, Grad-CAM.
//!
//! [`node_maps`] is the network with each node's function and its transposed one; [`values`] are the values of all nodes
//! for some samples. A spiking network has its recorded rates in place of the activations.

pub mod deeplift;
pub mod grad_cam;
pub mod guided;
pub mod lrp;
pub mod max_pool;
pub mod node_maps;
pub mod sweep;
pub mod values;

pub use node_maps::NodeMaps;
pub use values::Values;
