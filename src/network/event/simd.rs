//! The instructions that kernels are made of, in the widest form that the machine has, chosen at run time. All forms do the
//! same operations in the same order, multiplication and addition apart, so their results are equal to the last bit;
//! [`Portable`] is the plain twin that the others are tested against.
//!
//! This is the only module with `unsafe` in it: vector instructions, and calling a function that was compiled for more than
//! the target promises.
#![allow(unsafe_code)]

use super::lanes::{BITS, LANES, Lanes};

/// Operations on sixteen numbers side by side.
pub trait Isa {
    /// Sixteen numbers in registers.
    type V: Copy;
    fn load(from: &Lanes) -> Self::V;
    fn store(value: Self::V, to: &mut Lanes);
    fn splat(value: f32) -> Self::V;
    fn add(a: Self::V, b: Self::V) -> Self::V;
    fn sub(a: Self::V, b: Self::V) -> Self::V;
    /// `a·b + c`, rounded twice on every machine.
    fn mul_then_add(a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    fn div(a: Self::V, b: Self::V) -> Self::V;
    /// The next whole number at or below.
    fn floor(a: Self::V) -> Self::V;
    /// `a` where the lane's bit is set, `b` elsewhere.
    fn select(bits: u16, a: Self::V, b: Self::V) -> Self::V;
    /// Bits of the lanes where `a >= b`.
    fn ge(a: Self::V, b: Self::V) -> u16;
    /// Bits of the lanes where `a > b`.
    fn gt(a: Self::V, b: Self::V) -> u16;
    /// `base` plus the place of every set bit, in order, at the front of `out`; the rest of `out` is anything. How many there
    /// are.
    #[inline(always)]
    fn positions(bits: u16, base: u32, out: &mut [u32; LANES]) -> usize {
        let mut count = 0;
        for place in 0..LANES {
            out[count % LANES] = base + place as u32;
            count += usize::from(bits >> place & 1);
        }
        count
    }
    /// The same of a whole word.
    #[inline(always)]
    fn positions_of_word(bits: u64, base: u32, out: &mut [u32; WORD]) -> usize {
        let mut count = 0;
        for first in (0..WORD).step_by(LANES) {
            // What is there is never more than the bits before.
            if let Some(out) = out[count..].first_chunk_mut() {
                count += Self::positions((bits >> first) as u16, base + first as u32, out);
            }
        }
        count
    }
}

/// Numbers that a place of a word is written among.
pub const WORD: usize = 64;

/// Plain loops, for any machine.
pub struct Portable;

impl Isa for Portable {
    type V = Lanes;
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
        Lanes(std::array::from_fn(|lane| if u32::from(bits) & BITS[lane] != 0 { a.0[lane] } else { b.0[lane] }))
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

/// Work compiled for several instruction sets.
pub trait Kernel {
    /// What it gives.
    type Output;
    /// The work; mark it `#[inline(always)]` so that it takes on the instruction set of its caller.
    fn run<I: Isa>(self) -> Self::Output;
}

/// Runs `kernel` with the widest instructions that this machine has.
#[inline]
pub fn dispatch<K: Kernel>(kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    {
        if has_avx512() {
            // SAFETY: the machine has every feature that the function is compiled for.
            return unsafe { x86::avx512(kernel) };
        }
        if has_avx2() {
            // SAFETY: as above.
            return unsafe { x86::avx2(kernel) };
        }
    }
    kernel.run::<Portable>()
}

/// The name of the instruction set that kernels run with.
pub fn simd_name() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        if has_avx512() {
            return "AVX-512";
        }
        if has_avx2() {
            return "AVX2";
        }
    }
    if cfg!(target_arch = "aarch64") { "NEON" } else { "portable" }
}

#[cfg(target_arch = "x86_64")]
fn has_avx512() -> bool {
    // The answers are kept by the standard library: each is one load.
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
        // Not on the oldest machines with AVX-512; those slow down when they use it and do better with AVX2.
        && is_x86_feature_detected!("avx512vbmi2")
        && is_x86_feature_detected!("popcnt")
}

