//! Export tests: exported files are read back by this program and by Python packages.
//!
//! A test is skipped if its Python package is not installed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use spikescope::compute::program::Program;
use spikescope::compute::verify;
use spikescope::convert::{Recipe, Reset, ThresholdRule, TieRule};
use spikescope::experiment::cache::Cache;
use spikescope::experiment::run_export::export_run;
use spikescope::experiment::{Run, Settings, pipeline};
use spikescope::export::Fidelity;
use spikescope::export::nir::{PoolExport, graph};
use spikescope::network::open;
use spikescope::progress::JobControl;

fn run_of(model: &str, change: impl FnOnce(&mut Settings)) -> Arc<Run> {
    let mut settings = Settings { model: model.into(), samples: 256..264, calibrate: 0..64, ..Settings::default() };
    settings.recipe.steps = 8;
    change(&mut settings);
    pipeline::run(&settings, &mut Cache::default(), &JobControl::default()).unwrap_or_else(|e| panic!("{e}"))
}

/// Python with the package `module`, or `None` with a printed reason for skipping. `SPIKESCOPE_PYTHON` selects another
/// interpreter.
fn python(module: &str) -> Option<String> {
    let python = std::env::var("SPIKESCOPE_PYTHON").unwrap_or_else(|_| "python3".into());
    let has = Command::new(&python).args(["-c", &format!("import {module}")]).output();
    match has {
        Ok(output) if output.status.success() => Some(python),
        _ => {
            eprintln!(
                "skipped: {python} has no package {module} (pip install {module}, or name another with SPIKESCOPE_PYTHON)"
            );
            None
        }
    }
}

fn ask(python: &str, script: &str, arguments: &[&Path]) -> String {
    let output = Command::new(python).arg("-c").arg(script).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn reopened_nir_graph_emits_the_same_spikes() {
    let dir = tempfile::tempdir().unwrap();
    for pools in [PoolExport::Average, PoolExport::Sum] {
        let run = run_of("builtin:digits-resnet", |s| s.recipe.threshold = ThresholdRule::Learned);
        let path = dir.path().join("net.nir");
        let notes = export_run(&run, &path, pools, &JobControl::default()).unwrap_or_else(|e| panic!("{e}"));
        assert!(
            notes[0].contains("approximate") && notes.iter().any(|s| s.contains("reset by subtraction")),
            "{notes:?}"
        );
        let again = run_of(&path.display().to_string(), |s| s.recipe.threshold = ThresholdRule::Learned);
        assert_eq!(again.spiking.layers.len(), run.spiking.layers.len());
        for (k, (a, b)) in run.recording.layers.iter().zip(&again.recording.layers).enumerate() {
            let (a, b) = (a.spikes.counts(8), b.spikes.counts(8));
            let same = a.iter().zip(&b).filter(|(a, b)| a == b).count();
            assert!(same as f64 >= 0.998 * a.len() as f64, "layer {k}: {same} of {} counts are the same", a.len());
        }
        assert!(again.run_notes().contains("v_init = 0.5"));
    }
}

/// The notes of a run about its exported file.
trait Notes {
    fn run_notes(&self) -> String;
}

impl Notes for Run {
    fn run_notes(&self) -> String {
        self.network.notes.iter().map(ToString::to_string).collect()
    }
}

#[test]
fn export_grades_match_the_recipe() {
    let grade = |model: &str, change: &dyn Fn(&mut Recipe)| {
        let run = run_of(model, |s| change(&mut s.recipe));
        let export = graph(run.network.program.network(), &run.spiking, &run.settings.recipe, PoolExport::Average, &[]);
        let graded = export.report;
        assert_eq!(export.graph.is_none(), graded.grade == Fidelity::Unsupported, "{graded:?}");
        graded
    };
    let as_defined = grade("builtin:digits-mlp", &|r| {
        (r.reset, r.tie, r.v_init) = (Reset::Hard, TieRule::Gt, 0.0);
    });
    assert_eq!((as_defined.grade, as_defined.reasons.len()), (Fidelity::Faithful, 0));
    let usual = grade("builtin:digits-mlp", &|_| {});
    assert_eq!((usual.grade, usual.reasons.len()), (Fidelity::Approximate, 3), "{usual:?}");
    let corrected =
        grade("builtin:digits-mlp", &|r| r.correction = spikescope::convert::Correction::parse("srp:4").unwrap());
    assert_eq!(corrected.grade, Fidelity::Unsupported);
    assert!(corrected.reasons[0].contains("SRP"), "what decides is said first: {corrected:?}");
    let refused = run_of("builtin:digits-mlp", |s| s.recipe.neuron = spikescope::convert::NeuronModel::Group(4));
    let dir = tempfile::tempdir().unwrap();
    let text = export_run(&refused, &dir.path().join("a.nir"), PoolExport::Average, &JobControl::default())
        .unwrap_err()
        .to_string();
    assert!(text.contains("unsupported") && text.contains("group:4"), "{text}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

/// Bias shift and bias correction are part of the weights before the neurons.
#[test]
fn bias_shift_and_correction_are_exported_as_biases() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("net.nir");
    let run = run_of("builtin:digits-mlp", |s| (s.recipe.bias_shift, s.recipe.bias_correction) = (Some(8), true));
    export_run(&run, &path, PoolExport::Average, &JobControl::default()).unwrap();
    let again = run_of(&path.display().to_string(), |s| s.recipe.threshold = ThresholdRule::Learned);
    let share = |a: &[u32], b: &[u32]| a.iter().zip(b).filter(|(a, b)| a == b).count() as f64 / a.len() as f64;
    for (a, b) in run.recording.layers.iter().zip(&again.recording.layers) {
        assert!(share(&a.spikes.counts(8), &b.spikes.counts(8)) > 0.995);
    }
}

#[test]
fn nir_files_of_the_python_package_reproduce_their_outputs() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/nir");
    let mut count = 0;
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.extension().is_none_or(|ending| ending != "nir") {
            continue;
        }
        let network = open(&path.display().to_string()).unwrap_or_else(|e| panic!("{e}"));
        let program = || Program::new(Arc::new(network.clone()), &burn::tensor::Device::flex());
        let found = verify::verify_stored_outputs(&network, &path, program).remove(0).unwrap_or_else(|e| panic!("{e}"));
        assert!(found.agrees() && found.scale > 0.0, "{found:?}");
        count += 1;
    }
    assert_eq!(count, 3);
}

