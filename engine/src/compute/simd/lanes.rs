//! Sixteen `f32` values side by side, the vector type of all kernels.
//!
//! [`super::isa`] compiles the loops over them for each instruction set, so every machine adds the same numbers in the
//! same order.

/// Values in [`Lanes`].
pub const LANES: usize = 16;

/// Sixteen values in one cache line.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(align(64))]
pub struct Lanes(pub [f32; LANES]);

impl Lanes {
    /// All zero.
    pub const ZERO: Self = Self([0.0; LANES]);
}

/// Maximum number of lanes that a block of output channels spans.
pub const MAX_LANES: usize = 4;

/// The bit mask of each lane.
pub const LANE_BITS: [u32; LANES] = {
    let mut bits = [0; LANES];
    let mut lane = 0;
    while lane < LANES {
        bits[lane] = 1 << lane;
        lane += 1;
    }
    bits
};
