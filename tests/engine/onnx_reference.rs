//! ONNX reference tests: real files reproduce the logits of onnxruntime and their published accuracy.

use crate::common;
use std::path::Path;

use spikescope::compute::dense::tensor_to_vec;
use spikescope::compute::program::Program;
use spikescope::data::spec::Source;
use spikescope::data::{DataSpec, Samples, Scaling};
use spikescope::network::{argmax, onnx};

/// The network's own outputs (softmax included) for samples `range`.
fn answers(program: &Program, samples: &Samples, scaling: &Scaling, range: std::ops::Range<usize>) -> Vec<Vec<f32>> {
    let mut all = Vec::new();
    for start in range.clone().step_by(64) {
        let end = (start + 64).min(range.end);
        let x = program.tensor(samples.scaled(start..end, scaling), end - start);
        let logits = tensor_to_vec(program.run(x, |_, _| {}));
        all.extend(logits.chunks(program.network().classes()).map(<[f32]>::to_vec));
    }
    all
}

fn reference(path: &Path) -> Vec<f32> {
    npyz::NpyFile::new(std::fs::File::open(path).unwrap()).unwrap().into_vec().unwrap()
}

/// Equal to rtol 1e-3, atol 1e-4.
fn assert_close(ours: &[Vec<f32>], theirs: &[f32], name: &str) {
    for (i, (a, b)) in ours.iter().flatten().zip(theirs).enumerate() {
        assert!((a - b).abs() <= 1e-4 + 1e-3 * b.abs(), "{name}: logit {i} is {a}, onnxruntime says {b}");
    }
    assert_eq!(ours.iter().flatten().count(), theirs.len(), "{name}");
}

fn mnist() -> Option<Samples> {
    let folder = common::shared("data/mnist")?;
    let (images, labels) = (folder.join("t10k-images-idx3-ubyte.gz"), folder.join("t10k-labels-idx1-ubyte.gz"));
    Some(DataSpec::from(Source::Idx { images, labels: Some(labels) }).load().unwrap())
}

fn cifar() -> Option<Samples> {
    let file = common::shared("data/cifar10/test_batch_first500.bin")?;
    Some(DataSpec::from(Source::Cifar10(vec![file])).load().unwrap())
}

fn program(path: &Path) -> Program {
    let network = onnx::read(path).unwrap_or_else(|e| panic!("{e}"));
    Program::new(std::sync::Arc::new(network), &burn::tensor::Device::flex())
}

#[test]
fn reference_networks_reproduce_their_logits() {
    let (Some(folder), Some(samples)) = (common::shared("golden"), mnist()) else { return };
    for name in ["mlp_qcfs4", "cnn_relu", "res_qcfs8"] {
        let program = program(&folder.join(format!("{name}.onnx")));
        let ours = answers(&program, &samples, &Scaling::Unit, 8000..8064);
        assert_close(&ours, &reference(&folder.join(format!("{name}.logits.npy"))), name);
    }
}

#[test]
fn public_networks_reproduce_their_logits_and_accuracy() {
    let (Some(data), Some(mnist), Some(cifar)) = (common::shared("data"), mnist(), cifar()) else { return };
    let text = std::fs::read_to_string(data.join("models/models.json")).unwrap();
    let models: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    for model in &models {
        let file = model["file"].as_str().unwrap();
        if file.contains("detection") {
            continue;
        }
        let scaling = match model["preprocess"].as_str().unwrap() {
            "raw" => Scaling::Bytes,
            "x/255" => Scaling::Unit,
            "mnistnorm" => Scaling::parse("mean=0.1307;std=0.3081").unwrap(),
            "imagenet" => Scaling::parse("mean=.485,.456,.406;std=.229,.224,.225").unwrap(),
            other => panic!("{other}"),
        };
        let samples = if file.contains("mnist") { &mnist } else { &cifar };
        let program = program(&data.join(file));
        let ours = answers(&program, samples, &scaling, 0..samples.len());
        let path = data.join(file).with_extension("ref_logits.npy");
        assert_close(&ours[..64], &reference(&path), file);
        let right = ours.iter().enumerate().filter(|(i, l)| samples.label(*i) == Some(argmax(l) as u16)).count();
        let accuracy = 100.0 * right as f64 / ours.len() as f64;
        let stated =
            model.get("acc_test10k").or(model.get("acc_test_0_499")).and_then(serde_json::Value::as_f64).unwrap();
        println!("{file}: {accuracy:.2} % of {} (stated {stated})", ours.len());
        assert!((accuracy - stated).abs() < 0.05, "{file}: {accuracy} against {stated}");
    }
}
