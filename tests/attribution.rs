//! Attributions against the arrays of captum 0.9.0, and the command on networks and bad input.

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use common::shared;
use spikescope::attack::{AnnTarget, ImageForm, PixelSpace};
use spikescope::compute::program::Program;
use spikescope::data::Layout;
use spikescope::data::npz::find_array;
use spikescope::explain::backward::grad_cam::{grad_cam, layer};
use spikescope::explain::backward::lrp::LrpRule;
use spikescope::explain::gradients::{PathDraw, Points};
use spikescope::explain::perturb::{Queries, kernel_shap, lime, occlusion, permutation, shapley};
use spikescope::explain::quadrature::Quadrature;
use spikescope::explain::scores::correlation;
use spikescope::explain::{ExplainOptions, Explained, Features, Method, Request, explain};
use spikescope::network;
use spikescope::progress::JobControl;

const WIDTH: usize = 144;

/// A network of the reference with its arrays.
struct Reference {
    name: &'static str,
    arrays: PathBuf,
    program: Program,
    space: PixelSpace,
    x: Vec<f32>,
    targets: Vec<usize>,
    baselines: Vec<f32>,
}

impl Reference {
    fn open(name: &'static str) -> Option<Self> {
        let arrays = shared(&format!("reference/attribution/{name}.npz"))?;
        let file = shared(&format!("reference/nets/{name}.onnx"))?;
        let network = network::open(&file.display().to_string()).unwrap();
        let device = spikescope::compute::Backend::Flex.device().unwrap();
        let program = Program::new(Arc::new(network), &device);
        let x = array(&arrays, "x");
        let targets = array(&arrays, "target").into_iter().map(|v| v as usize).collect();
        let baselines = array(&arrays, "baselines");
        let space = PixelSpace::of_input(&[1, 12, 12], Layout::ChannelsFirst);
        Some(Self { name, arrays, program, space, x, targets, baselines })
    }

    /// The networks that are at hand: all three, or those with sampled methods.
    fn all(sampled: bool) -> Vec<Self> {
        let names: &[&'static str] = if sampled { &["avg", "max"] } else { &["avg", "max", "premax"] };
        names.iter().filter_map(|name| Self::open(name)).collect()
    }

    fn target(&self) -> AnnTarget<'_> {
        AnnTarget::new(&self.program, &self.space)
    }

    fn form(&self) -> ImageForm {
        ImageForm::of(&[1, 12, 12], Layout::ChannelsFirst)
    }

    fn explain(&self, method: Method, baselines: &[f32], options: &ExplainOptions) -> Vec<f32> {
        let target = self.target();
        let network = Explained::ann(&target, self.program.network().clone());
        let request = Request { input: &self.x, targets: &self.targets, form: self.form(), baselines, first: 4 };
        explain(method, &network, &request, options, &JobControl::default()).unwrap()
    }

    fn queries<T>(&self, go: impl FnOnce(Queries<'_>) -> T) -> T {
        let (target, control) = (self.target(), JobControl::default());
        let network = Explained::ann(&target, self.program.network().clone());
        let (input, targets, stage) = (self.x.as_slice(), self.targets.as_slice(), "test");
        go(Queries { network: &network, input, targets, width: WIDTH, stage, control: &control })
    }

    fn array(&self, name: &str) -> Vec<f32> {
        array(&self.arrays, name)
    }

    /// Asserts that `ours` are the values of array `name`.
    fn compare(&self, ours: &[f32], name: &str, tolerance: f32) {
        let theirs = self.array(name);
        assert_eq!(ours.len(), theirs.len(), "{} {name}", self.name);
        let worst = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst <= tolerance, "{} {name}: {worst:e} apart", self.name);
    }
}

fn array(path: &Path, name: &str) -> Vec<f32> {
    find_array(path, &[name]).unwrap().unwrap_or_else(|| panic!("no array {name} in {}", path.display())).1
}

fn usizes(values: Vec<f32>) -> Vec<usize> {
    values.into_iter().map(|v| v as usize).collect()
}

