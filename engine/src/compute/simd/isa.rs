//! Vector operations that kernels are made of, chosen at run time by instruction set.
//!
//! All instruction sets do the same operations in the same order, with multiplication and addition rounded separately.
//! Results are therefore equal to the last bit. The exception is [`Isa::mul_add`], rounded once: AVX-512, AVX2 and NEON
//! agree to the last bit, plain loops only where the build's target has the instruction.
//!
//! [`Portable`] is the plain implementation that the others are tested against; the instructions of x86-64 are in
//! `x86`.

use super::lanes::{LANE_BITS, LANES, Lanes};

/// Operations on sixteen `f32` lanes.
pub trait Isa {
    /// Sixteen values in registers.
    type V: Copy;
    fn load(from: &Lanes) -> Self::V;
    fn store(value: Self::V, to: &mut Lanes);
    fn splat(value: f32) -> Self::V;
    fn add(a: Self::V, b: Self::V) -> Self::V;
    fn sub(a: Self::V, b: Self::V) -> Self::V;
    fn mul(a: Self::V, b: Self::V) -> Self::V;
    /// `a·b + c`, rounded twice on every machine.
    fn mul_then_add(a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    fn div(a: Self::V, b: Self::V) -> Self::V;
    /// The largest integer not above the value.
    fn floor(a: Self::V) -> Self::V;
    /// `a` where the lane's bit is set, `b` elsewhere.
    fn select(bits: u16, a: Self::V, b: Self::V) -> Self::V;
    /// Vectors that fit in the registers of the processor.
    const REGISTERS: usize;
    /// Sixteen values at any address.
    fn load_slice(from: &[f32; LANES]) -> Self::V;
    fn store_slice(value: Self::V, to: &mut [f32; LANES]);
    /// Every second of 32 values, from the first on.
    fn load_even(from: &[f32; 2 * LANES]) -> Self::V;
    /// `a·b + c`, rounded once where the processor has the instruction. [`Portable`] rounds twice unless the build's
    /// target has it.
    fn mul_add(a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// `a` where `a > b`, `b` elsewhere: a NaN in `b` stays.
    fn max(a: Self::V, b: Self::V) -> Self::V;
    /// `a` where `a < b`, `b` elsewhere: a NaN in `b` stays.
    fn min(a: Self::V, b: Self::V) -> Self::V;
    /// The first sixteen values of `from`, zeros behind its end.
    #[inline(always)]
    fn load_part(from: &[f32]) -> Self::V {
        match from.first_chunk() {
            Some(from) => Self::load_slice(from),
            None => {
                let mut values = [0.0; LANES];
                values[..from.len()].copy_from_slice(from);
                Self::load_slice(&values)
            }
        }
    }
    /// Stores as many of the sixteen values as `to` has room for.
    #[inline(always)]
    fn store_part(value: Self::V, to: &mut [f32]) {
        match to.first_chunk_mut() {
            Some(to) => Self::store_slice(value, to),
            None => {
                let mut values = [0.0; LANES];
                Self::store_slice(value, &mut values);
                to.copy_from_slice(&values[..to.len()]);
            }
        }
    }
    /// The columns of a square of values as rows.
    #[inline(always)]
    fn transpose(rows: [Self::V; LANES]) -> [Self::V; LANES] {
        let mut values = [Lanes::ZERO; LANES];
        values.iter_mut().zip(rows).for_each(|(to, row)| Self::store(row, to));
        std::array::from_fn(|column| Self::load(&Lanes(values.map(|row| row.0[column]))))
    }
    /// Bits of the lanes where `a >= b`.
    fn ge(a: Self::V, b: Self::V) -> u16;
    /// Bits of the lanes where `a > b`.
    fn gt(a: Self::V, b: Self::V) -> u16;
    /// The lanes where `m >= theta` (with `strict`: `m > theta`), and `m − theta` there, `m` elsewhere.
    #[inline(always)]
    fn fire(m: Self::V, theta: Self::V, strict: bool) -> (u16, Self::V) {
        let fired = if strict { Self::gt(m, theta) } else { Self::ge(m, theta) };
        (fired, Self::select(fired, Self::sub(m, theta), m))
    }
    /// Writes `base` plus the index of every set bit, in order, to the front of `out`; the rest of `out` is undefined.
    /// Returns how many there are.
    #[inline(always)]
    fn offsets(bits: u32, base: u16, out: &mut [u16; 32]) -> usize {
        let mut count = 0;
        for place in 0..32 {
            out[count % 32] = base.wrapping_add(place as u16);
            count += (bits >> place & 1) as usize;
        }
        count
    }
    /// Writes `base` plus the index of every set bit, in order, to the front of `out`; the rest of `out` is undefined.
    /// Returns how many there are.
    #[inline(always)]
    fn positions(bits: u16, base: u32, out: &mut [u32; LANES]) -> usize {
        let mut count = 0;
        for place in 0..LANES {
            out[count % LANES] = base + place as u32;
            count += usize::from(bits >> place & 1);
        }
        count
    }
    /// Like [`Isa::positions`], for a whole word.
    #[inline(always)]
    fn positions_of_word(bits: u64, base: u32, out: &mut [u32; WORD]) -> usize {
        let mut count = 0;
        for first in (0..WORD).step_by(LANES) {
            // At most `first` bits came before, so there is room.
            if let Some(out) = out[count..].first_chunk_mut() {
                count += Self::positions((bits >> first) as u16, base + first as u32, out);
            }
        }
        count
    }
}

/// Several vectors side by side. A loop, since closures of array methods are not always compiled for the instruction set
/// of their caller.
#[inline(always)]
pub fn load_all<I: Isa, const N: usize>(from: &[Lanes; N]) -> [I::V; N] {
    let mut values = [I::splat(0.0); N];
    for n in 0..N {
        values[n] = I::load(&from[n]);
    }
    values
}

/// Bits in a word.
pub const WORD: usize = 64;

/// Whether every processor of the build's target multiplies and adds in one instruction; elsewhere `f32::mul_add` is a
/// slow function call.
const FUSED: bool = cfg!(any(target_arch = "aarch64", target_feature = "fma"));

/// Plain loops for any machine.
pub struct Portable;

impl Isa for Portable {
    type V = Lanes;
    const REGISTERS: usize = 8;
    #[inline(always)]
    fn load_slice(from: &[f32; LANES]) -> Lanes {
        Lanes(*from)
    }
    #[inline(always)]
    fn store_slice(value: Lanes, to: &mut [f32; LANES]) {
        *to = value.0;
    }
    #[inline(always)]
    fn load_even(from: &[f32; 2 * LANES]) -> Lanes {
        Lanes(std::array::from_fn(|lane| from[2 * lane]))
    }
    #[inline(always)]
    fn mul_add(a: Lanes, b: Lanes, c: Lanes) -> Lanes {
        if FUSED {
            Lanes(std::array::from_fn(|lane| a.0[lane].mul_add(b.0[lane], c.0[lane])))
        } else {
            Self::mul_then_add(a, b, c)
        }
    }
    #[inline(always)]
    fn max(a: Lanes, b: Lanes) -> Lanes {
        Lanes(std::array::from_fn(|lane| if a.0[lane] > b.0[lane] { a.0[lane] } else { b.0[lane] }))
    }
    #[inline(always)]
    fn min(a: Lanes, b: Lanes) -> Lanes {
        Lanes(std::array::from_fn(|lane| if a.0[lane] < b.0[lane] { a.0[lane] } else { b.0[lane] }))
    }
    #[inline(always)]
    fn load(from: &Lanes) -> Lanes {
        *from
    }
    #[inline(always)]
    fn store(value: Lanes, to: &mut Lanes) {
        *to = value;
    }
    #[inline(always)]
    fn splat(value: f32) -> Lanes {
        Lanes([value; LANES])
    }
    #[inline(always)]
    fn add(a: Lanes, b: Lanes) -> Lanes {
        Lanes(std::array::from_fn(|lane| a.0[lane] + b.0[lane]))
    }
    #[inline(always)]
    fn sub(a: Lanes, b: Lanes) -> Lanes {
        Lanes(std::array::from_fn(|lane| a.0[lane] - b.0[lane]))
    }
    #[inline(always)]
    fn mul(a: Lanes, b: Lanes) -> Lanes {
        Lanes(std::array::from_fn(|lane| a.0[lane] * b.0[lane]))
    }
    #[inline(always)]
    fn mul_then_add(a: Lanes, b: Lanes, c: Lanes) -> Lanes {
        Lanes(std::array::from_fn(|lane| a.0[lane] * b.0[lane] + c.0[lane]))
    }
    #[inline(always)]
    fn div(a: Lanes, b: Lanes) -> Lanes {
        Lanes(std::array::from_fn(|lane| a.0[lane] / b.0[lane]))
    }
    #[inline(always)]
    fn floor(a: Lanes) -> Lanes {
        Lanes(a.0.map(f32::floor))
    }
    #[inline(always)]
    fn select(bits: u16, a: Lanes, b: Lanes) -> Lanes {
        Lanes(std::array::from_fn(|lane| if u32::from(bits) & LANE_BITS[lane] != 0 { a.0[lane] } else { b.0[lane] }))
    }
    #[inline(always)]
    fn ge(a: Lanes, b: Lanes) -> u16 {
        (0..LANES).fold(0, |bits, lane| bits | u16::from(a.0[lane] >= b.0[lane]) << lane)
    }
    #[inline(always)]
    fn gt(a: Lanes, b: Lanes) -> u16 {
        (0..LANES).fold(0, |bits, lane| bits | u16::from(a.0[lane] > b.0[lane]) << lane)
    }
}

/// A function compiled for several instruction sets.
pub trait Kernel {
    /// Its result.
    type Output;
    /// The function body; mark it `#[inline(always)]` so that it is compiled for the instruction set of its caller.
    fn run<I: Isa>(self) -> Self::Output;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::compute::simd::dispatch;

    /// Every operation of an instruction set, applied to the operands.
    struct All([Lanes; 3], u64);

    impl Kernel for All {
        type Output = (Vec<u32>, [u16; 4], [Vec<u32>; 3]);
        #[inline(always)]
        fn run<I: Isa>(self) -> Self::Output {
            let [a, b, c] = self.0.each_ref().map(I::load);
            let results = [
                I::add(a, b),
                I::sub(a, b),
                I::mul(a, b),
                I::mul_then_add(a, b, c),
                I::max(a, b),
                I::min(a, b),
                I::load_slice(&self.0[1].0),
                I::load_even(&std::array::from_fn(|k| self.0[k / LANES].0[k % LANES])),
                I::div(a, b),
                I::floor(a),
                I::select(self.1 as u16, a, b),
                I::splat(self.0[0].0[3]),
                I::fire(a, b, false).1,
                I::fire(a, b, true).1,
            ];
            let numbers = results.into_iter().flat_map(|value| {
                let mut lanes = Lanes::ZERO;
                I::store(value, &mut lanes);
                lanes.0.map(f32::to_bits)
            });
            let mut places = [0; LANES];
            let count = I::positions(self.1 as u16, 7, &mut places);
            let mut places_of_word = [0; WORD];
            let all = I::positions_of_word(self.1, 7, &mut places_of_word);
            let mut offsets = [0; 32];
            let some = I::offsets(self.1 as u32, 7, &mut offsets);
            let offsets = offsets[..some].iter().map(|&at| u32::from(at)).collect();
            let places = [places[..count].to_vec(), places_of_word[..all].to_vec(), offsets];
            (numbers.collect(), [I::ge(a, b), I::gt(a, b), I::fire(a, b, false).0, I::fire(a, b, true).0], places)
        }
    }

    /// `a·b + c` of the operands.
    #[derive(Clone)]
    struct Fused([Lanes; 3]);

    impl Kernel for Fused {
        type Output = [f32; LANES];
        #[inline(always)]
        fn run<I: Isa>(self) -> Self::Output {
            let [a, b, c] = self.0.each_ref().map(I::load);
            let mut out = [0.0; LANES];
            I::store_slice(I::mul_add(a, b, c), &mut out);
            out
        }
    }

    /// Runs `kernel` with every instruction set of x86-64 that the machine has.
    fn on_x86<K: Kernel + Clone>(kernel: &K) -> Vec<K::Output> {
        #[cfg(target_arch = "x86_64")]
        return [
            crate::compute::simd::x86::run(kernel.clone()),
            crate::compute::simd::x86::run_with_avx2(kernel.clone()),
        ]
        .into_iter()
        .flatten()
        .collect();
        #[cfg(not(target_arch = "x86_64"))]
        return Vec::new();
    }

    /// A copy of the first of two slices to the second.
    struct Copy<'a>(&'a [f32], &'a mut [f32]);

    impl Kernel for Copy<'_> {
        type Output = ();
        #[inline(always)]
        fn run<I: Isa>(self) {
            I::store_part(I::load_part(self.0), self.1);
        }
    }

    #[test]
    fn parts_of_any_length_are_copied_and_zeros_behind_them() {
        let values: Vec<f32> = (1..=20).map(|v| v as f32).collect();
        let lengths = (0..=20).flat_map(|from| (0..=20).map(move |to| (from, to)));
        for (from, to) in lengths {
            let want = |k: usize| if k < LANES { values[..from].get(k).copied().unwrap_or(0.0) } else { -1.0 };
            let want: Vec<f32> = (0..to).map(want).collect();
            let mut out = vec![vec![-1.0; to]; 3];
            Copy(&values[..from], &mut out[0]).run::<Portable>();
            dispatch(Copy(&values[..from], &mut out[1]));
            #[cfg(target_arch = "x86_64")]
            if crate::compute::simd::x86::run_with_avx2(Copy(&values[..from], &mut out[2])).is_err() {
                out.pop();
            }
            #[cfg(not(target_arch = "x86_64"))]
            out.pop();
            assert!(out.iter().all(|out| *out == want), "{from} to {to}: {out:?}");
        }
    }

    /// A square of values, transposed.
    #[derive(Clone)]
    struct Square([Lanes; LANES]);

    impl Kernel for Square {
        type Output = [[f32; LANES]; LANES];
        #[inline(always)]
        fn run<I: Isa>(self) -> Self::Output {
            let mut out = [[0.0; LANES]; LANES];
            let columns = I::transpose(self.0.each_ref().map(I::load));
            out.iter_mut().zip(columns).for_each(|(to, column)| I::store_slice(column, to));
            out
        }
    }

    #[test]
    fn transposing_moves_every_value() {
        let square = Square(std::array::from_fn(|i| Lanes(std::array::from_fn(|j| (16 * i + j) as f32))));
        let want: [[f32; LANES]; LANES] = std::array::from_fn(|i| std::array::from_fn(|j| (16 * j + i) as f32));
        assert_eq!(square.clone().run::<Portable>(), want);
        assert!(on_x86(&square).iter().all(|got| *got == want));
    }

    proptest! {
        #[test]
        fn fused_operations_round_once_and_plain_ones_stay_close(values in prop::collection::vec(-4f32..4.0, 48)) {
            let lanes = [0, 1, 2].map(|k| Lanes(std::array::from_fn(|lane| values[k * LANES + lane])));
            let want: [f32; LANES] = std::array::from_fn(|k| lanes[0].0[k].mul_add(lanes[1].0[k], lanes[2].0[k]));
            for got in on_x86(&Fused(lanes)) {
                prop_assert_eq!(got, want);
            }
            for (got, want) in Fused(lanes).run::<Portable>().iter().zip(want) {
                prop_assert!((got - want).abs() <= 2e-6 * 16.0, "{} {}", got, want);
            }
        }

        /// Every operation of every instruction set equals the plain one to the last bit, ties and infinities included.
        #[test]
        fn instruction_sets_agree_with_the_portable_loops(
            values in prop::collection::vec(prop_oneof![-4f32..4.0, Just(0.0), Just(1.0), Just(f32::INFINITY)], 48),
            bits in prop_oneof![any::<u64>(), any::<[u64; 3]>().prop_map(|[a, b, c]| a & b & c)],
        ) {
            let lanes = [0, 1, 2].map(|k| Lanes(std::array::from_fn(|lane| values[k * LANES + lane])));
            let want = All(lanes, bits).run::<Portable>();
            let set = |wide: u32| {
                (0..wide).filter(|place| bits >> place & 1 == 1).map(|place| 7 + place).collect::<Vec<u32>>()
            };
            prop_assert_eq!(&want.2, &[set(16), set(64), set(32)]);
            let clean = |(numbers, masks, places): (Vec<u32>, [u16; 4], [Vec<u32>; 3])| {
                // The sign of a NaN is unspecified.
                let numbers: Vec<u32> = numbers.into_iter().map(|n| if f32::from_bits(n).is_nan() { 0 } else { n }).collect();
                (numbers, masks, places)
            };
            prop_assert_eq!(clean(dispatch(All(lanes, bits))), clean(want.clone()));
            #[cfg(target_arch = "x86_64")]
            if let Ok(narrow) = crate::compute::simd::x86::run_with_avx2(All(lanes, bits)) {
                prop_assert_eq!(clean(narrow), clean(want));
            }
        }
    }
}
