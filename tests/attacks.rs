//! Attacks against the arrays of torchattacks 3.5.1, and the command on networks and bad input.

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use common::shared;
use spikescope::attack::apgd::{Apgd, apgd};
use spikescope::attack::form::ImageForm;
use spikescope::attack::square::{Windows, add_window, square};
use spikescope::attack::{AnnTarget, Attack, AttackKind, Given, Images, Norm, PixelSpace, Target, attack};
use spikescope::compute::program::Program;
use spikescope::data::npz::find_array;
use spikescope::data::{Layout, Samples, Scaling};
use spikescope::network;
use spikescope::progress::JobControl;

const FORM: ([usize; 3], Layout) = ([1, 12, 12], Layout::ChannelsFirst);
const WIDTH: usize = 144;

/// A network of the reference with its arrays.
struct Reference {
    arrays: PathBuf,
    program: Program,
    pixels: PixelSpace,
    x: Vec<f32>,
    labels: Vec<u16>,
}

impl Reference {
    fn open(name: &str) -> Option<Self> {
        let arrays = shared(&format!("reference/attacks/{name}.npz"))?;
        let file = shared(&format!("reference/nets/{name}.onnx"))?;
        let network = network::open(&file.display().to_string()).unwrap();
        let device = spikescope::compute::Backend::Flex.device().unwrap();
        let program = Program::new(std::sync::Arc::new(network), &device);
        let x = array(&arrays, "x");
        let labels = array(&arrays, "label").into_iter().map(|v| v as u16).collect();
        let samples = Samples { shape: FORM.0.to_vec(), ..Samples::default() };
        let pixels = PixelSpace::new(&samples, &Scaling::Unit).unwrap();
        Some(Self { arrays, program, pixels, x, labels })
    }
    fn both() -> Vec<(&'static str, Self)> {
        ["avg", "max"].into_iter().filter_map(|name| Some((name, Self::open(name)?))).collect()
    }
    fn array(&self, name: &str) -> Vec<f32> {
        array(&self.arrays, name)
    }
    fn target(&self) -> AnnTarget<'_> {
        AnnTarget::new(&self.program, &self.pixels)
    }
    /// The first `count` samples.
    fn images(&self, count: usize) -> Images<'_> {
        let form = ImageForm::of(&FORM.0, FORM.1);
        Images { pixels: &self.x[..count * WIDTH], labels: &self.labels[..count], width: WIDTH, form, first: 0 }
    }
    fn run(&self, options: &Attack, start: Option<&str>, goal: Option<&str>) -> Vec<f32> {
        let start = start.map(|name| self.array(name));
        let goal: Option<Vec<u16>> = goal.map(|name| self.array(name).into_iter().map(|v| v as u16).collect());
        let given = Given { start: start.as_deref(), goal: goal.as_deref() };
        attack(options, &self.images(8), given, &self.target(), &JobControl::default()).unwrap().adversarial
    }
    fn options(&self, kind: AttackKind, norm: Norm, steps: usize) -> Attack {
        let [eps, alpha] = match norm {
            Norm::Linf => ["eps", "alpha"],
            Norm::L2 => ["eps_l2", "alpha_l2"],
        };
        Attack { kind, norm, eps: self.array(eps)[0], alpha: self.array(alpha)[0], steps, ..Attack::default() }
    }
    /// Who is answered wrong.
    fn wrong(&self, pixels: &[f32]) -> Vec<bool> {
        let logits = self.target().logits(pixels, &JobControl::default()).unwrap();
        let answers = logits.chunks(10).map(network::predicted_class);
        answers.zip(&self.labels).map(|(answer, label)| answer != usize::from(*label)).collect()
    }
}

fn array(path: &Path, name: &str) -> Vec<f32> {
    find_array(path, &[name]).unwrap().unwrap_or_else(|| panic!("no array {name}")).1
}

/// Share of pixels within `tolerance`.
fn equal(a: &[f32], b: &[f32], tolerance: f32) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).filter(|(a, b)| (*a - *b).abs() <= tolerance).count() as f64 / a.len() as f64
}

#[test]
fn the_gradient_of_the_summed_cross_entropy_is_the_references() {
    for (name, net) in Reference::both() {
        let slopes = net.target().gradient(&net.x, &net.labels, &JobControl::default()).unwrap();
        assert_eq!(equal(&slopes.gradient, &net.array("gradient_ce_sum"), 2e-6), 1.0, "{name}");
        let losses: Vec<f32> = slopes
            .logits
            .chunks(10)
            .zip(&net.labels)
            .map(|(logits, label)| spikescope::compute::cross_entropy::cross_entropy(logits, usize::from(*label)))
            .collect();
        assert_eq!(equal(&losses, &net.array("loss_ce"), 1e-5), 1.0, "{name}");
    }
}

