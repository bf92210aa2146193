//! AVX-512 implementation of [`Isa`].
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use crate::compute::simd::isa::Isa;
use crate::compute::simd::lanes::{LANES, Lanes};

/// Called through [`super::run`] only.
pub(super) struct Avx512;

// SAFETY, for all of these: the machine has AVX-512 (see [`super::run`]), and `Lanes` is 64 bytes aligned to 64.
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
