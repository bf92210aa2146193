//! State folder: session, recent files and seen hints, written atomically on a thread.
//!
//! Each file is complete or unchanged: if the process is killed, the folder has the last state or the one before.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use super::session::Session;
use crate::files::{TEMP_PREFIX, write_bytes};
use crate::{Error, Result};

/// File of the current session.
pub const SESSION: &str = "session.json";
/// File of the previous session, copied at the start.
pub const PREVIOUS: &str = "session.previous.json";
/// Minimum age of temporary files of a killed process that are removed.
const MIN_TEMP_AGE: Duration = Duration::from_secs(3600);

/// Path of the state folder; `None` without a home directory.
///
/// `$XDG_STATE_HOME/spikescope` or `~/.local/state/spikescope`; `~/Library/Application Support/spikescope` on macOS;
/// `%LOCALAPPDATA%\spikescope` on Windows.
pub fn folder() -> Option<PathBuf> {
    let from = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = if cfg!(windows) {
        from("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        from("HOME").map(|home| home.join("Library/Application Support"))
    } else {
        from("XDG_STATE_HOME").or_else(|| from("HOME").map(|home| home.join(".local/state")))
    };
    Some(base?.join("spikescope"))
}

/// Session file of the previous start.
#[derive(Debug)]
pub enum PreviousSession {
    /// There is no session file.
    Nothing,
    Session(Box<Session>),
    /// The session file cannot be read.
    Unreadable(UnreadableFile),
}

/// A file that this version cannot read: the reason, and the path to which it was moved.
#[derive(Debug)]
pub struct UnreadableFile {
    pub reason: Error,
    pub kept: PathBuf,
}

/// Renames the file at `path` from `a.json` to `a.kept.json`; returns its new path.
fn move_aside(path: &Path) -> PathBuf {
    let kept = path.with_extension("kept.json");
    match std::fs::rename(path, &kept) {
        Ok(()) => kept,
        Err(_) => path.to_owned(),
    }
}

/// Loads the session of the previous start from `folder`, and copies it, so that this start cannot lose it.
pub fn previous_session(folder: &Path) -> PreviousSession {
    let path = folder.join(SESSION);
    match Session::load(&path) {
        Ok(session) => {
            // A failed copy is ignored: the session itself is loaded.
            if let Ok(bytes) = std::fs::read(&path) {
                let _ = write_bytes(&folder.join(PREVIOUS), &bytes);
            }
            PreviousSession::Session(Box::new(session))
        }
        Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => PreviousSession::Nothing,
        Err(reason) => PreviousSession::Unreadable(UnreadableFile { reason, kept: move_aside(&path) }),
    }
}

/// Writes files of the folder in the background. Dropping it waits until the newest version of each file is written.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    writes: Option<Sender<(&'static str, Vec<u8>)>>,
    errors: Receiver<Error>,
    thread: Option<JoinHandle<()>>,
}

impl Store {
    /// Opens the store in `folder`, which is created.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder or the thread cannot be created.
    pub fn open(folder: PathBuf) -> Result<Self> {
        std::fs::create_dir_all(&folder).map_err(|error| Error::io(&folder, error))?;
        remove_old_temp_files(&folder);
        let ((writes, queue), (error_sender, errors)) = (channel::<(&'static str, Vec<u8>)>(), channel());
        let target = folder.clone();
        let work = move || {
            while let Ok(first) = queue.recv() {
                // Only the newest version of each file is written.
                let newest: BTreeMap<_, _> = std::iter::once(first).chain(queue.try_iter()).collect();
                for (name, bytes) in newest {
                    if let Err(error) = write_bytes(&target.join(name), &bytes) {
                        // The receiver is gone: the program is shutting down.
                        let _ = error_sender.send(error);
                    }
                }
            }
        };
        let thread = std::thread::Builder::new().name("spikescope-store".into()).spawn(work);
        let thread = thread.map_err(|error| Error::io(&folder, error))?;
        Ok(Self { folder, writes: Some(writes), errors, thread: Some(thread) })
    }
    /// Path of the state folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
    /// Queues `value` to be written as JSON to the file `name`.
    pub fn write(&self, name: &'static str, value: &impl serde::Serialize) {
        if let Ok(text) = serde_json::to_vec_pretty(value) {
            self.keep_bytes(name, text);
        }
    }
    /// Queues `bytes` to be written to the file `name`.
    pub fn keep_bytes(&self, name: &'static str, bytes: Vec<u8>) {
        if let Some(writes) = &self.writes {
            let _ = writes.send((name, bytes));
        }
    }
    /// Reads and parses the file `name`; `None` if it does not exist.
    ///
    /// # Errors
    /// [`UnreadableFile`] if `parse` fails; the file is renamed.
    pub fn take<T>(
        &self,
        name: &str,
        parse: impl FnOnce(&Path, &[u8]) -> Result<T>,
    ) -> Result<Option<T>, UnreadableFile> {
        let path = self.folder.join(name);
        let Ok(bytes) = std::fs::read(&path) else { return Ok(None) };
        parse(&path, &bytes).map(Some).map_err(|reason| UnreadableFile { reason, kept: move_aside(&path) })
    }
    /// Reads the JSON file `name`; the default if it does not exist or cannot be parsed.
    pub fn read<T: serde::de::DeserializeOwned + Default>(&self, name: &str) -> T {
        let text = std::fs::read(self.folder.join(name)).ok();
        text.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
    }
    /// The last write error since the previous call.
    pub fn last_error(&self) -> Option<Error> {
        self.errors.try_iter().last()
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.writes = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Removes old temporary files of a killed process.
fn remove_old_temp_files(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let age =
            entry.metadata().and_then(|m| m.modified()).ok().and_then(|at| SystemTime::now().duration_since(at).ok());
        if name.to_string_lossy().starts_with(TEMP_PREFIX) && age.is_some_and(|age| age > MIN_TEMP_AGE) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::Lab;

    #[test]
    fn dropping_the_store_writes_the_newest_version() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("deep")).unwrap();
        for k in 0..50 {
            store.write("number.json", &k);
        }
        drop(store);
        let again = Store::open(folder.path().join("deep")).unwrap();
        assert_eq!(again.read::<i32>("number.json"), 49);
        assert_eq!(again.read::<Vec<String>>("number.json"), Vec::<String>::new());
    }

    #[test]
    fn the_previous_session_is_loaded_and_copied() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(previous_session(folder.path()), PreviousSession::Nothing));
        let session = Lab::default().session();
        session.save(&folder.path().join(SESSION)).unwrap();
        assert!(matches!(previous_session(folder.path()), PreviousSession::Session(found) if *found == session));
        assert_eq!(Session::load(&folder.path().join(PREVIOUS)).unwrap(), session);
    }

    #[test]
    fn an_unreadable_session_is_renamed_and_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(SESSION), "{\"version\": 99}").unwrap();
        let PreviousSession::Unreadable(UnreadableFile { reason, kept }) = previous_session(folder.path()) else {
            panic!("it is of a newer version")
        };
        assert!(reason.to_string().contains("newer version"), "{reason}");
        assert_eq!(std::fs::read_to_string(kept).unwrap(), "{\"version\": 99}");
        assert!(matches!(previous_session(folder.path()), PreviousSession::Nothing));
    }

    #[test]
    fn a_folder_that_cannot_be_created_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "").unwrap();
        assert!(Store::open(folder.path().join("file").join("sub")).is_err());
    }
}
