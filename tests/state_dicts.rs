//! PyTorch and safetensors files without a graph give the logits of the same networks in ONNX, as onnxruntime computes them.

mod common;

use std::path::Path;
use std::sync::Arc;

use spikescope::data::{DataSpec, Samples, Scaling};
use spikescope::network::forward::{Program, numbers};
use spikescope::network::open::open_noted;

/// Logits of the first 64 samples of `network` against those in `reference`: rtol 1e-3, atol 1e-4.
fn agrees(source: &str, samples: &Samples, scaling: Option<Scaling>, reference: &Path) -> Vec<String> {
    let opened = open_noted(source).unwrap_or_else(|e| panic!("{e}"));
    let scaling = scaling.or(opened.network.scaling.clone()).expect("a scaling is stated");
    let program = Program::new(Arc::new(opened.network), &burn::tensor::Device::flex());
    let ours = numbers(program.run(program.tensor(samples.scaled(0..64, &scaling), 64), |_, _| {}));
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

/// The architecture files of the manual, in order.
fn examples() -> Vec<String> {
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture-files.md")).unwrap();
    text.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

fn mnist() -> Option<Samples> {
    let folder = common::shared("data/mnist")?;
    let (images, labels) = (folder.join("t10k-images-idx3-ubyte.gz"), folder.join("t10k-labels-idx1-ubyte.gz"));
    Some(DataSpec::Idx { images, labels: Some(labels) }.load().unwrap())
}

#[test]
fn the_cifar_resnet_is_known_by_its_keys() {
    let (Some(models), Some(file)) =
        (common::shared("data/models/cifar10"), common::shared("data/cifar10/test_batch_first500.bin"))
    else {
        return;
    };
    let samples = DataSpec::Cifar10(vec![file]).load().unwrap();
    let scaling = Scaling::parse("mean=.485,.456,.406;std=.229,.224,.225").unwrap();
    let source = models.join("resnet20-12fca82f.th");
    let reference = models.join("resnet20_cifar10.ref_logits.npy");
    let notes = agrees(&source.display().to_string(), &samples, Some(scaling), &reference);
    assert!(notes.len() == 1 && notes[0].contains("a ResNet") && notes[0].contains("3×32×32"), "{notes:?}");
}

#[test]
fn networks_described_as_in_the_manual_give_their_logits() {
    let (Some(models), Some(samples)) = (common::shared("data/models/mnist"), mnist()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let examples = examples();
    for (file, example) in [("burn_cnn_bn.pt", 1), ("burn_cnn_bn.safetensors", 1), ("sinabs_cnn_nobias_avgpool.pt", 2)]
    {
        let described = folder.path().join(format!("{example}.toml"));
        std::fs::write(&described, &examples[example]).unwrap();
        let source = format!("{}@{}", models.join(file).display(), described.display());
        let reference = models.join(file).with_extension("ref_logits.npy");
        assert!(agrees(&source, &samples, None, &reference).is_empty());
        // Without the description the layers are told, and where to describe them.
        let error = open_noted(&models.join(file).display().to_string()).unwrap_err().to_string();
        assert!(error.contains("no architecture that is known") && error.contains(".arch.toml"), "{error}");
    }
    // Beside the weights, the description needs no name; and its own name opens the weights.
    let weights = folder.path().join("net.pt");
    std::fs::copy(models.join("burn_cnn_bn.pt"), &weights).unwrap();
    std::fs::write(folder.path().join("net.arch.toml"), &examples[1]).unwrap();
    for name in ["net.pt", "net.arch.toml"] {
        let source = folder.path().join(name).display().to_string();
        agrees(&source, &samples, None, &models.join("burn_cnn_bn.ref_logits.npy"));
    }
}
