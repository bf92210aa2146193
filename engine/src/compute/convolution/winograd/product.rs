//! Products of Winograd's form: at each position of a tile, the sum over input channels.
//!
//! A vector holds sixteen output channels; a value of the transformed input is the same for all of them.
#![expect(clippy::needless_range_loop, reason = "registers are indexed by constants once loops are unrolled")]

use super::tiling::{POSITIONS, TILE, tile_step};
use crate::compute::simd::isa::{Isa, Kernel};
use crate::compute::simd::lanes::LANES;

/// Weights of one block of input and output channels.
type Weights = [[f32; LANES]; LANES];
/// Sixteen channels of all positions of a tile.
type Tile = [[f32; LANES]; POSITIONS];

/// Sums over the input channels of `tiles` tiles.
pub struct Products<'a> {
    /// `[position][block of output channels][input channel][16]`
    pub weights: &'a [f32],
    /// Blocks of input channels, and of output channels.
    pub blocks: [usize; 2],
    /// `[tile][block of input channels][position][16]`, tiles [`tile_step`] apart.
    pub transformed: &'a [f32],
    pub tiles: usize,
    /// `[tile][block of output channels][position][16]`, tiles [`tile_step`] apart.
    pub sums: &'a mut [f32],
}

impl Kernel for Products<'_> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        if I::REGISTERS >= 32 { self.walk::<I, 8, 2>() } else { self.walk::<I, 6, 1>() }
    }
}

impl Products<'_> {
    /// Computes `M` tiles and `N` blocks of output channels at once.
    #[inline(always)]
    fn walk<I: Isa, const M: usize, const N: usize>(self) {
        let Self { weights, blocks: [inputs, outputs], transformed, tiles, sums } = self;
        if let ([1, outputs], 1) = ([inputs, outputs], N) {
            return narrow_tiles::<I, M>(weights, outputs, transformed, tiles, sums);
        }
        let block_len = inputs * LANES * LANES;
        for position in 0..POSITIONS {
            let mut block = 0;
            while block < outputs {
                let weights = &weights[(position * outputs + block) * block_len..];
                let at = At { inputs, outputs, position, block };
                if N > 1 && block + N <= outputs {
                    all_tiles::<I, M, N>(at, weights, transformed, tiles, sums);
                    block += N;
                } else {
                    all_tiles::<I, M, 1>(at, weights, transformed, tiles, sums);
                    block += 1;
                }
            }
        }
    }
}

/// All products for one block of input channels: all positions of a few tiles, whose weights fit in the L1 cache.
#[inline(always)]
fn narrow_tiles<I: Isa, const M: usize>(
    weights: &[f32],
    outputs: usize,
    transformed: &[f32],
    tiles: usize,
    sums: &mut [f32],
) {
    let weights = weights.as_chunks::<LANES>().0.as_chunks::<LANES>().0;
    for block in 0..outputs {
        let mut tile = 0;
        while tile < tiles {
            let weights = weights.iter().skip(block).step_by(outputs);
            let from = &transformed[tile * tile_step(1)..];
            let to = &mut sums[tile * tile_step(outputs) + block * TILE..];
            tile += match tiles - tile {
                left if left >= M => narrow_sums::<I, M>(weights, outputs, from, to),
                4.. => narrow_sums::<I, 4>(weights, outputs, from, to),
                2 | 3 => narrow_sums::<I, 2>(weights, outputs, from, to),
                _ => narrow_sums::<I, 1>(weights, outputs, from, to),
            };
        }
    }
}

