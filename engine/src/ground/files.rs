//! Atomic file writes: a temporary file in the same folder, renamed when complete.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use crate::{Error, Result};

/// Prefix of temporary file names.
pub const TEMP_PREFIX: &str = ".spikescope-";

/// Writes the file at `path` with `write`. On failure an existing file stays unchanged.
///
/// # Errors
/// [`Error::Io`] with the path when the operating system refuses.
pub fn write_atomic(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> Result<()> {
    write_atomic_with(path, |file| write(file).map_err(|error| Error::io(path, error)))
}

/// [`write_atomic`] for a `write` with errors of other kinds, such as cancellation.
///
/// # Errors
/// The error of `write`; [`Error::Io`] with the path when the operating system refuses.
pub fn write_atomic_with(path: &Path, write: impl FnOnce(&mut File) -> Result<()>) -> Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let fail = |error: io::Error| Error::io(path, error);
    let mut options = tempfile::Builder::new();
    options.prefix(TEMP_PREFIX);
    // A temporary file is private by default; this one becomes an ordinary file of the user (permissions less umask).
    #[cfg(unix)]
    options.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = options.tempfile_in(folder).map_err(fail)?;
    write(file.as_file_mut())?;
    file.as_file().sync_all().map_err(fail)?;
    file.persist(path).map_err(|e| fail(e.error))?;
    Ok(())
}

/// [`write_atomic`] for bytes in memory.
///
/// # Errors
/// As [`write_atomic`].
pub fn write_bytes(path: &Path, bytes: &[u8]) -> Result<()> {
    write_atomic(path, |file| file.write_all(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_write_keeps_the_old_file_and_leaves_no_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        write_bytes(&path, b"old").unwrap();
        let refused = write_atomic(&path, |file| file.write_all(b"half").and(Err(io::Error::other("full"))));
        assert!(refused.unwrap_err().to_string().contains("a.txt"));
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
