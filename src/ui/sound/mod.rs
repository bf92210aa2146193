//! Spike clicks: plays a click for every spike while the time cursor plays.
//!
//! The neuron is the one in focus, or that of the neuron bench while it is visible. The sound is off by default. A
//! thread of its own talks to the sound server, so that no frame blocks on it.

mod mixer;
pub mod player;
#[cfg(all(unix, not(target_os = "macos")))]
mod pulse;

pub use player::{AudioOutput, Sound, play_passed_spikes};
