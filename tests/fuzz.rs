//! Fuzz tests: every file reader on known broken files and on mutations of valid ones.
//!
//! The result is always a value or an error, never a panic. `SPIKESCOPE_FUZZ=N` sets the number of mutations per
//! reader.

#[path = "common/event_seeds.rs"]
mod event_seeds;

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use spikescope::convert::NamedRecipe;
use spikescope::data::scenes::coco::{Detections, GroundTruth};
use spikescope::data::{DataSpec, Layout, NpzData, write_npz};
use spikescope::experiment::explained::ExplainSubject;
use spikescope::lab::Session;
use spikescope::network::zoo::{ZooArchitecture, parse_activation};
use spikescope::network::{
    Network, Node, Op, OpenOptions, architecture, nir, onnx, open_with, open_with_notes, safetensors,
};
use spikescope::task::Detector;
use spikescope::task::detector_head::HeadText;
use spikescope::trojan::plan::TrojanPlan;

/// Mutations per reader in the normal test suite.
const SMOKE: usize = 150;

/// A reader and the file extensions that select it.
struct Target {
    name: &'static str,
    ending: &'static str,
    read: fn(&Path),
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
        node("all", Op::Concat { axis: 0 }, &[2, 4], &[24]),
    ];
    let network = Network { name: "n".into(), output: 5, nodes, scaling: None, class_names: vec![], neurons: None };
    if let Ok(detector) = Detector::described(&network, &head) {
        for value in [0.0, 3.0, -1e30, f32::INFINITY, f32::NAN] {
            detector.scored_boxes(&[value; 24]);
        }
    }
}

