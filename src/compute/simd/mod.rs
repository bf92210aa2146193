//! SIMD dispatch: runs a kernel with the widest vector instructions of the processor.

pub mod isa;
pub mod lanes;
#[cfg(target_arch = "x86_64")]
pub mod x86;

use isa::{Kernel, Portable};

/// Runs `kernel` with the widest instructions of this machine.
#[inline]
pub fn dispatch<K: Kernel>(kernel: K) -> K::Output {
    #[cfg(target_arch = "x86_64")]
    let kernel = match x86::run(kernel) {
        Ok(output) => return output,
        Err(kernel) => kernel,
    };
    kernel.run::<Portable>()
}

/// The name of the instruction set that kernels run with.
pub fn simd_name() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    if let Some(name) = x86::name() {
        return name;
    }
    if cfg!(target_arch = "aarch64") { "NEON" } else { "portable" }
}