#[test]
fn one_step_is_exact() {
    for (name, net) in Reference::both() {
        let linf = |kind| net.options(kind, Norm::Linf, 1);
        for (array, options, start, goal) in [
            ("fgsm", linf(AttackKind::Fgsm), None, None),
            ("fgsm_targeted", linf(AttackKind::Fgsm), None, Some("target_label")),
            ("pgd_1", linf(AttackKind::Pgd), Some("pgd_start"), None),
            ("rfgsm_1", linf(AttackKind::Rfgsm), Some("rfgsm_start"), None),
        ] {
            assert_eq!(equal(&net.run(&options, start, goal), &net.array(array), 0.0), 1.0, "{name} {array}");
        }
        let l2 = net.run(&net.options(AttackKind::Pgd, Norm::L2, 1), Some("pgdl2_start"), None);
        assert_eq!(equal(&l2, &net.array("pgdl2_1"), 1e-5), 1.0, "{name} pgdl2_1");
    }
}

#[test]
fn long_runs_go_where_the_reference_goes() {
    for (name, net) in Reference::both() {
        for (array, kind, norm, steps, start) in [
            ("pgd_10", AttackKind::Pgd, Norm::Linf, 10, "pgd_start"),
            ("pgd_40", AttackKind::Pgd, Norm::Linf, 40, "pgd_start"),
            ("pgd_nostart_10", AttackKind::Pgd, Norm::Linf, 10, "x"),
            ("rfgsm_10", AttackKind::Rfgsm, Norm::Linf, 10, "rfgsm_start"),
            ("pgdl2_10", AttackKind::Pgd, Norm::L2, 10, "pgdl2_start"),
        ] {
            let ours = net.run(&net.options(kind, norm, steps), Some(start), None);
            let theirs = net.array(array);
            let share = equal(&ours, &theirs, 1e-4);
            assert!(share >= 0.99, "{name} {array}: {share}");
            assert_eq!(net.wrong(&ours), net.wrong(&theirs), "{name} {array}");
        }
    }
}

#[test]
fn apgd_follows_the_reference_and_fools_the_same_samples() {
    for (name, net) in Reference::both() {
        for (prefix, norm, steps) in [
            ("apgd", Norm::Linf, 10),
            ("apgd", Norm::Linf, 40),
            ("apgd", Norm::Linf, 100),
            ("apgd_l2", Norm::L2, 10),
            ("apgd_l2", Norm::L2, 40),
        ] {
            let options = net.options(AttackKind::Apgd, norm, steps);
            let of = |suffix: &str| net.array(&format!("{prefix}_{steps}{suffix}"));
            let start = format!("{prefix}_start");
            let ours = net.run(&options, Some(&start), None);
            let share = equal(&ours, &of(""), 1e-4);
            assert!(share >= 0.95, "{name} {prefix} {steps}: {share}");
            let fooled: Vec<bool> = of("_fooled").into_iter().map(|v| v != 0.0).collect();
            assert_eq!(net.wrong(&ours)[..7], fooled[..7], "{name} {prefix} {steps}");
            let control = JobControl::default();
            let images = net.images(7);
            let Apgd { best_loss, fooled: ours, .. } =
                apgd(&options, &images, &net.target(), net.array(&start), &control).unwrap();
            assert_eq!(ours, fooled[..7], "{name} {prefix} {steps}");
            if norm == Norm::Linf {
                let share = equal(&best_loss, &of("_best_loss"), 2e-3);
                assert_eq!(share, 1.0, "{name} {steps}: {best_loss:?} {:?}", of("_best_loss"));
            }
        }
    }
}

/// The draws of the reference: the same for all samples.
struct Drawn {
    stripes: Vec<f32>,
    windows: Vec<[usize; 3]>,
    signs: Vec<f32>,
    eps: f32,
}

