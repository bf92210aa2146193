//! Test networks: small, with random weights, ready to convert and run.

use spikescope::compute::program::Program;
use spikescope::convert::{
    Calibration, MaxPoolRule, Recipe, SpikingNetwork, ThresholdRule, balance_thresholds, calibrate, rewrite,
};
use spikescope::network::zoo::{ZooArchitecture, parse_activation};
use spikescope::network::{Network, Op};
use spikescope::progress::JobControl;
use spikescope::simulate::{Recording, SimulationPlan, light_calibration, simulate};

pub const SAMPLES: usize = 12;

/// A small network with its calibration and input.
pub struct Bench {
    pub program: Program,
    pub calibration: Calibration,
    pub input: Vec<f32>,
}

pub fn bench(network: &Network, device: burn::tensor::Device) -> Bench {
    bench_with(network, device, MaxPoolRule::PreNeuron)
}

pub fn bench_with(network: &Network, device: burn::tensor::Device, pooling: MaxPoolRule) -> Bench {
    let (rewritten, _) = rewrite::rewrite_cached(network, pooling).unwrap();
    let program = Program::new(rewritten, &device);
    let width: usize = network.input_shape().iter().product();
    let input: Vec<f32> = (0..SAMPLES * width).map(|i| ((i * 7919 % 1000) as f32 / 1000.0).powi(2)).collect();
    let calibration = calibrate(&program, &input, SAMPLES, &JobControl::default()).unwrap();
    Bench { program, calibration, input }
}

pub fn net(architecture: &str, activation: &str) -> Network {
    let activation = parse_activation(activation).unwrap();
    ZooArchitecture::parse(architecture).unwrap().build(&[1, 12, 12], 5, activation, 3).unwrap()
}

impl Bench {
    pub fn spiking(&self, recipe: &Recipe) -> SpikingNetwork {
        let control = JobControl::default();
        let balanced = match recipe.threshold {
            ThresholdRule::Balance(rule) => Some(
                balance_thresholds(&self.program, &self.input, SAMPLES, rule, recipe.granularity, &control).unwrap(),
            ),
            _ => None,
        };
        let spiking = SpikingNetwork::convert(&self.program, &self.calibration, balanced.as_ref(), recipe).unwrap();
        light_calibration::calibrate_light(&self.program, spiking, &self.input, SAMPLES, recipe, &control).unwrap()
    }
    pub fn run(
        &self,
        spiking: &SpikingNetwork,
        steps: usize,
        previous: Option<&Recording>,
        unchanged: usize,
    ) -> Recording {
        let plan = SimulationPlan {
            program: &self.program,
            spiking,
            input: &self.input,
            samples: SAMPLES,
            steps,
            previous,
            unchanged_layers: unchanged,
        };
        simulate(&plan, &JobControl::default()).unwrap()
    }
}

/// Asserts that spikes are equal bit by bit and numbers equal up to rounding.
pub fn assert_same(a: &Recording, b: &Recording, what: &str) {
    assert_eq!((a.steps, a.samples), (b.steps, b.samples), "{what}");
    let close =
        |x: &[f32], y: &[f32]| x.iter().zip(y).all(|(x, y)| (x - y).abs() <= 2e-4 * (1.0 + x.abs().max(y.abs())));
    for (k, (x, y)) in a.layers.iter().zip(&b.layers).enumerate() {
        assert!(x.spikes == y.spikes, "{what}: spikes of layer {k}");
        assert!(close(&x.mean_input, &y.mean_input), "{what}: mean input of layer {k}");
        assert!(close(&x.potential, &y.potential), "{what}: potential of layer {k}");
    }
    assert!(close(&a.readout, &b.readout), "{what}: readout");
}

pub fn all_nets() -> Vec<(&'static str, Network)> {
    vec![
        ("mlp", net("mlp", "relu")),
        ("cnn", net("cnn", "relu")),
        ("resnet", net("resnet", "qcfs:8")),
        ("max pool", with_max_pool()),
    ]
}

/// conv → ReLU → max pool → the rest of the CNN.
pub fn with_max_pool() -> Network {
    let mut network = net("cnn", "relu");
    for node in &mut network.nodes {
        if let Op::AvgPool2d { kernel, stride, padding, .. } = node.op {
            node.op = Op::MaxPool2d { kernel, stride, padding, dilation: [1, 1] };
        }
    }
    network
}
