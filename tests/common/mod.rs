//! Helpers shared by the integration tests: windows, detectors, snapshots.

use std::path::{Path, PathBuf};

/// A file or folder in the `shared` folder beside the project, or `None` with a printed reason.
pub fn shared(relative: &str) -> Option<PathBuf> {
    let found = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("shared").join(relative))
        .find(|p| p.exists());
    if found.is_none() {
        eprintln!("skipped: there is no shared/{relative} beside the project");
    }
    found
}
