//! Tests with state dicts assembled byte by byte: valid and damaged ones, and limits.

use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;

use super::from_bytes;
use crate::network::state_dict::StateDict;

/// Writer of pickles, protocol 2.
#[derive(Clone)]
pub(super) struct Writer(pub Vec<u8>);

impl Writer {
    pub fn new() -> Self {
        Self(vec![0x80, 2])
    }
    pub fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }
    pub fn text(self, text: &str) -> Self {
        self.raw(b"X").raw(&(text.len() as u32).to_le_bytes()).raw(text.as_bytes())
    }
    pub fn int(self, value: i32) -> Self {
        self.raw(b"J").raw(&value.to_le_bytes())
    }
    pub fn global(self, name: &str) -> Self {
        self.raw(b"c").raw(name.replace(' ', "\n").as_bytes()).raw(b"\n")
    }
    pub fn tuple(self, numbers: &[i32]) -> Self {
        numbers.iter().fold(self.raw(b"("), |writer, &n| writer.int(n)).raw(b"t")
    }
    /// Writes `_rebuild_tensor_v2` of a storage.
    pub fn tensor(self, kind: &str, key: &str, count: i32, offset: i32, shape: &[i32], stride: &[i32]) -> Self {
        let id =
            self.global("torch._utils _rebuild_tensor_v2").raw(b"((").text("storage").global(&format!("torch {kind}"));
        let storage = id.text(key).text("cpu").int(count).raw(b"tQ");
        let view = storage.int(offset).tuple(shape).tuple(stride);
        view.raw(&[0x89]).global("collections OrderedDict").raw(b")RtR")
    }
    pub fn ordered(self) -> Self {
        self.global("collections OrderedDict").raw(b")R")
    }
    pub fn stop(self) -> Vec<u8> {
        self.raw(b".").0
    }
}

pub(super) fn zip(pickle: &[u8], storages: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut add = |name: &str, bytes: &[u8]| {
        zip.start_file(format!("net/{name}"), stored).unwrap();
        zip.write_all(bytes).unwrap();
    };
    add("data.pkl", pickle);
    add("byteorder", b"little");
    storages.iter().for_each(|(key, bytes)| add(&format!("data/{key}"), bytes));
    zip.finish().unwrap().into_inner()
}

/// The legacy container; `storages` with their number of values.
pub(super) fn legacy(pickle: &[u8], storages: &[(&str, i64, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = [&[0x80, 2, 0x8a, 10][..], &super::legacy::MAGIC, b"."].concat();
    bytes.extend(Writer::new().int(1001).stop());
    bytes.extend(Writer::new().raw(b"}").text("little_endian").raw(&[0x88]).raw(b"s").stop());
    bytes.extend(pickle);
    bytes.extend(storages.iter().fold(Writer::new().raw(b"]("), |w, (key, ..)| w.text(key)).raw(b"e").stop());
    for (_, count, values) in storages {
        bytes.extend(count.to_le_bytes());
        bytes.extend(values);
    }
    bytes
}

pub(super) fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// A small state dict: a matrix, its transpose, a counter.
fn small_pickle() -> Vec<u8> {
    Writer::new()
        .ordered()
        .raw(b"(")
        .text("module.b.weight")
        .tensor("FloatStorage", "0", 6, 0, &[2, 3], &[3, 1])
        .text("module.a.weight")
        .tensor("FloatStorage", "0", 6, 0, &[3, 2], &[1, 3])
        .text("module.a.num_batches_tracked")
        .tensor("LongStorage", "1", 1, 0, &[], &[])
        .raw(b"u")
        .stop()
}

fn small_zip() -> Vec<u8> {
    zip(&small_pickle(), &[("0", floats(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])), ("1", vec![0; 8])])
}

fn small_legacy() -> Vec<u8> {
    legacy(&small_pickle(), &[("0", 6, floats(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])), ("1", 1, vec![0; 8])])
}

pub(super) fn read(bytes: &[u8]) -> StateDict {
    from_bytes(bytes, Path::new("net.pth")).unwrap_or_else(|e| panic!("{e}"))
}

