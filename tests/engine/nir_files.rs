//! NIR files of other packages: integer weights count as by hand, and what was read is exported again.

use std::path::Path;
use std::sync::Arc;

use spikescope::convert::{Reset, ThresholdRule, TieRule};
use spikescope::data::{NpzData, Scaling, write_npz};
use spikescope::experiment::cache::Cache;
use spikescope::experiment::{Run, Settings, pipeline};
use spikescope::export::nir::{NirReader, graph};
use spikescope::network::Weights;
use spikescope::network::nir::{NirGraph, NirNode, NirOp, write};
use spikescope::progress::JobControl;

const STEPS: usize = 24;
const SAMPLES: usize = 6;

/// Integers from -4 to 4, different for every `seed`.
fn integers(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((state >> 40) % 9) as f32 - 4.0
    };
    (0..count).map(|_| next()).collect()
}

fn weights(shape: &[usize], seed: u64) -> Weights {
    Weights::new(shape.to_vec(), integers(seed, shape.iter().product()))
}

fn neurons(shape: &[usize], theta: impl Fn(usize) -> f32) -> NirOp {
    let all = |value: &dyn Fn(usize) -> f32| {
        Weights::new(shape.to_vec(), (0..shape.iter().product()).map(value).collect::<Vec<_>>())
    };
    NirOp::If { r: all(&|_| 1.0), threshold: all(&theta), reset: all(&|_| 0.0) }
}