/// The features of a mask.
fn features(mask: Vec<f32>) -> Features {
    Features::new(mask.into_iter().map(|v| v as u32).collect())
}

const ZERO: [f32; WIDTH] = [0.0; WIDTH];

fn with(change: impl FnOnce(&mut ExplainOptions)) -> ExplainOptions {
    let mut options = ExplainOptions::default();
    change(&mut options);
    options
}

#[test]
fn gradient_methods() {
    for net in Reference::all(false) {
        let default = ExplainOptions::default();
        for method in [Method::Saliency, Method::InputXGradient, Method::GuidedBackprop, Method::Deconvolution] {
            net.compare(&net.explain(method, &ZERO, &default), &method.array(), 1e-5);
        }
        let rules = [
            ("ig_gausslegendre_50", Quadrature::GaussLegendre, 50),
            ("ig_gausslegendre_20", Quadrature::GaussLegendre, 20),
            ("ig_riemann_left_50", Quadrature::RiemannLeft, 50),
            ("ig_riemann_right_50", Quadrature::RiemannRight, 50),
            ("ig_riemann_middle_50", Quadrature::RiemannMiddle, 50),
            ("ig_riemann_trapezoid_50", Quadrature::RiemannTrapezoid, 50),
        ];
        for (name, quadrature, budget) in rules {
            let options = with(|options| (options.quadrature, options.budget) = (quadrature, Some(budget)));
            net.compare(&net.explain(Method::IntegratedGradients, &ZERO, &options), name, 1e-5);
        }
        net.compare(&net.explain(Method::IntegratedGradients, &net.baselines, &default), "ig_base", 1e-5);
        let target = net.target();
        let network = Explained::ann(&target, net.program.network().clone());
        let control = JobControl::default();
        let points =
            Points { network: &network, input: &net.x, targets: &net.targets, stage: "test", control: &control };
        net.compare(&points.gradient().unwrap(), "gradient", 1e-5);
    }
}

#[test]
fn deeplift_and_its_sum() {
    for net in Reference::all(false) {
        let default = ExplainOptions::default();
        let zero = net.explain(Method::Deeplift, &ZERO, &default);
        net.compare(&zero, "deeplift_zero_separated", 1e-5);
        let base = net.explain(Method::Deeplift, &net.baselines, &default);
        net.compare(&base, "deeplift_base_separated", 1e-5);
        net.compare(&net.explain(Method::DeepliftShap, &net.baselines, &default), "deepliftshap_separated", 1e-5);
        let logits = net.program.outputs(&net.x, &JobControl::default()).unwrap();
        let of_zero = net.program.outputs(&ZERO, &JobControl::default()).unwrap();
        for (k, &target) in net.targets.iter().enumerate() {
            let sum: f32 = zero[k * WIDTH..][..WIDTH].iter().sum();
            assert!((sum - (logits[k * 10 + target] - of_zero[target])).abs() < 1e-5, "{} {k}", net.name);
        }
        if net.name == "avg" {
            // Nothing touches a pool here, so that captum's own order gives the same.
            net.compare(&zero, "deeplift_zero", 1e-5);
            net.compare(&base, "deeplift_base", 1e-5);
        }
    }
}

#[test]
fn relevance_and_class_activation_maps() {
    for net in Reference::all(false) {
        let rules = [
            ("lrp", LrpRule::Epsilon(1e-9)),
            ("lrp_epsilon_0.25", LrpRule::Epsilon(0.25)),
            ("lrp_gamma_0.25", LrpRule::default()),
            ("lrp_alpha1_beta0", LrpRule::Alpha1Beta0),
        ];
        for (name, rule) in rules {
            net.compare(&net.explain(Method::Lrp, &ZERO, &with(|options| options.lrp = rule)), name, 1e-4);
        }
        let names: Vec<String> = net
            .program
            .network()
            .nodes
            .iter()
            .filter(|node| node.kind_name() == "conv")
            .map(|node| node.name.clone())
            .collect();
        for (k, name) in names.into_iter().enumerate() {
            let target = net.target();
            let network = Explained::ann(&target, net.program.network().clone());
            let at = layer(network.maps().network(), Some(&name)).unwrap();
            let per_row = network.maps().network().nodes[at].shape[1..].iter().product();
            let map = network.in_batches(network.maps(), &net.x, per_row, &JobControl::default(), |values, rows| {
                grad_cam(values, &net.targets[rows], at)
            });
            net.compare(&map.unwrap(), &format!("gradcam_conv{}", k + 1), 1e-5);
            let options = with(|options| options.layer = Some(name));
            let map = net.explain(Method::GuidedGradCam, &ZERO, &options);
            net.compare(&map, &format!("guided_gradcam_conv{}", k + 1), 1e-5);
        }
    }
}

