//! Burn backends for dense layers, and the device of each.
//!
//! Not every build and not every machine has all of them. Selecting a missing one is an error that says what to do.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// A Burn backend for the dense layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Backend {
    /// burn-flex
    #[default]
    Flex,
    /// burn-ndarray: a second implementation of all operations but convolutions, which are our own on both
    Ndarray,
    /// burn-wgpu: a graphics card. Built in by the cargo feature `wgpu` only.
    Wgpu,
}

impl Backend {
    /// Every backend, with its name on the command line.
    pub const ALL: [(&'static str, Self); 3] = [("flex", Self::Flex), ("ndarray", Self::Ndarray), ("wgpu", Self::Wgpu)];

    /// Whether this build contains the backend.
    pub fn built_in(self) -> bool {
        self != Self::Wgpu || cfg!(feature = "wgpu")
    }

    /// The Burn device of this backend.
    ///
    /// # Errors
    /// [`Error::Invalid`], with what to do, if this build lacks the backend or this machine has no device for it.
    pub fn device(self) -> Result<burn::tensor::Device> {
        match self {
            Self::Flex => Ok(burn::tensor::Device::flex()),
            #[expect(deprecated, reason = "selectable; burn-flex is recommended by its maintainers")]
            Self::Ndarray => Ok(burn::tensor::Device::ndarray()),
            Self::Wgpu => gpu_device().map_err(Error::Invalid),
        }
    }
}

/// What the user can do if this build lacks the wgpu backend.
pub const WGPU_HELP: &str = "Cannot use backend wgpu: not included in this build. Build with `cargo build --release --features wgpu`, or use \
     the backend flex.";

#[cfg(not(feature = "wgpu"))]
fn gpu_device() -> Result<burn::tensor::Device, String> {
    Err(WGPU_HELP.to_owned())
}

/// The graphics card, opened once: wgpu's runtime cannot be initialized a second time.
#[cfg(feature = "wgpu")]
fn gpu_device() -> Result<burn::tensor::Device, String> {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::OnceLock;

    static CARD: OnceLock<Result<burn::tensor::Device, String>> = OnceLock::new();
    let open = || match catch_unwind(AssertUnwindSafe(|| burn::tensor::Device::wgpu_options().init())) {
        Ok(Ok(device)) => Ok(device),
        Ok(Err(reason)) => Err(refusal(&reason.to_string())),
        // Partly installed drivers make the graphics library panic.
        Err(_) => Err(refusal("its driver failed")),
    };
    CARD.get_or_init(open).clone()
}

#[cfg(feature = "wgpu")]
fn refusal(reason: &str) -> String {
    format!(
        "Cannot use backend wgpu: no usable graphics card found ({reason}). Install a Vulkan, Metal or DirectX 12 \
         driver, or use the backend flex."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_backend_has_a_device_or_an_error_with_advice() {
        for (word, backend) in Backend::ALL {
            match backend.device() {
                Ok(_) => assert!(backend.built_in(), "{word}"),
                Err(error) => {
                    let text = error.to_string();
                    assert!(backend == Backend::Wgpu && text.contains("use the backend flex"), "{word}: {text}");
                    assert_eq!(text.contains("--features wgpu"), !backend.built_in());
                }
            }
        }
    }
}
