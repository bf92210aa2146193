//! Integrate-and-fire dynamics over T steps and what is recorded of them. Knows no window; work is told to stop and
//! tells of its progress through [`Control`].

mod block;
mod column;
pub mod correction;
mod currents;
mod event_currents;
pub mod execution_form;
mod layer;
pub mod light_calibration;
pub mod membrane_trace;
mod memory;
pub mod neuron;
pub mod plan;
pub mod prefix;
pub mod recording;
mod recording_builder;
pub mod run;
pub mod signal;
pub mod spike_train;

pub use memory::estimate_bytes;
pub use plan::SimulationPlan;
pub use recording::{LayerRecording, Recording};
pub use run::simulate;
pub use spike_train::SpikeTrain;
