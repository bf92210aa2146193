//! Recordings of event cameras as the tonic library stores them, binned into frames.
//!
//! The files are N-MNIST `.bin` files and NumPy arrays of events (`x`, `y`, `t`, `p`). A spiking network receives one
//! frame per time step, repeated from the first; an ANN receives their mean. `formats.rs` parses the files, `columns.rs`
//! and `time.rs` decide what columns and times mean, `binning.rs` makes frames of events, `read.rs` makes samples of frames.

mod binning;
mod columns;
mod formats;
pub mod generator;
pub mod read;
mod summary;
mod time;

pub use binning::{Binning, DEFAULT_FRAMES, FrameTiming, MAX_FRAMES, Polarity};
pub use columns::ColumnOrder;
pub use formats::{events, holds_events};
pub use read::{is_recording, read};
pub use time::{Event, TimeUnit};
