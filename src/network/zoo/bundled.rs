//! The trained networks that come with the program, so that it shows something without any file.
//! How each was trained stands in `assets/README.md`.

use std::path::Path;

use crate::Result;
use crate::network::{Network, format};

/// A network inside the program.
#[derive(Clone, Copy, Debug)]
pub struct Bundled {
    pub name: &'static str,
    /// One sentence for the person who chooses.
    pub description: &'static str,
    /// Accuracy on `builtin:digits`, 0 to 1.
    pub test_accuracy: f32,
    bytes: &'static [u8],
}

/// The bundled networks, the one to begin with first.
pub const BUNDLED: &[Bundled] = &[];

/// The bundled network `name`; `None` when there is none of that name.
pub fn bundled(name: &str) -> Option<Result<Network>> {
    let found = BUNDLED.iter().find(|bundled| bundled.name == name)?;
    Some(format::from_bytes(found.bytes, Path::new(&format!("builtin:{name}"))))
}
