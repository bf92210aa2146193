//! AVX-512 and AVX2 implementations of [`Isa`](super::isa::Isa), run only if the processor has them.
//!
//! These are the only kernel modules with `unsafe`: for the instructions, and for calls of functions compiled for more
//! than the target's baseline.
#![allow(unsafe_code)]

mod avx2;
mod avx512;

use self::avx2::Avx2;
use self::avx512::Avx512;
use super::isa::Kernel;

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