#[track_caller]
pub(super) fn refused(bytes: &[u8], words: &[&str]) {
    let text = from_bytes(bytes, Path::new("net.pth")).expect_err("this should be refused").to_string();
    assert!(text.starts_with("Cannot open net.pth: "), "{text}");
    words.iter().for_each(|word| assert!(text.contains(word), "'{text}' does not say '{word}'"));
}

#[test]
fn both_containers_give_the_same_weights_in_file_order() {
    for bytes in [small_zip(), small_legacy()] {
        let state = read(&bytes);
        let keys: Vec<_> = state.iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["b.weight", "a.weight"]);
        assert_eq!(*state.get("b.weight").unwrap().data, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        // Stride (1, 3) is the transpose.
        let transposed = state.get("a.weight").unwrap();
        assert_eq!(
            (transposed.shape.as_slice(), transposed.data.as_slice()),
            ([3, 2].as_slice(), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0].as_slice())
        );
    }
}

#[test]
fn numbers_of_every_width_become_f32() {
    let entries = [
        ("HalfStorage", vec![0, 0x3c, 0, 0xc0]),
        ("BFloat16Storage", vec![0x80, 0x3f, 0, 0xc0]),
        ("DoubleStorage", [1.0f64, -2.0].iter().flat_map(|v| v.to_le_bytes()).collect()),
        ("FloatStorage", floats(&[1.0, -2.0])),
        ("CharStorage", vec![1, 0xfe]),
        ("ShortStorage", vec![1, 0, 0xfe, 0xff]),
        ("LongStorage", [1i64, -2].iter().flat_map(|v| v.to_le_bytes()).collect()),
    ];
    for (kind, bytes) in entries {
        let pickle = Writer::new().raw(b"}").text("w").tensor(kind, "7", 2, 0, &[2], &[1]).raw(b"s").stop();
        assert_eq!(*read(&zip(&pickle, &[("7", bytes)])).get("w").unwrap().data, [1.0, -2.0], "{kind}");
    }
}

#[test]
fn offsets_expansions_parameters_and_checkpoints_are_read() {
    let inner = Writer::new().raw(b"}").text("epoch").int(3).raw(b"s").text("state_dict").ordered().raw(b"(");
    let inner = inner.text("tail").tensor("FloatStorage", "0", 4, 2, &[2], &[1]);
    let inner = inner.text("same").tensor("FloatStorage", "0", 4, 1, &[3], &[0]);
    let inner = inner.text("odd").tensor("FloatStorage", "0", 4, 0, &[1, 2], &[i32::MAX, 1]);
    let parameter = inner.text("parameter").global("torch._utils _rebuild_parameter").raw(b"(");
    let parameter = parameter.tensor("FloatStorage", "0", 4, 0, &[], &[]).raw(&[0x88]).ordered().raw(b"tR");
    // State dicts have an attribute `_metadata`, which is ignored.
    let pickle = parameter.raw(b"u").raw(b"}").text("_metadata").ordered().raw(b"sbs").stop();
    let state = read(&zip(&pickle, &[("0", floats(&[1.0, 2.0, 3.0, 4.0]))]));
    let values = |key: &str| state.get(key).unwrap().data.to_vec();
    assert_eq!((values("tail"), values("same"), values("odd")), (vec![3.0, 4.0], vec![2.0; 3], vec![1.0, 2.0]));
    assert_eq!(values("parameter"), [1.0]);
}