#[cfg(target_arch = "x86_64")]
fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt")
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{Isa, Kernel, Lanes};

    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi2,popcnt")]
    pub fn avx512<K: Kernel>(kernel: K) -> K::Output {
        kernel.run::<Avx512>()
    }

    #[target_feature(enable = "avx2,popcnt")]
    pub fn avx2<K: Kernel>(kernel: K) -> K::Output {
        kernel.run::<Avx2>()
    }

    /// Reached through [`avx512`] only.
    pub struct Avx512;

    // SAFETY, for all of these: the machine has AVX-512 (see `dispatch`), and `Lanes` is 64 bytes aligned to 64.
    impl Isa for Avx512 {
        type V = __m512;
        #[inline(always)]
        fn load(from: &Lanes) -> __m512 {
            unsafe { _mm512_load_ps(from.0.as_ptr()) }
        }
        #[inline(always)]
        fn store(value: __m512, to: &mut Lanes) {
            unsafe { _mm512_store_ps(to.0.as_mut_ptr(), value) }
        }
        #[inline(always)]
        fn splat(value: f32) -> __m512 {
            unsafe { _mm512_set1_ps(value) }
        }
        #[inline(always)]
        fn add(a: __m512, b: __m512) -> __m512 {
            unsafe { _mm512_add_ps(a, b) }
        }
        #[inline(always)]
        fn sub(a: __m512, b: __m512) -> __m512 {
            unsafe { _mm512_sub_ps(a, b) }
        }
        #[inline(always)]
        fn mul_then_add(a: __m512, b: __m512, c: __m512) -> __m512 {
            unsafe { _mm512_add_ps(_mm512_mul_ps(a, b), c) }
        }
        #[inline(always)]
        fn div(a: __m512, b: __m512) -> __m512 {
            unsafe { _mm512_div_ps(a, b) }
        }
        #[inline(always)]
        fn floor(a: __m512) -> __m512 {
            unsafe { _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC }>(a) }
        }
        #[inline(always)]
        fn select(bits: u16, a: __m512, b: __m512) -> __m512 {
            unsafe { _mm512_mask_blend_ps(bits, b, a) }
        }
        #[inline(always)]
        fn ge(a: __m512, b: __m512) -> u16 {
            unsafe { _mm512_cmp_ps_mask::<_CMP_GE_OQ>(a, b) }
        }
        #[inline(always)]
        fn gt(a: __m512, b: __m512) -> u16 {
            unsafe { _mm512_cmp_ps_mask::<_CMP_GT_OQ>(a, b) }
        }
        #[inline(always)]
        fn positions(bits: u16, base: u32, out: &mut [u32; 16]) -> usize {
            unsafe {
                let places = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
                let places = _mm512_add_epi32(places, _mm512_set1_epi32(base as i32));
                _mm512_storeu_epi32(out.as_mut_ptr().cast(), _mm512_maskz_compress_epi32(bits, places));
            }
            bits.count_ones() as usize
        }
        #[inline(always)]
        fn positions_of_word(bits: u64, base: u32, out: &mut [u32; 64]) -> usize {
            /// The places of a word, a byte each.
            static PLACES: [u8; 64] = {
                let mut places = [0; 64];
                let mut place = 0;
                while place < 64 {
                    places[place] = place as u8;
                    place += 1;
                }
                places
            };
            let count = bits.count_ones() as usize;
            unsafe {
                let places = _mm512_maskz_compress_epi8(bits, _mm512_loadu_si512(PLACES.as_ptr().cast()));
                let base = _mm512_set1_epi32(base as i32);
                let mut put = |k: usize, places: __m128i| {
                    let wide = _mm512_add_epi32(_mm512_cvtepu8_epi32(places), base);
                    _mm512_storeu_epi32(out.as_mut_ptr().add(16 * k).cast(), wide);
                };
                put(0, _mm512_extracti32x4_epi32::<0>(places));
                put(1, _mm512_extracti32x4_epi32::<1>(places));
                // Few words have so many.
                if count > 32 {
                    put(2, _mm512_extracti32x4_epi32::<2>(places));
                    put(3, _mm512_extracti32x4_epi32::<3>(places));
                }
            }
            count
        }
    }

    /// Reached through [`avx2`] only.
    pub struct Avx2;

    // SAFETY, for all of these: the machine has AVX2 (see `dispatch`), and `Lanes` is 64 bytes aligned to 64.
    impl Isa for Avx2 {
        type V = [__m256; 2];
        #[inline(always)]
        fn load(from: &Lanes) -> [__m256; 2] {
            unsafe { [_mm256_load_ps(from.0.as_ptr()), _mm256_load_ps(from.0.as_ptr().add(8))] }
        }
        #[inline(always)]
        fn store(value: [__m256; 2], to: &mut Lanes) {
            let to = to.0.as_mut_ptr();
            unsafe {
                _mm256_store_ps(to, value[0]);
                _mm256_store_ps(to.add(8), value[1]);
            }
        }
        #[inline(always)]
        fn splat(value: f32) -> [__m256; 2] {
            unsafe { [_mm256_set1_ps(value); 2] }
        }
        #[inline(always)]
        fn add(a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
            unsafe { [_mm256_add_ps(a[0], b[0]), _mm256_add_ps(a[1], b[1])] }
        }
        #[inline(always)]
        fn sub(a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
            unsafe { [_mm256_sub_ps(a[0], b[0]), _mm256_sub_ps(a[1], b[1])] }
        }
        #[inline(always)]
        fn mul_then_add(a: [__m256; 2], b: [__m256; 2], c: [__m256; 2]) -> [__m256; 2] {
            let one = |k: usize| unsafe { _mm256_add_ps(_mm256_mul_ps(a[k], b[k]), c[k]) };
            [one(0), one(1)]
        }
        #[inline(always)]
        fn div(a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
            unsafe { [_mm256_div_ps(a[0], b[0]), _mm256_div_ps(a[1], b[1])] }
        }
        #[inline(always)]
        fn floor(a: [__m256; 2]) -> [__m256; 2] {
            unsafe { [_mm256_floor_ps(a[0]), _mm256_floor_ps(a[1])] }
        }
        #[inline(always)]
        fn select(bits: u16, a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
            let one = |k: usize| unsafe {
                let lane = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
                let bits = _mm256_set1_epi32(i32::from(bits >> (8 * k)));
                let mask = _mm256_cmpeq_epi32(_mm256_and_si256(bits, lane), lane);
                _mm256_blendv_ps(b[k], a[k], _mm256_castsi256_ps(mask))
            };
            [one(0), one(1)]
        }
        #[inline(always)]
        fn ge(a: [__m256; 2], b: [__m256; 2]) -> u16 {
            let one = |k: usize| unsafe { _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_GE_OQ>(a[k], b[k])) as u16 };
            one(0) | one(1) << 8
        }
        #[inline(always)]
        fn gt(a: [__m256; 2], b: [__m256; 2]) -> u16 {
            let one = |k: usize| unsafe { _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(a[k], b[k])) as u16 };
            one(0) | one(1) << 8
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Everything that an instruction set can do to its operands.
    struct All([Lanes; 3], u64);

    impl Kernel for All {
        type Output = (Vec<u32>, [u16; 2], [Vec<u32>; 2]);
        #[inline(always)]
        fn run<I: Isa>(self) -> Self::Output {
            let [a, b, c] = self.0.each_ref().map(I::load);
            let results = [
                I::add(a, b),
                I::sub(a, b),
                I::mul_then_add(a, b, c),
                I::div(a, b),
                I::floor(a),
                I::select(self.1 as u16, a, b),
                I::splat(self.0[0].0[3]),
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
            let places = [places[..count].to_vec(), places_of_word[..all].to_vec()];
            (numbers.collect(), [I::ge(a, b), I::gt(a, b)], places)
        }
    }

    proptest! {
        /// Every form of every operation is the plain one to the last bit, ties and infinities included.
        #[test]
        fn instruction_sets_agree_with_the_plain_twin(
            values in prop::collection::vec(prop_oneof![-4f32..4.0, Just(0.0), Just(1.0), Just(f32::INFINITY)], 48),
            bits in prop_oneof![any::<u64>(), any::<[u64; 3]>().prop_map(|[a, b, c]| a & b & c)],
        ) {
            let lanes = [0, 1, 2].map(|k| Lanes(std::array::from_fn(|lane| values[k * LANES + lane])));
            let want = All(lanes, bits).run::<Portable>();
            let set = |wide: u32| {
                (0..wide).filter(|place| bits >> place & 1 == 1).map(|place| 7 + place).collect::<Vec<u32>>()
            };
            prop_assert_eq!(&want.2, &[set(16), set(64)]);
            let clean = |(numbers, masks, places): (Vec<u32>, [u16; 2], [Vec<u32>; 2])| {
                // The sign of a NaN is nobody's.
                let numbers: Vec<u32> = numbers.into_iter().map(|n| if f32::from_bits(n).is_nan() { 0 } else { n }).collect();
                (numbers, masks, places)
            };
            prop_assert_eq!(clean(dispatch(All(lanes, bits))), clean(want.clone()));
            #[cfg(target_arch = "x86_64")]
            if has_avx2() {
                prop_assert_eq!(clean(unsafe { x86::avx2(All(lanes, bits)) }), clean(want));
            }
        }
    }
}