const TARGETS: [Target; 36] = [
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
    Target { name: "picture", ending: ".png", read: data },
    Target { name: "mask", ending: "_mask.png", read: masks },
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

/// A minimal valid file of every kind.
fn seeds(dir: &Path) -> Vec<PathBuf> {
    let network = ZooArchitecture::Cnn.build(&[1, 8, 8], 3, parse_activation("qcfs:4").unwrap(), 1).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let put = |name: &str, bytes: &[u8]| {
        let path = dir.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let copy = |name: &str, from: &str| put(name, &std::fs::read(root.join(from)).unwrap());
    let mut all = vec![
        put("a.safetensors", &safetensors::to_bytes(&network).unwrap()),
        copy("resize.onnx", "tests/onnx/resize/model.onnx"),
        copy("outputs.onnx", "tests/onnx/two_outputs/model.onnx"),
        copy("last.onnx", "tests/onnx/channels_last/model.onnx"),
        copy("shape.onnx", "tests/onnx/shape_arithmetic/model.onnx"),
        copy("input.pb", "tests/onnx/shuffle/test_data_set_0/input_0.pb"),
        copy("a.nir", "tests/nir/conv.nir"),
        copy("b.nir", "tests/nir/residual.nir"),
        copy("a.toml", "examples/recipes/cos.toml"),
        put(
            "a.arch.toml",
            b"input = [1, 28, 28]\nlayers = [\"flatten\", { op = \"linear\", key = \"fc1\" }, \"relu\"]\n",
        ),
        put("a.bin", &[1; 3073 * 2]),
        put("a-idx3-ubyte", &[&[0u8, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 3][..], &[7; 18]].concat()),
    ];
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&std::fs::read(dir.join("a-idx3-ubyte")).unwrap()).unwrap();
    all.push(put("p-idx3-ubyte.gz", &packed.finish().unwrap()));
    all.push(copy("a.pt", "tests/seeds/mlp.pt"));
    all.push(copy("a.pth", "tests/seeds/mlp.pth"));
    all.push(copy("a.ckpt", "tests/seeds/model.ckpt"));
    all.push(copy("a.pkl", "tests/seeds/arrays.pkl"));
    all.push(copy("nested.nir", "tests/seeds/nested.nir"));
    all.push(copy("a.md", "assets/lessons/cos.md"));
    // Five bytes per event, and numpy records of four fields.
    let five: Vec<u8> = (0..40u8).flat_map(|k| [k % 30, k % 34, (k % 2) << 7, k, 9]).collect();
    all.push(put("a.events.bin", &five));
    let fields = "{'descr': [('x', '<i2'), ('y', '<i2'), ('t', '<i8'), ('p', '|b1')], 'fortran_order': False, 'shape': (9,), }\n";
    let mut records = b"\x93NUMPY\x01\x00".to_vec();
    records.extend((fields.len() as u16).to_le_bytes());
    records.extend(fields.as_bytes());
    (0..9u8).for_each(|k| records.extend([k, 0, k, 0, k, k, 0, 0, 0, 0, 0, 0, k % 2]));
    all.push(put("a.events.npy", &records));
    let array = |header: &str, values: &[u8]| {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        [bytes, header.as_bytes().to_vec(), values.to_vec()].concat()
    };
    // Titled and padded records, and four plain columns.
    let titled = "{'descr': [('t', '>f4'), (('p', 'on'), '?'), ('', '|V1'), ('x', '|u1'), ('y', '|i1')], 'fortran_order': False, 'shape': (9,), }\n";
    let values: Vec<u8> = (0..9u8).flat_map(|k| [63, k, 0, 0, k % 2, 0, k, k]).collect();
    all.push(put("b.events.npy", &array(titled, &values)));
    let columns = "{'descr': '|u1', 'fortran_order': False, 'shape': (9, 4), }\n";
    let values: Vec<u8> = (0..9u8).flat_map(|k| [k, 3, k % 2, k]).collect();
    all.push(put("c.events.npy", &array(columns, &values)));
    all.extend(event_seeds::write_all(dir));
    let text = "{'descr': '>U2', 'fortran_order': True, 'shape': (3, 1), }\n";
    all.push(put("text.npy", &array(text, &[[0, 0, 0, 65, 0, 0, 0, 0]; 3].concat())));
    let npz = dir.join("a.npz");
    write_npz(&npz, &[("x", &[2, 3, 3], NpzData::U8(&[9; 18])), ("y", &[2], NpzData::I32(&[1, 0]))]).unwrap();
    all.push(npz);
    // A folder of snn_toolbox has separate files for samples and labels.
    let toolbox = dir.join("toolbox");
    std::fs::create_dir(&toolbox).unwrap();
    for (name, shape) in [("x_norm.npz", [2, 9]), ("x_test.npz", [2, 9]), ("y_test.npz", [2, 3])] {
        let values = vec![0.5; shape[0] * shape[1]];
        write_npz(&toolbox.join(name), &[("arr_0", &shape, NpzData::F32(&values))]).unwrap();
    }
    all.push(toolbox.join("x_test.npz"));
    let mut npy = Vec::new();
    zip::ZipArchive::new(std::fs::File::open(dir.join("a.npz")).unwrap())
        .and_then(|mut zip| Ok(std::io::copy(&mut zip.by_name("x.npy")?, &mut npy)?))
        .unwrap();
    all.push(put("a.npy", &npy));
    let png = dir.join("a.png");
    image::RgbImage::from_pixel(5, 4, image::Rgb([1, 2, 3])).save(&png).unwrap();
    all.push(png);
    // Pictures for the seed and for its mutations, in folders of their own.
    let pictures = |folder: &str, ending: &str| {
        let folder = dir.join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        for name in ["a", "mutated"] {
            image::RgbImage::from_pixel(6, 5, image::Rgb([9, 8, 7])).save(folder.join(format!("{name}.png"))).unwrap();
        }
        folder.join(format!("a{ending}"))
    };
    let mask = pictures("masks", "_mask.png");
    image::GrayImage::from_fn(6, 5, |x, y| image::Luma([if x > y { 1 } else { 3 }])).save(&mask).unwrap();
    let wide = pictures("wide", "_mask.png");
    image::ImageBuffer::<image::Luma<u16>, _>::from_fn(6, 5, |x, y| image::Luma([(x * 400 + y) as u16]))
        .save(&wide)
        .unwrap();
    all.extend([mask, wide]);
    let (xml, coco) = (pictures("voc", ".xml"), pictures("coco", ".coco.json"));
    let seeds = root.join("tests/seeds");
    std::fs::copy(seeds.join("boxes.xml"), &xml).unwrap();
    std::fs::copy(seeds.join("boxes.coco.json"), &coco).unwrap();
    let found = coco.with_file_name("a.results.json");
    std::fs::copy(seeds.join("boxes.results.json"), &found).unwrap();
    all.extend([xml, coco, found]);
    all.push(put(
        "a.head.toml",
        b"classes = [\"a\", \"b\"]\ntop-k = 9\n[boxes]\ncoding = \"center-size\"\nfunction = \"exp\"\nvariances = [0.1, 0.1, \
          0.2, 0.2]\n[[level]]\nclass = \"cls\"\nbox = \"reg\"\nstride = 8\npriors = [[8, 9]]\n",
    ));
    let maps = dir.join("a.maps.npz");
    let map = |values| (&[1usize, 2, 3][..], NpzData::U8(values));
    let ((shape, pred), (_, target)) = (map(&[0, 1, 2, 0, 1, 2]), map(&[0, 1, 1, 255, 1, 0]));
    write_npz(&maps, &[("pred", shape, pred), ("target", shape, target)]).unwrap();
    all.push(maps);
    for (name, array, shape) in [("a.masks.npz", "masks", [2, 4, 4, 1]), ("a.baselines.npz", "baselines", [2, 2, 4, 4])]
    {
        let path = dir.join(name);
        let (count, shape) = (shape.iter().product::<usize>(), if array == "masks" { &shape[..3] } else { &shape[..] });
        let values: Vec<f32> = (0..count).map(|k| (k % 3) as f32).collect();
        write_npz(&path, &[(array, shape, NpzData::F32(&values))]).unwrap();
        all.push(path);
    }
    all.push(copy("a.trojans.toml", "assets/objects-trojans.toml"));
    let session = dir.join("a.json");
    let (settings, view) = Default::default();
    Session { version: 1, settings, view, race: Vec::new(), layout: serde_json::Value::Null }.save(&session).unwrap();
    let text = spikescope::lab::storage::session_text::to_text(&Session::load(&session).unwrap()).unwrap();
    all.push(put("a.txt", text.as_bytes()));
    all.push(session);
    all
}

/// Applies a random mutation.
fn mutate(bytes: &mut Vec<u8>, rng: &mut ChaCha8Rng) {
    const EXTREMES: [&[u8]; 6] =
        [&[0xff; 4], &[0; 4], &[0xff, 0xff, 0xff, 0x7f], &[0x80], &[0xff; 8], &[0, 0, 0, 0x80]];
    for _ in 0..rng.random_range(1..5) {
        let len = bytes.len();
        if len == 0 {
            return;
        }
        let at = rng.random_range(0..len);
        match rng.random_range(0..7) {
            0 => bytes[at] = rng.random(),
            1 => bytes[at] ^= 1 << rng.random_range(0..8),
            2 => bytes.truncate(at),
            3 => {
                let extreme = EXTREMES[rng.random_range(0..EXTREMES.len())];
                let end = (at + extreme.len()).min(len);
                bytes[at..end].copy_from_slice(&extreme[..end - at]);
            }
            4 => {
                let end = (at + rng.random_range(1..64)).min(len);
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
            5 => drop(bytes.drain(at..(at + rng.random_range(1..32)).min(len))),
            _ => {
                let other = rng.random_range(0..len);
                bytes.swap(at, other);
            }
        }
    }
}

fn target_of(name: &str) -> Option<&'static Target> {
    // The longest extension decides: `.arch.toml` is not `.toml`.
    TARGETS.iter().filter(|target| name.ends_with(target.ending)).max_by_key(|target| target.ending.len())
}

/// Reads the file; an input that causes a panic is saved.
fn survives(target: &Target, path: &Path) {
    if catch_unwind(AssertUnwindSafe(|| (target.read)(path))).is_err() {
        let kept = std::env::temp_dir().join(format!("spikescope-broken{}", target.ending));
        std::fs::copy(path, &kept).unwrap();
        panic!("the {} reader panics on a file that was kept as {}", target.name, kept.display());
    }
}

/// The error of a folder of `kind` with a copy of the file at `path` and a picture of its name.
fn refused_alone(path: &Path, kind: &str) -> Option<spikescope::Error> {
    let folder = tempfile::tempdir().unwrap();
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    std::fs::copy(path, folder.path().join(&name)).unwrap();
    let stem = name.trim_end_matches(".xml").trim_end_matches("_mask.png");
    image::GrayImage::new(6, 5).save(folder.path().join(format!("{stem}.png"))).unwrap();
    DataSpec::parse(&format!("{kind}:{}", folder.path().display())).unwrap().load().err()
}

#[test]
fn known_broken_files_give_errors_with_the_file_name() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut count = 0;
    for path in std::fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some(target) = target_of(&name) else { continue };
        survives(target, &path);
        let refused = match target.name {
            "session" => Session::load(&path).err(),
            "recipe" => NamedRecipe::load(&path).err(),
            "architecture" => architecture::ArchitectureFile::load(&path).err(),
            "npy" => spikescope::data::npz::read_npy(&path).err(),
            "VOC" => refused_alone(&path, "voc"),
            "mask" => refused_alone(&path, "masks"),
            "COCO" => GroundTruth::read(&path).err(),
            "COCO results" => Detections::read(&path, &GroundTruth::default()).err(),
            "class maps" => spikescope::data::npz::read_label_maps(&path).err(),
            name if name.starts_with("events") => spikescope::data::events::events(&path).err(),
            "npz" | "IDX" | "packed IDX" | "CIFAR-10" | "picture" => {
                DataSpec::detect(&path).and_then(|spec| spec.load()).err()
            }
            _ => open_with_notes(&path.display().to_string()).err(),
        };
        let text = refused.unwrap_or_else(|| panic!("{name} is read as if it were sound")).to_string();
        assert!(text.contains(&name), "{name}: {text}");
        count += 1;
    }
    assert!(count >= 20, "{count}");
}

