//! Sums of a convolution: tiles of output channels and vectors of places whose sums stay in registers over all taps.
//!
//! Each output is one chain of fused multiplications and additions over the taps in their order. It does not depend on
//! the shape of the tile, so results are the same with AVX-512 and AVX2.
#![expect(clippy::needless_range_loop, reason = "registers and lanes are indexed by constants once loops are unrolled")]

use super::epilogue::{ActivateInPlace, Epilogue};
use super::weights::TileRow;
use crate::compute::simd::isa::{Isa, Kernel};
use crate::compute::simd::lanes::{LANES, Lanes};

/// Values that a tile reads from the first of them at most.
pub const MAX_TILE: usize = 8 * LANES;

/// Sums of one row of tiles over the taps of a block.
pub struct Tiles<'a> {
    pub row: &'a TileRow,
    /// `[tap][width]`
    pub weights: &'a [f32],
    /// Offset of every tap in `packed`.
    pub offsets: &'a [u32],
    pub packed: &'a [f32],
    /// Number of places, from the beginning of `packed` and of each channel in `sums`.
    pub places: usize,
    /// Places of a row in `packed`, a multiple of sixteen, and the gap to the next row; any and 0 without gaps.
    pub rows: [usize; 2],
    /// Channel k of the row is `sums[k * step..][..places]`.
    pub sums: &'a mut [f32],
    pub step: usize,
    /// Whether to add to what `sums` holds: the taps of earlier blocks.
    pub continued: bool,
    /// Applied to the sums. Its channels and values begin with those of the row.
    pub epilogue: Epilogue<'a>,
}

impl Kernel for Tiles<'_> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(mut self) {
        if I::REGISTERS >= 32 {
            match self.row.width {
                8 => self.walk::<I, 8, 2, 8, 0>(),
                6 => self.walk::<I, 6, 2, 6, 0>(),
                4 => self.walk::<I, 4, 4, 4, 0>(),
                2 => self.walk::<I, 2, 4, 2, 0>(),
                _ => self.walk::<I, 1, 8, 1, 0>(),
            }
        } else {
            match self.row.width {
                8 => {
                    self.walk::<I, 4, 1, 8, 0>();
                    self.walk::<I, 4, 1, 8, 4>();
                }
                6 => self.walk::<I, 6, 1, 6, 0>(),
                4 => self.walk::<I, 4, 1, 4, 0>(),
                2 => self.walk::<I, 2, 2, 2, 0>(),
                _ => self.walk::<I, 1, 4, 1, 0>(),
            }
        }
        if let Some(activation) = self.epilogue.steps() {
            for values in self.sums.chunks_mut(self.step.max(1)).take(self.row.count) {
                ActivateInPlace { activation, values: &mut values[..self.places] }.run::<I>();
            }
        }
    }
}

