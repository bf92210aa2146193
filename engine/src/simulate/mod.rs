//! Simulation of integrate-and-fire dynamics over T steps, and its recording.
//!
//! Does not depend on the window. Cancellation and progress go through [`crate::progress::JobControl`].
//!
//! # Time is a dimension
//!
//! A layer runs all its steps before the next one starts. `currents.rs` computes the currents of one row of places
//! after the other, for all T, so that the membranes of a row stay in the near cache (`membranes.rs`). A current is
//! integrated as soon as it is complete, and its spike is written to the recording. Dense layers read `[T·B, …]`; a
//! value that does not change over time is stored once (`signal.rs`). `execution_form.rs` reports whether a layer runs
//! on events, tables or dense tensors; the kernels are in [`crate::compute::event`].
//!
//! # A run is split into blocks of samples
//!
//! `block.rs` runs one block through the network and writes its results in place: `recording_builder.rs` allocates the
//! recording and lends each block its samples (`layer_buffers.rs`). `memory.rs` decides how many samples a block has, and estimates the memory of a run.
//!
//! # Spikes are bits
//!
//! The layout is `[T][sample][plane][word]`, channels innermost (`spike_train.rs`). Neurons that emit more than one
//! spike a step have several planes. A shorter T is a prefix, a longer T is appended.
//!
//! Recordings share the layers that a change left as they were. Final potentials, 32 bits for each neuron, stay in the
//! newest run, and in older ones up to 64 MiB (`Recording::without_final_state`, `experiment/cache.rs`). Continuing an
//! older run is rare, and what a pane needs of one sample is computed again. Mean inputs follow from counts and
//! potentials; they are stored where they do not ([`LayerRecording::mean_inputs`]).
//!
//! # Nothing is computed twice
//!
//! `tests/engine/reuse.rs` counts it. `experiment/pipeline.rs` takes networks, data, calibrations and ANN values from
//! the cache. `run.rs` reuses the spikes of layers before the first change and continues from stored potentials.
//! `prefix.rs` computes the state at the time cursor from the recording. `membrane_trace.rs` recomputes a membrane
//! trace for the selected neuron.

mod block;
pub mod correction;
mod current_rows;
mod currents;
mod event_currents;
mod event_frames;
pub mod execution_form;
mod layer;
mod layer_buffers;
pub mod light_calibration;
pub mod membrane_trace;
mod membranes;
mod memory;
pub mod neuron;
pub mod plan;
pub mod prefix;
pub mod recording;
mod recording_builder;
pub mod run;
pub mod signal;
pub mod spike_train;

pub use memory::{block_size, estimate_bytes, recording_bytes};
pub use plan::SimulationPlan;
pub use recording::{LayerRecording, Recording};
pub use recording_builder::held_layers;
pub use run::{simulate, simulate_over};
pub use spike_train::{SampleSpikes, SpikeRows, SpikeTrain};
