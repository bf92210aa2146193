//! Samples and the readers of sample files.
//!
//! Knows nothing of networks, windows or threads.

pub mod bounded_read;
pub mod cifar;
pub mod digits;
pub mod events;
pub mod fetch;
pub mod idx;
pub mod images;
mod npy;
pub mod npz;
pub mod npz_writer;
pub mod samples;
pub mod scaling;
pub mod snn_toolbox;
pub mod spec;
pub mod thumbnail;

pub use bounded_read::check_labels;
pub use npz_writer::{NpzData, write_npz, write_npz_with};
pub use samples::{FrameSequence, Samples};
pub use scaling::Scaling;
pub use spec::DataSpec;
pub use thumbnail::thumbnail_rgba;
