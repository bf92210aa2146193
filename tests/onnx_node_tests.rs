//! The operator tests of the ONNX standard: every network that opens gives the stored outputs.
//!
//! `SPIKESCOPE_ONNX_NODE_TESTS` names their folder, which `tests/onnx/node_tests.py` writes; without it the folder of the Python
//! package onnx is used, if it has one. The first input is that of the network; the others become stored tensors.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::tensor::Device;
use prost::Message;
use spikescope::compute::dense::tensor_to_vec;
use spikescope::compute::program::Program;
use spikescope::network::onnx;

/// Tests whose outputs onnxruntime does not give either: where scales leave a fraction of a pixel, it and PyTorch align the
/// corners of the whole output.
const DISPUTED: [&str; 2] =
    ["test_resize_downsample_scales_cubic_align_corners", "test_resize_downsample_scales_linear_align_corners"];

/// The parts of an ONNX file that name inputs.
#[derive(Clone, PartialEq, Message)]
struct Model {
    #[prost(message, optional, tag = "7")]
    graph: Option<Graph>,
}

#[derive(Clone, PartialEq, Message)]
struct Graph {
    #[prost(message, repeated, tag = "5")]
    initializer: Vec<Tensor>,
    #[prost(message, repeated, tag = "11")]
    input: Vec<Named>,
    #[prost(message, repeated, tag = "12")]
    output: Vec<Named>,
}

#[derive(Clone, PartialEq, Message)]
struct Named {
    #[prost(string, tag = "1")]
    name: String,
}

#[derive(Clone, PartialEq, Message)]
struct Tensor {
    #[prost(int32, tag = "2")]
    data_type: i32,
    #[prost(string, tag = "8")]
    name: String,
}

fn folder() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("SPIKESCOPE_ONNX_NODE_TESTS") {
        return Some(folder.into());
    }
    let script = "import onnx, os; print(os.path.dirname(onnx.__file__))";
    let output = std::process::Command::new("python3").args(["-c", script]).output().ok()?;
    let package = String::from_utf8(output.stdout).ok()?;
    Some(Path::new(package.trim()).join("backend/test/data/node")).filter(|folder| folder.is_dir())
}

/// Field `tag` with `bytes`, as protobuf writes it.
fn field(tag: u64, bytes: &[u8]) -> Vec<u8> {
    let mut field = Vec::new();
    prost::encoding::encode_varint(tag << 3 | 2, &mut field);
    prost::encoding::encode_varint(bytes.len() as u64, &mut field);
    field.extend(bytes);
    field
}

/// The file of a test, all of whose inputs but the first are stored tensors. A message that follows another in a file is
/// merged with it.
fn with_one_input(path: &Path, set: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = std::fs::read(path).map_err(|e| e.to_string())?;
    let graph = Model::decode(bytes.as_slice()).map_err(|e| e.to_string())?.graph.unwrap_or_default();
    let is_stored = |name: &str| graph.initializer.iter().any(|tensor| tensor.name == name);
    let names = graph.input.iter().map(|input| input.name.as_str()).filter(|name| !is_stored(name));
    for (k, name) in names.enumerate().skip(1) {
        let mut tensor = std::fs::read(set.join(format!("input_{k}.pb"))).map_err(|e| e.to_string())?;
        tensor.extend(field(8, name.as_bytes()));
        bytes.extend(field(7, &field(5, &tensor)));
    }
    Ok(bytes)
}

/// `[N, H, W, C]` as `[N, C, H, W]`.
fn channels_first(values: &[f32], channels: usize, sample: usize) -> Vec<f32> {
    let turn = |x: &[f32]| {
        (0..channels).flat_map(|c| x.iter().skip(c).step_by(channels).copied().collect::<Vec<_>>()).collect()
    };
    values.chunks(sample).flat_map(|x| -> Vec<f32> { turn(x) }).collect()
}

