//! Kind of a network file, recognized by its first bytes rather than by the ending of its name.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use crate::{Error, Result};

/// Number of bytes at the start of a file that are looked at.
const HEAD: usize = 1 << 16;
/// Maximum number of fields of a protocol buffer that are followed.
const MAX_FIELDS: usize = 4096;
/// Maximum length of the header of a safetensors file (that of the format).
const MAX_HEADER: u64 = 100_000_000;

/// What a file contains, as far as its start tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FileKind {
    Onnx,
    /// NIR, Keras, or data.
    Hdf5,
    Safetensors,
    /// A PyTorch archive or a pickle.
    Weights,
    /// Another format: what it is and what to do, and whether it is one of networks.
    Foreign {
        advice: String,
        is_network: bool,
    },
    Unknown,
}

impl FileKind {
    /// The kind of the file or folder at `path`.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be read; [`Error::File`] when it is empty.
    pub(super) fn of(path: &Path) -> Result<Self> {
        let io = |error| Error::io(path, error);
        if std::fs::metadata(path).map_err(io)?.is_dir() {
            return Ok(folder_kind(path));
        }
        let mut file = File::open(path).map_err(io)?;
        let length = file.metadata().map_err(io)?.len();
        let mut head = Vec::new();
        file.by_ref().take(HEAD as u64).read_to_end(&mut head).map_err(io)?;
        if head.is_empty() {
            return Err(Error::file(path, "", "is empty. Copy or download it again."));
        }
        Ok(match &head[..] {
            [b'P', b'K', 3 | 5, ..] => archive_kind(file),
            // The length of a header may begin with the bytes of a pickle.
            head if is_safetensors(head, length) => Self::Safetensors,
            [0x80, 2..=5, ..] => Self::Weights,
            head if head.starts_with(b"\x89HDF\r\n\x1a\n") => Self::Hdf5,
            head if head.get(257..262) == Some(b"ustar") => Self::Weights,
            head => match foreign(head, path) {
                Some(kind) => kind,
                None if is_onnx(file, length) => Self::Onnx,
                None => Self::Unknown,
            },
        })
    }

    /// Whether a file of this kind whose name does not tell is opened as a network rather than as data.
    pub(super) fn is_network(&self, path: &Path) -> bool {
        match self {
            Self::Onnx | Self::Safetensors => true,
            // Pickles and HDF5 files may also be data sets.
            Self::Weights | Self::Hdf5 => names_weights(path),
            Self::Foreign { is_network, .. } => *is_network,
            Self::Unknown => false,
        }
    }
}

/// Whether the start of the file speaks of weights.
fn names_weights(path: &Path) -> bool {
    const WORDS: [&[u8]; 5] = [b"torch", b"weight", b"state_dict", b"NIRGraph", b"keras"];
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(HEAD as u64).read_to_end(&mut head));
    // A zip file of this kind has data.pkl, which only PyTorch writes.
    let is_archive = head.starts_with(b"PK");
    read.is_ok() && (is_archive || WORDS.iter().any(|word| head.windows(word.len()).any(|window| window == *word)))
}

fn network(advice: &str) -> FileKind {
    FileKind::Foreign { advice: advice.to_owned(), is_network: true }
}

fn folder_kind(path: &Path) -> FileKind {
    let has = |name: &str| path.join(name).exists();
    if has("saved_model.pb") {
        return network(
            "is a TensorFlow SavedModel. Export it to ONNX (python -m tf2onnx.convert --saved-model) and open that",
        );
    }
    if has("_CHECKPOINT_METADATA") || has("_METADATA") {
        return network("is a JAX (Orbax) checkpoint. Export the network to ONNX (jax2onnx) and open that");
    }
    if has("Manifest.json") && has("Data") {
        return network(
            "is a Core ML package. Export the network to ONNX from the program that trained it, and open that",
        );
    }
    FileKind::Foreign { advice: "is a folder, not a network file. Open the file in it".into(), is_network: false }
}

