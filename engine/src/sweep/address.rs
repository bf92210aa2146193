//! Address of a row: a digest of all that determines its figures.
//!
//! Files count by their content, not by their path, so that a row that ran on a cluster is known on the machine at home.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::digest::{FORMAT, hex};
use super::plan::{RowSettings, Work};
use crate::data::DataSpec;
use crate::experiment::Settings;
use crate::network::architecture::ArchitectureFile;
use crate::network::onnx::external_files;
use crate::network::open::{BUILTIN_PREFIX, split_source};
use crate::task::detector_head;
use crate::{Error, Result};

/// Digits of an address.
const DIGITS: usize = 40;
/// Bytes that are read at once.
const BUFFER: usize = 1 << 20;

/// Digests of files and folders, each read once.
#[derive(Debug, Default)]
pub struct SourceDigests {
    known: Mutex<HashMap<PathBuf, Arc<str>>>,
    specs: Mutex<HashMap<String, Arc<str>>>,
}

impl SourceDigests {
    /// The address of a row with `settings`, lowercase hexadecimal digits.
    ///
    /// # Errors
    /// [`Error::Io`] for a file that cannot be read.
    pub fn address(&self, row: &RowSettings) -> Result<String> {
        let settings = Settings {
            head: row
                .settings
                .head
                .as_ref()
                .map(|head| self.of(Path::new(head)))
                .transpose()?
                .map(|digest| digest.to_string()),
            model: self.source(&row.settings.model, |model| self.model(model))?.to_string(),
            data: self.source(&row.settings.data, |data| self.data(data))?.to_string(),
            calibration_data: match &row.settings.calibration_data {
                Some(data) => Some(self.source(data, |data| self.data(data))?.to_string()),
                None => None,
            },
            ..row.settings.clone()
        };
        // What is not stated is found in the files.
        let stated = (row.args.scale.is_some(), row.args.samples.is_some(), row.args.calibrate.is_some());
        let version = (FORMAT, env!("CARGO_PKG_VERSION"));
        let text = match &row.work {
            Work::Run => serde_json::to_vec(&(version.0, version.1, "run", stated, settings)),
            Work::Attack(request) => serde_json::to_vec(&(version.0, version.1, "attack", stated, settings, request)),
            Work::Explain(options) => {
                let files = [options.baseline_file(), options.masks.as_deref()];
                let [baseline, masks] = files.map(|file| file.map(|file| self.of(file)).transpose());
                let asked = (options.on()?, options.request()?, options.sanity, baseline?, masks?);
                serde_json::to_vec(&(version.0, version.1, "explain", stated, settings, asked))
            }
        };
        let text = text.map_err(|error| Error::Internal(error.to_string()))?;
        let mut address = hex(&Sha256::digest(text));
        address.truncate(DIGITS);
        Ok(address)
    }

    /// The text of a source with digests, worked out once.
    fn source(&self, text: &str, digest: impl FnOnce(&str) -> Result<String>) -> Result<Arc<str>> {
        if let Some(known) = lock(&self.specs).get(text) {
            return Ok(known.clone());
        }
        let made: Arc<str> = digest(text)?.into();
        lock(&self.specs).insert(text.to_owned(), made.clone());
        Ok(made)
    }

