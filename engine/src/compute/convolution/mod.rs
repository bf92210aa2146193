//! Convolutions on slices: packed planes, tiles in registers, bias, residual and activation in one pass.
//!
//! [`Geometry`] holds the sizes. [`plan`] chooses the layout of the packed input, its blocks of channels and bands of
//! rows; [`pack`] fills it with shifted copies of the zero-padded planes; [`weights`] holds the weights in the order in
//! which tiles read them; [`tile`] sums in registers; [`epilogue`] is what happens to sums before they are stored;
//! [`side_by_side`] returns to separate images what was computed for several at once. [`Convolution`] puts them together.
//!
//! [`winograd`] has the other form, for 3x3 kernels with stride 1 ([`Convolution::fastest`]).
//!
//! All parts of the direct form work for any kernel size, stride, padding (also asymmetric), dilation and groups. The
//! gradient of the input is a convolution too: its weights flipped and transposed, its padding kH − 1 − top and so on; with
//! a stride one convolution per remainder of the output's row and column, whose kernel has the taps of that remainder. The
//! gradient of the weights can share [`pack`] and the plan's offsets.
//!
//! Results do not depend on threads, on how many images are computed together, or on blocks and bands: in the direct form
//! each output is one chain of fused multiplications and additions over the taps, in their order. AVX-512, AVX2 and NEON
//! give the same bits; other machines round each product (see [`crate::compute::simd::isa::Isa::mul_add`]).

pub mod buffer;
pub mod columns;
pub mod epilogue;
pub mod geometry;
pub mod pack;
pub mod plan;
pub mod prepared;
pub mod side_by_side;
#[cfg(test)]
mod tests;
pub mod tile;
pub mod weights;
pub mod winograd;

pub use epilogue::Epilogue;
pub use geometry::Geometry;
pub use prepared::Convolution;
