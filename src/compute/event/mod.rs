//! The stateless parts of a network in event form: a spike adds one row of weights, a silent input costs nothing. The dense
//! form of the same parts, on Burn tensors, is [`super::program`].
//!
//! Everything here has the channels innermost: neuron `c·H·W + p` of a `[C, H, W]` layer is bit `p·C + c`, so that the
//! inputs of a window lie side by side and a spike's weights for many output channels are one contiguous row.

pub mod compile;
pub mod event_list;
pub mod gather;
pub mod lookup_table;
mod packing;
pub mod spike_count;
pub mod synapse_plan;
#[cfg(test)]
mod tests;
mod upstream;
pub mod weight_tiles;

pub use compile::compile;
pub use synapse_plan::{Grid, LinearMap, SynapsePlan, Term};