#[test]
fn mutated_files_never_panic() {
    let rounds = std::env::var("SPIKESCOPE_FUZZ").ok().and_then(|n| n.parse().ok()).unwrap_or(SMOKE);
    let dir = tempfile::tempdir().unwrap();
    let seeds = seeds(dir.path());
    let (mut executions, mut untouched) = (0u64, TARGETS.iter().map(|target| target.name).collect::<Vec<_>>());
    for (k, seed) in seeds.iter().enumerate() {
        let name = seed.file_name().unwrap().to_string_lossy().into_owned();
        let target = target_of(&name).unwrap_or_else(|| panic!("no reader for {name}"));
        let whole = std::fs::read(seed).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(k as u64 ^ rounds as u64);
        for _ in 0..rounds {
            let mut bytes = whole.clone();
            mutate(&mut bytes, &mut rng);
            // In the folder of its companion files, if the reader reads those as well.
            let beside = seed.parent().unwrap();
            let path = match target.name {
                "snn_toolbox" => seed.clone(),
                _ => beside.join(format!("mutated{}", target.ending)),
            };
            std::fs::write(&path, &bytes).unwrap();
            survives(target, &path);
            executions += 1;
        }
        untouched.retain(|name| *name != target.name);
    }
    println!("{executions} mutated files, {} kinds of seeds", seeds.len());
    assert!(untouched.is_empty(), "no seed for {untouched:?}");
    let _ = nir::VERSION;
}
