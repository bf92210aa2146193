//! AVX-512 and AVX2 implementations of [`Isa`], run only if the processor has them.
//!
//! This is the only kernel module with `unsafe`: for the instructions, and for calls of functions compiled for more
//! than the target's baseline.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::isa::{Isa, Kernel};
use super::lanes::{LANES, Lanes};

/// Runs `kernel` with the widest of these instruction sets that the machine has.
///
/// # Errors
/// Returns the kernel unchanged if the machine has none of them.
#[inline]
pub fn run<K: Kernel>(kernel: K) -> Result<K::Output, K> {
    if has_avx512() {
        // SAFETY: the machine has every feature that the function is compiled for.
        return Ok(unsafe { avx512(kernel) });
    }
    run_with_avx2(kernel)
}

/// Like [`run`], with AVX2 at most.
#[inline]
pub fn run_with_avx2<K: Kernel>(kernel: K) -> Result<K::Output, K> {
    if has_avx2() {
        // SAFETY: the machine has every feature that the function is compiled for.
        return Ok(unsafe { avx2(kernel) });
    }
    Err(kernel)
}

/// The name of the instruction set that [`run`] uses.
pub fn name() -> Option<&'static str> {
    if has_avx512() {
        return Some("AVX-512");
    }
    has_avx2().then_some("AVX2")
}

fn has_avx512() -> bool {
    // The standard library caches the results: each is one load.
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
        // Excludes the oldest machines with AVX-512: they lower their clock for it and are faster with AVX2.
        && is_x86_feature_detected!("avx512vbmi2")
        && is_x86_feature_detected!("popcnt")
}

fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") && is_x86_feature_detected!("popcnt")
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi2,popcnt")]
fn avx512<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<Avx512>()
}

#[target_feature(enable = "avx2,fma,popcnt")]
fn avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<Avx2>()
}

/// Called through [`avx512`] only.
struct Avx512;

