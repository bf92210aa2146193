//! Custom network in code: runs it as ANN and SNN, and prints the error ledger of each layer.
//!
//! `cargo run --release --example own_network`

use std::sync::Arc;

use spikescope::compute::AnnRun;
use spikescope::compute::program::Program;
use spikescope::convert::{Recipe, SpikingNetwork, calibrate, rewrite};
use spikescope::measure::fan_out::fan_outs;
use spikescope::measure::{RunData, measure_run};
use spikescope::network::{Activation, Network, Node, Op, Weights};
use spikescope::progress::JobControl;
use spikescope::simulate::{SimulationPlan, simulate};

fn main() -> spikescope::Result<()> {
    let linear = |weight: Vec<f32>, out: usize| Op::Linear {
        weight: Weights::new(vec![out, weight.len() / out], weight),
        bias: None,
    };
    let node = |name: &str, op, inputs, len| Node { name: String::from(name), op, inputs, shape: vec![len] };
    let network = Network {
        name: "difference".into(),
        nodes: vec![
            node("input", Op::Input, vec![], 2),
            node("first", linear(vec![1.0, 0.2, 0.1, 1.0], 2), vec![0], 2),
            node("first.act", Op::Activation(Activation::Relu), vec![1], 2),
            node("second", linear(vec![2.0, -2.0], 1), vec![2], 1),
            node("second.act", Op::Activation(Activation::Relu), vec![3], 1),
            node("readout", linear(vec![1.0, -1.0], 2), vec![4], 2),
        ],
        output: 5,
        scaling: None,
        class_names: vec!["first is larger".into(), "second is larger".into()],
        neurons: None,
    };
    let input: Vec<f32> = (0..40).map(|i| (i * 37 % 40) as f32 / 40.0).collect();
    let samples = input.len() / 2;
    let (control, recipe) = (JobControl::default(), Recipe { steps: 8, ..Recipe::default() });

    let (rewritten, _) = rewrite::rewrite_cached(&network, recipe.pooling)?;
    let program = Program::new(Arc::clone(&rewritten), &burn::tensor::Device::flex());
    let calibration = calibrate(&program, &input, samples, &control)?;
    let spiking = SpikingNetwork::convert(&program, &calibration, None, &recipe)?;
    let ann = AnnRun::compute(&program, &input, samples, &control)?;
    let plan = SimulationPlan {
        program: &program,
        spiking: &spiking,
        input: &input,
        samples,
        steps: recipe.steps,
        previous: None,
        unchanged_layers: 0,
    };
    let recording = simulate(&plan, &control)?;
    let mean_inputs: Vec<&[f32]> = recording.layers.iter().map(|layer| layer.mean_input.as_slice()).collect();
    let fan_outs = fan_outs(&rewritten);
    let data = RunData {
        output_agreement: None,
        spiking: &spiking,
        ann: &ann,
        recording: &recording,
        mean_inputs: &mean_inputs,
        pooled_means: &[],
        counts: &[],
        first_mean: 0,
        labels: &[],
        readout: recipe.readout,
        fan_outs: &fan_outs,
    };
    for layer in measure_run(&data, recipe.steps, &control)?.layers {
        let [carried, clipping, quantization, unevenness, pooling] = layer.ledger.parts();
        println!(
            "{}: propagated {carried:+.4}, clipping {clipping:+.4}, quantization {quantization:+.4}, unevenness \
             {unevenness:+.4}, pooling {pooling:+.4}; total {:+.4}",
            layer.name, layer.ledger.total
        );
    }
    Ok(())
}
