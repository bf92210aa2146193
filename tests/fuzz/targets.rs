//! Readers under test, and the endings of file names that select them.

use std::path::Path;
use std::sync::Arc;

use spikescope::convert::NamedRecipe;
use spikescope::data::scenes::coco::{Detections, GroundTruth};
use spikescope::data::{DataSpec, Layout};
use spikescope::experiment::explained::ExplainSubject;
use spikescope::lab::Session;
use spikescope::network::zoo::{ZooArchitecture, parse_activation};
use spikescope::network::{Network, Node, Op, OpenOptions, architecture, onnx, open_with, open_with_notes};
use spikescope::task::Detector;
use spikescope::task::detector_head::HeadText;
use spikescope::trojan::plan::TrojanPlan;

use crate::event_seeds;

/// A reader and the file extensions that select it.
pub struct Target {
    pub name: &'static str,
    pub ending: &'static str,
    pub read: fn(&Path),
}

fn network(path: &Path) {
    let _ = open_with_notes(&path.display().to_string());
}

/// A graph with its own time step, and with stated ones.
fn nir_graph(path: &Path) {
    network(path);
    for dt in [1e-4, 1.0, f64::MIN_POSITIVE, 0.0, f64::NAN] {
        let options = OpenOptions { dt: Some(dt), ..OpenOptions::default() };
        let _ = open_with(&path.display().to_string(), &options);
    }
}

fn data(path: &Path) {
    if let Ok(spec) = DataSpec::detect(path) {
        let _ = spec.load();
        let _ = spec.load_resized(&[3, 8, 8]);
        if let Ok(samples) = spec.load() {
            let _ = spikescope::data::fit::fit(samples, &spikescope::data::InputForm::new(&[3, 2, 3]), None);
        }
    }
}

fn events(path: &Path) {
    for options in ["", ",us=1000,frames=8,polarity=sum", ",frames=3,sensor=40x40", ",unit=ms,order=xytp"] {
        if let Ok(spec) = DataSpec::parse(&format!("events:{}{options}", path.display())) {
            let _ = spec.load();
            let _ = spec.load_resized(&[2, 8, 8]);
        }
    }
}

fn arrays(path: &Path) {
    let _ = spikescope::data::npz::read_npy(path);
    let _ = spikescope::data::npz::read_npy_samples(path, Some(path));
    data(path);
}

/// A small network on two samples, for files that are read beside samples.
fn explained() -> ExplainSubject {
    let network = ZooArchitecture::Cnn.build(&[2, 4, 4], 3, parse_activation("relu").unwrap(), 1).unwrap();
    ExplainSubject::ann(&Arc::new(network), &[2, 4, 4], Layout::ChannelsFirst, vec![0.5; 64])
}

fn trigger_masks(path: &Path) {
    if let Ok(masks) = spikescope::experiment::explained::arrays::masks(path, &explained()) {
        assert!(masks.len() == 16 || masks.len() == 32);
    }
}

fn baselines(path: &Path) {
    if let Ok(baselines) = spikescope::experiment::explained::arrays::baselines(path, &explained()) {
        assert!(!baselines.is_empty() && baselines.len() % 32 == 0 && baselines.iter().all(|v| v.is_finite()));
    }
}

fn lesson(path: &Path) {
    let _ = spikescope::lesson::Lesson::open(&path.display().to_string(), &[]);
}

fn session_text(path: &Path) {
    let text = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
    let _ = spikescope::lab::storage::session_text::from_text(&text);
}

/// The folder of an annotation or a mask, which has a picture for each.
fn scenes(kind: &str, path: &Path) {
    for options in ["", ",fit=letterbox,size=7x3", ",fit=crop,size=2x9"] {
        if let Ok(spec) = DataSpec::parse(&format!("{kind}:{}{options}", path.display())) {
            let _ = spec.load();
            let _ = spec.load_resized(&[1, 5, 6]);
        }
    }
}

fn masks(path: &Path) {
    scenes("masks", path.parent().unwrap());
    for options in ["meaning=instances,size=4", "meaning=classes,void=none,size=4"] {
        let spec = DataSpec::parse(&format!("masks:{},{options}", path.parent().unwrap().display())).unwrap();
        let _ = spec.load();
    }
}

fn results(path: &Path) {
    let truth = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/seeds/boxes.coco.json");
    let truth = GroundTruth::read(&truth).unwrap();
    if let Ok(found) = Detections::read(path, &truth) {
        spikescope::task::scores::boxes::score_boxes(&truth, &found.boxes).unwrap();
    }
}

fn ground_truth(path: &Path) {
    scenes("coco", path);
    if let Ok(truth) = GroundTruth::read(path) {
        spikescope::task::scores::boxes::score_boxes(&truth, &[]).unwrap();
    }
}