impl Tiles<'_> {
    /// Computes channels `FIRST..FIRST + M` of a row of `WIDTH` channels, `N` vectors at once.
    #[inline(always)]
    fn walk<I: Isa, const M: usize, const N: usize, const WIDTH: usize, const FIRST: usize>(&mut self) {
        let mut place = 0;
        while place + (N - 1) * LANES < self.places {
            self.tile::<I, M, N, WIDTH, FIRST>(place);
            place += N * LANES;
        }
        // What is left has fewer vectors.
        match self.places.saturating_sub(place).div_ceil(LANES) {
            0 => {}
            1 => self.tile::<I, M, 1, WIDTH, FIRST>(place),
            2 if N > 2 => self.tile::<I, M, 2, WIDTH, FIRST>(place),
            3 | 4 if N > 4 => self.tile::<I, M, 4, WIDTH, FIRST>(place),
            _ => self.tile::<I, M, N, WIDTH, FIRST>(place),
        }
    }

    #[inline(always)]
    fn tile<I: Isa, const M: usize, const N: usize, const WIDTH: usize, const FIRST: usize>(&mut self, place: usize) {
        let channels = self.row.count.saturating_sub(FIRST).min(M);
        let weights = self.weights.as_chunks::<WIDTH>().0;
        let mut sums = [[I::splat(0.0); N]; M];
        if self.continued {
            let mut before = [[Lanes::ZERO; N]; M];
            for (k, before) in before.iter_mut().enumerate().take(channels) {
                let from = &self.sums[(FIRST + k) * self.step..][..self.places][place..];
                before.iter_mut().flat_map(|lanes| &mut lanes.0).zip(from).for_each(|(to, from)| *to = *from);
            }
            for k in 0..M {
                for n in 0..N {
                    sums[k][n] = I::load(&before[k][n]);
                }
            }
        }
        let [row, gap] = self.rows;
        let start = |n: usize| {
            let place = place + n * LANES;
            if gap == 0 { place } else { place + place / row * gap }
        };
        let from: [&[f32]; N] = std::array::from_fn(|n| self.packed.get(start(n)..).unwrap_or_default());
        let mut sums = accumulate::<I, M, N, WIDTH, FIRST>(sums, weights, self.offsets, from);
        let mut bias = [0.0; M];
        bias.iter_mut().zip(self.epilogue.bias.get(FIRST..).unwrap_or_default()).for_each(|(to, from)| *to = *from);
        for k in 0..M {
            let bias = I::splat(bias[k]);
            for n in 0..N {
                sums[k][n] = I::add(sums[k][n], bias);
            }
        }
        if channels == M && place + N * LANES <= self.places {
            self.store_whole::<I, M, N, FIRST>(sums, place);
        } else {
            let mut stored = [[Lanes::ZERO; N]; M];
            for k in 0..M {
                for n in 0..N {
                    I::store(sums[k][n], &mut stored[k][n]);
                }
            }
            for (k, sums) in stored.iter().enumerate().take(channels) {
                self.store_part::<I>(sums, FIRST + k, place);
            }
        }
    }

    /// Stores a tile all of whose sums are outputs, from registers.
    #[inline(always)]
    fn store_whole<I: Isa, const M: usize, const N: usize, const FIRST: usize>(
        &mut self,
        mut sums: [[I::V; N]; M],
        place: usize,
    ) {
        if let Some(residual) = self.epilogue.residual {
            for k in 0..M {
                let residual = &residual[(FIRST + k) * self.step + place..][..N * LANES];
                for n in 0..N {
                    if let Some(residual) = residual[n * LANES..].first_chunk() {
                        sums[k][n] = I::add(sums[k][n], I::load_slice(residual));
                    }
                }
            }
        }
        let (floor, ceiling) = self.epilogue.limits();
        let (floor, ceiling) = (I::splat(floor), I::splat(ceiling));
        for k in 0..M {
            let to = &mut self.sums[(FIRST + k) * self.step + place..][..N * LANES];
            for n in 0..N {
                if let Some(to) = to[n * LANES..].first_chunk_mut() {
                    I::store_slice(I::min(ceiling, I::max(floor, sums[k][n])), to);
                }
            }
        }
    }

    /// Stores those sums of a channel that are outputs.
    #[inline(always)]
    fn store_part<I: Isa>(&mut self, sums: &[Lanes], channel: usize, place: usize) {
        let part = channel * self.step + place..channel * self.step + self.places;
        let residual = self.epilogue.residual.map(|values| &values[part.clone()]);
        let (floor, ceiling) = self.epilogue.limits();
        let (floor, ceiling) = (I::splat(floor), I::splat(ceiling));
        for (n, (sum, to)) in sums.iter().zip(self.sums[part].chunks_mut(LANES)).enumerate() {
            let mut sum = I::load(sum);
            if let Some(residual) = residual {
                let mut lanes = Lanes::ZERO;
                lanes.0.iter_mut().zip(&residual[n * LANES..]).for_each(|(to, from)| *to = *from);
                sum = I::add(sum, I::load(&lanes));
            }
            let mut lanes = Lanes::ZERO;
            I::store(I::min(ceiling, I::max(floor, sum)), &mut lanes);
            to.copy_from_slice(&lanes.0[..to.len()]);
        }
    }
}

/// `before` and the sum over all taps. Nothing here may keep the compiler from holding the sums in registers: indices
/// are constants once the loops are unrolled, and a tap outside of `packed`, of which there is none, ends the loop
/// instead of panicking.
#[inline(always)]
fn accumulate<I: Isa, const M: usize, const N: usize, const WIDTH: usize, const FIRST: usize>(
    before: [[I::V; N]; M],
    weights: &[[f32; WIDTH]],
    offsets: &[u32],
    packed: [&[f32]; N],
) -> [[I::V; N]; M] {
    let mut sums = before;
    for (weights, &offset) in weights.iter().zip(offsets) {
        let mut values = [I::splat(0.0); N];
        for n in 0..N {
            match packed[n].get(offset as usize..).and_then(|values| values.first_chunk()) {
                Some(chunk) => values[n] = I::load_slice(chunk),
                None => return sums,
            }
        }
        for k in 0..M {
            let weight = I::splat(weights[FIRST + k]);
            for n in 0..N {
                sums[k][n] = I::mul_add(weight, values[n], sums[k][n]);
            }
        }
    }
    sums
}
