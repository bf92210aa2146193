//! SIMD dispatch: runs a kernel with the widest vector instructions of the processor.

pub mod isa;
pub mod lanes;
pub mod range;
pub mod transpose;
#[cfg(target_arch = "x86_64")]
pub mod x86;

use isa::{Isa, Kernel, Portable};

/// Runs `kernel` with the widest instructions of this machine.
#[inline]
pub fn dispatch<K: Kernel>(kernel: K) -> K::Output {
    #[cfg(all(test, target_arch = "x86_64"))]
    let kernel = match forced::run(kernel) {
        Ok(output) => return output,
        Err(kernel) => kernel,
    };
    #[cfg(target_arch = "x86_64")]
    let kernel = match x86::run(kernel) {
        Ok(output) => return output,
        Err(kernel) => kernel,
    };
    kernel.run::<Portable>()
}

/// Vectors of sixteen values that fit in the registers of what kernels run with.
pub fn vector_registers() -> usize {
    struct Registers;
    impl Kernel for Registers {
        type Output = usize;
        #[inline(always)]
        fn run<I: Isa>(self) -> usize {
            I::REGISTERS
        }
    }
    dispatch(Registers)
}

/// The name of the instruction set that kernels run with.
pub fn simd_name() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    if let Some(name) = x86::name() {
        return name;
    }
    if cfg!(target_arch = "aarch64") { "NEON" } else { "portable" }
}

/// Lets a test choose the instruction set of what its thread runs.
#[cfg(all(test, target_arch = "x86_64"))]
pub mod forced {
    use std::cell::Cell;

    use super::isa::{Kernel, Portable};
    use super::x86;

    /// An instruction set other than the widest.
    #[derive(Clone, Copy, Debug)]
    pub enum Set {
        Portable,
        Avx2,
    }

    thread_local! {
        static SET: Cell<Option<Set>> = const { Cell::new(None) };
    }

    /// Runs `work` with every kernel of this thread in `set`.
    pub fn with<T>(set: Set, work: impl FnOnce() -> T) -> T {
        SET.set(Some(set));
        let result = work();
        SET.set(None);
        result
    }

    pub fn run<K: Kernel>(kernel: K) -> Result<K::Output, K> {
        match SET.get() {
            Some(Set::Portable) => Ok(kernel.run::<Portable>()),
            Some(Set::Avx2) => x86::run_with_avx2(kernel),
            None => Err(kernel),
        }
    }
}
