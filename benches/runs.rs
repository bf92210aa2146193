//! Benchmarks of whole runs of the bundled networks, from scaled input to recording.
//!
//! They cover one sample and a hundred, few steps and many, and neurons that emit more than one spike a step.
//!
//! `cargo bench --bench runs`; `RAYON_NUM_THREADS=1 cargo bench --bench runs` for one thread. A model file:
//! `SPIKESCOPE_BENCH_MODEL=net.onnx cargo bench --bench runs` (with noise as input and thresholds at percentile 99.9).

use divan::Bencher;
use divan::counter::ItemsCount;
use spikescope::compute::program::Program;
use spikescope::convert::{MaxPoolRule, NeuronModel, Recipe, SpikingNetwork, ThresholdRule, calibrate, rewrite};
use spikescope::data::{DataSpec, Scaling};
use spikescope::progress::JobControl;
use spikescope::simulate::{SimulationPlan, simulate};

fn main() {
    println!("kernels run with {}", spikescope::compute::simd_name());
    divan::main();
}

/// A converted network and its input.
struct Bench {
    program: Program,
    spiking: SpikingNetwork,
    input: Vec<f32>,
    samples: usize,
    steps: usize,
}

impl Bench {
    fn new(name: &str, samples: usize, recipe: Recipe) -> Self {
        let source = std::env::var("SPIKESCOPE_BENCH_MODEL").unwrap_or_else(|_| format!("builtin:{name}"));
        let network = std::sync::Arc::new(spikescope::network::open(&source).expect("the network opens"));
        let shape = network.input_shape().to_vec();
        let width: usize = shape.iter().product();
        let (rewritten, _) =
            rewrite::rewrite_cached(&network, MaxPoolRule::PreNeuron).expect("the network can be rewritten");
        let program = Program::new(rewritten, &burn::tensor::Device::flex());
        let digits = DataSpec::parse("builtin:digits").and_then(|spec| spec.load()).expect("the digits are bundled");
        let input = if digits.sample_len() == width {
            digits.scaled(256..256 + samples.max(32), &Scaling::Unit)
        } else {
            (0..samples.max(32) * width).map(|i| ((i * 7919 % 1000) as f32 / 500.0 - 1.0).powi(3)).collect()
        };
        let calibration =
            calibrate(&program, &input[..32 * width], 32, &JobControl::default()).expect("it is calibrated");
        let recipe = Recipe { threshold: ThresholdRule::Percentile(99.9), ..recipe };
        let spiking = SpikingNetwork::convert(&program, &calibration, None, &recipe).expect("it is converted");
        Self { program, spiking, input: input[..samples * width].to_vec(), samples, steps: recipe.steps }
    }

    fn time(&self, bencher: Bencher<'_, '_>) {
        let plan = SimulationPlan {
            program: &self.program,
            spiking: &self.spiking,
            input: &self.input,
            samples: self.samples,
            steps: self.steps,
            previous: None,
            unchanged_layers: 0,
        };
        let neurons: usize = self.spiking.layers.iter().map(|layer| layer.neurons()).sum();
        let bencher = bencher.counter(ItemsCount::new(neurons * self.samples * self.steps));
        bencher.bench(|| simulate(&plan, &JobControl::default()).expect("it runs"));
    }
}

/// Values of T; items are neuron-steps.
const STEPS: [usize; 3] = [4, 32, 128];

#[divan::bench(args = STEPS)]
fn residual_net_one_sample(bencher: Bencher<'_, '_>, steps: usize) {
    Bench::new("digits-resnet", 1, Recipe { steps, ..Recipe::default() }).time(bencher);
}

#[divan::bench(args = STEPS, sample_count = 10)]
fn residual_net_hundred_samples(bencher: Bencher<'_, '_>, steps: usize) {
    Bench::new("digits-resnet", 100, Recipe { steps, ..Recipe::default() }).time(bencher);
}

#[divan::bench(args = STEPS, sample_count = 20)]
fn cnn_hundred_samples(bencher: Bencher<'_, '_>, steps: usize) {
    Bench::new("digits-cnn", 100, Recipe { steps, ..Recipe::default() }).time(bencher);
}

#[divan::bench(args = ["if", "signed", "group:4", "burst:4"], sample_count = 20)]
fn cnn_by_kind_of_neuron(bencher: Bencher<'_, '_>, neuron: &str) {
    let neuron = NeuronModel::parse(neuron).expect("a kind of neuron");
    Bench::new("digits-cnn", 100, Recipe { steps: 32, neuron, ..Recipe::default() }).time(bencher);
}