/// A residual network with an option-A shortcut whose sums are exact in any order. Weights are multiples of 1/8, inputs
/// are integers, and thresholds are powers of two.
fn option_a(dir: &Path) -> (PathBuf, PathBuf) {
    use spikescope::network::{Activation, Network, Node, Op, Weights};
    let mut seed = 7u64;
    let mut draw = |count: usize| -> Vec<f32> {
        let mut one = || {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            ((seed >> 40) % 9) as f32 / 8.0 - 0.375
        };
        (0..count).map(|_| one()).collect()
    };
    let node = |name: &str, op: Op, inputs: &[usize], shape: &[usize]| Node {
        name: name.into(),
        op,
        inputs: inputs.to_vec(),
        shape: shape.to_vec(),
    };
    let mut conv = |out: usize, wide: usize, stride: usize, padding: [usize; 4]| Op::Conv2d {
        weight: Weights::new(vec![out, wide, 3, 3], draw(out * wide * 9)),
        bias: None,
        stride: [stride; 2],
        padding,
        dilation: [1, 1],
        groups: 1,
    };
    let relu = || Op::Activation(Activation::Relu);
    let slice = |axis| Op::Slice { axis, start: 0, end: 8, step: 2 };
    let nodes = vec![
        node("x", Op::Input, &[], &[1, 8, 8]),
        node("conv1", conv(4, 1, 1, [1; 4]), &[0], &[4, 8, 8]),
        node("relu1", relu(), &[1], &[4, 8, 8]),
        // Padded at the end only, as TensorFlow does.
        node("conv2", conv(8, 4, 2, [0, 0, 1, 1]), &[2], &[8, 4, 4]),
        node("relu2", relu(), &[3], &[8, 4, 4]),
        node("conv3", conv(8, 8, 1, [1; 4]), &[4], &[8, 4, 4]),
        node("short.0", slice(1), &[2], &[4, 4, 8]),
        node("short.1", slice(2), &[6], &[4, 4, 4]),
        node("short.2", Op::Pad { before: vec![2, 0, 0], after: vec![2, 0, 0] }, &[7], &[8, 4, 4]),
        node("sum", Op::Add, &[5, 8], &[8, 4, 4]),
        node("relu3", relu(), &[9], &[8, 4, 4]),
        node(
            "pool",
            Op::AvgPool2d { kernel: [4, 4], stride: [4, 4], padding: [0; 4], count_include_pad: true },
            &[10],
            &[8, 1, 1],
        ),
        node("flat", Op::Reshape, &[11], &[8]),
        node("fc", Op::Linear { weight: Weights::new(vec![3, 8], vec![0.5; 24]), bias: None }, &[12], &[3]),
    ];
    let network = Network {
        name: "option_a".into(),
        output: nodes.len() - 1,
        nodes,
        scaling: None,
        class_names: vec![],
        neurons: None,
    };
    let (model, data) = (dir.join("option_a.safetensors"), dir.join("x.npz"));
    spikescope::network::safetensors::save(&network, &model).unwrap();
    let x: Vec<u8> = (0..2 * 64u32).map(|k| (k * k % 5) as u8).collect();
    spikescope::data::write_npz(&data, &[("x", &[2, 1, 8, 8], spikescope::data::NpzData::U8(&x))]).unwrap();
    (model, data)
}

