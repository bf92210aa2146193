//! Memory test: the predicted memory of a run is within a tenth of the measured one.

use std::sync::Arc;

use peak_alloc::PeakAlloc;
use spikescope::compute::program::Program;
use spikescope::convert::{
    Correction, CosRule, MaxPoolRule, NeuronModel, Recipe, SpikingNetwork, SrpRule, calibrate, rewrite,
};
use spikescope::network::zoo::{ZooArchitecture, parse_activation};
use spikescope::network::{Activation, Network, Node, Op, Weights};
use spikescope::progress::JobControl;
use spikescope::simulate::{Recording, SimulationPlan, estimate_bytes, held_layers, simulate};

#[global_allocator]
static PEAK: PeakAlloc = PeakAlloc;

#[test]
fn predicted_memory_is_within_a_tenth_of_the_measured_memory() {
    let relu = parse_activation("relu").unwrap();
    let network = ZooArchitecture::parse("cnn").unwrap().build(&[1, 28, 28], 10, relu, 3).unwrap();
    let (rewritten, _) = rewrite::rewrite_cached(&network, MaxPoolRule::PreNeuron).unwrap();
    let program = Program::new(rewritten, &burn::tensor::Device::flex());
    let samples = 1500;
    let input: Vec<f32> = (0..samples * 784).map(|i| ((i * 7919 % 1000) as f32 / 1000.0).powi(2)).collect();
    let calibration = calibrate(&program, &input[..16 * 784], 16, &JobControl::default()).unwrap();
    let recipes = [
        ("plain, T = 32", 32, Recipe::default()),
        ("plain, T = 128", 128, Recipe::default()),
        ("groups", 32, Recipe { neuron: NeuronModel::Group(4), ..Recipe::default() }),
        ("SRP", 32, Recipe { correction: Correction::Srp { steps: 8, rule: SrpRule::default() }, ..Recipe::default() }),
        (
            "COS",
            32,
            Recipe {
                correction: Correction::Cos { steps: 8, passes: 1, rule: CosRule::default() },
                ..Recipe::default()
            },
        ),
    ];
    // One thread has one block of samples in progress and needs the same memory at every run. Two threads may or may
    // not peak together, so the batch is large enough that a block is less than a tenth of it.
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        for (name, steps, recipe) in &recipes {
            let spiking = SpikingNetwork::convert(&program, &calibration, None, recipe).unwrap();
            let plan = SimulationPlan {
                program: &program,
                spiking: &spiking,
                input: &input,
                samples,
                steps: *steps,
                previous: None,
                unchanged_layers: 0,
            };
            pool.install(|| check_memory(&format!("{name}, threads: {threads}"), &plan, *recipe == Recipe::default()));
        }
        check_scenes(&pool, &input);
    }
}

/// A network with a map of scores as output, whose readout is most of the recording.
fn check_scenes(pool: &rayon::ThreadPool, input: &[f32]) {
    let conv = |inputs: usize, channels: usize, bias: f32| Op::Conv2d {
        weight: Weights {
            shape: vec![channels, inputs, 3, 3],
            data: Arc::new((0..channels * inputs * 9).map(|k| (k * 37 % 19) as f32 / 19.0 - 0.45).collect()),
        },
        bias: Some(Weights { shape: vec![channels], data: Arc::new(vec![bias; channels]) }),
        stride: [1; 2],
        padding: [1; 4],
        dilation: [1; 2],
        groups: 1,
    };
    let node = |name: &str, op, inputs: &[usize], channels: usize| Node {
        name: name.into(),
        op,
        inputs: inputs.to_vec(),
        shape: vec![channels, 28, 28],
    };
    let nodes = vec![
        node("x", Op::Input, &[], 1),
        node("conv", conv(1, 8, 0.1), &[0], 8),
        node("act", Op::Activation(Activation::Relu), &[1], 8),
        node("scores", conv(8, 4, 0.0), &[2], 4),
    ];
    let network =
        Network { name: "scores".into(), output: 3, nodes, scaling: None, class_names: vec![], neurons: None };
    let (rewritten, _) = rewrite::rewrite_cached(&network, MaxPoolRule::PreNeuron).unwrap();
    let program = Program::new(rewritten, &burn::tensor::Device::flex());
    let calibration = calibrate(&program, &input[..16 * 784], 16, &JobControl::default()).unwrap();
    let spiking = SpikingNetwork::convert(&program, &calibration, None, &Recipe::default()).unwrap();
    let plan = SimulationPlan {
        program: &program,
        spiking: &spiking,
        input: &input[..200 * 784],
        samples: 200,
        steps: 32,
        previous: None,
        unchanged_layers: 0,
    };
    pool.install(|| check_memory(&format!("scores, threads: {}", pool.current_num_threads()), &plan, false));
}

/// Compares the memory of the run `plan` and of its recording with the predictions. With `bits`, the recording has one
/// spike train per layer.
fn check_memory(name: &str, plan: &SimulationPlan<'_>, bits: bool) {
    // Allocations made once per program do not count for the run.
    simulate(&SimulationPlan { input: &plan.input[..784], samples: 1, ..*plan }, &JobControl::default()).unwrap();
    PEAK.reset_peak_usage();
    let before = PEAK.current_usage();
    let recording = simulate(plan, &JobControl::default()).unwrap();
    let taken = PEAK.peak_usage() - before;
    let predicted = estimate_bytes(plan);
    let off = (predicted as f64 / taken as f64 - 1.0).abs();
    assert!(off < 0.1, "{name}: {predicted} bytes were predicted, {taken} taken");
    let classes = plan.program.network().classes();
    let kept = Recording::predict_bytes(plan.spiking, &held_layers(plan), plan.steps, plan.samples, classes);
    assert_eq!(kept, recording.bytes(), "{name}: bytes of the recording");
    let compact = recording.without_final_state();
    assert!(recording.has_final_state() && !compact.has_final_state());
    assert_eq!(
        recording.bytes() - compact.bytes(),
        recording.final_state_bytes(),
        "{name}: the state after the last step"
    );
    if bits {
        // Partly filled words and the readout add to one bit per neuron and step.
        let neurons: usize = plan.spiking.layers.iter().map(|layer| layer.neurons()).sum();
        let bits = compact.bytes() as f64 * 8.0 / (neurons * plan.samples * plan.steps) as f64;
        assert!(bits < 1.5, "{name}: {bits} bits for each neuron and step of a recording that was put aside");
    }
}
