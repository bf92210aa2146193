//! Tests of checkpoints: weights beside other objects, whole models, arrays, number types and parts of weights.

use super::tests::{Writer, floats, legacy, read, refused, zip};

const ONE_TO_SIX: [f32; 6] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];

fn archive(pickle: Writer) -> Vec<u8> {
    zip(&pickle.stop(), &[("0", floats(&ONE_TO_SIX))])
}

impl Writer {
    /// Writes a matrix of 2x3 at `offset` of storage 0.
    fn matrix(self, offset: i32) -> Self {
        self.tensor("FloatStorage", "0", 6, offset, &[2, 3], &[3, 1])
    }
    /// Writes `key: matrix` and sets it in the dictionary below.
    fn weight(self, key: &str) -> Self {
        self.text(key).matrix(0).raw(b"s")
    }
    /// Writes `numpy.dtype(code)` of little-endian numbers.
    fn array_type(self, code: &str) -> Self {
        let call = self.global("numpy dtype").text(code).raw(&[0x89, 0x88, 0x87]).raw(b"R");
        call.raw(b"(").int(3).text("<").raw(b"NNN").int(-1).int(-1).int(0).raw(b"tb")
    }
}

#[test]
fn everything_beside_the_weights_is_a_placeholder() {
    // A number of numpy, a Namespace, a dataclass with slots, an enum, a set, a defaultdict, a device, a type, a counter of
    // a custom class, an optimizer, and a function that would run a command.
    let w = Writer::new().raw(b"}").text("model").raw(b"}").weight("fc.weight").raw(b"s");
    let w = w.text("best").global("numpy._core.multiarray scalar").array_type("f8").raw(b"C\x08\0\0\0\0\0\0\0\0\x86Rs");
    let w = w.text("args").global("argparse Namespace").raw(b")\x81}").text("lr").int(1).raw(b"sbs");
    let w = w.text("data").global("__main__ Config").raw(b")\x81N}").text("depth").int(3).raw(b"s\x86bs");
    let w = w.text("mode").global("__main__ Mode").int(1).raw(b"\x85Rs");
    let w = w.text("set").raw(b"\x8f(").int(1).int(2).raw(b"\x90s");
    let w = w.text("counts").global("collections defaultdict").global("builtins int").raw(b"\x85R").text("a").int(1);
    let w = w.raw(b"ss").text("device").global("torch device").text("cuda").raw(b"\x85Rs");
    let w = w.text("dtype").global("torch float32").raw(b"s");
    let w = w.text("meter").global("__main__ Meter").raw(b")R").text("a").int(1).raw(b"s").int(7).raw(b"as");
    let w = w.text("old").raw(b"(").global("__main__ Old").int(4).raw(b"os");
    let w = w.text("older").raw(b"(").int(4).raw(b"i__main__\nOlder\ns");
    let w = w.text("new").global("__main__ New").raw(b")}\x92s");
    let w = w.text("optimizer").raw(b"}").text("state").raw(b"}").int(0).raw(b"}").weight("exp_avg").raw(b"ss");
    let w = w.text("param_groups").raw(b"]ss");
    let w = w.text("hook").global("os system").text("true").raw(b"\x85Rs");
    for bytes in [archive(w.clone()), legacy(&w.stop(), &[("0", 6, floats(&ONE_TO_SIX))])] {
        let state = read(&bytes);
        assert_eq!(state.iter().map(|(key, _)| key).collect::<Vec<_>>(), ["fc.weight"]);
        assert_eq!(*state.get("fc.weight").unwrap().data, ONE_TO_SIX);
        assert!(matches!(state.notes(), [note] if note.contains("'os.system'")), "{:?}", state.notes());
    }
}

#[test]
fn one_of_several_sets_of_weights_is_read_by_a_stated_rule() {
    let set = |w: Writer, name: &str, key: &str| w.text(name).raw(b"}").weight(key).raw(b"s");
    let keys = |w: Writer| {
        let state = read(&archive(w));
        let keys: Vec<String> = state.iter().map(|(key, _)| key.to_owned()).collect();
        (keys, state.notes().join(" "))
    };
    // The usual names come first, wherever they are.
    let (found, note) = keys(set(set(Writer::new().raw(b"}"), "ema", "a.weight"), "model", "b.weight"));
    assert_eq!(found, ["b.weight"]);
    assert!(note.contains("'model'") && note.contains("'ema'") && note.contains("state_dict, "), "{note}");
    let nested = set(Writer::new().raw(b"}").text("checkpoint").raw(b"}"), "state_dict", "c.weight").raw(b"s");
    assert_eq!(keys(nested).0, ["c.weight"]);
    // Parts of one network are joined; copies are not.
    let parts = set(set(Writer::new().raw(b"}"), "encoder", "0.weight"), "decoder", "2.weight");
    assert_eq!(keys(parts).0, ["encoder.0.weight", "decoder.2.weight"]);
    let copies = set(set(Writer::new().raw(b"}"), "student", "0.weight"), "teacher", "0.weight");
    let (found, note) = keys(copies);
    assert!(found == ["0.weight"] && note.contains("'teacher'"), "{found:?} {note}");
    // A tuple of states, and names beside tensors.
    let w = Writer::new().raw(b"}").weight("d.weight").raw(b"}").text("param_groups").raw(b"]s\x86");
    assert_eq!(keys(w).0, ["d.weight"]);
    let w = Writer::new().raw(b"]").text("e.weight").matrix(0).raw(b"\x86a");
    assert_eq!(keys(w).0, ["e.weight"]);
    // A number beside the weights is not a set of weights.
    let w = Writer::new().raw(b"}").text("accuracy").tensor("FloatStorage", "0", 6, 0, &[], &[]).raw(b"s");
    assert_eq!(keys(set(w, "best_model", "f.weight")).0, ["f.weight"]);
    let w = Writer::new().raw(b"}").text("confusion").matrix(0).raw(b"s");
    assert_eq!(keys(set(w, "best_model", "g.weight")).0, ["g.weight"]);
}