    /// A network with the digests of its files.
    fn model(&self, model: &str) -> Result<String> {
        if model.starts_with(BUILTIN_PREFIX) {
            return Ok(model.to_owned());
        }
        let (file, architecture) = split_source(model);
        let mut digests = self.of(file)?.to_string();
        // Architecture and head that are found by their names, and weights beside the graph.
        let beside = ArchitectureFile::paths_beside(file).into_iter().chain([detector_head::beside(file)]);
        let is_onnx = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("onnx"));
        let weights = if is_onnx { external_files(file)? } else { Vec::new() };
        for path in architecture.into_iter().map(Path::to_owned).chain(beside).chain(weights) {
            if path.is_file() {
                digests = format!("{digests}+{}", self.of(&path)?);
            }
        }
        Ok(digests)
    }

    /// A data specification with digests in place of its paths.
    fn data(&self, data: &str) -> Result<String> {
        let spec = DataSpec::parse(data)?;
        let mut failed = None;
        let digests = spec.map_paths(|path| match self.of(path) {
            Ok(digest) => PathBuf::from(&*digest),
            Err(error) => {
                failed = Some(error);
                PathBuf::new()
            }
        });
        let mut digests = failed.map_or_else(|| Ok(digests.to_string()), Err)?;
        for path in spec.files_beside() {
            digests = format!("{digests}+{}", self.of(&path)?);
        }
        Ok(digests)
    }

    /// The digest of a file or folder.
    fn of(&self, path: &Path) -> Result<Arc<str>> {
        if let Some(known) = lock(&self.known).get(path) {
            return Ok(known.clone());
        }
        let digest: Arc<str> = hex(&digest_path(path, &[])?).into();
        lock(&self.known).insert(path.to_owned(), digest.clone());
        Ok(digest)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The digest of a file's content, or of the names and contents of all files below a folder. `above`: the real places of the
/// folders that it lies in; a link back to one of them counts by its name alone.
fn digest_path(path: &Path, above: &[PathBuf]) -> Result<[u8; 32]> {
    let fail = |error| Error::io(path, error);
    if !std::fs::metadata(path).map_err(fail)?.is_dir() {
        return digest_file(path);
    }
    let place = std::fs::canonicalize(path).map_err(fail)?;
    if above.contains(&place) {
        return Ok([0; 32]);
    }
    let above: Vec<PathBuf> = above.iter().cloned().chain([place]).collect();
    let mut entries = std::fs::read_dir(path).and_then(Iterator::collect::<std::io::Result<Vec<_>>>).map_err(fail)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    let digests = entries.par_iter().map(|entry| digest_path(&entry.path(), &above)).collect::<Result<Vec<_>>>()?;
    let mut all = Sha256::new();
    for (entry, digest) in entries.iter().zip(digests) {
        all.update(entry.file_name().as_encoded_bytes());
        all.update([0]);
        all.update(digest);
    }
    Ok(all.finalize().into())
}

fn digest_file(path: &Path) -> Result<[u8; 32]> {
    let fail = |error| Error::io(path, error);
    let mut file = std::fs::File::open(path).map_err(fail)?;
    let (mut digest, mut buffer) = (Sha256::new(), vec![0; BUFFER]);
    loop {
        match file.read(&mut buffer).map_err(fail)? {
            0 => return Ok(digest.finalize().into()),
            read => digest.update(&buffer[..read]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(spec: String) -> String {
        SourceDigests::default().data(&spec).unwrap()
    }

    #[test]
    fn files_that_are_found_beside_others_count() {
        let dir = tempfile::tempdir().unwrap();
        let put = |name: &str, bytes: &[u8]| std::fs::write(dir.path().join(name), bytes).unwrap();
        put("x.npy", b"samples");
        put("gt.json", br#"{"images": [{"id": 1, "file_name": "a.png"}], "annotations": [], "categories": []}"#);
        for (spec, beside) in [("npy:x.npy", "y.npy"), ("coco:gt.json", "a.png")] {
            let (kind, name) = spec.split_once(':').unwrap();
            let spec = format!("{kind}:{}", dir.path().join(name).display());
            let without = data(spec.clone());
            put(beside, b"1");
            let with = data(spec.clone());
            put(beside, b"2");
            let changed = data(spec);
            assert!(without != with && with != changed, "{kind}: {without} {with} {changed}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_folder_above_is_followed_once() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("a")).unwrap();
        std::fs::write(dir.path().join("a/1.png"), b"1").unwrap();
        let before = digest_path(dir.path(), &[]).unwrap();
        std::os::unix::fs::symlink("..", dir.path().join("a/up")).unwrap();
        let linked = digest_path(dir.path(), &[]).unwrap();
        assert_ne!(before, linked);
        std::fs::write(dir.path().join("a/1.png"), b"2").unwrap();
        assert_ne!(digest_path(dir.path(), &[]).unwrap(), linked);
    }
}
