//! Computation of a network's stateless parts: dense layers on Burn tensors, event-driven kernels, SIMD, backends.

pub mod ann_run;
pub mod backend;
pub mod convolution;
pub mod cross_entropy;
pub mod dense;
pub mod event;
pub mod forward;
pub mod gradient;
pub mod input_gradient;
pub mod linear;
pub mod prepared;
pub mod program;
pub mod simd;
pub(crate) mod storage;
pub mod verify;

pub use ann_run::AnnRun;
pub use backend::Backend;
pub use simd::lanes::Lanes;
pub use simd::simd_name;
