//! Builds networks from weights alone: state dicts of known families or with an architecture file.
//!
//! A state dict has no graph. The graph comes from an architecture file in the folder of the weights, or from keys and
//! shapes of a known family, one file each. Assumptions are reported as notes.

mod assembler;
pub mod family;
mod file;
mod file_name;
pub mod infer;
mod layer;
mod mlp;
mod outline;
mod qcfs_resnet;
mod qcfs_vgg;
mod recognition;
mod resnet;
mod template;
#[cfg(test)]
mod tests;
mod vgg;

pub use family::DEFAULT_LEVELS;
pub use file::{ArchitectureFile, line_of_layer};
pub(super) use file_name::architecture_file;
pub use infer::{architecture_template, build, channels_of_any_size};
pub use outline::{OutlineLayer, outline};
pub(super) use template::architecture_template as template;