impl Windows for Drawn {
    fn first(&self, k: usize, x: &[f32]) -> Vec<f32> {
        let sign = |i: usize| self.stripes[k * 12 + i % 12];
        x.iter().enumerate().map(|(i, x)| (x + self.eps * sign(i)).clamp(0.0, 1.0)).collect()
    }
    fn next(&self, _: usize, query: usize, side: usize, x: &[f32], best: &[f32]) -> Vec<f32> {
        let [top, left, drawn] = self.windows[query];
        assert_eq!(side, drawn, "query {query}");
        let mut image = best.to_vec();
        let form = ImageForm::of(&FORM.0, FORM.1);
        add_window(&mut image, form, [top, left, side, side], self.eps, &self.signs[query..=query]);
        spikescope::attack::norm::project(Norm::Linf, &mut image, x, self.eps, form.limit());
        image
    }
}

#[test]
fn square_follows_the_references_draws() {
    for (name, net) in Reference::both() {
        let options = Attack { queries: 300, ..net.options(AttackKind::Square, Norm::Linf, 1) };
        let all: Vec<Vec<f32>> = ["square_tops", "square_lefts", "square_sides"].map(|name| net.array(name)).to_vec();
        let windows = (0..all[0].len()).map(|q| [0, 1, 2].map(|k| all[k][q] as usize)).collect();
        let [stripes, signs] = ["square_stripes", "square_signs"].map(|name| net.array(name));
        let drawn = Drawn { stripes, windows, signs, eps: options.eps };
        let found = square(&options, &net.images(7), &net.target(), &drawn, &JobControl::default()).unwrap();
        let share = equal(&found.margin, &net.array("square_margin"), 1e-4);
        assert_eq!(share, 1.0, "{name}: {:?} {:?}", found.margin, net.array("square_margin"));
        let theirs = net.array("square");
        for (k, margin) in found.margin.iter().enumerate().filter(|(_, margin)| **margin <= 0.0) {
            let row = k * WIDTH..(k + 1) * WIDTH;
            assert!(equal(&found.best[row.clone()], &theirs[row], 1e-6) > 0.99, "{name} {k} {margin}");
        }
        // With draws of its own: the same few samples fall.
        let own = net.run(&options, None, None);
        let count = |wrong: Vec<bool>| wrong[..7].iter().filter(|wrong| **wrong).count() as i32;
        let difference = count(net.wrong(&own)) - count(net.wrong(&theirs));
        assert!(difference.abs() <= 1, "{name}: {difference}");
    }
}

#[test]
fn results_do_not_depend_on_threads_or_on_the_other_samples() {
    let Some(net) = Reference::open("avg") else { return };
    for kind in [AttackKind::Pgd, AttackKind::Apgd, AttackKind::Square, AttackKind::Uniform] {
        for norm in [Norm::Linf, Norm::L2] {
            let options = Attack { queries: 40, restarts: 2, ..net.options(kind, norm, 5) };
            let with_threads = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| net.run(&options, None, None))
            };
            let all = with_threads(1);
            assert_eq!(all, with_threads(3), "{kind:?} {norm:?}");
            let control = JobControl::default();
            let two = attack(&options, &net.images(2), Given::default(), &net.target(), &control).unwrap();
            assert_eq!(all[..2 * WIDTH], two.adversarial, "{kind:?} {norm:?}");
            let largest = two.samples.iter().map(|s| if norm == Norm::L2 { s.l2 } else { s.linf }).fold(0.0, f32::max);
            assert!(largest > 0.0 && largest <= options.eps * 1.0001, "{kind:?} {norm:?}: {largest}");
            assert!(all.iter().all(|v| (0.0..=1.0).contains(v)));
        }
    }
}

fn spikescope(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_spikescope")).arg("attack").args(words).output().unwrap()
}

/// Runs the command on the built-in digits and reads `attack.json`.
fn on_digits(out: &Path, words: &[&str]) -> serde_json::Value {
    let out_text = out.display().to_string();
    let mut all = vec!["--model", "builtin:digits-cnn", "--data", "builtin:digits", "--samples", "256..276"];
    all.extend(["--out", &out_text]);
    all.extend(words);
    let output = spikescope(&all);
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&std::fs::read(out.join("attack.json")).unwrap()).unwrap()
}