/// A chain of nodes, named by their places.
fn chain(nodes: Vec<NirOp>) -> NirGraph {
    let names: Vec<String> = (0..nodes.len()).map(|k| format!("n{k}")).collect();
    let edges = names.windows(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
    let node = |kind| NirNode { kind, metadata: Vec::new() };
    NirGraph { nodes: names.into_iter().zip(nodes.into_iter().map(node)).collect(), edges, metadata: Vec::new() }
}

/// The run of `graph` on integers, with the neurons of NIR that fire at the threshold.
fn run(graph: &NirGraph, sample: &[usize], dir: &Path, reset: Reset) -> Arc<Run> {
    let (model, data) = (dir.join("net.nir"), dir.join("x.npz"));
    write(graph, &model).unwrap();
    let shape = [&[SAMPLES], sample].concat();
    let x: Vec<f32> = integers(99, shape.iter().product()).iter().map(|v| v.abs()).collect();
    write_npz(&data, &[("x", &shape, NpzData::F32(&x))]).unwrap();
    let mut settings = Settings {
        model: model.display().to_string(),
        data: format!("npz:{}", data.display()),
        samples: 0..SAMPLES,
        calibrate: 0..SAMPLES,
        scaling: Scaling::Divide(1.0),
        ..Settings::default()
    };
    let recipe = &mut settings.recipe;
    (recipe.steps, recipe.threshold, recipe.v_init) = (STEPS, ThresholdRule::Learned, 0.0);
    (recipe.reset, recipe.tie) = (reset, TieRule::Ge);
    pipeline::run(&settings, &mut Cache::default(), &JobControl::default()).unwrap_or_else(|e| panic!("{e}"))
}

fn counts(run: &Run) -> Vec<Vec<u32>> {
    run.recording.layers.iter().map(|layer| layer.spikes.counts(STEPS)).collect()
}

/// The counts of two layers of neurons by integers: `[samples, F]` of each.
fn by_hand(layers: &[(&Weights, &Weights)], x: &[f32], theta: f32, reset: Reset) -> Vec<Vec<u32>> {
    let mut all: Vec<Vec<u32>> = vec![Vec::new(); layers.len()];
    for sample in x.chunks(layers[0].0.shape[1]) {
        let mut potentials: Vec<Vec<f64>> = layers.iter().map(|(_, bias)| vec![0.0; bias.data.len()]).collect();
        let mut sums: Vec<Vec<u32>> = layers.iter().map(|(_, bias)| vec![0; bias.data.len()]).collect();
        for _ in 0..STEPS {
            let mut input: Vec<f64> = sample.iter().map(|&v| f64::from(v)).collect();
            for (k, (weight, bias)) in layers.iter().enumerate() {
                let row = |o: usize| weight.data[o * input.len()..(o + 1) * input.len()].iter();
                let current = |o: usize| row(o).zip(&input).map(|(w, i)| f64::from(*w) * i).sum::<f64>();
                let added: Vec<f64> = (0..bias.data.len()).map(|o| current(o) + f64::from(bias.data[o])).collect();
                let fire = |(v, add): (&mut f64, &f64)| {
                    *v += add;
                    let spikes = *v >= f64::from(theta);
                    if spikes {
                        *v = if reset == Reset::Hard { 0.0 } else { *v - f64::from(theta) };
                    }
                    f64::from(u8::from(spikes))
                };
                input = potentials[k].iter_mut().zip(&added).map(fire).collect();
                sums[k].iter_mut().zip(&input).for_each(|(sum, spike)| *sum += *spike as u32);
            }
        }
        all.iter_mut().zip(sums).for_each(|(all, sums)| all.extend(sums));
    }
    all
}

#[test]
fn integer_weights_and_any_threshold_count_as_by_hand_and_are_exported_as_they_were() {
    let (a, b) = (weights(&[64, 16], 1), weights(&[64], 2));
    let (c, d) = (weights(&[32, 64], 3), weights(&[32], 4));
    let dir = tempfile::tempdir().unwrap();
    for theta in [3.0, 6.0, 7.0, 8.0, 10.0, 48.0] {
        let graph_of = chain(vec![
            NirOp::Input { shape: vec![16] },
            NirOp::Affine { weight: a.clone(), bias: b.clone() },
            neurons(&[64], |_| theta),
            NirOp::Affine { weight: c.clone(), bias: d.clone() },
            neurons(&[32], |_| theta),
            NirOp::Output { shape: vec![32] },
        ]);
        for reset in [Reset::Hard, Reset::Soft] {
            let run = run(&graph_of, &[16], dir.path(), reset);
            assert_eq!(counts(&run), by_hand(&[(&a, &b), (&c, &d)], &run.input, theta, reset), "{theta} {reset:?}");
            let network = run.network.program.network();
            let exported = graph(network, &run.spiking, &run.settings.recipe, NirReader::Nir, &[]).graph.unwrap();
            let kinds: Vec<&NirOp> = exported.nodes.iter().map(|(_, node)| &node.kind).collect();
            if theta != 8.0 {
                let expected: Vec<&NirOp> = graph_of.nodes.iter().map(|(_, node)| &node.kind).collect();
                assert_eq!(kinds, expected, "{theta}");
            }
        }
    }
}

#[test]
fn lines_and_thresholds_of_single_neurons_are_exported_again() {
    let dir = tempfile::tempdir().unwrap();
    let flatten = |shape: &[usize]| NirOp::Flatten { input: shape.to_vec(), start: -(shape.len() as i64), end: -1 };
    let powers = |k: usize| [1.0, 2.0, 4.0, 8.0][k * 7 % 4];
    let readout = |inputs: usize| NirOp::Affine { weight: weights(&[3, inputs], 7), bias: weights(&[3], 8) };
    let line = chain(vec![
        NirOp::Input { shape: vec![2, 9] },
        NirOp::Conv1d {
            input_shape: 9,
            weight: weights(&[4, 2, 3], 5),
            bias: weights(&[4], 6),
            stride: 2,
            padding: 1,
            dilation: 1,
            groups: 1,
        },
        neurons(&[4, 5], |_| 10.0),
        flatten(&[4, 5]),
        readout(20),
        neurons(&[3], |_| 4.0),
        NirOp::Output { shape: vec![3] },
    ]);
    let image = chain(vec![
        NirOp::Input { shape: vec![1, 4, 4] },
        NirOp::Conv2d {
            input_shape: Some([4, 4]),
            weight: weights(&[3, 1, 3, 3], 5),
            bias: weights(&[3], 6),
            stride: [1; 2],
            padding: [1; 2],
            dilation: [1; 2],
            groups: 1,
        },
        neurons(&[3, 4, 4], powers),
        flatten(&[3, 4, 4]),
        readout(48),
        neurons(&[3], |_| 4.0),
        NirOp::Output { shape: vec![3] },
    ]);
    for (name, net, sample) in [("line", line, vec![2, 9]), ("image", image, vec![1, 4, 4])] {
        let first = run(&net, &sample, dir.path(), Reset::Hard);
        let network = first.network.program.network();
        let export = |reader: NirReader| graph(network, &first.spiking, &first.settings.recipe, reader, &[]);
        let exported = export(NirReader::Nir);
        let exported = exported.graph.unwrap_or_else(|| panic!("{name}: {:?}", exported.report));
        let kinds = |graph: &NirGraph| graph.nodes.iter().map(|(_, node)| node.kind.as_str()).collect::<Vec<_>>();
        assert_eq!(kinds(&exported), kinds(&net));
        if name == "image" {
            assert_eq!(exported.nodes[2].1.kind, net.nodes[2].1.kind, "one threshold per neuron");
        } else {
            assert_eq!(exported.nodes[1].1.kind, net.nodes[1].1.kind, "the weights of the line");
        }
        let again = run(&exported, &sample, dir.path(), Reset::Hard);
        assert_eq!(counts(&again), counts(&first), "{name}");
        // Readers without such a node are told in their terms.
        let (reader, word) = match name {
            "line" => (NirReader::Norse, "norse 1.1.0 has no one-dimensional convolution"),
            _ => (NirReader::SpikingJelly, "factors that differ within a channel"),
        };
        let reasons = export(reader).report.reasons.join("; ");
        assert!(reasons.contains(word), "{reasons}");
    }
}