/// The first `M` tiles, for one block of output channels; returns their number.
#[inline(always)]
fn narrow_sums<'a, I: Isa, const M: usize>(
    weights: impl Iterator<Item = &'a Weights>,
    outputs: usize,
    from: &[f32],
    to: &mut [f32],
) -> usize {
    let mut tiles: [&Tile; M] = [&[[0.0; LANES]; POSITIONS]; M];
    for (tile, from) in tiles.iter_mut().zip(from.chunks(tile_step(1))) {
        *tile = from.as_chunks().0.first_chunk().unwrap_or(tile);
    }
    let mut to = to.chunks_mut(tile_step(outputs)).map_while(|to| to.as_chunks_mut().0.first_chunk_mut::<POSITIONS>());
    let mut sums: [Option<&mut Tile>; M] = std::array::from_fn(|_| to.next());
    for (position, weights) in weights.enumerate().take(POSITIONS) {
        let mut values = [&[0.0; LANES]; M];
        for m in 0..M {
            values[m] = &tiles[m][position];
        }
        let total = add_channels::<I, M, 1>([[I::splat(0.0)]; M], values, [weights]);
        for m in 0..M {
            if let Some(sums) = &mut sums[m] {
                I::store_slice(total[m][0], &mut sums[position]);
            }
        }
    }
    M
}

/// Position, and first block of output channels, of some products.
#[derive(Clone, Copy)]
struct At {
    inputs: usize,
    outputs: usize,
    position: usize,
    block: usize,
}

/// One position and `N` blocks of all tiles.
#[inline(always)]
fn all_tiles<I: Isa, const M: usize, const N: usize>(
    at: At,
    weights: &[f32],
    transformed: &[f32],
    tiles: usize,
    sums: &mut [f32],
) {
    let mut tile = 0;
    while tile + M <= tiles {
        tile_sums::<I, M, N>(at, weights, transformed, tile, sums);
        tile += M;
    }
    while tile + 4 <= tiles {
        tile_sums::<I, 4, N>(at, weights, transformed, tile, sums);
        tile += 4;
    }
    while tile + 2 <= tiles {
        tile_sums::<I, 2, N>(at, weights, transformed, tile, sums);
        tile += 2;
    }
    if tile < tiles {
        tile_sums::<I, 1, N>(at, weights, transformed, tile, sums);
    }
}

/// One position and `N` blocks of `M` tiles from `tile` on.
#[inline(always)]
fn tile_sums<I: Isa, const M: usize, const N: usize>(
    at: At,
    weights: &[f32],
    transformed: &[f32],
    tile: usize,
    sums: &mut [f32],
) {
    let At { inputs, outputs, position, block } = at;
    let (step, sum_step) = (tile_step(inputs), tile_step(outputs));
    let weights = weights.as_chunks::<LANES>().0.as_chunks::<LANES>().0;
    let mut total = [[I::splat(0.0); N]; M];
    for input in 0..inputs {
        let mut values = [&[0.0; LANES]; M];
        for m in 0..M {
            let start = (tile + m) * step + input * TILE + position * LANES;
            if let Some(from) = transformed.get(start..).and_then(|from| from.first_chunk()) {
                values[m] = from;
            }
        }
        let mut of = [const { &[[0.0; LANES]; LANES] }; N];
        for n in 0..N {
            if let Some(from) = weights.get(n * inputs + input) {
                of[n] = from;
            }
        }
        total = add_channels::<I, M, N>(total, values, of);
    }
    for m in 0..M {
        for n in 0..N {
            let start = (tile + m) * sum_step + (block + n) * TILE + position * LANES;
            if let Some(to) = sums.get_mut(start..).and_then(|to| to.first_chunk_mut()) {
                I::store_slice(total[m][n], to);
            }
        }
    }
}

/// Adds the products of sixteen input channels.
#[inline(always)]
fn add_channels<I: Isa, const M: usize, const N: usize>(
    mut total: [[I::V; N]; M],
    values: [&[f32; LANES]; M],
    weights: [&Weights; N],
) -> [[I::V; N]; M] {
    for c in 0..LANES {
        let mut of = [I::splat(0.0); N];
        for n in 0..N {
            of[n] = I::load_slice(&weights[n][c]);
        }
        for m in 0..M {
            let value = I::splat(values[m][c]);
            for n in 0..N {
                total[m][n] = I::mul_add(value, of[n], total[m][n]);
            }
        }
    }
    total
}
