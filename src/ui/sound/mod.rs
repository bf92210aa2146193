//! Spikes as clicks, while time plays: those of the neuron in focus, or of the one on the bench where that is in sight.
//! Off until someone turns it on; a thread of its own talks to the sound server, so that no frame ever waits for it.

mod mixer;
pub mod player;
#[cfg(all(unix, not(target_os = "macos")))]
mod pulse;

pub use player::{AudioOutput, Sound, play_passed_spikes};
