//! Finds out whether files are batches of CIFAR, and of which set.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::set::Cifar;

/// Number of records whose labels are looked at.
const RECORDS: u64 = 64;
/// Bytes of a pickle in which the names of its entries are sought.
const HEAD: u64 = 1 << 16;

/// The set of the binary batch `path`, by its size and labels. A recording of events can have the size of a batch by chance.
pub(in crate::data) fn binary_batch(path: &Path) -> Option<Cifar> {
    let mut file = File::open(path).ok()?;
    let len = file.metadata().ok().filter(|meta| meta.is_file())?.len();
    [Cifar::Ten, Cifar::Hundred].into_iter().find(|set| {
        let record = set.record() as u64;
        let has_labels = |file: &mut File, index: u64| -> std::io::Result<bool> {
            let mut labels = [0; 2];
            file.seek(SeekFrom::Start(index * record))?;
            file.read_exact(&mut labels)?;
            Ok(match set {
                Cifar::Ten => labels[0] < 10,
                Cifar::Hundred => labels[0] < 20 && labels[1] < 100,
            })
        };
        len > 0
            && len.is_multiple_of(record)
            && (0..RECORDS.min(len / record)).all(|index| has_labels(&mut file, index).unwrap_or(false))
    })
}

/// The set of the pickled batch `path`, by the names of its entries.
pub(in crate::data) fn pickled_batch(path: &Path) -> Option<Cifar> {
    let mut file = File::open(path).ok()?;
    let len = file.metadata().ok().filter(|meta| meta.is_file())?.len();
    let mut head = Vec::new();
    file.by_ref().take(HEAD).read_to_end(&mut head).ok()?;
    if !matches!(head[..], [0x80, 2..=5, ..]) {
        return None;
    }
    // Labels may stand behind the pixels.
    file.seek(SeekFrom::Start(len.saturating_sub(HEAD))).ok()?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail).ok()?;
    let has = |word: &[u8]| [&head, &tail].iter().any(|part| part.windows(word.len()).any(|window| window == word));
    match (has(b"fine_labels"), has(b"labels") && has(b"data")) {
        (true, _) => Some(Cifar::Hundred),
        (_, true) => Some(Cifar::Ten),
        _ => None,
    }
}

/// The test batch of a published folder, in either version, and its set.
pub(in crate::data) fn test_batch(dir: &Path) -> Option<(Cifar, PathBuf)> {
    let found = ["test_batch.bin", "test_batch", "test.bin", "test"].map(|name| dir.join(name));
    found.into_iter().find_map(|path| {
        let set = if path.extension().is_some() { binary_batch(&path) } else { pickled_batch(&path) };
        set.map(|set| (set, path))
    })
}
