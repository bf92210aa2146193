//! NumPy archives (`.npz`) and single arrays (`.npy`) of samples, labels and label maps.
//!
//! `names.rs` finds the arrays, `read.rs` makes samples of them, `labels.rs` their classes, `label_maps.rs` a class for each
//! pixel; `writer.rs` writes archives.

mod archive;
mod label_maps;
mod labels;
mod names;
mod read;
mod writer;

pub use label_maps::place;
pub use label_maps::{LabelMaps, read_label_maps};
pub use read::{find_array, labels_beside, read, read_labels, read_npy, read_npy_samples, read_with};
pub use writer::{NpzData, write_npz, write_npz_with};
