//! Lock of a group of rows among processes that share a results folder.
//!
//! The lock is the operating system's and ends with the process, however it ends. Without locks on a file system rows may
//! be computed twice, with the same result.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// Folder of the lock files.
const LOCKS: &str = "locks";

/// A held lock.
pub struct GroupLock {
    path: PathBuf,
    /// `None` if the file system has no locks.
    file: Option<File>,
}

impl GroupLock {
    /// Locks the group `name` in the results folder `out`; `None` while another process holds it.
    ///
    /// # Errors
    /// [`Error::Io`] for a folder that cannot be written.
    pub fn try_lock(out: &Path, name: &str) -> Result<Option<Self>> {
        let folder = out.join(LOCKS);
        std::fs::create_dir_all(&folder).map_err(|error| Error::io(&folder, error))?;
        let path = folder.join(format!("{name}.lock"));
        let file = File::create(&path).map_err(|error| Error::io(&path, error))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { path, file: Some(file) })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(_)) => Ok(Some(Self { path, file: None })),
        }
    }
}

impl Drop for GroupLock {
    fn drop(&mut self) {
        // A lock file that stays does no harm.
        let _ = std::fs::remove_file(&self.path);
        drop(self.file.take());
    }
}
