//! The operator tests of the ONNX standard, interpreted.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use prost::Message;

use super::super::proto::*;
use super::super::topological_sort::topological_order;
use super::Interpreter;
use super::data_type::DataType;
use super::index::count;
use super::stored::Stored;

fn read_tensor(path: &Path) -> Option<TensorProto> {
    TensorProto::decode(std::fs::read(path).ok()?.as_slice()).ok()
}

/// The tensors `kind_0.pb`, `kind_1.pb`, … in `folder`.
fn read_tensors(folder: &Path, kind: &str) -> Vec<TensorProto> {
    (0..).map_while(|k| read_tensor(&folder.join(format!("{kind}_{k}.pb")))).collect()
}

/// All elements of a tensor, and its shape.
fn all(tensor: &TensorProto) -> Result<(Vec<usize>, Vec<f64>, DataType), String> {
    let stored = Stored::new(tensor, Path::new(""))?;
    let numbers = (0..count(&stored.shape)).map(|k| stored.at(k)).collect();
    Ok((stored.shape.clone(), numbers, stored.data_type))
}

/// Interprets `model` on `inputs` and compares with `outputs`: what is wrong, or why a value is unknown.
fn compare(
    model: &ModelProto,
    path: &Path,
    inputs: &[TensorProto],
    outputs: &[TensorProto],
    given_inputs: bool,
) -> Result<Option<String>, String> {
    let mut graph = model.graph.clone().ok_or("no graph")?;
    let stored: Vec<&str> = graph.initializer.iter().map(|t| t.name.as_str()).collect();
    let names: Vec<String> =
        graph.input.iter().map(|input| input.name.clone()).filter(|name| !stored.contains(&name.as_str())).collect();
    let (mut given, mut constants) = (Vec::new(), Vec::new());
    for (name, tensor) in names.into_iter().zip(inputs) {
        if given_inputs && matches!(tensor.data_type, 1 | 10 | 16) {
            let (shape, numbers, _) = all(tensor)?;
            given.push((name, shape, numbers));
        } else {
            constants.push(TensorProto { name, ..tensor.clone() });
        }
    }
    graph.initializer.extend(constants);
    let order = topological_order(&graph, path).map_err(|e| e.to_string())?;
    let standard = model.opset_import.iter().filter(|set| set.domain.is_empty() || set.domain == "ai.onnx");
    let opset = standard.map(|set| set.version).max().unwrap_or(1);
    let shapes: Vec<(&str, Vec<usize>)> = given.iter().map(|(name, shape, _)| (name.as_str(), shape.clone())).collect();
    let interpreter = Interpreter::with_inputs(&graph, &order, opset, path, &shapes, &|_| None);
    let supply = |name: &str, index: usize| {
        given.iter().find(|(given, ..)| given == name).and_then(|(_, _, numbers)| numbers.get(index)).map(|&v| v as f32)
    };
    for (output, expected) in graph.output.iter().zip(outputs).filter(|(output, _)| !output.name.is_empty()) {
        let (shape, numbers, data_type) = all(expected)?;
        let relative = match data_type {
            DataType::Bf16 => 2e-2,
            DataType::F16 => 3e-3,
            _ => 1e-3,
        };
        let found = interpreter.shape(&output.name).map_err(|e| e.reason)?;
        if found != shape {
            return Ok(Some(format!("'{}' has shape {found:?}, not {shape:?}", output.name)));
        }
        let indices: Vec<usize> = (0..numbers.len()).collect();
        let found = interpreter.elements(&output.name, &indices, &supply).map_err(|e| e.reason)?;
        let differs = |(a, b): &(&f64, &f64)| {
            let equal = a == b || a.is_nan() && b.is_nan();
            !(equal || data_type.is_float() && (*a - *b).abs() <= 1e-5 + relative * b.abs())
        };
        if let Some(at) = found.iter().zip(&numbers).position(|(a, b)| differs(&(a, b))) {
            return Ok(Some(format!("'{}'[{at}] is {}, not {}", output.name, found[at], numbers[at])));
        }
    }
    Ok(None)
}

/// Folder of operator tests: `SPIKESCOPE_ONNX_NODE_TESTS`, or that of the Python package onnx.
fn node_tests() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("SPIKESCOPE_ONNX_NODE_TESTS") {
        return Some(folder.into());
    }
    let script = "import onnx, os; print(os.path.dirname(onnx.__file__))";
    let output = std::process::Command::new("python3").args(["-c", script]).output().ok()?;
    let package = String::from_utf8(output.stdout).ok()?;
    Some(Path::new(package.trim()).join("backend/test/data/node")).filter(|folder| folder.is_dir())
}

#[test]
fn operator_tests_of_the_standard_are_interpreted_right() {
    let Some(root) = node_tests() else {
        println!("skipped: SPIKESCOPE_ONNX_NODE_TESTS names no folder (see docs/verification.md)");
        return;
    };
    let mut folders: Vec<PathBuf> = std::fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let (mut right, mut wrong) = (0, Vec::new());
    let mut unknown: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for folder in folders {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        // Interpreted as in inference.
        let trains = name.contains("training") || name.starts_with("test_dropout_random");
        let path = folder.join("model.onnx");
        let Some(bytes) = std::fs::read(&path).ok().filter(|_| !trains) else { continue };
        let model = ModelProto::decode(bytes.as_slice()).unwrap();
        let set = folder.join("test_data_set_0");
        let (inputs, outputs) = (read_tensors(&set, "input"), read_tensors(&set, "output"));
        let results = [true, false].map(|given| compare(&model, &path, &inputs, &outputs, given));
        if let Some(reason) = results.iter().find_map(|result| result.clone().ok().flatten()) {
            wrong.push(format!("{name}: {reason}"));
        } else if results.iter().any(Result::is_ok) {
            right += 1;
        } else if let [_, Err(reason)] = results {
            unknown.entry(reason).or_default().push(name);
        }
    }
    println!("{right} right, {} unknown, {} wrong", unknown.values().map(Vec::len).sum::<usize>(), wrong.len());
    for (reason, names) in &unknown {
        println!("unknown: {reason} ({}): {}", names.len(), names.join(" "));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
