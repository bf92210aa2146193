//! Event-driven kernels: a spike adds one row of weights, a silent input costs nothing.
//!
//! They compute the stateless parts of a network from spikes. The dense form of the same parts, on Burn tensors, is
//! [`super::program`] with [`super::dense`].
//!
//! # Layout
//!
//! Channels are innermost: neuron `c·H·W + p` of a `[C, H, W]` layer is bit `p·C + c`. The inputs of a window then lie
//! side by side, and a spike's weights for many output channels are one contiguous row.
//!
//! # Two forms of one network
//!
//! - `compile.rs` finds the linear maps of spikes that make up a layer's input, and returns them as a [`SynapsePlan`]
//!   (`synapse_plan.rs`). `upstream.rs` walks back from a weight layer to the spiking layers it reads.
//! - `packing.rs` packs the weights of each map as rows of output channels.
//! - `event_list.rs` lists the inputs that the windows of one row of outputs read, so that the events of a window lie
//!   side by side. `gather.rs` adds their weight rows.
//! - `lookup_table.rs`: maps of up to 16 input channels have precomputed sums for every pattern of eight channels. The
//!   table is cached for the next block of samples and the next run.
//! - `weight_tiles.rs`: long weight rows are read in tiles that stay in the near caches, each for many columns at once.
//! - `spike_count.rs` adds up the spikes of every neuron over time.
//!
//! [`super::simd`] has the vector operations of these kernels; `simd/x86.rs` has the instructions and all of the
//! kernels' `unsafe`.
//!
//! A node has no event form if it is, for example, a convolution of a convolution, or a max pool that reads spikes
//! (except with lateral pooling). Such nodes run on Burn tensors ([`super::dense`]). So do layers whose inputs are
//! expected to spike in 80 % of the steps or more ([`crate::convert::DENSE_CROSSOVER_RATE`]). Burn also computes the
//! constant parts, calibration and training. [`crate::simulate::execution_form`] reports the form of each layer.
//! [`super::program::Program::dense_only`] disables event forms: tests compare both.

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