#[test]
fn the_command_equals_the_library_on_the_reference() {
    let Some(net) = Reference::open("max") else { return };
    let dir = tempfile::tempdir().unwrap();
    let [samples, start, out] = ["samples.npz", "start.npz", "out"].map(|name| dir.path().join(name));
    let labels: Vec<u8> = net.labels.iter().map(|&label| label as u8).collect();
    let [x, pgd_start] = [net.x.clone(), net.array("pgd_start")];
    use spikescope::data::{NpzData, write_npz};
    let shape = [8, 1, 12, 12];
    write_npz(&samples, &[("x", &shape, NpzData::F32(&x)), ("y", &[8], NpzData::U8(&labels))]).unwrap();
    write_npz(&start, &[("start", &shape, NpzData::F32(&pgd_start))]).unwrap();
    let [eps, alpha] = ["eps", "alpha"].map(|name| net.array(name)[0].to_string());
    let model = shared("reference/nets/max.onnx").unwrap().display().to_string();
    let data = format!("npz:{}", samples.display());
    let [start, out_text] = [&start, &out].map(|path| path.display().to_string());
    let output = spikescope(&[
        "--model",
        &model,
        "--data",
        &data,
        "--samples",
        "0..8",
        "--calibrate",
        "0..8",
        "--on",
        "ann",
        "--attack",
        "pgd",
        "--eps",
        &eps,
        "--alpha",
        &alpha,
        "--attack-steps",
        "1",
        "--start",
        &start,
        "--out",
        &out_text,
    ]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let written = out.join("adversarial.npz");
    assert_eq!(array(&written, "adversarial"), net.array("pgd_1"));
    assert_eq!(array(&written, "x"), x);
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(out.join("attack.json")).unwrap()).unwrap();
    assert_eq!(json["clean_accuracy"], 0.875);
    let wrong = net.wrong(&net.array("pgd_1")).iter().filter(|wrong| **wrong).count();
    assert_eq!(json["robust_accuracy"].as_f64().unwrap(), (8 - wrong) as f64 / 8.0);
    assert_eq!(json["fooled"], wrong - 1, "sample 7 was wrong before");
}

#[test]
fn a_start_outside_the_ball_is_moved_into_it() {
    let dir = tempfile::tempdir().unwrap();
    let (start, out) = (dir.path().join("start.npz"), dir.path().join("out"));
    use spikescope::data::{NpzData, write_npz};
    // White images: far from every digit, and answered wrong.
    write_npz(&start, &[("start", &[20, 1, 28, 28], NpzData::F32(&[1.0; 20 * 28 * 28]))]).unwrap();
    let start = start.display().to_string();
    for (norm, eps) in [("linf", 0.02), ("l2", 0.2)] {
        let eps_text = eps.to_string();
        for attack in ["apgd", "pgd", "fgsm"] {
            let words = ["--attack", attack, "--norm", norm, "--eps", &eps_text, "--start", &start];
            on_digits(&out, &words);
            let [x, a] = ["x", "adversarial"].map(|name| array(&out.join("adversarial.npz"), name));
            for (x, a) in x.chunks(784).zip(a.chunks(784)) {
                use spikescope::attack::norm::{distance, largest_change};
                let size = if norm == "linf" { largest_change(a, x) } else { distance(a, x) };
                assert!(size <= eps * 1.0001, "{attack} {norm}: {size}");
            }
        }
    }
}

