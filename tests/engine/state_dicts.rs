//! State dict tests: PyTorch and safetensors weights give the logits of the same ONNX networks.
//!
//! The reference logits are from onnxruntime.

use crate::common;
use std::path::Path;
use std::sync::Arc;

use safetensors::tensor::{Dtype, TensorView};
use spikescope::compute::dense::tensor_to_vec;
use spikescope::compute::program::Program;
use spikescope::data::spec::Source;
use spikescope::data::{DataSpec, Samples, Scaling};
use spikescope::network::open::open_with_notes;
use spikescope::network::{argmax, pytorch};

/// Compares logits of the first 64 samples of `network` with those in `reference`: rtol 1e-3, atol 1e-4.
fn agrees(source: &str, samples: &Samples, scaling: Option<Scaling>, reference: &Path) -> Vec<String> {
    let opened = open_with_notes(source).unwrap_or_else(|e| panic!("{e}"));
    let scaling = scaling.or(opened.network.scaling.clone()).expect("a scaling is stated");
    let program = Program::new(Arc::new(opened.network), &burn::tensor::Device::flex());
    let ours = tensor_to_vec(program.run(program.tensor(samples.scaled(0..64, &scaling), 64), |_, _| {}));
    let theirs: Vec<f32> = npyz::NpyFile::new(std::fs::File::open(reference).unwrap()).unwrap().into_vec().unwrap();
    assert_eq!(ours.len(), theirs.len());
    let mut worst = 0.0f32;
    for (i, (a, b)) in ours.iter().zip(&theirs).enumerate() {
        worst = worst.max((a - b).abs());
        assert!((a - b).abs() <= 1e-4 + 1e-3 * b.abs(), "{source}: logit {i} is {a}, onnxruntime says {b}");
    }
    println!("{source}: largest difference of {} logits is {worst:.1e}", ours.len());
    opened.notes
}

/// Writes the state dict of the PyTorch file `from` to the safetensors file `to`.
fn write_safetensors(from: &Path, to: &Path) {
    let state = pytorch::read(from).unwrap();
    let bytes: Vec<(String, Vec<usize>, Vec<u8>)> = state
        .iter()
        .map(|(key, weights)| {
            let bytes = weights.data.iter().flat_map(|v| v.to_le_bytes()).collect();
            (key.to_owned(), weights.shape.clone(), bytes)
        })
        .collect();
    let views = bytes.iter().map(|(key, shape, bytes)| {
        (key.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes.as_slice()).unwrap())
    });
    std::fs::write(to, safetensors::serialize(views, None).unwrap()).unwrap();
}

/// The architecture files in the manual, in order.
fn examples() -> Vec<String> {
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture-files.md")).unwrap();
    text.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

fn mnist() -> Option<Samples> {
    let folder = common::shared("data/mnist")?;
    let (images, labels) = (folder.join("t10k-images-idx3-ubyte.gz"), folder.join("t10k-labels-idx1-ubyte.gz"));
    Some(DataSpec::from(Source::Idx { images, labels: Some(labels) }).load().unwrap())
}

#[test]
fn cifar_resnet_is_recognized_by_its_keys() {
    let (Some(models), Some(file)) =
        (common::shared("data/models/cifar10"), common::shared("data/cifar10/test_batch_first500.bin"))
    else {
        return;
    };
    let samples = DataSpec::from(Source::Cifar10(vec![file])).load().unwrap();
    let scaling = Scaling::parse("mean=.485,.456,.406;std=.229,.224,.225").unwrap();
    let source = models.join("resnet20-12fca82f.th");
    let reference = models.join("resnet20_cifar10.ref_logits.npy");
    let notes = agrees(&source.display().to_string(), &samples, Some(scaling), &reference);
    assert!(notes.len() == 1 && notes[0].contains("a ResNet") && notes[0].contains("3x32x32"), "{notes:?}");
}

#[test]
fn architecture_files_of_the_manual_give_reference_logits() {
    let (Some(models), Some(samples)) = (common::shared("data/models/mnist"), mnist()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let examples = examples();
    for (file, example) in [("burn_cnn_bn.pt", 1), ("sinabs_cnn_nobias_avgpool.pt", 2)] {
        let described = folder.path().join(format!("{example}.toml"));
        std::fs::write(&described, &examples[example]).unwrap();
        let source = format!("{}@{}", models.join(file).display(), described.display());
        let reference = models.join(file).with_extension("ref_logits.npy");
        assert!(agrees(&source, &samples, None, &reference).is_empty());
        // The same weights as safetensors.
        let copy = folder.path().join(file).with_extension("safetensors");
        write_safetensors(&models.join(file), &copy);
        agrees(&format!("{}@{}", copy.display(), described.display()), &samples, None, &reference);
        // Without an architecture file, the error lists the layers and says where to describe them.
        let error = open_with_notes(&models.join(file).display().to_string()).unwrap_err().to_string();
        assert!(error.contains("match no known architecture") && error.contains(".arch.toml"), "{error}");
    }
    // An architecture file beside the weights is found automatically, and it opens its weights.
    let weights = folder.path().join("net.pt");
    std::fs::copy(models.join("burn_cnn_bn.pt"), &weights).unwrap();
    std::fs::write(folder.path().join("net.arch.toml"), &examples[1]).unwrap();
    for name in ["net.pt", "net.arch.toml"] {
        let source = folder.path().join(name).display().to_string();
        agrees(&source, &samples, None, &models.join("burn_cnn_bn.ref_logits.npy"));
    }
}

#[test]
fn safetensors_of_another_program_reaches_the_published_accuracy() {
    let (Some(models), Some(samples)) = (common::shared("data/models/mnist"), mnist()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let described = folder.path().join("net.toml");
    std::fs::write(&described, &examples()[1]).unwrap();
    let source = format!("{}@{}", models.join("burn_cnn_bn.safetensors").display(), described.display());
    let network = open_with_notes(&source).unwrap_or_else(|e| panic!("{e}")).network;
    let scaling = network.scaling.clone().unwrap();
    let program = Program::new(Arc::new(network), &burn::tensor::Device::flex());
    let mut right = 0;
    for start in (0..2000).step_by(100) {
        let logits =
            tensor_to_vec(program.run(program.tensor(samples.scaled(start..start + 100, &scaling), 100), |_, _| {}));
        right += logits.chunks(10).zip(start..).filter(|(l, i)| samples.label(*i) == Some(argmax(l) as u16)).count();
    }
    println!("{source}: {right} of 2000 digits");
    assert!(right >= 1960, "{right} of 2000");
}
