//! The stateless parts of a network in event form: a spike adds one row of weights, a silent input costs nothing. The dense
//! form of the same parts, on Burn tensors, is [`super::forward`].
//!
//! Everything here has the channels innermost: neuron `c·H·W + p` of a `[C, H, W]` layer is bit `p·C + c`, so that the
//! inputs of a window lie side by side and a spike's weights for many output channels are one contiguous row.

pub mod compile;
pub mod count;
pub mod cut;
pub mod feed;
pub mod gather;
pub mod lanes;
pub mod list;
mod pack;
pub mod simd;
pub mod table;
#[cfg(test)]
mod tests;
mod view;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use compile::compile;
pub use feed::{Feed, Grid, Map, Term};
pub use lanes::Lanes;
pub use simd::simd_name;