/// A description of a head, bound to a detector with outputs of the seed's names.
fn head(path: &Path) {
    let text = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
    let head = HeadText { path: path.into(), text };
    let node = |name: &str, op, inputs: &[usize], shape: &[usize]| Node {
        name: name.into(),
        op,
        inputs: inputs.to_vec(),
        shape: shape.to_vec(),
    };
    let nodes = vec![
        node("x", Op::Input, &[], &[3, 16, 16]),
        node("cls.map", Op::Reshape, &[0], &[2, 2, 2]),
        node("cls", Op::Reshape, &[1], &[8]),
        node("reg.map", Op::Reshape, &[0], &[4, 2, 2]),
        node("reg", Op::Reshape, &[3], &[16]),
        node("both.map", Op::Reshape, &[0], &[12, 2, 2]),
        node("both", Op::Reshape, &[5], &[48]),
        node("all", Op::Concat { axis: 0 }, &[2, 4, 6], &[72]),
    ];
    let network = Network { name: "n".into(), output: 7, nodes, scaling: None, class_names: vec![], neurons: None };
    if let Ok(detector) = Detector::described(&network, &head) {
        for value in [0.0, 3.0, -1e30, f32::INFINITY, f32::NAN] {
            detector.scored_boxes(&[value; 72]);
        }
    }
}

pub const TARGETS: [Target; 41] = [
    Target { name: "ONNX", ending: ".onnx", read: network },
    Target { name: "ONNX tensor", ending: ".pb", read: |p| drop(onnx::read_tensor(p)) },
    Target { name: "NIR", ending: ".nir", read: nir_graph },
    Target { name: "safetensors", ending: ".safetensors", read: network },
    Target { name: "PyTorch", ending: ".pt", read: network },
    Target { name: "architecture", ending: ".arch.toml", read: |p| drop(architecture::ArchitectureFile::load(p)) },
    Target { name: "PyTorch, legacy", ending: ".pth", read: network },
    Target { name: "PyTorch, whole model", ending: ".ckpt", read: network },
    Target { name: "pickle", ending: ".pkl", read: network },
    Target { name: "snn_toolbox", ending: "x_test.npz", read: |p| data(p.parent().unwrap()) },
    Target { name: "events, N-MNIST", ending: ".events.bin", read: events },
    Target { name: "events, numpy", ending: ".events.npy", read: events },
    Target { name: "events, four arrays", ending: ".events.npz", read: event_seeds::read },
    Target { name: "events, DAT", ending: ".dat", read: event_seeds::read },
    Target { name: "events, EVT2 and EVT3", ending: ".raw", read: event_seeds::read },
    Target { name: "events, AEDAT 4", ending: ".aedat4", read: event_seeds::read },
    Target { name: "events, Event Stream", ending: ".es", read: event_seeds::read },
    Target { name: "lesson", ending: ".md", read: lesson },
    Target { name: "session as text", ending: ".txt", read: session_text },
    Target { name: "npz", ending: ".npz", read: data },
    Target { name: "npy", ending: ".npy", read: arrays },
    Target { name: "IDX", ending: "-idx3-ubyte", read: data },
    Target { name: "packed IDX", ending: "-idx3-ubyte.gz", read: data },
    Target { name: "CIFAR-10", ending: ".bin", read: data },
    Target { name: "CIFAR for Python", ending: ".cifar", read: data },
    Target { name: "picture", ending: ".png", read: data },
    Target { name: "mask", ending: "_mask.png", read: masks },
    Target { name: "mask, BMP", ending: "_mask.bmp", read: masks },
    Target { name: "mask, TIFF", ending: "_mask.tif", read: masks },
    Target { name: "YOLO labels", ending: ".labels.txt", read: |p| scenes("yolo", p.parent().unwrap()) },
    Target { name: "YOLO data", ending: ".yaml", read: |p| scenes("yolo", p) },
    Target { name: "VOC", ending: ".xml", read: |p| scenes("voc", p.parent().unwrap()) },
    Target { name: "COCO", ending: ".coco.json", read: ground_truth },
    Target { name: "COCO results", ending: ".results.json", read: results },
    Target { name: "class maps", ending: ".maps.npz", read: |p| drop(spikescope::data::npz::read_label_maps(p)) },
    Target { name: "trigger masks", ending: ".masks.npz", read: trigger_masks },
    Target { name: "baselines", ending: ".baselines.npz", read: baselines },
    Target { name: "trojan plan", ending: ".trojans.toml", read: |p| drop(TrojanPlan::open(p)) },
    Target { name: "session", ending: ".json", read: |p| drop(Session::load(p)) },
    Target { name: "detector head", ending: ".head.toml", read: head },
    Target { name: "recipe", ending: ".toml", read: |p| drop(NamedRecipe::load(p)) },
];

pub fn target_of(name: &str) -> Option<&'static Target> {
    // The longest extension decides: `.arch.toml` is not `.toml`.
    TARGETS.iter().filter(|target| name.ends_with(target.ending)).max_by_key(|target| target.ending.len())
}
