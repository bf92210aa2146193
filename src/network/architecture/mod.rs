//! Networks from weights alone. A state dict has no graph: the graph comes from an architecture file beside the weights,
//! or from keys and shapes that belong to a family of networks known here, one file each. What had to be assumed is told.

mod assembler;
pub mod family;
mod file;
pub mod infer;
mod layer;
mod mlp;
mod qcfs_resnet;
mod qcfs_vgg;
mod resnet;
mod template;
#[cfg(test)]
mod tests;
mod vgg;

pub use family::DEFAULT_LEVELS;
pub use file::ArchitectureFile;
pub use infer::{architecture_template, build};