#[test]
fn perturbations() {
    for net in Reference::all(false) {
        let default = ExplainOptions::default();
        let two = with(|options| options.patches = Some(2));
        net.compare(&net.explain(Method::FeatureAblation, &ZERO, &default), "feature_ablation", 1e-5);
        net.compare(&net.explain(Method::FeatureAblation, &ZERO, &two), "feature_ablation_patches", 1e-5);
        let based = net.explain(Method::FeatureAblation, &net.baselines, &two);
        net.compare(&based, "feature_ablation_patches_base", 1e-5);
        net.compare(&net.explain(Method::Occlusion, &ZERO, &default), "occlusion_w3_s1", 1e-5);
        for (side, stride, base, name) in [(3, 2, 0.0, "occlusion_w3_s2"), (5, 3, 0.5, "occlusion_w5_s3_base0.5")] {
            let map = net
                .queries(|queries| occlusion::occlusion(&queries, &net.form(), side, stride, &[base; WIDTH]).unwrap());
            net.compare(&map, name, 1e-5);
        }
    }
}

#[test]
fn sampled_methods_with_the_same_draws() {
    for net in Reference::all(true) {
        let target = net.target();
        let network = Explained::ann(&target, net.program.network().clone());
        let control = JobControl::default();
        let points =
            Points { network: &network, input: &net.x, targets: &net.targets, stage: "test", control: &control };
        for (name, noisy) in [("gradshap", false), ("gradshap_noise", true)] {
            let index = usizes(net.array(&format!("{name}_index")));
            let coefficients = net.array(&format!("{name}_coef"));
            let noise = noisy.then(|| net.array("gradshap_noise_draws"));
            let draw = |row: usize| PathDraw {
                baseline: index[row],
                share: coefficients[row],
                noise: noise.as_ref().map(|noise| noise[row * WIDTH..][..WIDTH].to_vec()).unwrap_or_default(),
            };
            let draws: Vec<Vec<PathDraw>> = (0..4).map(|k| (k * 10..k * 10 + 10).map(draw).collect()).collect();
            net.compare(&points.gradient_shap(&net.baselines, &draws).unwrap(), name, 1e-5);
        }
        let patches = features(net.array("patch_mask"));
        assert_eq!(patches, Features::patches(&net.form(), 2));
        let orders: Vec<Vec<usize>> =
            usizes(net.array("feature_permutation_perms")).chunks(4).map(<[usize]>::to_vec).collect();
        let map = net.queries(|queries| permutation::feature_permutation(&queries, &patches, &orders).unwrap());
        net.compare(&map, "feature_permutation_patches", 1e-5);
        let orders: Vec<Vec<usize>> = usizes(net.array("shapley_25_perms")).chunks(36).map(<[usize]>::to_vec).collect();
        let orders = vec![orders; 4];
        let values = net.queries(|queries| shapley::shapley(&queries, &patches, &ZERO, &orders).unwrap());
        net.compare(&values, "shapley_25", 1e-5);
        let rows = |name: &str| -> Vec<Vec<Vec<bool>>> {
            let rows: Vec<Vec<bool>> =
                net.array(name).chunks(36).map(|row| row.iter().map(|&on| on > 0.5).collect()).collect();
            rows.chunks(200).map(<[Vec<bool>]>::to_vec).collect()
        };
        let of = rows("kernelshap_200_masks");
        let values = net.queries(|queries| kernel_shap::kernel_shap(&queries, &patches, &ZERO, &of).unwrap());
        net.compare(&values, "kernelshap_200", 2e-3);
        let of = rows("lime_200_masks");
        let values = net.queries(|queries| lime::lime(&queries, &patches, &ZERO, &of).unwrap());
        net.compare(&values, "lime_200", 2e-3);
    }
}