// SAFETY, for all of these: the machine has AVX-512 (see [`run`]), and `Lanes` is 64 bytes aligned to 64.
impl Isa for Avx512 {
    type V = __m512;
    const REGISTERS: usize = 32;
    #[inline(always)]
    fn load_slice(from: &[f32; LANES]) -> __m512 {
        unsafe { _mm512_loadu_ps(from.as_ptr()) }
    }
    #[inline(always)]
    fn store_slice(value: __m512, to: &mut [f32; LANES]) {
        unsafe { _mm512_storeu_ps(to.as_mut_ptr(), value) }
    }
    #[inline(always)]
    fn load_even(from: &[f32; 2 * LANES]) -> __m512 {
        unsafe {
            let places = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
            let [low, high] = [_mm512_loadu_ps(from.as_ptr()), _mm512_loadu_ps(from.as_ptr().add(LANES))];
            _mm512_permutex2var_ps(low, places, high)
        }
    }
    #[inline(always)]
    fn mul_add(a: __m512, b: __m512, c: __m512) -> __m512 {
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    fn max(a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_max_ps(a, b) }
    }
    #[inline(always)]
    fn min(a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_min_ps(a, b) }
    }
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
    fn mul(a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_mul_ps(a, b) }
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
    fn offsets(bits: u32, base: u16, out: &mut [u16; 32]) -> usize {
        static PLACES: [u16; 32] = {
            let mut places = [0; 32];
            let mut place = 0;
            while place < 32 {
                places[place] = place as u16;
                place += 1;
            }
            places
        };
        unsafe {
            let places = _mm512_add_epi16(_mm512_loadu_si512(PLACES.as_ptr().cast()), _mm512_set1_epi16(base as i16));
            let places = _mm512_maskz_compress_epi16(bits, places);
            let out: *mut u16 = out.as_mut_ptr();
            // A store of half the size crosses fewer cache lines, and more bits are rare.
            _mm256_storeu_si256(out.cast(), _mm512_castsi512_si256(places));
            if bits.count_ones() > 16 {
                _mm256_storeu_si256(out.add(16).cast(), _mm512_extracti64x4_epi64::<1>(places));
            }
        }
        bits.count_ones() as usize
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
        /// The bit positions of a word, a byte each.
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
            let mut store_part = |k: usize, places: __m128i| {
                let wide = _mm512_add_epi32(_mm512_cvtepu8_epi32(places), base);
                _mm512_storeu_epi32(out.as_mut_ptr().add(16 * k).cast(), wide);
            };
            store_part(0, _mm512_extracti32x4_epi32::<0>(places));
            store_part(1, _mm512_extracti32x4_epi32::<1>(places));
            // Few words have so many set bits.
            if count > 32 {
                store_part(2, _mm512_extracti32x4_epi32::<2>(places));
                store_part(3, _mm512_extracti32x4_epi32::<3>(places));
            }
        }
        count
    }
    #[inline(always)]
    fn transpose(r: [__m512; 16]) -> [__m512; 16] {
        unsafe {
            let mut t = r;
            // pairs of rows
            for i in 0..8 {
                t[2 * i] = _mm512_unpacklo_ps(r[2 * i], r[2 * i + 1]);
                t[2 * i + 1] = _mm512_unpackhi_ps(r[2 * i], r[2 * i + 1]);
            }
            let mut u = t;
            for i in 0..4 {
                let d = |v| _mm512_castps_pd(v);
                let f = |v| _mm512_castpd_ps(v);
                u[4 * i] = f(_mm512_unpacklo_pd(d(t[4 * i]), d(t[4 * i + 2])));
                u[4 * i + 1] = f(_mm512_unpackhi_pd(d(t[4 * i]), d(t[4 * i + 2])));
                u[4 * i + 2] = f(_mm512_unpacklo_pd(d(t[4 * i + 1]), d(t[4 * i + 3])));
                u[4 * i + 3] = f(_mm512_unpackhi_pd(d(t[4 * i + 1]), d(t[4 * i + 3])));
            }
            // u[4i+j]: column j + 4*block of rows 4i..4i+4, blocks in 128-bit lanes
            let mut o = u;
            for j in 0..4 {
                let (a, b, c, d) = (u[j], u[4 + j], u[8 + j], u[12 + j]);
                let ab = _mm512_shuffle_f32x4::<0x88>(a, b);
                let cd = _mm512_shuffle_f32x4::<0x88>(c, d);
                let ab2 = _mm512_shuffle_f32x4::<0xdd>(a, b);
                let cd2 = _mm512_shuffle_f32x4::<0xdd>(c, d);
                o[j] = _mm512_shuffle_f32x4::<0x88>(ab, cd);
                o[8 + j] = _mm512_shuffle_f32x4::<0xdd>(ab, cd);
                o[4 + j] = _mm512_shuffle_f32x4::<0x88>(ab2, cd2);
                o[12 + j] = _mm512_shuffle_f32x4::<0xdd>(ab2, cd2);
            }
            o
        }
    }
    #[inline(always)]
    fn load_part(from: &[f32]) -> __m512 {
        let mask = (1u32 << from.len().min(16)).wrapping_sub(1) as __mmask16;
        // SAFETY: the mask has the values that `from` has; the others are not read.
        unsafe { _mm512_maskz_loadu_ps(mask, from.as_ptr()) }
    }
    #[inline(always)]
    fn store_part(value: __m512, to: &mut [f32]) {
        let mask = (1u32 << to.len().min(16)).wrapping_sub(1) as __mmask16;
        // SAFETY: the mask has the values that `to` has; the others are not written.
        unsafe { _mm512_mask_storeu_ps(to.as_mut_ptr(), mask, value) }
    }
}

/// Called through [`avx2`] only.
struct Avx2;