/// The kind of a zip file, by the names of its entries.
fn archive_kind(file: File) -> FileKind {
    let Ok(zip) = zip::ZipArchive::new(BufReader::new(file)) else {
        // Damaged: the reader of archives says where.
        return FileKind::Weights;
    };
    let named = |ending: &str| zip.file_names().find(|name| name.ends_with(ending)).map(str::to_owned);
    let is_weights = ["data.pkl", "constants.pkl", "archive_format", "model.weights.h5", "exported_program.json"];
    if is_weights.iter().any(|name| named(name).is_some()) {
        return FileKind::Weights;
    }
    let inner = ["onnx", "pt", "pth", "ckpt", "safetensors", "nir", "h5"];
    match inner.iter().find_map(|ending| named(&format!(".{ending}"))) {
        Some(name) => network(&format!("is a zip archive with '{name}' in it. Unpack it and open that file")),
        None => FileKind::Unknown,
    }
}

fn is_safetensors(head: &[u8], length: u64) -> bool {
    let header = head.first_chunk::<8>().map(|bytes| u64::from_le_bytes(*bytes));
    let fits = header.is_some_and(|header| (2..=MAX_HEADER.min(length.saturating_sub(8))).contains(&header));
    fits && head.get(8..).is_some_and(|header| header.trim_ascii_start().first() == Some(&b'{'))
}