#[test]
fn sampled_methods_with_draws_of_their_own() {
    for net in Reference::all(true) {
        let nine = features(net.array("grid9_mask"));
        let own = |options: &ExplainOptions, method: Method, features: &Features| -> Vec<f32> {
            let map = net.explain(method, &ZERO, options);
            let first = |k: usize| features.members(k).next().unwrap();
            map.chunks(WIDTH).flat_map(|map| (0..features.len()).map(|k| map[first(k)]).collect::<Vec<_>>()).collect()
        };
        let four = |budget| with(|options| (options.patches, options.budget) = (Some(4), Some(budget)));
        let exact = net.array("shapley_exact_9");
        assert!(correlation(&own(&four(2000), Method::KernelShap, &nine), &exact) > 0.999);
        assert!(correlation(&own(&four(200), Method::ShapleySampling, &nine), &exact) > 0.99);
        let two = |budget| with(|options| (options.patches, options.budget) = (Some(2), Some(budget)));
        let patches = Features::patches(&net.form(), 2);
        for (method, budget, name) in [
            (Method::KernelShap, 2000, "kernelshap_4000"),
            (Method::Lime, 2000, "lime_4000"),
            (Method::ShapleySampling, 100, "shapley_500"),
        ] {
            let found = correlation(&own(&two(budget), method, &patches), &net.array(name));
            assert!(found > 0.95, "{} {name}: {found}", net.name);
        }
    }
}

fn spikescope(args: &[&str], out: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spikescope"));
    command.arg("explain").args(args);
    if !args.contains(&"--samples") {
        command.args(["--samples", "256..258"]);
    }
    command.args(["--calibrate", "0..8"]).arg("--out").arg(out);
    command.output().unwrap()
}

#[test]
fn the_command_explains_both_networks_and_refuses_bad_input() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let mask = folder.path().join("mask.npz");
    let write = |size: usize, value: f32| {
        spikescope::data::write_npz_with(&mask, |npz| {
            let mut values = vec![0.0f32; size * size];
            values[0] = value;
            npz.array("masks", &[1, size, size], &values)
        })
        .unwrap();
    };
    let mask_path = mask.display().to_string();
    let methods = ["--methods", "saliency,lrp,spike-count", "--masks", &mask_path];
    write(28, 1.0);
    let done = spikescope(&[&methods[..], &["--on", "snn", "--at", "2,3"]].concat(), &out);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let (shape, _) = find_array(&out.join("maps.npz"), &["spike_count_t3"]).unwrap().unwrap();
    assert_eq!(shape, [2, 1, 28, 28]);
    let scores: serde_json::Value = serde_json::from_slice(&std::fs::read(out.join("scores.json")).unwrap()).unwrap();
    // One simulation answers for both: the maps are those of each time alone.
    let together = |name: &str| find_array(&out.join("maps.npz"), &[name]).unwrap().unwrap().1;
    let shared: Vec<_> = ["saliency_t2", "lrp_t2", "spike_count_t2"].map(together).into();
    let alone = folder.path().join("alone");
    assert!(spikescope(&[&methods[..], &["--on", "snn", "--steps", "2"]].concat(), &alone).status.success());
    let of_two = |name: &str| find_array(&alone.join("maps.npz"), &[name]).unwrap().unwrap().1;
    assert_eq!(shared, ["saliency", "lrp", "spike_count"].map(of_two));
    let at = &scores["at"][1];
    assert_eq!((at["steps"].as_u64(), at["methods"]["lrp"]["l1"].as_array().map(Vec::len)), (Some(3), Some(2)));
    assert_eq!(at["baselines"]["blank"]["median"]["correlation"], 0.0);
    let refused = |args: &[&str], text: &str| {
        let output = spikescope(args, &out);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {error}");
        assert!(error.contains(text), "{args:?}: {error}");
    };
    write(28, 0.0);
    refused(&methods, "is empty");
    write(27, 1.0);
    refused(&methods, "28×28");
    refused(&["--methods", "magic"], "unknown word");
    refused(&["--target", "10"], "0 to 9");
    refused(&["--patches", "29"], "1 to 28");
    refused(&["--at", "4"], "--on snn");
    refused(&["--methods", "lime", "--layer", "x", "--budget", "0"], "budget");
    refused(&["--methods", "guided-grad-cam", "--model", "builtin:digits-mlp"], "no convolution");
    refused(&["--methods", "feature-permutation", "--samples", "256..257"], "one sample");
    refused(&["--methods", "all,guided-grad-cam", "--model", "builtin:digits-mlp"], "no convolution");
    refused(&["--methods", "all", "--layer", "x", "--model", "builtin:digits-mlp"], "no such layer");
    refused(&["--on", "snn", "--steps", "4", "--at", "2,8"], "--steps 4 ends before");
}