#[test]
fn calls_of_functions_are_not_executed_and_named_in_files_without_weights() {
    let call = |name: &str| Writer::new().raw(b"}").text("w").global(name).text("id").raw(b"\x85Rs").stop();
    for name in ["os system", "builtins eval", "builtins getattr", "__main__ Net", "torch.nn.modules.linear Linear"] {
        for bytes in [zip(&call(name), &[]), legacy(&call(name), &[]), call(name)] {
            refused(&bytes, &[&name.replace(' ', "."), "not executed", "state_dict()"]);
        }
    }
    let stack = Writer(vec![0x80, 4]).text("posix").text("system").raw(&[0x93]).text("id").raw(b"\x85R").stop();
    refused(&zip(&stack, &[]), &["'posix.system'", "not executed"]);
    // Instructions that the values before them do not allow.
    refused(&zip(&Writer::new().raw(b"]}b").stop(), &[]), &["sets attributes of a list"]);
    refused(&zip(&Writer::new().raw(b"}").text("x").raw(b")R").stop(), &[]), &["calls a text"]);
    refused(&zip(&Writer::new().raw(b"\x82\x01").stop(), &[]), &["0x82", "not used in state dicts"]);
    refused(&zip(&Writer::new().raw(b"I5\n").stop(), &[]), &["protocol 0"]);
    refused(&zip(&Writer(vec![0x80, 9]).stop(), &[]), &["protocol 9"]);
}

#[test]
fn files_without_state_dict_are_refused_with_their_content() {
    refused(b"", &["not a PyTorch file"]);
    refused(b"hello, this is a text file\n", &["not a PyTorch file"]);
    refused(&zip(&Writer::new().raw(b"]").stop(), &[]), &["contains a list", "state_dict()"]);
    let one = Writer::new().tensor("FloatStorage", "0", 1, 0, &[1], &[1]).stop();
    refused(&zip(&one, &[("0", floats(&[1.0]))]), &["a single tensor"]);
    refused(&zip(&Writer::new().raw(b"}").text("epoch").int(3).raw(b"s").stop(), &[]), &["no tensors", "'epoch'"]);
    let empty = zip::ZipWriter::new(std::io::Cursor::new(Vec::new())).finish().unwrap().into_inner();
    refused(&empty, &["without data.pkl"]);
    let mut tar = vec![0u8; 512];
    tar[257..262].copy_from_slice(b"ustar");
    refused(&tar, &["before 0.1.10"]);
}

#[test]
fn sizes_are_checked_before_anything_is_allocated() {
    let with = |count: i32, offset: i32, shape: &[i32], stride: &[i32]| {
        let pickle = Writer::new()
            .raw(b"}")
            .text("w")
            .tensor("FloatStorage", "0", count, offset, shape, stride)
            .raw(b"s")
            .stop();
        zip(&pickle, &[("0", floats(&[1.0; 6]))])
    };
    let big = i32::MAX;
    refused(&with(7, 0, &[6], &[1]), &["'w'", "storage '0'", "truncated"]);
    refused(&with(6, 1, &[6], &[1]), &["'w'", "exceeds its storage"]);
    refused(&with(6, 0, &[2, 3], &[4, 1]), &["exceeds its storage"]);
    refused(&with(6, 0, &[big, big, big, big], &[1, 1, 1, 1]), &["exceeds"]);
    refused(&with(6, 0, &[big], &[0]), &["more values than the file"]);
    refused(&with(6, 0, &[-1], &[1]), &["invalid shape"]);
    refused(&with(6, 0, &[1; 9], &[1; 9]), &["invalid shape"]);
    refused(&with(6, 0, &[6], &[]), &["invalid shape"]);
    refused(&with(-6, 0, &[6], &[1]), &["without a storage"]);
    let gone = Writer::new().raw(b"}").text("w").tensor("FloatStorage", "9", 6, 0, &[6], &[1]).raw(b"s").stop();
    refused(&zip(&gone, &[]), &["'w'", "storage '9' is not in the file"]);
    refused(&legacy(&small_pickle(), &[("0", i64::MAX, Vec::new())]), &["truncated"]);
    refused(&legacy(&small_pickle(), &[("0", -1, Vec::new())]), &["truncated"]);
    // A text that claims four gigabytes, a memo slot with a large index, deeply nested lists.
    refused(&zip(&Writer::new().raw(b"X\xff\xff\xff\xffab").0, &[]), &["the pickle ends"]);
    refused(&zip(&Writer::new().raw(b"]r\xff\xff\xff\xff").stop(), &[]), &["contains a list"]);
    let deep = Writer::new().raw(&b"]".repeat(300_000)).raw(&b"a".repeat(299_999)).stop();
    refused(&zip(&deep, &[]), &["contains a list"]);
    // A short pickle that copies a long list many times.
    let pair = Writer::new().raw(b"](").raw(&b"NN\x86".repeat(60_000)).raw(b"eq\x01");
    let bomb = pair.raw(&b"ccollections\nOrderedDict\nh\x01\x85R0".repeat(100)).stop();
    refused(&zip(&bomb, &[]), &["longer than that of any state dict"]);
}

