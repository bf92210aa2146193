//! One file over HTTP: begun again where it broke off, checked, and only then under its own name.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::{Error, Result};

const CONNECT: Duration = Duration::from_secs(20);
/// A source that sends nothing for this long is given up.
const SILENCE: Duration = Duration::from_secs(60);
/// Broken connections are taken up again this often.
const ATTEMPTS: usize = 4;

/// Why a file did not come.
pub(super) enum DownloadError {
    /// This source cannot be reached or does not have it; another may.
    Unreachable(String),
    Other(Error),
}

/// Downloads `url` to its name in `folder`. What arrived is kept beside it as `NAME.part` until it is whole.
pub(super) fn download(
    url: &str,
    file: &RemoteFile,
    folder: &Path,
    watch: ProgressFn<'_>,
) -> Result<(), DownloadError> {
    let place = folder.join(file.name);
    let part = folder.join(format!("{}.part", file.name));
    let other = |error: Error| DownloadError::Other(error);
    let agent = ureq::AgentBuilder::new().timeout_connect(CONNECT).timeout_read(SILENCE).build();
    let mut broken = String::new();
    for _ in 0..ATTEMPTS {
        match append(&agent, url, file, &part, watch) {
            Ok(()) => {
                broken.clear();
                break;
            }
            Err(DownloadError::Unreachable(reason)) => broken = reason,
            Err(failure) => return Err(failure),
        }
        // Nothing arrived at all: trying again at once helps nobody.
        if std::fs::metadata(&part).map_or(0, |m| m.len()) == 0 {
            break;
        }
    }
    if !broken.is_empty() {
        return Err(DownloadError::Unreachable(broken));
    }
    if sha256_of(&part).map_err(other)? != file.sha256 {
        // It cannot be gone on with.
        let _ = std::fs::remove_file(&part);
        let reason = format!("the file from {url} is not the published one (its SHA-256 differs) and was discarded");
        return Err(DownloadError::Other(Error::file(&place, "", reason)));
    }
    File::open(&part).and_then(|f| f.sync_all()).map_err(|e| other(Error::io(&part, e)))?;
    std::fs::rename(&part, &place).map_err(|e| other(Error::io(&place, e)))
}

/// Appends what is missing of `url` to `part`.
fn append(
    agent: &ureq::Agent,
    url: &str,
    file: &RemoteFile,
    part: &Path,
    watch: ProgressFn<'_>,
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
    // A server that knows no ranges sends all of it again.
    let goes_on = response.status() == 206 && have > 0;
    let mut out = match goes_on {
        true => OpenOptions::new().append(true).open(part).map_err(io)?,
        false => File::create(part).map_err(io)?,
    };
    let mut arrived = if goes_on { have } else { 0 };
    let mut body = response.into_reader().take(file.bytes - arrived + 1);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let n = body
            .read(&mut buffer)
            .map_err(|e| DownloadError::Unreachable(format!("the connection was interrupted: {e}")))?;
        if n == 0 {
            break;
        }
        out.write_all(&buffer[..n]).map_err(io)?;
        arrived += n as u64;
        watch(arrived as f32 / file.bytes as f32).map_err(DownloadError::Other)?;
    }
    out.flush().map_err(io)?;
    match arrived {
        n if n < file.bytes => {
            Err(DownloadError::Unreachable(format!("the connection was interrupted after {n} of {} bytes", file.bytes)))
        }
        _ => Ok(()),
    }
}

/// An error of the network in a few words.
fn reason(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Status(code, _) => format!("the server responds with {code}"),
        ureq::Error::Transport(transport) => match transport.kind() {
            ureq::ErrorKind::Dns => "no network connection, or unknown server name".into(),
            kind => kind.to_string(),
        },
    }
}

/// Told how far a file is, 0 to 1; an error stops the download.
pub type ProgressFn<'a> = &'a dyn Fn(f32) -> Result<()>;

/// A file of a data set.
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
