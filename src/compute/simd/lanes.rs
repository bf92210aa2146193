//! The unit that kernels work on: 16 numbers side by side, added up by plain loops. [`super::isa`] compiles the loops for
//! each instruction set, so that every machine adds the same numbers in the same order.

/// Numbers in [`Lanes`].
pub const LANES: usize = 16;

/// Sixteen numbers in one cache line.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(align(64))]
pub struct Lanes(pub [f32; LANES]);

impl Lanes {
    /// All zero.
    pub const ZERO: Self = Self([0.0; LANES]);
}

/// The largest number of lanes that a block of output channels spans.
pub const MAX_LANES: usize = 4;

/// The bit of each lane.
pub const LANE_BITS: [u32; LANES] = {
    let mut bits = [0; LANES];
    let mut lane = 0;
    while lane < LANES {
        bits[lane] = 1 << lane;
        lane += 1;
    }
    bits
};