#[test]
fn attacks_are_ordered_on_both_networks() {
    let dir = tempfile::tempdir().unwrap();
    let robust = |words: &[&str]| on_digits(&dir.path().join("out"), words)["robust_accuracy"].as_f64().unwrap();
    let eps = ["--eps", "0.15", "--steps", "8"];
    let all = |words: &[&'static str]| robust(&[words, &eps[..]].concat());
    let clean = all(&["--attack", "none"]);
    let noise = all(&["--attack", "uniform"]);
    let (fgsm, pgd) = (all(&["--attack", "fgsm"]), all(&["--attack", "pgd", "--alpha", "0.04"]));
    assert!(clean > 0.9 && noise >= fgsm && fgsm >= pgd, "{clean} {noise} {fgsm} {pgd}");
    let snn = |rule: &'static str| all(&["--on", "snn", "--attack", "pgd", "--alpha", "0.04", "--gradient", rule]);
    let worst = snn("worst");
    let each: Vec<f64> = ["rate", "surrogate", "straight-through", "ann"].map(snn).to_vec();
    assert!(each.iter().all(|rule| *rule >= worst), "{each:?} {worst}");
    assert!(each[0] < 0.9 && each[1] < 0.9, "gradients by rate and through time lower the accuracy: {each:?}");
    let square =
        on_digits(&dir.path().join("out"), &["--on", "snn", "--attack", "square", "--queries", "60", "--steps", "8"]);
    assert!(square["queries"].as_u64().unwrap() <= 60 && square["rules"].is_null());
}

#[test]
fn bad_input_is_told_in_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out").display().to_string();
    let base = ["--model", "builtin:digits-cnn", "--data", "builtin:digits", "--out", &out];
    let no_labels = dir.path().join("x.npz");
    let bright = dir.path().join("bright.npz");
    use spikescope::data::{NpzData, write_npz};
    let images = vec![0.5f32; 4 * 28 * 28];
    let side = [4, 1, 28, 28];
    write_npz(&no_labels, &[("x", &side, NpzData::F32(&images))]).unwrap();
    let above: Vec<f32> = images.iter().map(|v| v * 3.0).collect();
    write_npz(&bright, &[("x", &side, NpzData::F32(&above)), ("y", &[4], NpzData::U8(&[0; 4]))]).unwrap();
    let [no_labels, bright] = [no_labels, bright].map(|path| format!("npz:{}", path.display()));
    for (words, says) in [
        (vec!["--attack", "fgsm", "--eps", "-0.1"], "eps -0.1"),
        (vec!["--attack", "fgsm", "--eps", "1.5"], "eps 1.5"),
        (vec!["--attack", "fgsm", "--eps", "eight"], "eps 'eight'"),
        (vec!["--attack", "fgsm", "--eps", "1/0"], "eps '1/0'"),
        (vec!["--attack", "deepfool"], "attack 'deepfool'"),
        (vec!["--attack", "pgd", "--attack-steps", "0"], "attack-steps 0"),
        (vec!["--attack", "pgd", "--alpha", "2"], "alpha 2"),
        (vec!["--attack", "rfgsm", "--norm", "l2"], "rfgsm with norm l2"),
        (vec!["--attack", "fgsm", "--on", "brain"], "on 'brain'"),
        (vec!["--attack", "fgsm", "--gradient", "exact"], "gradient 'exact'"),
        (vec!["--attack", "fgsm", "--target", "10"], "10 classes"),
        (vec!["--attack", "apgd", "--target", "1"], "apgd at a class"),
        (vec!["--attack", "square", "--target", "1"], "square at a class"),
        (vec!["--attack", "none", "--target", "1"], "none at a class"),
        (vec!["--attack", "fgsm", "--at", "2,4"], "Omit --at"),
        (vec!["--attack", "fgsm", "--initial-seed", "2"], "v(0) is not drawn"),
        (vec!["--attack", "fgsm", "--start", "none.npz"], "none.npz"),
        (vec!["--attack", "fgsm", "--data", &no_labels], "no label"),
        (vec!["--attack", "fgsm", "--data", &bright], "pixel of 1.5"),
    ] {
        let mut all = base.to_vec();
        if let Some(data) = words.iter().position(|word| *word == "--data") {
            all[3] = words[data + 1];
            all.extend(&words[..data]);
        } else {
            all.extend(&words);
        }
        let output = spikescope(&all);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && text.contains(says), "{words:?}: {:?} {text}", output.status);
        assert!(!dir.path().join("out").exists(), "{words:?} wrote something");
    }
}

#[test]
fn gradients_of_many_steps_come_close_to_those_of_the_ann() {
    use spikescope::attack::GradientRule;
    use spikescope::attack::snn::Surrogate;
    use spikescope::experiment::Settings;
    use spikescope::experiment::attacked::{AttackSubject, Attacked};
    use spikescope::experiment::cache::Cache;
    let mut settings = Settings { samples: 256..264, ..Settings::default() };
    settings.recipe.steps = 128;
    settings.recipe.threshold = spikescope::convert::ThresholdRule::Max;
    let control = JobControl::default();
    let subject = AttackSubject::load(&settings, Attacked::Snn, &mut Cache::default(), &control).unwrap();
    let gradient = |rule| {
        let images = subject.images();
        subject.with_target(rule, |target| target.gradient(images.pixels, images.labels, &control)).unwrap().gradient
    };
    let ann = gradient(GradientRule::Ann);
    let cosine = |other: &[f32]| {
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
        dot(&ann, other) / (dot(&ann, &ann) * dot(other, other)).sqrt()
    };
    let rate = cosine(&gradient(GradientRule::Rate));
    let through = cosine(&gradient(GradientRule::ThroughTime(Surrogate::Triangle)));
    assert!(rate > 0.9, "rate {rate}, through time {through}");
    assert!(through > 0.4, "rate {rate}, through time {through}");
}
