//! What the program keeps between two starts: the session as it stands, files opened lately, hints that were seen. Files
//! are written on a thread of their own, whole or not at all, so that a kill at any moment leaves the last state or the
//! one before.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use super::session::Session;
use crate::files::{TEMP_PREFIX, write_bytes};
use crate::{Error, Result};

/// The session as it stands.
pub const SESSION: &str = "session.json";
/// The session of the start before, as it was when this one began.
pub const PREVIOUS: &str = "session.previous.json";
/// Half-written files of a killed program are swept away when they are older than this.
const LITTER: Duration = Duration::from_secs(3600);

/// Where it is kept: `$XDG_STATE_HOME/spikescope` or `~/.local/state/spikescope`, `~/Library/Application Support/spikescope`
/// on macOS, `%LOCALAPPDATA%\spikescope` on Windows; `None` without a home.
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

/// What the last start left.
#[derive(Debug)]
pub enum PreviousSession {
    /// There was none, or it left nothing.
    Nothing,
    Session(Box<Session>),
    /// Something that this program cannot read.
    Unreadable(UnreadableFile),
}

/// A file that this program cannot read, why, and where it was put for the program that can.
#[derive(Debug)]
pub struct UnreadableFile {
    pub reason: Error,
    pub kept: PathBuf,
}

/// Moves the file at `path` aside, `a.json` as `a.kept.json`; tells where it is now.
fn move_aside(path: &Path) -> PathBuf {
    let kept = path.with_extension("kept.json");
    match std::fs::rename(path, &kept) {
        Ok(()) => kept,
        Err(_) => path.to_owned(),
    }
}

/// What the last start left in `folder`. It is copied aside, so that whatever this start does cannot lose it.
pub fn previous_session(folder: &Path) -> PreviousSession {
    let path = folder.join(SESSION);
    match Session::load(&path) {
        Ok(session) => {
            // Not being able to copy is no reason to disturb anyone: the session itself is there.
            if let Ok(bytes) = std::fs::read(&path) {
                let _ = write_bytes(&folder.join(PREVIOUS), &bytes);
            }
            PreviousSession::Session(Box::new(session))
        }
        Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => PreviousSession::Nothing,
        Err(reason) => PreviousSession::Unreadable(UnreadableFile { reason, kept: move_aside(&path) }),
    }
}

/// Writes files of the folder in the background. The last of what was handed over is on the disk when it is dropped.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    wishes: Option<Sender<(&'static str, Vec<u8>)>>,
    troubles: Receiver<Error>,
    thread: Option<JoinHandle<()>>,
}

impl Store {
    /// Keeps files in `folder`, which is made.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(folder: PathBuf) -> Result<Self> {
        std::fs::create_dir_all(&folder).map_err(|error| Error::io(&folder, error))?;
        sweep(&folder);
        let ((wishes, wanted), (trouble, troubles)) = (channel::<(&'static str, Vec<u8>)>(), channel());
        let place = folder.clone();
        let work = move || {
            while let Ok(first) = wanted.recv() {
                // Of each file only the newest is worth writing.
                let newest: BTreeMap<_, _> = std::iter::once(first).chain(wanted.try_iter()).collect();
                for (name, bytes) in newest {
                    if let Err(error) = write_bytes(&place.join(name), &bytes) {
                        // A closed ear means that the program is ending.
                        let _ = trouble.send(error);
                    }
                }
            }
        };
        let thread = std::thread::Builder::new().name("spikescope-store".into()).spawn(work);
        let thread = thread.map_err(|error| Error::io(&folder, error))?;
        Ok(Self { folder, wishes: Some(wishes), troubles, thread: Some(thread) })
    }
    /// Where the files lie.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
    /// Writes `value` as the file `name`, soon.
    pub fn write(&self, name: &'static str, value: &impl serde::Serialize) {
        if let Ok(text) = serde_json::to_vec_pretty(value) {
            self.keep_bytes(name, text);
        }
    }
    /// Writes `bytes` as the file `name`, soon.
    pub fn keep_bytes(&self, name: &'static str, bytes: Vec<u8>) {
        if let Some(wishes) = &self.wishes {
            let _ = wishes.send((name, bytes));
        }
    }
    /// What `parse` makes of the file `name`; `None` without one. A file that it refuses is put aside.
    pub fn take<T>(
        &self,
        name: &str,
        parse: impl FnOnce(&Path, &[u8]) -> Result<T>,
    ) -> Result<Option<T>, UnreadableFile> {
        let path = self.folder.join(name);
        let Ok(bytes) = std::fs::read(&path) else { return Ok(None) };
        parse(&path, &bytes).map(Some).map_err(|reason| UnreadableFile { reason, kept: move_aside(&path) })
    }
    /// What the file `name` holds; the default for none, or one that is of another program.
    pub fn read<T: serde::de::DeserializeOwned + Default>(&self, name: &str) -> T {
        let text = std::fs::read(self.folder.join(name)).ok();
        text.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
    }
    /// What the system refused to write since this was last asked.
    pub fn last_error(&self) -> Option<Error> {
        self.troubles.try_iter().last()
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.wishes = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Takes away what a killed program left half-written.
fn sweep(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let age =
            entry.metadata().and_then(|m| m.modified()).ok().and_then(|at| SystemTime::now().duration_since(at).ok());
        if name.to_string_lossy().starts_with(TEMP_PREFIX) && age.is_some_and(|age| age > LITTER) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::Lab;

    #[test]
    fn the_newest_is_on_the_disk_when_the_store_is_gone() {
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
    fn a_session_of_the_last_start_is_found_and_kept_aside() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(previous_session(folder.path()), PreviousSession::Nothing));
        let session = Lab::default().session();
        session.save(&folder.path().join(SESSION)).unwrap();
        assert!(matches!(previous_session(folder.path()), PreviousSession::Session(found) if *found == session));
        assert_eq!(Session::load(&folder.path().join(PREVIOUS)).unwrap(), session);
    }

    #[test]
    fn what_cannot_be_read_is_put_aside_and_not_written_over() {
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
    fn a_folder_that_cannot_be_made_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "").unwrap();
        assert!(Store::open(folder.path().join("file").join("sub")).is_err());
    }
}
