//! AVX2 implementation of [`Isa`]: two registers of eight values stand for sixteen.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use crate::compute::simd::isa::Isa;
use crate::compute::simd::lanes::{LANES, Lanes};

/// Called through [`super::run`] only.
pub(super) struct Avx2;

// SAFETY, for all of these: the machine has AVX2 (see [`super::run`]), and `Lanes` is 64 bytes aligned to 64.
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
    fn fire(m: [__m256; 2], theta: [__m256; 2], strict: bool) -> (u16, [__m256; 2]) {
        let ([mut fired, mut after], mut bits) = ([m; 2], [0; 2]);
        for k in 0..2 {
            // The comparison itself is the mask: bits that become a mask again would take six instructions more.
            unsafe {
                fired[k] = match strict {
                    true => _mm256_cmp_ps::<_CMP_GT_OQ>(m[k], theta[k]),
                    false => _mm256_cmp_ps::<_CMP_GE_OQ>(m[k], theta[k]),
                };
                after[k] = _mm256_blendv_ps(m[k], _mm256_sub_ps(m[k], theta[k]), fired[k]);
                bits[k] = _mm256_movemask_ps(fired[k]);
            }
        }
        ((bits[0] | bits[1] << 8) as u16, after)
    }
    #[inline(always)]
    fn offsets(bits: u32, base: u16, out: &mut [u16; 32]) -> usize {
        let mut count = 0;
        for (k, byte) in bits.to_le_bytes().into_iter().enumerate() {
            // SAFETY: a byte has at most eight bits, so that at most 8k are in front of the eight values stored here.
            unsafe {
                let base = _mm_set1_epi16(base.wrapping_add(8 * k as u16).cast_signed());
                let places = _mm_add_epi16(places_of(byte), base);
                _mm_storeu_si128(out.as_mut_ptr().add(count).cast(), places);
            }
            count += byte.count_ones() as usize;
        }
        count
    }
    #[inline(always)]
    fn positions(bits: u16, base: u32, out: &mut [u32; LANES]) -> usize {
        let mut count = 0;
        for (k, byte) in bits.to_le_bytes().into_iter().enumerate() {
            // SAFETY: as in `offsets`.
            unsafe {
                let base = _mm256_set1_epi32(base.wrapping_add(8 * k as u32).cast_signed());
                let places = _mm256_add_epi32(_mm256_cvtepu16_epi32(places_of(byte)), base);
                _mm256_storeu_si256(out.as_mut_ptr().add(count).cast(), places);
            }
            count += byte.count_ones() as usize;
        }
        count
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
        if let Some(from) = from.first_chunk() {
            return Self::load_slice(from);
        }
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
        // Stores with a mask take many times as long on AMD's processors.
        if let Some(to) = to.first_chunk_mut() {
            return Self::store_slice(value, to);
        }
        let (first, second) = to.split_at_mut(to.len().min(8));
        // SAFETY: the masks have the values that the slices have; the others are not written.
        unsafe {
            _mm256_maskstore_ps(first.as_mut_ptr(), mask_of(first.len()), value[0]);
            _mm256_maskstore_ps(second.as_mut_ptr(), mask_of(second.len()), value[1]);
        }
    }
}

/// The places of the set bits of every byte, in order, then zeros.
static PLACES: [Places; 256] = {
    let mut all = [Places([0; 8]); 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut place, mut count) = (0, 0);
        while place < 8 {
            if byte >> place & 1 == 1 {
                all[byte].0[count] = place as u16;
                count += 1;
            }
            place += 1;
        }
        byte += 1;
    }
    all
};

#[derive(Clone, Copy)]
#[repr(align(16))]
struct Places([u16; 8]);

/// The places of the set bits of `byte`.
#[inline(always)]
fn places_of(byte: u8) -> __m128i {
    // SAFETY: an entry has 16 bytes and is aligned to 16.
    unsafe { _mm_load_si128(PLACES[usize::from(byte)].0.as_ptr().cast()) }
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
