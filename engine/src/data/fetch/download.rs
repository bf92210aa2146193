//! HTTP download of one file: resumed after interruptions, verified by SHA-256, then renamed into place.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::{Error, Result};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// A source that sends nothing for this long is abandoned.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// Maximum number of connections per file and source; each resumes the one before.
const MAX_ATTEMPTS: usize = 4;

/// The reason why a download failed.
pub(super) enum DownloadError {
    /// This source cannot be reached or does not have the file; another may.
    Unreachable(String),
    Other(Error),
}

/// Downloads `url` to `folder`. Received bytes stay in `NAME.part` until the file is complete.
pub(super) fn download(
    url: &str,
    file: &RemoteFile,
    folder: &Path,
    on_progress: ProgressFn<'_>,
) -> Result<(), DownloadError> {
    let target = folder.join(file.name);
    let part = folder.join(format!("{}.part", file.name));
    let other = |error: Error| DownloadError::Other(error);
    let agent = ureq::AgentBuilder::new().timeout_connect(CONNECT_TIMEOUT).timeout_read(READ_TIMEOUT).build();
    let mut interruption = String::new();
    for _ in 0..MAX_ATTEMPTS {
        match append(&agent, url, file, &part, on_progress) {
            Ok(()) => {
                interruption.clear();
                break;
            }
            Err(DownloadError::Unreachable(reason)) => interruption = reason,
            Err(failure) => return Err(failure),
        }
        // Nothing arrived: an immediate retry would fail as well.
        if std::fs::metadata(&part).map_or(0, |m| m.len()) == 0 {
            break;
        }
    }
    if !interruption.is_empty() {
        return Err(DownloadError::Unreachable(interruption));
    }
    if sha256_of(&part).map_err(other)? != file.sha256 {
        // A wrong partial file cannot be resumed.
        let _ = std::fs::remove_file(&part);
        let reason = format!("the file from {url} is not the published one (its SHA-256 differs) and was discarded");
        return Err(DownloadError::Other(Error::file(&target, "", reason)));
    }
    File::open(&part).and_then(|f| f.sync_all()).map_err(|e| other(Error::io(&part, e)))?;
    std::fs::rename(&part, &target).map_err(|e| other(Error::io(&target, e)))
}

/// Downloads the rest of `url` and appends it to `part`.
fn append(
    agent: &ureq::Agent,
    url: &str,
    file: &RemoteFile,
    part: &Path,
    on_progress: ProgressFn<'_>,
) -> Result<(), DownloadError> {
    let io = |e: std::io::Error| DownloadError::Other(Error::io(part, e));
    let mut have = std::fs::metadata(part).map_or(0, |m| m.len());
    if have == file.bytes {
        return Ok(());
    }
    if have > file.bytes {
        have = 0;
    }
    let request = agent.get(url);
    let request = if have > 0 { request.set("Range", &format!("bytes={have}-")) } else { request };
    let response = request.call().map_err(|e| DownloadError::Unreachable(reason(&e)))?;
    // A server without range requests sends the whole file again.
    let is_resumed = response.status() == 206 && have > 0;
    let mut out = match is_resumed {
        true => OpenOptions::new().append(true).open(part).map_err(io)?,
        false => File::create(part).map_err(io)?,
    };
    let mut received = if is_resumed { have } else { 0 };
    let mut body = response.into_reader().take(file.bytes - received + 1);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let n = body
            .read(&mut buffer)
            .map_err(|e| DownloadError::Unreachable(format!("the connection was interrupted: {e}")))?;
        if n == 0 {
            break;
        }
        out.write_all(&buffer[..n]).map_err(io)?;
        received += n as u64;
        on_progress(received as f32 / file.bytes as f32).map_err(DownloadError::Other)?;
    }
    out.flush().map_err(io)?;
    match received {
        n if n < file.bytes => {
            Err(DownloadError::Unreachable(format!("the connection was interrupted after {n} of {} bytes", file.bytes)))
        }
        _ => Ok(()),
    }
}

/// A short text for a network error.
fn reason(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Status(code, _) => format!("the server responds with {code}"),
        ureq::Error::Transport(transport) => match transport.kind() {
            ureq::ErrorKind::Dns => "no network connection, or unknown server name".into(),
            kind => kind.to_string(),
        },
    }
}

/// Callback with the downloaded fraction of a file, 0 to 1; an error stops the download.
pub type ProgressFn<'a> = &'a dyn Fn(f32) -> Result<()>;

/// A file of a data set, with its published size and SHA-256 (hexadecimal).
#[derive(Clone, Copy, Debug)]
pub struct RemoteFile {
    pub name: &'static str,
    pub sha256: &'static str,
    pub bytes: u64,
}

/// The SHA-256 of the file at `path`, in hexadecimal.
pub(super) fn sha256_of(path: &Path) -> Result<String> {
    let mut file = std::fs::File::open(path).map_err(|e| Error::io(path, e))?;
    let mut hash = Sha256::new();
    std::io::copy(&mut file, &mut hash).map_err(|e| Error::io(path, e))?;
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