/// Formats that are not read, by their first bytes.
fn foreign(head: &[u8], path: &Path) -> Option<FileKind> {
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    let text = String::from_utf8_lossy(&head[..head.len().min(512)]).trim_start().to_lowercase();
    let has = |word: &[u8]| head.windows(word.len()).any(|window| window == word);
    let packed = |with: &str| FileKind::Foreign {
        advice: format!("is compressed ({with}). Unpack it and open the file in it"),
        is_network: false,
    };
    Some(match head {
        [0x1f, 0x8b, ..] => packed("gzip"),
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => packed("bzip2"),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => packed("xz"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => packed("zstd"),
        [b'7', b'z', 0xbc, 0xaf, ..] => packed("7z"),
        [_, _, _, _, b'T', b'F', b'L', b'3', ..] => {
            network("is a TensorFlow Lite network. Export the one it was made from to ONNX (tf2onnx) and open that")
        }
        [b'G', b'G', b'U', b'F', ..] => network("is a GGUF file of a language model, which cannot be converted"),
        [0x81..=0x8f, 0xa1..=0xbf | 0xd9, ..] if has(b"kernel") || has(b"params") => {
            network("is a JAX (Flax msgpack) checkpoint. Export the network to ONNX (jax2onnx) and open that")
        }
        _ if path.file_name().is_some_and(|name| name == "saved_model.pb") => network(
            "is a TensorFlow SavedModel. Export it to ONNX (python -m tf2onnx.convert --saved-model) and open that",
        ),
        _ if extension == "mlmodel" => {
            network("is a Core ML network. Export the network to ONNX from the program that trained it, and open that")
        }
        _ if text.starts_with("version https://git-lfs") => network(
            "is a pointer of Git LFS, not the file itself. Fetch the file with 'git lfs pull', or download it from its page",
        ),
        _ if text.starts_with("<!doctype html") || text.starts_with("<html") => FileKind::Foreign {
            advice: "is a web page, not the file. Download it again".into(),
            is_network: matches!(extension.as_str(), "bin" | "ckpt" | "pkl"),
        },
        _ if text.starts_with("<?xml") && has(b"<net ") => {
            network("is an OpenVINO network. Export the one it was made from to ONNX and open that")
        }
        _ => return None,
    })
}

/// Whether the file is an ONNX model: a protocol buffer whose fields end where it ends and that has a graph (field 7).
fn is_onnx(file: File, length: u64) -> bool {
    let mut reader = BufReader::new(file);
    if reader.seek(SeekFrom::Start(0)).is_err() {
        return false;
    }
    let (mut at, mut has_graph) = (0u64, false);
    for _ in 0..MAX_FIELDS {
        if at == length {
            return has_graph;
        }
        let Some(tag) = varint(&mut reader, &mut at) else { return false };
        let (field, wire) = (tag >> 3, tag & 7);
        // ModelProto: ir_version 1, producer 2 and 3, domain 4, model_version 5, doc 6, graph 7, opsets 8, and lists.
        let skipped = match (field, wire) {
            (1 | 5, 0) => varint(&mut reader, &mut at).map(|_| 0),
            (2 | 3 | 4 | 6 | 7 | 8 | 14 | 20 | 25 | 26, 2) => varint(&mut reader, &mut at),
            _ => None,
        };
        has_graph |= field == 7;
        let end = skipped.and_then(|skipped| at.checked_add(skipped)).filter(|&end| end <= length);
        let Some(end) = end else { return false };
        if reader.seek_relative((end - at) as i64).is_err() {
            return false;
        }
        at = end;
    }
    has_graph
}

fn varint(reader: &mut impl Read, at: &mut u64) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let mut byte = [0];
        reader.read_exact(&mut byte).ok()?;
        *at += 1;
        value |= u64::from(byte[0] & 0x7f) << shift;
        if byte[0] & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(name: &str, bytes: &[u8]) -> FileKind {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        FileKind::of(&path).unwrap_or_else(|error| panic!("{error}"))
    }

    fn network_of(name: &str, bytes: &[u8]) -> bool {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        FileKind::of(&path).is_ok_and(|kind| kind.is_network(&path))
    }

    #[test]
    fn files_are_recognized_by_content_under_any_name() {
        // ir_version 8, a graph of two bytes, an opset of none.
        let onnx = [8, 8, 0x3a, 2, 0x0a, 0, 0x42, 0];
        let safetensors = [&4u64.to_le_bytes()[..], b"{}  "].concat();
        for name in ["net", "net.bin", "net.pth.tar"] {
            assert_eq!(kind(name, &onnx), FileKind::Onnx);
            assert_eq!(kind(name, &onnx[..7]), FileKind::Unknown, "cut short");
            assert_eq!(kind(name, &safetensors), FileKind::Safetensors);
            assert_eq!(kind(name, b"\x80\x02}."), FileKind::Weights);
            assert_eq!(kind(name, b"\x89HDF\r\n\x1a\nrest"), FileKind::Hdf5);
        }
        let error = FileKind::of(Path::new("no such file")).unwrap_err().to_string();
        assert!(error.contains("Check the path"), "{error}");
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("empty.pt"), b"").unwrap();
        assert!(FileKind::of(&folder.path().join("empty.pt")).unwrap_err().to_string().contains("is empty"));
        std::fs::write(folder.path().join("saved_model.pb"), b"x").unwrap();
        assert!(matches!(FileKind::of(folder.path()).unwrap(), FileKind::Foreign { is_network: true, .. }));
    }

    #[test]
    fn a_header_as_long_as_a_pickle_begins_is_one_of_safetensors() {
        let header = format!("{{\"__metadata__\":{{\"a\":\"{}\"}}}}", "x".repeat(0x0280 - 25));
        let bytes = [&0x0280u64.to_le_bytes()[..], header.as_bytes()].concat();
        assert_eq!((header.len(), kind("a", &bytes)), (0x0280, FileKind::Safetensors));
    }

    #[test]
    fn data_under_an_ambiguous_name_is_no_network() {
        assert!(!network_of("data_batch_1.bin", &[3; 3073]), "CIFAR-10");
        assert!(!network_of("00002.bin", &[8, 18, 0x3a, 2, 9].repeat(40)), "N-MNIST");
        assert!(!network_of("data_batch_1", b"\x80\x02}q\x01(U\x06labels"), "pickled CIFAR-10");
        assert!(!network_of("x.gz", &[0x1f, 0x8b, 8, 0]));
        assert!(network_of("pytorch_model.bin", b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n."));
    }

    #[test]
    fn other_formats_are_named_with_advice() {
        let advice = |name: &str, bytes: &[u8]| match kind(name, bytes) {
            FileKind::Foreign { advice, .. } => advice,
            other => panic!("{name}: {other:?}"),
        };
        assert!(advice("a", b"\x1c\0\0\0TFL3....").contains("TensorFlow Lite"));
        assert!(advice("a.ckpt", b"\x81\xa6params\x81\xa5Dense\x81\xa6kernel").contains("Flax"));
        assert!(advice("a.pt", b"version https://git-lfs.github.com/spec/v1\n").contains("git lfs pull"));
        assert!(advice("a.pth", b"\n<!DOCTYPE html><html>").contains("web page"));
        assert!(advice("a.pth", &[0x1f, 0x8b, 8, 0]).contains("Unpack"));
        assert!(advice("saved_model.pb", &[8, 1, 0x12, 0]).contains("SavedModel"));
    }
}