/// The run of [`option_a`] with thresholds that are powers of two, and its input.
fn option_a_run(dir: &Path) -> Arc<Run> {
    let (model, data) = option_a(dir);
    run_of(&model.display().to_string(), |s| {
        s.data = format!("npz:{}", data.display());
        s.scaling = spikescope::data::Scaling::Bytes;
        (s.samples, s.calibrate) = (0..2, 0..2);
        s.recipe.steps = 8;
        s.recipe.manual_thresholds =
            [("relu1", 2.0), ("relu2", 4.0), ("relu3", 2.0)].map(|(n, t)| (n.to_owned(), t)).into();
    })
}

#[test]
fn option_a_shortcut_exports_as_strided_convolution_with_equal_spikes() {
    let dir = tempfile::tempdir().unwrap();
    let run = option_a_run(dir.path());
    let net = dir.path().join("net.nir");
    let notes = export_run(&run, &net, PoolExport::Average, &JobControl::default()).unwrap_or_else(|e| panic!("{e}"));
    assert!(notes[0].contains("approximate"), "as every soft reset: {notes:?}");
    let again = run_of(&net.display().to_string(), |s| {
        s.data.clone_from(&run.settings.data);
        s.scaling = spikescope::data::Scaling::Bytes;
        (s.samples, s.calibrate) = (0..2, 0..2);
        (s.recipe.steps, s.recipe.threshold) = (8, ThresholdRule::Learned);
    });
    assert_eq!(again.spiking.layers.len(), 3);
    for (a, b) in run.recording.layers.iter().zip(&again.recording.layers) {
        assert!(a.spikes.total(8) > 0);
        assert_eq!(a.spikes.counts(8), b.spikes.counts(8));
    }
    assert_eq!(run.recording.readout, again.recording.readout);
    // With hard reset, m > θ and v(0) = 0, the neurons match NIR's definition exactly.
    let mut recipe = run.settings.recipe.clone();
    (recipe.reset, recipe.tie, recipe.v_init) = (Reset::Hard, TieRule::Gt, 0.0);
    let hard = run_of(&run.settings.model, |s| {
        *s = Settings { recipe, ..run.settings.clone() };
    });
    let graded =
        graph(hard.network.program.network(), &hard.spiking, &hard.settings.recipe, PoolExport::Average, &[]).report;
    assert_eq!((graded.grade, graded.reasons.len()), (Fidelity::Faithful, 0));
}

