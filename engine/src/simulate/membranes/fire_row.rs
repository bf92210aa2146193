//! A row of sums that fires in passing: each sum is integrated as soon as it is complete.
#![expect(clippy::needless_range_loop, reason = "registers and lanes are indexed by constants once loops are unrolled")]

use super::Membranes;
use crate::compute::event::row_kernel::RowSink;
use crate::compute::event::shortcut::{BlockShortcut, ShortcutRow};
use crate::compute::simd::isa::{Isa, load_all};
use crate::compute::simd::lanes::{LANES, Lanes};
use crate::convert::TieRule;

/// A sink that integrates each sum as soon as it is complete, for neurons that [`Membranes::fires_in_passing`].
pub struct FireRow<'a, I: Isa, const N: usize> {
    /// What outputs have before the spikes, one entry a place.
    base: &'a [[Lanes; N]],
    v: &'a mut [[Lanes; N]],
    theta: [I::V; N],
    strict: bool,
    /// Bits of the step; the next place's first bit and the bits of a place.
    words: &'a mut [u64],
    next: usize,
    channels: usize,
    /// A shortcut that is added last.
    shortcut: Option<ShortcutRow<'a>>,
    amplitude: [I::V; N],
}

impl<'a, I: Isa, const N: usize> FireRow<'a, I, N> {
    /// Integrates `membranes` over sums that start from `base`. The first place's bit in `words` is `first`, and places
    /// are `channels` bits apart. `shortcut` is added last, with its bits at this step and the row of outputs.
    #[inline(always)]
    pub fn new(
        membranes: &'a mut Membranes<N>,
        base: &'a [[Lanes; N]],
        (words, first, channels): (&'a mut [u64], usize, usize),
        shortcut: Option<(&'a BlockShortcut<'a, N>, &'a [u64], usize)>,
    ) -> Self {
        let amplitude = match shortcut {
            Some((shortcut, ..)) => load_all::<I, N>(shortcut.amplitude()),
            None => [I::splat(0.0); N],
        };
        Self {
            base,
            theta: load_all::<I, N>(&membranes.theta),
            strict: membranes.dynamics.tie == TieRule::Gt,
            v: &mut membranes.v,
            words,
            next: first,
            channels,
            shortcut: shortcut.map(|(shortcut, words, y)| shortcut.at_row(words, y)),
            amplitude,
        }
    }
}

impl<I: Isa, const N: usize> RowSink<I, N> for FireRow<'_, I, N> {
    #[inline(always)]
    fn base(&self, x: usize) -> [I::V; N] {
        load_all::<I, N>(&self.base[x])
    }
    #[inline(always)]
    fn put(&mut self, x: usize, mut sum: [I::V; N]) {
        if let Some(shortcut) = &self.shortcut {
            let bits = shortcut.mask(x);
            for n in 0..N {
                sum[n] = I::add(sum[n], I::select((bits >> (n * LANES)) as u16, self.amplitude[n], I::splat(0.0)));
            }
        }
        let v = &mut self.v[x];
        let mut mask = 0;
        for n in 0..N {
            let m = I::add(I::load(&v[n]), sum[n]);
            let (fired, after) = I::fire(m, self.theta[n], self.strict);
            I::store(after, &mut v[n]);
            mask |= u64::from(fired) << (n * LANES);
        }
        or_bits(self.words, self.next, mask);
        self.next += self.channels;
    }
}

/// Sets the bits of `mask` in `words`, from bit `start` on.
#[inline(always)]
pub fn or_bits(words: &mut [u64], start: usize, mask: u64) {
    let (word, shift) = (start / 64, start % 64);
    if let Some(low) = words.get_mut(word) {
        *low |= mask << shift;
    }
    if shift != 0
        && mask >> (64 - shift) != 0
        && let Some(high) = words.get_mut(word + 1)
    {
        *high |= mask >> (64 - shift);
    }
}