/// A module of `class` with one parameter, if stated, and the modules that `children` writes.
fn module(w: Writer, class: &str, parameter: Option<&str>, children: impl FnOnce(Writer) -> Writer) -> Writer {
    let w = w.global(class).raw(b")\x81}").text("_parameters").raw(b"}");
    let w = match parameter {
        Some(name) => w.weight(name).text("bias").raw(b"Ns"),
        None => w,
    };
    let w = w.raw(b"s").text("_buffers").raw(b"}").weight("mask").raw(b"s");
    let w = w.text("_non_persistent_buffers_set").raw(b"\x8f(").text("mask").raw(b"\x90s");
    children(w.text("_modules").raw(b"}")).raw(b"sb")
}

#[test]
fn whole_models_give_the_state_dict_of_their_modules() {
    let net = module(Writer::new(), "__main__ Net", None, |w| {
        let w = module(w.text("fc"), "torch.nn.modules.linear Linear", Some("weight"), |w| w).raw(b"s");
        module(w.text("act"), "torch.nn.modules.activation Tanh", None, |w| w).raw(b"s")
    });
    let state = read(&archive(net));
    assert_eq!(state.iter().map(|(key, _)| key).collect::<Vec<_>>(), ["fc.weight"]);
    assert!(state.notes()[0].contains("whole model ('__main__.Net')"), "{:?}", state.notes());
    assert_eq!(state.modules()[2], ("act".to_owned(), "torch.nn.modules.activation.Tanh".to_owned()));
    let quantized = module(Writer::new(), "torch.ao.nn.quantized.modules.linear Linear", None, |w| w);
    refused(&archive(quantized), &["module ''", "Linear", "float network"]);
    // In a dictionary, as some programs save it.
    let inner = Writer::new().raw(b"}").text("model");
    let checkpoint = module(inner, "__main__ Net", Some("weight"), |w| w).raw(b"s");
    assert_eq!(read(&archive(checkpoint)).iter().map(|(key, _)| key).collect::<Vec<_>>(), ["weight"]);
    // A module that contains itself.
    let endless = Writer::new().global("__main__ Net").raw(b")\x81q\x01}").text("_parameters").raw(b"}s");
    let endless = endless.text("_modules").raw(b"}").text("self").raw(b"h\x01ssb");
    refused(&archive(endless), &["nested without end"]);
}

