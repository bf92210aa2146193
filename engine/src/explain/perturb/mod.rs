//! Methods that only ask the network for answers to changed samples: they need no gradient, and no spike needs one.

pub mod ablation;
pub mod kernel_shap;
pub mod lime;
pub mod occlusion;
pub mod permutation;
pub mod queries;
pub mod shapley;
pub mod solve;

pub use queries::Queries;