/// Runs the graph step by step with soft reset and `v >= θ`, as the metadata specify, and prints the counts of every IF
/// node.
const SIMULATE: &str = r#"
import sys, numpy as np, nir
graph = nir.read(sys.argv[1])
x = np.load(sys.argv[2])["x"]
meta = {k: (v.decode() if isinstance(v, bytes) else v) for k, v in graph.metadata.items()}
steps, v_init = int(meta["T"]), float(meta["v_init"])
def conv(w, b, s, p, x):
    x = np.pad(x, ((0, 0), (p[0],) * 2, (p[1],) * 2))
    win = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(1, 2))[:, ::s[0], ::s[1]]
    return np.einsum("chwij,ocij->ohw", win, w) + b[:, None, None]
def pool(k, s, x, mean):
    win = np.lib.stride_tricks.sliding_window_view(x, tuple(k), axis=(1, 2))[:, ::s[0], ::s[1]]
    return win.mean((-1, -2)) if mean else win.sum((-1, -2))
order, left = [], dict(graph.nodes)
while left:
    for name in list(left):
        if all(a in order for a, b in graph.edges if b == name):
            order.append(name); del left[name]
for sample in x:
    v = {n: node.v_threshold * v_init for n, node in graph.nodes.items() if isinstance(node, nir.IF)}
    count = {n: 0.0 for n in v}
    for _ in range(steps):
        value = {}
        for n in order:
            node = graph.nodes[n]
            i = sum(value[a] for a, b in graph.edges if b == n) if not isinstance(node, nir.Input) else sample.reshape(node.input_type["input"])
            if isinstance(node, nir.Affine): i = node.weight @ i + node.bias
            elif isinstance(node, nir.Conv2d): i = conv(node.weight, node.bias, node.stride, node.padding, i)
            elif isinstance(node, nir.AvgPool2d): i = pool(node.kernel_size, node.stride, i, True)
            elif isinstance(node, nir.SumPool2d): i = pool(node.kernel_size, node.stride, i, False)
            elif isinstance(node, nir.Flatten): i = i.reshape(-1)
            elif isinstance(node, nir.Scale): i = i * node.scale
            elif isinstance(node, nir.IF):
                v[n] = v[n] + i
                s = (v[n] >= node.v_threshold).astype(float)
                v[n] = v[n] - s * node.v_threshold
                count[n] += s.sum()
                i = s
            value[n] = i
    print(" ".join(f"{n}={count[n]:.0f}" for n in sorted(count)))
"#;

#[test]
fn python_nir_simulates_the_exported_graph_with_the_same_spikes() {
    let Some(python) = python("nir") else { return };
    let dir = tempfile::tempdir().unwrap();
    for (model, pools) in [
        ("builtin:digits-resnet", PoolExport::Average),
        ("builtin:digits-resnet", PoolExport::Sum),
        ("builtin:digits-mlp", PoolExport::Sum),
        ("option A", PoolExport::Average),
    ] {
        let learned = model.ends_with("resnet");
        let run = match model {
            "option A" => option_a_run(dir.path()),
            _ => run_of(model, |s| {
                s.samples = 256..258;
                if learned {
                    s.recipe.threshold = ThresholdRule::Learned;
                }
            }),
        };
        let (net, input) = (dir.path().join("net.nir"), dir.path().join("x.npz"));
        export_run(&run, &net, pools, &JobControl::default()).unwrap_or_else(|e| panic!("{e}"));
        let shape = [2, run.input.len() / 2];
        spikescope::data::write_npz(&input, &[("x", &shape, spikescope::data::NpzData::F32(&run.input))]).unwrap();
        let output = ask(&python, SIMULATE, &[&net, &input]);
        for (sample, line) in output.lines().enumerate() {
            let theirs: u64 = line.split(' ').map(|part| part.split_once('=').unwrap().1.parse::<u64>().unwrap()).sum();
            let ours: u64 = run
                .recording
                .layers
                .iter()
                .map(|layer| {
                    let mut counts = vec![0; layer.spikes.neurons()];
                    layer.spikes.add_counts(8, sample, &mut counts);
                    counts.iter().map(|&n| u64::from(n)).sum::<u64>()
                })
                .sum();
            // Another order of additions can move a potential to the other side of θ, unless the sums are exact.
            let off = if model == "option A" { 0.0 } else { 0.002 };
            assert!(
                ours > 0 && ours.abs_diff(theirs) as f64 <= off * ours as f64,
                "{model}: {ours} spikes here, {theirs} there"
            );
        }
        assert_eq!(output.lines().count(), 2);
    }
}