#[test]
fn all_methods_are_those_that_apply() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let one = ["--model", "builtin:digits-mlp", "--samples", "256..257", "--budget", "3"];
    let done = spikescope(&[&one[..], &["--theta", "nowhere=rule", "--scale", "mean=.9;std=.1"]].concat(), &out);
    let told = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let scores: serde_json::Value = serde_json::from_slice(&std::fs::read(out.join("scores.json")).unwrap()).unwrap();
    assert_eq!(scores["methods"].as_object().map(serde_json::Map::len), Some(17));
    for method in ["guided-grad-cam", "spike-count", "feature-permutation"] {
        assert!(told.contains(&format!("note: {method} is left out")), "{told}");
        assert!(scores["notes"].to_string().contains(&format!("{method} is left out")), "{scores}");
    }
    assert!(told.contains("kernel-shap: 3 rows for 49 features"), "{told}");
    assert_eq!((&scores["calibrate"], &scores["backend"]), (&"0..8".into(), &"flex".into()));
    assert_eq!(scores["findings"][0]["kind"], "input scaling");
    assert!(String::from_utf8_lossy(&done.stderr).contains("input scaling"));
}

#[test]
fn maps_of_event_recordings_are_of_their_mean_over_time() {
    use spikescope::network::safetensors;
    use spikescope::network::zoo::{ZooArchitecture, parse_activation};
    let dir = tempfile::tempdir().unwrap();
    let (model, out) = (dir.path().join("net.safetensors"), dir.path().join("out"));
    let network = ZooArchitecture::Mlp.build(&[2, 34, 34], 10, parse_activation("relu").unwrap(), 3).unwrap();
    safetensors::save(&network, &model).unwrap();
    let recordings = dir.path().join("recordings");
    std::fs::create_dir(&recordings).unwrap();
    for index in ["0", "1", "2", "3", "4", "5"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_spikescope"));
        command.args(["events", "builtin:events-digits", "--recording", index, "--out"]);
        assert!(command.arg(recordings.join(index).with_extension("npy")).output().unwrap().status.success());
    }
    let data = format!("events:{},sensor=34x34,frames=4", recordings.display());
    let run = |extra: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_spikescope"));
        command.args(["explain", "--data", &data, "--threshold", "max", "--steps", "4", "--samples", "0..2"]);
        command.args(["--calibrate", "2..6", "--methods", "saliency,occlusion,lrp", "--model"]);
        command.arg(&model).args(extra).arg("--out").arg(&out).output().unwrap()
    };
    for on in ["ann", "snn"] {
        let output = run(&["--on", on]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(String::from_utf8_lossy(&output.stdout).contains("mean over all frames"));
        let (shape, values) = find_array(&out.join("maps.npz"), &["saliency"]).unwrap().unwrap();
        assert_eq!(shape, [2, 2, 34, 34]);
        assert!(values.iter().any(|value| *value > 0.0), "{on}");
    }
}
