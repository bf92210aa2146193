//! NumPy archives (`.npz`) and single arrays (`.npy`) of samples and labels.
//!
//! `names.rs` finds the arrays, `read.rs` makes samples of them, `labels.rs` their classes.

mod labels;
mod names;
mod read;

pub use read::{find_array, read, read_labels, read_npy, read_npy_samples, read_with};
