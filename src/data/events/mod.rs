//! Recordings of event cameras as tonic stores them: N-MNIST `.bin` files and numpy arrays of events (`x`, `y`, `t`, `p`).
//! They are spikes over time: each is binned into frames, and a spiking network sees one frame a step, over and over. Their
//! mean is what an ANN sees. `files.rs` reads them, `binning.rs` says how they become frames.

mod binning;
mod formats;
pub mod read;

pub use binning::{Binning, DEFAULT_FRAMES, FrameTiming, MAX_FRAMES, Polarity};
pub use formats::{Event, events};
pub use read::{is_recording, read};
