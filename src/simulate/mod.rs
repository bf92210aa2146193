//! Integrate-and-fire dynamics over T steps and what is recorded of them. Knows no window; work is told to stop and
//! tells of its progress through [`Control`].

mod assemble;
mod block;
mod column;
pub mod control;
pub mod correct;
mod currents;
mod events;
pub mod form;
mod layer;
mod memory;
pub mod neuron;
pub mod plan;
pub mod prefix;
pub mod recording;
pub mod reference;
pub mod run;
pub mod signal;
pub mod spike_train;
pub mod trace;
pub mod tune;

pub use control::Control;
pub use memory::predict_bytes;
pub use plan::Plan;
pub use recording::{LayerRecording, Recording, arg_max};
pub use reference::AnnRun;
pub use run::run;
pub use spike_train::SpikeTrain;
