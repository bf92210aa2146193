//! Data tests: samples in any layout reach the network as it reads them, and every assumption is a finding with a fix.

use std::path::Path;

use spikescope::convert::Fix;
use spikescope::convert::findings::Finding;
use spikescope::data::{DataSpec, NpzData, write_npz};
use spikescope::experiment::Settings;
use spikescope::experiment::adapt::{Adapt, adapt_settings};
use spikescope::experiment::cache::Cache;
use spikescope::experiment::diagnose::diagnose;
use spikescope::experiment::load::read_samples;
use spikescope::lab::{Lab, Message};
use spikescope::network::zoo::{ZooArchitecture, parse_activation};
use spikescope::network::{Network, safetensors};
use spikescope::progress::JobControl;
use spikescope::ui::widgets::finding_list::message;

const COUNT: usize = 40;

fn network(architecture: ZooArchitecture, shape: &[usize]) -> Network {
    architecture.build(shape, 4, parse_activation("relu").unwrap(), 1).unwrap()
}

/// Value `k` of sample `i`, different for every pair.
fn value(i: usize, k: usize) -> f32 {
    (i * 131 + k * 7) as f32 / 10_000.0
}

/// Writes samples of `[c, h, w]` in the order that `place` gives, as an array of `shape`.
fn write(path: &Path, [c, h, w]: [usize; 3], shape: &[usize], place: impl Fn(usize, usize, usize) -> usize) -> String {
    let len = c * h * w;
    let mut values = vec![0.0; COUNT * len];
    for i in 0..COUNT {
        for (k, (channel, y, x)) in
            (0..c).flat_map(|channel| (0..h).flat_map(move |y| (0..w).map(move |x| (channel, y, x)))).enumerate()
        {
            values[i * len + place(channel, y, x)] = value(i, k);
        }
    }
    let shape: Vec<usize> = std::iter::once(COUNT).chain(shape.iter().copied()).collect();
    let labels: Vec<i32> = (0..COUNT as i32).map(|i| i % 4).collect();
    write_npz(path, &[("x", &shape, NpzData::F32(&values)), ("y", &[COUNT], NpzData::I32(&labels))]).unwrap();
    format!("npz:{}", path.display())
}

#[test]
fn every_layout_reaches_the_network_in_its_order() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.npz");
    for sizes @ [c, h, w] in [[1, 8, 8], [2, 8, 12], [3, 8, 8], [3, 12, 8], [8, 8, 8]] {
        let network = network(ZooArchitecture::Cnn, &sizes);
        let first = move |channel: usize, y: usize, x: usize| (channel * h + y) * w + x;
        let last = move |channel: usize, y: usize, x: usize| (y * w + x) * c + channel;
        let read = |spec: &str| {
            let samples = read_samples(&DataSpec::parse(spec).unwrap(), &network).unwrap_or_else(|e| panic!("{e}"));
            let is_right = (0..c * h * w).all(|k| samples.raw(1)[k] == value(1, k));
            (is_right, samples.notes.len())
        };
        let has_order = usize::from(c > 1);
        assert!(read(&write(&path, sizes, &[c, h, w], first)).0, "{sizes:?}");
        if c != h || h != w {
            assert_eq!(read(&write(&path, sizes, &[h, w, c], last)), (true, has_order), "{sizes:?}");
        }
        // What only the user knows is told, and can be stated.
        for (shape, as_is) in [(vec![h, w, c], c != h || h != w), (vec![c * h * w], c == 1)] {
            let spec = write(&path, sizes, &shape, last);
            assert_eq!(read(&spec), (as_is || c == 1, has_order), "{sizes:?} {shape:?}");
            assert!(read(&format!("{spec},layout=nhwc")).0, "{sizes:?} {shape:?}");
        }
        assert_eq!(read(&write(&path, sizes, &[c * h * w], first)), (true, has_order));
    }
}

