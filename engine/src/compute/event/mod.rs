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
//! # From spikes to sums
//!
//! - `compile.rs` finds the linear maps of spikes that make up a layer's input, and returns them as a [`SynapsePlan`]
//!   (`synapse_plan.rs`). `upstream.rs` walks back from a weight layer to the spiking layers it reads.
//! - `packing.rs` packs the weights of each map as rows of output channels, all kernel columns side by side.
//! - `row_kernel.rs` computes one row of outputs at one step: each input column adds to the outputs of all kernel
//!   columns at once, and sums roll through registers along x. `row_input.rs` reads the spikes under such a row: as
//!   lists of events, or as patterns of eight channels.
//! - `lookup_table.rs`: maps of up to 16 input channels have precomputed sums for every pattern of eight channels. The
//!   table is cached for the next block of samples and the next run. `table_sums.rs` adds its rows.
//! - `weight_tiles.rs`: long weight rows are read in tiles that stay in the near caches, each for many columns at once.
//! - `frame_events.rs`: frames of events are lists of places with events, each adding its rows of weights.
//! - `shortcut.rs` adds spikes without weights, `lateral_pool.rs` pools them.
//! - `spike_count.rs` adds up the spikes of every neuron over time.
//!
//! Which kernel a map uses depends on its shape alone, so that sums are the same in every run.
//!
//! [`super::simd`] has the vector operations of these kernels; `simd/x86` has the instructions and all of the
//! kernels' `unsafe`.
//!
//! A node has no event form if it is, for example, a convolution of a convolution, or a max pool that reads spikes
//! (except with lateral pooling). Such nodes run on Burn tensors ([`super::dense`]). So do layers whose inputs are
//! expected to spike in 80 % of the steps or more ([`crate::convert::DENSE_CROSSOVER_RATE`]). Burn also computes the
//! constant parts, calibration and training. [`crate::simulate::execution_form`] reports the form of each layer.
//! [`super::program::Program::dense_only`] disables event forms: tests compare both.

pub mod compile;
pub mod frame_events;
pub mod lateral_pool;
pub mod lookup_table;
mod packing;
pub mod row_geometry;
pub mod row_input;
pub mod row_kernel;
pub mod shortcut;
pub mod spike_count;
pub mod spike_source;
pub mod synapse_plan;
pub mod table_sums;
#[cfg(test)]
mod tests;
mod upstream;
pub mod weight_tiles;

pub use compile::{compile, compile_frames, depends_on_input};
pub use synapse_plan::{Grid, LinearMap, SynapsePlan, Term};
