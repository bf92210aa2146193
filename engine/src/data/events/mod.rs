//! Recordings of event cameras, read as streams and binned into frames.
//!
//! A spiking network receives one frame per time step, repeated from the first; an ANN receives their mean. `formats`
//! parses the files, `columns.rs` and `time.rs` decide what columns and times mean, `binning.rs` has the options,
//! `binner.rs` makes frames of events, `read.rs` makes samples of frames, `export.rs` writes events as a NumPy array.

mod binner;
mod binning;
mod binning_stats;
mod columns;
mod digit_camera;
mod export;
mod formats;
mod frame_plan;
pub mod generator;
pub mod read;
mod summary;
mod time;
mod unit;

pub use binning::{Binning, DEFAULT_FRAMES, FrameTiming, MAX_FRAMES, Polarity};
pub use columns::ColumnOrder;
pub use export::write_npy;
pub use formats::{Recording, events, holds_events, read_recordings};
pub(super) use read::RECORDINGS;
pub use read::{is_recording, read, recordings};
pub use time::TimeUnit;

pub use super::samples::event_source::Event;