// SAFETY, for all of these: the machine has AVX2 (see [`run`]), and `Lanes` is 64 bytes aligned to 64.
impl Isa for Avx2 {
    type V = [__m256; 2];
    const REGISTERS: usize = 8;
    #[inline(always)]
    fn load_slice(from: &[f32; LANES]) -> [__m256; 2] {
        unsafe { [_mm256_loadu_ps(from.as_ptr()), _mm256_loadu_ps(from.as_ptr().add(8))] }
    }
    #[inline(always)]
    fn store_slice(value: [__m256; 2], to: &mut [f32; LANES]) {
        let to = to.as_mut_ptr();
        unsafe {
            _mm256_storeu_ps(to, value[0]);
            _mm256_storeu_ps(to.add(8), value[1]);
        }
    }
    #[inline(always)]
    fn load_even(from: &[f32; 2 * LANES]) -> [__m256; 2] {
        let half = |k: usize| unsafe {
            let (low, high) = (_mm256_loadu_ps(from.as_ptr().add(k)), _mm256_loadu_ps(from.as_ptr().add(k + 8)));
            // Even lanes of both, in pairs, then the pairs in order.
            let even = _mm256_castps_pd(_mm256_shuffle_ps::<0b10_00_10_00>(low, high));
            _mm256_castpd_ps(_mm256_permute4x64_pd::<0b11_01_10_00>(even))
        };
        [half(0), half(16)]
    }
    #[inline(always)]
    fn mul_add(a: [__m256; 2], b: [__m256; 2], c: [__m256; 2]) -> [__m256; 2] {
        unsafe { [_mm256_fmadd_ps(a[0], b[0], c[0]), _mm256_fmadd_ps(a[1], b[1], c[1])] }
    }
    #[inline(always)]
    fn max(a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        unsafe { [_mm256_max_ps(a[0], b[0]), _mm256_max_ps(a[1], b[1])] }
    }
    #[inline(always)]
    fn min(a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        unsafe { [_mm256_min_ps(a[0], b[0]), _mm256_min_ps(a[1], b[1])] }
    }
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
    fn mul(a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        unsafe { [_mm256_mul_ps(a[0], b[0]), _mm256_mul_ps(a[1], b[1])] }
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
    #[inline(always)]
    fn transpose(r: [[__m256; 2]; 16]) -> [[__m256; 2]; 16] {
        let mut o = r;
        for (i, k) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let mut b = [r[0][0]; 8];
            for j in 0..8 {
                b[j] = r[8 * i + j][k];
            }
            let b = transpose8(b);
            for j in 0..8 {
                o[8 * k + j][i] = b[j];
            }
        }
        o
    }
    #[inline(always)]
    fn load_part(from: &[f32]) -> [__m256; 2] {
        let second = &from[from.len().min(8)..];
        // SAFETY: the masks have the values that the slices have; the others are not read.
        unsafe {
            [
                _mm256_maskload_ps(from.as_ptr(), mask_of(from.len())),
                _mm256_maskload_ps(second.as_ptr(), mask_of(second.len())),
            ]
        }
    }
    #[inline(always)]
    fn store_part(value: [__m256; 2], to: &mut [f32]) {
        let (first, second) = to.split_at_mut(to.len().min(8));
        // SAFETY: the masks have the values that the slices have; the others are not written.
        unsafe {
            _mm256_maskstore_ps(first.as_mut_ptr(), mask_of(first.len()), value[0]);
            _mm256_maskstore_ps(second.as_mut_ptr(), mask_of(second.len()), value[1]);
        }
    }
}

/// [`Isa::transpose`] of eight rows of eight.
#[inline(always)]
fn transpose8(r: [__m256; 8]) -> [__m256; 8] {
    unsafe {
        let mut t = r;
        for i in 0..4 {
            t[2 * i] = _mm256_unpacklo_ps(r[2 * i], r[2 * i + 1]);
            t[2 * i + 1] = _mm256_unpackhi_ps(r[2 * i], r[2 * i + 1]);
        }
        let mut u = t;
        for i in 0..2 {
            let (a, b, c, d) = (
                _mm256_castps_pd(t[4 * i]),
                _mm256_castps_pd(t[4 * i + 2]),
                _mm256_castps_pd(t[4 * i + 1]),
                _mm256_castps_pd(t[4 * i + 3]),
            );
            u[4 * i] = _mm256_castpd_ps(_mm256_unpacklo_pd(a, b));
            u[4 * i + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(a, b));
            u[4 * i + 2] = _mm256_castpd_ps(_mm256_unpacklo_pd(c, d));
            u[4 * i + 3] = _mm256_castpd_ps(_mm256_unpackhi_pd(c, d));
        }
        let mut o = u;
        for j in 0..4 {
            o[j] = _mm256_permute2f128_ps::<0x20>(u[j], u[4 + j]);
            o[4 + j] = _mm256_permute2f128_ps::<0x31>(u[j], u[4 + j]);
        }
        o
    }
}

/// The first `count` of eight lanes.
#[inline(always)]
fn mask_of(count: usize) -> __m256i {
    // SAFETY: the machine has AVX2: called from [`Avx2`] only.
    unsafe {
        let lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        _mm256_cmpgt_epi32(_mm256_set1_epi32(count.min(8) as i32), lanes)
    }
}