#[test]
fn sinabs_and_snntorch_open_the_exported_graph() {
    let dir = tempfile::tempdir().unwrap();
    let run = run_of("builtin:digits-mlp", |_| {});
    let net = dir.path().join("net.nir");
    export_run(&run, &net, PoolExport::Sum, &JobControl::default()).unwrap();
    if let Some(python) = python("sinabs.nir") {
        let script = "import sys, nir, torch\nfrom sinabs.nir import from_nir\nm = from_nir(nir.read(sys.argv[1]), batch_size=1)\nprint(m(torch.zeros(4, 1, 28, 28))[0].shape if isinstance(m(torch.zeros(4, 1, 28, 28)), tuple) else m(torch.zeros(4, 1, 28, 28)).shape)";
        assert!(ask(&python, script, &[&net]).contains("4, 10"));
    }
    if let Some(python) = python("snntorch") {
        let script = "import sys, nir\nfrom snntorch.import_nir import import_from_nir\nprint(type(import_from_nir(nir.read(sys.argv[1]))).__name__)";
        assert!(!ask(&python, script, &[&net]).is_empty());
    }
}

#[test]
fn recordings_and_tables_are_read_by_numpy_nir_and_arrow() {
    let dir = tempfile::tempdir().unwrap();
    let run = run_of("builtin:digits-mlp", |_| {});
    let file = |name: &str| -> PathBuf {
        let path = dir.path().join(name);
        export_run(&run, &path, PoolExport::Average, &JobControl::default()).unwrap_or_else(|e| panic!("{e}"));
        path
    };
    let (npz, data, parquet, csv, html) =
        (file("r.npz"), file("r.nirdata"), file("t.parquet"), file("t.csv"), file("r.html"));
    let spikes = run.recording.layers[0].spikes.total(8);
    let mut zip = zip::ZipArchive::new(std::fs::File::open(&npz).unwrap()).unwrap();
    let counts: Vec<i16> = npyz::NpyFile::new(zip.by_name("spikes0.npy").unwrap()).unwrap().into_vec().unwrap();
    assert_eq!(counts.iter().map(|&n| n as u64).sum::<u64>(), spikes);
    let rows = std::fs::read_to_string(&csv).unwrap().lines().count() - 1;
    assert!(rows > 30 && std::fs::read_to_string(&html).unwrap().contains("</html>"));
    assert!(
        export_run(&run, &dir.path().join("r.docx"), PoolExport::Average, &JobControl::default())
            .unwrap_err()
            .to_string()
            .contains(".parquet")
    );
    if let Some(python) = python("nir.data_ir") {
        let script = "import sys, nir\nd = nir.serialization.read_data(sys.argv[1])\nn = sorted(d.nodes)[0]\nprint(sum(int((o.idx >= 0).sum()) for k in d.nodes for o in d.nodes[k].observables.values()))";
        let all: u64 = run.recording.layers.iter().map(|layer| layer.spikes.total(8)).sum();
        assert_eq!(ask(&python, script, &[&data]), all.to_string());
    }
    if let Some(python) = python("pyarrow") {
        let script = "import sys, pyarrow.parquet as p\nt = p.read_table(sys.argv[1])\nprint(t.num_rows, t.column_names, t['value'].to_pylist()[0])";
        let output = ask(&python, script, &[&parquet]);
        let first = run.report.curve[0].accuracy.unwrap();
        assert_eq!(output, format!("{rows} ['run', 'layer', 't', 'metric', 'value'] {first:?}"));
    }
}
