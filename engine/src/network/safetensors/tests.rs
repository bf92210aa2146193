//! Round trips of network files, and the refusal of damaged and foreign ones.

use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::network::zoo::{ZooArchitecture, parse_activation};
use crate::network::{Activation, Node, Op, Weights};

fn sample(arch: ZooArchitecture, activation: &str) -> Network {
    let mut network = arch.build(&[1, 12, 12], 3, parse_activation(activation).unwrap(), 7).unwrap();
    network.scaling = Some(Scaling::MeanStd { mean: vec![0.1307], std: vec![0.3081] });
    network.class_names = ["zero", "one", "zwölf \"12\""].map(str::to_owned).to_vec();
    network
}

fn assert_same(a: &Network, b: &Network) {
    assert_eq!((&a.name, a.output, &a.scaling, &a.class_names), (&b.name, b.output, &b.scaling, &b.class_names));
    assert_eq!(a.nodes.len(), b.nodes.len());
    for (a, b) in a.nodes.iter().zip(&b.nodes) {
        assert_eq!((&a.name, &a.op, &a.inputs, &a.shape), (&b.name, &b.op, &b.inputs, &b.shape));
    }
}

#[test]
fn saved_networks_are_loaded_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    for arch in [ZooArchitecture::Mlp, ZooArchitecture::Cnn, ZooArchitecture::Resnet] {
        for activation in ["relu", "clip", "qcfs:8"] {
            let network = sample(arch, activation);
            save(&network, &path).unwrap();
            assert_same(&load(&path).unwrap(), &network);
        }
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left behind");
}

#[test]
fn every_operation_round_trips() {
    let third = 1.0f32 / 3.0;
    let ops = [
        Op::Input,
        Op::Pad { before: vec![0, 1, 1], after: vec![0, 1, 1] },
        Op::MaxPool2d { kernel: [2, 3], stride: [2, 1], padding: [0, 1, 0, 1], dilation: [1, 1] },
        Op::Slice { axis: 1, start: 0, end: 3, step: 2 },
        Op::Transpose { perm: vec![0, 2, 1] },
        Op::Concat { axis: 0 },
        Op::Mean { axes: vec![1, 2] },
        Op::Activation(Activation::Qcfs { lambda: third, levels: 5, shift: 0.25 }),
        Op::Activation(Activation::Clip { lambda: 6.1 }),
        Op::Affine { scale: vec![third], shift: vec![f32::MIN_POSITIVE] },
        Op::Softmax { log: true },
    ];
    let mut nodes: Vec<Node> = Vec::new();
    for (id, op) in ops.into_iter().enumerate() {
        let inputs: Vec<usize> = match op {
            Op::Input => vec![],
            Op::Concat { .. } => vec![id - 1, id - 1],
            _ => vec![id - 1],
        };
        let shapes: Vec<&[usize]> = inputs.iter().map(|&input| nodes[input].shape.as_slice()).collect();
        let stated: &[usize] = if matches!(op, Op::Mean { .. }) { &[4] } else { &[2, 4, 5] };
        let shape = crate::network::shape_inference::infer_shape(&op, &shapes, stated).unwrap();
        nodes.push(Node { name: format!("n{id}"), op, inputs, shape });
    }
    let network =
        Network { name: "all".into(), nodes, output: 10, scaling: None, class_names: Vec::new(), neurons: None };
    assert_same(&from_bytes(&to_bytes(&network).unwrap(), Path::new("x")).unwrap(), &network);
}

#[test]
fn equal_networks_give_equal_bytes() {
    let bytes = || to_bytes(&sample(ZooArchitecture::Resnet, "qcfs:8")).unwrap();
    assert_eq!(bytes(), bytes());
}

/// The error for a valid file after `change` of its header and bytes.
fn refused(change: impl FnOnce(&mut Value, &mut Vec<u8>)) -> String {
    let good = to_bytes(&sample(ZooArchitecture::Cnn, "qcfs:4")).unwrap();
    let (length, rest) = good.split_at(8);
    let (header, numbers) = rest.split_at(u64::from_le_bytes(length.try_into().unwrap()) as usize);
    let (mut header, mut numbers): (Value, Vec<u8>) = (serde_json::from_slice(header).unwrap(), numbers.to_vec());
    change(&mut header, &mut numbers);
    let header = serde_json::to_vec(&header).unwrap();
    let bytes = [&(header.len() as u64).to_le_bytes()[..], &header, &numbers].concat();
    let error = from_bytes(&bytes, Path::new("bad.safetensors")).expect_err("a broken file was read");
    assert_eq!(error.exit_code(), 2);
    let text = error.to_string();
    assert!(text.starts_with("Cannot open bad.safetensors: "), "{text}");
    text
}

/// The error for a valid file after `change` of its graph.
fn refused_graph(change: impl FnOnce(&mut Value)) -> String {
    refused(|header, _| {
        let mut graph: Value = serde_json::from_str(header["__metadata__"][GRAPH].as_str().unwrap()).unwrap();
        change(&mut graph);
        header["__metadata__"][GRAPH] = graph.to_string().into();
    })
}

#[track_caller]
fn assert_contains(text: &str, words: &[&str]) {
    words.iter().for_each(|word| assert!(text.contains(word), "'{text}' does not say '{word}'"));
}

