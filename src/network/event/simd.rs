//! Which instructions kernels run with. A kernel is a plain, safe loop; here it is compiled a second and third time for
//! instruction sets beyond the target's own, and the widest that the machine has is chosen at run time. All forms do the same
//! operations in the same order, multiplication and addition apart, so their results are equal to the last bit.
//!
//! This is the only module with `unsafe` in it: calling a function that was compiled for more than the target promises.
#![allow(unsafe_code)]

/// Work compiled for several instruction sets.
pub trait Kernel {
    /// What it gives.
    type Output;
    /// The work; mark it `#[inline(always)]` so that it takes on the instruction set of its caller.
    fn run(self) -> Self::Output;
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
    kernel.run()
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
}

#[cfg(target_arch = "x86_64")]
fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2")
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Kernel;

    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
    pub fn avx512<K: Kernel>(kernel: K) -> K::Output {
        kernel.run()
    }

    #[target_feature(enable = "avx2")]
    pub fn avx2<K: Kernel>(kernel: K) -> K::Output {
        kernel.run()
    }
}