#[test]
fn torchscript_compressed_and_big_endian_files_are_refused() {
    let mut script = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for name in ["net/data.pkl", "net/constants.pkl", "net/code/__torch__.py"] {
        script.start_file(name, stored).unwrap();
    }
    refused(&script.finish().unwrap().into_inner(), &["TorchScript", "state_dict()"]);
    let mut packed = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    packed.start_file("net/data.pkl", zip::write::SimpleFileOptions::default()).unwrap();
    packed.write_all(&small_pickle()).unwrap();
    refused(&packed.finish().unwrap().into_inner(), &["compressed"]);
    let mut program = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    program.start_file("net/archive_format", stored).unwrap();
    refused(&program.finish().unwrap().into_inner(), &["torch.export", "ONNX"]);
    let mut keras = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    keras.start_file("model.weights.h5", stored).unwrap();
    refused(&keras.finish().unwrap().into_inner(), &["Keras", "tf2onnx"]);
    let little = small_zip();
    let at = little.windows(6).position(|window| window == b"little").unwrap();
    let mut big = little.clone();
    big[at..at + 6].copy_from_slice(b"big   ");
    refused(&big, &["big-endian"]);
}

/// Number of damaged files read so far.
static READ: AtomicUsize = AtomicUsize::new(0);
const CASES: u32 = 6_000;

/// Checks that a damaged file gives a state dict no larger than the file, or an error; never a panic.
fn check_damaged(mut bytes: Vec<u8>, changes: &[(prop::sample::Index, u8)], cut: Option<prop::sample::Index>) {
    for (at, byte) in changes {
        let at = at.index(bytes.len());
        bytes[at] = *byte;
    }
    if let Some(cut) = cut {
        bytes.truncate(cut.index(bytes.len()));
    }
    let file_len = bytes.len();
    if let Ok(state) = from_bytes(&bytes, Path::new("net.pth")) {
        assert!(state.iter().map(|(_, weights)| weights.data.len()).sum::<usize>() <= file_len);
    }
    let count = READ.fetch_add(1, Ordering::Relaxed) + 1;
    if count.is_multiple_of(CASES as usize) {
        println!("{count} damaged files read");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn damaged_files_never_panic(
        old: bool,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..5),
        cut in prop::option::weighted(0.3, any::<prop::sample::Index>()),
    ) {
        check_damaged(if old { small_legacy() } else { small_zip() }, &changes, cut);
    }

    /// Damage in the pickle alone: the container stays valid and the unpickler reads all of it.
    #[test]
    fn damaged_pickles_never_panic(
        old: bool,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
        cut in prop::option::weighted(0.1, any::<prop::sample::Index>()),
    ) {
        let mut pickle = small_pickle();
        for (at, byte) in &changes {
            let at = at.index(pickle.len());
            pickle[at] = *byte;
        }
        if let Some(cut) = cut {
            pickle.truncate(cut.index(pickle.len()));
        }
        let values = floats(&[1.0; 6]);
        let bytes = if old { legacy(&pickle, &[("0", 6, values)]) } else { zip(&pickle, &[("0", values)]) };
        check_damaged(bytes, &[], None);
    }

    /// Random instructions, most of them supported.
    #[test]
    fn random_pickles_never_panic(codes in prop::collection::vec(prop::sample::select(
        &b"(N])}tldaesuR0122bQo\x81\x8f\x90\x91\x92\x98\x85\x86\x87\x88\x94h\x00q\x00K\x01J\x00\x00\x00\x00."[..]), 0..60)) {
        let pickle = Writer::new().raw(&codes).stop();
        check_damaged(zip(&pickle, &[]), &[], None);
    }
}