/// What is wrong with the outputs of the network of a test; the reason if it does not open, or its values are not readable.
fn compare(path: &Path, set: &Path) -> Result<Option<String>, String> {
    let bytes = with_one_input(path, set)?;
    let reason = |error: spikescope::Error| match error {
        spikescope::Error::File { reason, .. } => reason,
        other => other.to_string(),
    };
    let network = onnx::from_bytes(&bytes, path).map_err(reason)?;
    let (dims, mut input) = onnx::read_tensor(&set.join("input_0.pb")).map_err(reason)?;
    let outputs = (0..).map(|k| set.join(format!("output_{k}.pb"))).take_while(|path| path.is_file());
    let outputs = outputs.map(|path| Ok((onnx::read_tensor(&path)?, is_short(&path))));
    let outputs = outputs.collect::<Result<Vec<_>, _>>().map_err(reason)?;
    let (shape, parts) = (network.input_shape().to_vec(), network.outputs());
    let per_sample: usize = shape.iter().product();
    if input.is_empty() || !input.len().is_multiple_of(per_sample) {
        return Ok(Some(format!("its input {dims:?} is read as samples of shape {shape:?}")));
    }
    let rows = input.len() / per_sample;
    if let (&[channels, height, width], Some(sample)) = (shape.as_slice(), dims.get(1..))
        && sample != shape
        && *sample == [height, width, channels]
    {
        input = channels_first(&input, channels, per_sample);
    }
    let names: Vec<String> = Model::decode(bytes.as_slice())
        .map(|model| model.graph.unwrap_or_default().output.into_iter().map(|output| output.name).collect())
        .unwrap_or_default();
    let classes = network.classes();
    let program = Program::new(Arc::new(network), &Device::flex());
    let ours = tensor_to_vec(program.run(program.tensor(input, rows), |_, _| {}));
    for part in &parts {
        // An output that is alone does not keep its name; others may be ignored, with a note.
        let at = if outputs.len() == 1 { Some(0) } else { names.iter().position(|name| *name == part.name) };
        let Some(((dims, theirs), is_short)) = at.and_then(|at| outputs.get(at)) else {
            return Ok(Some(format!("output '{}' is not among {names:?}", part.name)));
        };
        if theirs.len() != rows * part.range.len() {
            return Ok(Some(format!("output '{}' {dims:?} is read as {rows} samples of {:?}", part.name, part.shape)));
        }
        let found = ours.chunks(classes).flat_map(|row| &row[part.range.clone()]);
        // Layers compute with 32 bits, and a note says so where the network has 16.
        let tolerance = if *is_short { 1e-2 } else { 1e-3 };
        let differs = |(a, b): (&f32, &f32)| {
            !(a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-5 + tolerance * b.abs())
        };
        if let Some(at) = found.clone().zip(theirs).position(differs) {
            let found = found.clone().nth(at).copied().unwrap_or(f32::NAN);
            return Ok(Some(format!("'{}'[{at}] is {found}, not {}", part.name, theirs[at])));
        }
    }
    Ok(None)
}

/// Whether the tensor in the file at `path` has numbers of 16 bits or fewer.
fn is_short(path: &Path) -> bool {
    let bytes = std::fs::read(path).unwrap_or_default();
    Tensor::decode(bytes.as_slice()).is_ok_and(|tensor| !matches!(tensor.data_type, 1 | 6 | 7 | 11 | 12 | 13))
}

/// A reason without the names and numbers in it, to count reasons of one kind.
fn kind_of(reason: &str) -> String {
    let mut kind = String::new();
    let mut quoted = false;
    for character in reason.chars() {
        match character {
            '\'' => quoted = !quoted,
            _ if quoted => {}
            '0'..='9' => kind.push('#'),
            other => kind.push(other),
        }
    }
    while kind.contains("##") {
        kind = kind.replace("##", "#");
    }
    kind
}

#[test]
fn every_operator_test_that_opens_gives_its_outputs() {
    let Some(root) = folder() else {
        println!("skipped: SPIKESCOPE_ONNX_NODE_TESTS names no folder (see docs/verification.md)");
        return;
    };
    let mut folders: Vec<PathBuf> = std::fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|folder| folder.join("model.onnx").is_file());
    folders.sort();
    let (mut right, mut wrong) = (Vec::new(), Vec::new());
    let mut refused: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for folder in &folders {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        // Training is read as inference, with a finding.
        if name.contains("training") || DISPUTED.contains(&name.as_str()) {
            continue;
        }
        match compare(&folder.join("model.onnx"), &folder.join("test_data_set_0")) {
            Ok(None) => right.push(name),
            Ok(Some(difference)) => wrong.push(format!("{name}: {difference}")),
            Err(reason) => refused.entry(kind_of(&reason)).or_default().push(name),
        }
    }
    let mut refused: Vec<_> = refused.into_iter().collect();
    refused.sort_by_key(|(_, names)| std::cmp::Reverse(names.len()));
    println!("| operator tests | |\n|---|---|\n| right | {} |\n| wrong | {} |", right.len(), wrong.len());
    for (kind, names) in &refused {
        println!("| refused: {kind} | {}: {} |", names.len(), names.join(" "));
    }
    println!("right: {}", right.join(" "));
    assert!(!folders.is_empty(), "no test in {}", root.display());
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
