//! Memory of a thread that is reused from call to call, aligned to cache lines.

use std::cell::Cell;

use crate::compute::simd::lanes::LANES;

/// Values whose first lies at the beginning of a cache line.
#[derive(Debug, Default)]
pub struct Buffer(Vec<f32>);

impl Buffer {
    /// At least the first `len` values, undefined except that they are numbers.
    pub fn get(&mut self, len: usize) -> &mut [f32] {
        if self.0.len() < len + LANES {
            // Nothing is copied to the new memory.
            self.0 = Vec::new();
            self.0 = vec![0.0; len + LANES];
        }
        let skip = self.0.as_ptr().align_offset(LANES * size_of::<f32>()).min(LANES);
        &mut self.0[skip..skip + len]
    }
}

/// The buffers of a convolution.
#[derive(Debug, Default)]
pub struct Scratch {
    pub packed: Buffer,
    pub sums: Buffer,
    /// Of Winograd's form: padded pixels that are not zero, and outputs of every tile whose window is not.
    pub used: Vec<bool>,
    pub windows: Vec<Windows>,
}

/// Whether the windows of the four outputs of a tile, by rows, hold anything but zeros.
pub type Windows = [bool; 4];

thread_local! {
    static SCRATCH: Cell<Scratch> = Cell::default();
}

/// Calls `work` with the buffers of this thread. A call inside of `work` gets new ones.
pub fn with_scratch<T>(work: impl FnOnce(&mut Scratch) -> T) -> T {
    let mut scratch = SCRATCH.take();
    let result = work(&mut scratch);
    SCRATCH.set(scratch);
    result
}
