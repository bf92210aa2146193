//! Samples and the readers of sample files.
//!
//! Knows nothing of networks, windows or threads.

pub mod bounded_read;
pub mod cifar;
pub mod detect;
pub mod digits;
pub mod events;
pub mod fetch;
mod files;
pub mod fit;
pub mod idx;
pub mod images;
pub mod layout;
pub mod note;
mod npy;
pub mod npz;
pub mod options;
pub mod samples;
pub mod scaling;
pub mod scenes;
pub mod snn_toolbox;
pub mod spec;
pub mod thumbnail;

pub use bounded_read::check_labels;
pub use fit::InputForm;
pub use layout::Layout;
pub use note::{Note, OtherChoice};
pub use npz::{NpzData, write_npz, write_npz_with};
pub use samples::targets::{Boxes, Masks, PicturePlace, TargetBox, Targets};
pub use samples::{FrameSequence, LabelSource, OtherLabels, Samples};
pub use scaling::Scaling;
pub use spec::DataSpec;
pub use thumbnail::thumbnail_rgba;