#[test]
fn truncated_and_foreign_files_are_refused() {
    let good = to_bytes(&sample(ZooArchitecture::Mlp, "relu")).unwrap();
    for cut in [0, 1, 7, 8, 9, 100, good.len() / 2, good.len() - 1] {
        let text = from_bytes(&good[..cut], Path::new("cut")).expect_err("a cut file was read").to_string();
        assert_contains(&text, &["cut: header: not a complete safetensors file"]);
    }
    let mut long = good.clone();
    long.push(0);
    assert!(from_bytes(&long, Path::new("long")).is_err());
    for header in [u64::MAX, 1 << 40, good.len() as u64] {
        let mut absurd = good.clone();
        absurd[..8].copy_from_slice(&header.to_le_bytes());
        assert!(from_bytes(&absurd, Path::new("absurd")).is_err());
    }
    assert!(matches!(load(Path::new("/no/such/file")), Err(Error::Io { .. })));
}

#[test]
fn weights_without_graph_are_refused() {
    let text = refused(|header, _| drop(header.as_object_mut().unwrap().remove("__metadata__")));
    assert_contains(&text, &["metadata", "no graph", "spikescope.graph", "ONNX"]);
    let text = refused(|header, _| header["__metadata__"] = json!({"format": "pt"}));
    assert_contains(&text, &["no graph"]);
    let text = refused(|header, _| drop(header["__metadata__"].as_object_mut().unwrap().remove(GRAPH)));
    assert_contains(&text, &["'spikescope.graph' is missing"]);
}

#[test]
fn other_versions_and_invalid_metadata_are_refused() {
    assert_contains(&refused(|header, _| header["__metadata__"][FORMAT] = "2".into()), &["'2'", "version 1"]);
    assert_contains(
        &refused(|header, _| header["__metadata__"][GRAPH] = "{".into()),
        &["spikescope.graph: cannot be parsed"],
    );
    assert_contains(&refused(|header, _| header["__metadata__"][SCALING] = "mean=nan".into()), &[SCALING]);
    assert_contains(&refused(|header, _| header["__metadata__"][CLASS_NAMES] = "3".into()), &[CLASS_NAMES]);
    assert_contains(&refused(|header, _| header["__metadata__"] = json!({"a": 1})), &["header"]);
}

#[test]
fn invalid_graphs_are_refused() {
    assert_contains(&refused_graph(|graph| graph["nodes"] = json!([])), &["graph", "output"]);
    assert_contains(&refused_graph(|graph| graph["output"] = json!(99)), &["output 99"]);
    assert_contains(
        &refused_graph(|graph| graph["nodes"][2]["inputs"] = json!([3])),
        &["node 2", "not an earlier node"],
    );
    assert_contains(&refused_graph(|graph| graph["nodes"][2]["inputs"] = json!([2])), &["not an earlier node"]);
    assert_contains(&refused_graph(|graph| graph["nodes"][2]["inputs"] = json!([])), &["0 inputs"]);
    assert_contains(&refused_graph(|graph| graph["nodes"][2]["inputs"] = json!([0, 1])), &["2 inputs"]);
    assert_contains(&refused_graph(|graph| graph["nodes"][2]["inputs"] = json!([-1])), &["cannot be parsed"]);
    assert_contains(&refused_graph(|graph| graph["nodes"][2]["name"] = json!("features.0")), &["node 2", "same name"]);
    assert_contains(&refused_graph(|graph| graph["nodes"][2]["name"] = json!("")), &["no name"]);
    assert_contains(
        &refused_graph(|graph| graph["nodes"][2]["op"] = json!({"kind": "exec"})),
        &["cannot be parsed", "exec"],
    );
    assert_contains(&refused_graph(|graph| graph["nodes"][0]["op"] = json!({"kind": "relu"})), &["input"]);
    assert_contains(&refused_graph(|graph| graph["nodes"][2]["op"] = json!({"kind": "input"})), &["node 2", "input"]);
    for shape in [json!([]), json!([0]), json!([1, 1, 1, 1, 1]), json!([1u64 << 40, 1u64 << 40]), json!([1u64 << 29])] {
        assert_contains(&refused_graph(|graph| graph["nodes"][2]["shape"] = shape), &["node 2", "shape"]);
    }
}

#[test]
fn invalid_tensors_are_refused() {
    let text = refused_graph(|graph| graph["nodes"][1]["name"] = json!("features.99"));
    assert_contains(&text, &["'features.99.weight'", "does not contain it"]);
    let text = refused(|_, numbers| numbers[..4].copy_from_slice(&f32::NAN.to_le_bytes()));
    assert_contains(&text, &["tensor 'classifier.0.bias'", "value 0 is NaN"]);
    let text = refused(|header, _| header["features.0.weight"]["dtype"] = json!("I32"));
    assert_contains(&text, &["'features.0.weight'", "I32"]);
    let text = refused(|header, _| header["features.0.weight"]["shape"] = json!([1u64 << 62, 1u64 << 62]));
    assert_contains(&text, &["header"]);
    let text = refused(|header, numbers| {
        let at = header["features.1.lambda"]["data_offsets"][0].as_u64().unwrap() as usize;
        numbers[at..at + 4].copy_from_slice(&(-1.0f32).to_le_bytes());
    });
    assert_contains(&text, &["node 2", "λ must be above 0"]);
    let bad = Weights::new(vec![1], vec![f32::INFINITY]);
    let mut network = sample(ZooArchitecture::Mlp, "relu");
    let last = network.output;
    network.nodes[last].op = Op::Linear { weight: bad, bias: None };
    assert!(from_bytes(&to_bytes(&network).unwrap(), Path::new("x")).is_err());
}