#[test]
fn arrays_are_read_in_either_order_of_rows_and_bytes() {
    let array = |w: Writer, code: &str, order: &str, fortran: u8, bytes: &[u8]| {
        let w = w.global("numpy.core.multiarray _reconstruct").global("numpy ndarray").raw(b"K\0\x85C\x01b\x87R");
        let w = w.raw(b"(").int(1).tuple(&[2, 2]).global("numpy dtype").text(code).raw(&[0x89, 0x88, 0x87]).raw(b"R(");
        let w = w.int(3).text(order).raw(b"NNN").int(-1).int(-1).int(0).raw(b"tb").raw(&[fortran]);
        w.raw(&[b'C', bytes.len() as u8]).raw(bytes).raw(b"tb")
    };
    let little: Vec<u8> = [1.0f32, 2.0, 3.0, 4.0].iter().flat_map(|v| v.to_le_bytes()).collect();
    let big: Vec<u8> = [1.0f64, 2.0, 3.0, 4.0].iter().flat_map(|v| v.to_be_bytes()).collect();
    let w = array(Writer::new().raw(b"}").text("a"), "f4", "<", 0x89, &little).raw(b"s");
    let w = array(w.text("b"), "f8", ">", 0x88, &big).raw(b"s");
    let state = read(&w.stop());
    assert_eq!(*state.get("a").unwrap().data, [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(*state.get("b").unwrap().data, [1.0, 3.0, 2.0, 4.0]);
    // Protocol 2 writes bytes as text; protocol 5 has a function of its own.
    let text = Writer::new().raw(b"}").text("c").global("numpy._core.numeric _frombuffer").raw(b"(");
    let text = text.global("_codecs encode").text("\u{1}\u{ff}").text("latin1").raw(b"\x86R");
    let text = text.array_type("i1").tuple(&[2]).text("C").raw(b"tRs");
    assert_eq!(*read(&text.stop()).get("c").unwrap().data, [1.0, -1.0]);
    let short = array(Writer::new().raw(b"}").text("a"), "f8", "<", 0x89, &little).raw(b"s").stop();
    refused(&short, &["'a'", "16 bytes for shape 2x2"]);
}

#[test]
fn pickled_tensors_have_their_storage_in_a_file_of_its_own() {
    let storage = Writer::new().raw(b"(").text("storage").global("torch FloatStorage").text("9").text("cpu").int(6);
    let file = legacy(&storage.raw(b"NtQ").stop(), &[("9", 6, floats(&ONE_TO_SIX))]);
    let tensor = |w: Writer| {
        let w = w.global("torch._utils _rebuild_tensor_v2").raw(b"(").global("torch.storage _load_from_bytes");
        let w = w.raw(b"B").raw(&(file.len() as u32).to_le_bytes()).raw(&file).raw(b"\x85R");
        w.int(0).tuple(&[2, 3]).tuple(&[3, 1]).raw(&[0x89]).ordered().raw(b"tR")
    };
    let state = read(&tensor(Writer::new().raw(b"}").text("w")).raw(b"s").stop());
    assert_eq!(*state.get("w").unwrap().data, ONE_TO_SIX);
    let broken = Writer::new().raw(b"}").text("w").global("torch._utils _rebuild_tensor_v2").raw(b"(");
    let broken = broken.global("torch.storage _load_from_bytes").raw(b"C\x03\x80\x02.\x85R");
    let broken = broken.int(0).tuple(&[2, 3]).tuple(&[3, 1]).raw(&[0x89]).ordered().raw(b"tRs").stop();
    refused(&broken, &["'w'", "magic number"]);
}

#[test]
fn tensors_without_readable_numbers_are_refused_by_key() {
    let one = |kind: &str| Writer::new().raw(b"}").text("fc.weight").global(kind).raw(b")Rs");
    for (kind, word) in [
        ("torch._utils _rebuild_qtensor", "float network"),
        ("torch._utils _rebuild_sparse_tensor", "sparse"),
        ("torch._utils _rebuild_meta_tensor_no_storage", "meta device"),
    ] {
        refused(&archive(one(kind)), &["'fc.weight'", word]);
    }
    // The weight and bias of a quantized layer are a tuple.
    let packed =
        Writer::new().raw(b"}").text("fc._packed_params").global("torch._utils _rebuild_qtensor").raw(b")RN\x86s");
    refused(&archive(packed), &["'fc._packed_params'", "quantized"]);
    let complex = Writer::new().raw(b"}").text("w").tensor("ComplexFloatStorage", "0", 3, 0, &[3], &[1]).raw(b"s");
    refused(&archive(complex), &["'w'", "complex64"]);
    let quantized = Writer::new().raw(b"}").text("w").tensor("QInt8Storage", "0", 6, 0, &[6], &[1]).raw(b"s");
    refused(&archive(quantized), &["'w'", "qint8"]);
    // They do not matter where they are not read.
    let elsewhere = one("torch._utils _rebuild_sparse_tensor").text("state_dict").raw(b"}").weight("a").raw(b"s");
    assert!(read(&archive(elsewhere)).has("a"));
}

#[test]
fn typed_tensors_and_subclasses_are_read() {
    // `_rebuild_tensor_v3`: a storage of bytes and the type of the tensor.
    let w = Writer::new().raw(b"}").text("w").global("torch._utils _rebuild_tensor_v3").raw(b"((").text("storage");
    let w = w.global("torch.storage UntypedStorage").text("1").text("cpu").int(3).raw(b"tQ").int(1).tuple(&[2]);
    let w = w.tuple(&[1]).raw(&[0x89]).ordered().global("torch float8_e4m3fn").raw(b"tRs");
    // `_rebuild_from_type_v2(function, type, arguments, state)`.
    let w =
        w.text("p").global("torch._tensor _rebuild_from_type_v2").raw(b"(").global("torch._utils _rebuild_parameter");
    let w = w.global("__main__ Mine").raw(b"(").matrix(0).raw(&[0x88]).ordered().raw(b"t}tRs");
    let state = read(&zip(&w.stop(), &[("0", floats(&ONE_TO_SIX)), ("1", vec![0, 0x38, 0xb8])]));
    assert_eq!(*state.get("w").unwrap().data, [1.0, -1.0]);
    assert_eq!(*state.get("p").unwrap().data, ONE_TO_SIX);
}