#[test]
fn samples_of_other_shapes_are_refused_with_both() {
    let dir = tempfile::tempdir().unwrap();
    let spec = write(&dir.path().join("a.npz"), [3, 8, 12], &[12, 3, 8], |c, y, x| (c * 8 + y) * 12 + x);
    let network = network(ZooArchitecture::Cnn, &[3, 8, 12]);
    let why = read_samples(&DataSpec::parse(&spec).unwrap(), &network).unwrap_err().to_string();
    assert!(why.contains("3x8x12") && why.contains("12x3x8"), "{why}");
}

/// A network of rows and images of three channels, whose order is an assumption.
fn assumed(dir: &Path) -> Settings {
    let model = dir.join("mlp.safetensors");
    safetensors::save(&network(ZooArchitecture::Mlp, &[192]), &model).unwrap();
    let data = write(&dir.join("a.npz"), [3, 8, 8], &[8, 8, 3], |c, y, x| (y * 8 + x) * 3 + c);
    let mut settings = Settings { model: model.display().to_string(), data, ..Settings::default() };
    settings.recipe.steps = 4;
    settings
}

fn layout_note(found: &[Finding]) -> Option<&Finding> {
    found.iter().find(|finding| matches!(&finding.fix, Some(Fix::Data { option, .. }) if option.starts_with("layout")))
}

#[test]
fn an_assumption_has_a_button_that_undo_reverts() {
    let dir = tempfile::tempdir().unwrap();
    let mut lab = Lab::open(assumed(dir.path())).unwrap();
    let before = (lab.settings.clone(), lab.run.as_ref().unwrap().ann.logits.clone());
    let found = lab.run.as_ref().unwrap().findings.clone();
    let fix = layout_note(&found).and_then(|found| found.fix.clone()).unwrap();
    assert_eq!(fix.label(), "Read with layout=nchw");
    assert_eq!(fix.cli_options(), format!("--data \"{},layout=nchw\"", before.0.data));
    lab.update([message(&fix), Message::EndGesture]);
    lab.wait_until_idle();
    let run = lab.run.clone().unwrap();
    assert!(run.settings.data.ends_with(",layout=nchw") && run.ann.logits != before.1);
    assert!(layout_note(&run.findings).is_none(), "what is stated is no assumption");
    lab.update([Message::Undo]);
    lab.wait_until_idle();
    assert_eq!((lab.settings.clone(), &lab.run.as_ref().unwrap().ann.logits), (before.0, &before.1));
}

#[test]
fn small_sets_run_with_ranges_that_fit_and_a_finding() {
    let dir = tempfile::tempdir().unwrap();
    let settings = assumed(dir.path());
    let (mut cache, control) = (Cache::default(), JobControl::default());
    let why = diagnose(&settings, &mut cache, &control).unwrap_err().to_string();
    assert!(why.contains("has 40 samples"), "{why}");
    let fitted = adapt_settings(&settings, Adapt::Ranges, &mut cache, &control).unwrap();
    assert_eq!((fitted.calibrate.clone(), fitted.samples.clone()), (0..40, 0..40));
    let found = diagnose(&fitted, &mut cache, &control).unwrap();
    assert!(found.iter().any(|finding| finding.kind == "ranges" && finding.text.contains("40 samples")), "{found:?}");
    let stated = diagnose(&fitted, &mut Cache::default(), &control).unwrap();
    assert!(!stated.iter().any(|finding| finding.kind == "ranges"), "ranges that the user states are no assumption");
}

#[test]
fn sessions_hold_absolute_paths() {
    let settings = Settings { model: "models/none.onnx".into(), data: "npz:none,1.npz".into(), ..Settings::default() };
    let session = Lab::new(settings).session();
    let here = std::env::current_dir().unwrap().display().to_string();
    assert_eq!(session.settings.model, format!("{here}/models/none.onnx"));
    assert_eq!(session.settings.data, format!("npz:{here}/none,1.npz"));
}
