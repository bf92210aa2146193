//! Local threshold balancing: raises θ layer by layer within one forward pass.
//!
//! Source: Bu et al., "Inference-Scale Complexity in ANN-SNN Conversion", CVPR 2025, eq. 12 and its program. Thresholds
//! start at 0 and grow with the activations above them.
//!
//! For each batch and layer `θ ← θ + η · mean(2(z − θ)·[z > θ])`, the mean over batch and space; the layer then outputs
//! `clip(z, 0, θ)`. A layer that clips itself, such as ReLU6, has its own clipped values as z. The rule never lowers θ and can overshoot the maximum permanently.

use rayon::prelude::*;

use super::balancing_options::BalancingOptions;
use super::recipe::Granularity;
use super::thresholds::fitted_activation;
use crate::Result;
use crate::compute::program::Program;
use crate::network::{Activation, NodeId, Op};
use crate::progress::{JobControl, JobEvent};

/// Balanced thresholds and their history.
#[derive(Clone, Debug, PartialEq)]
pub struct BalancedThresholds {
    /// One or one per channel for every spiking layer, in network order.
    pub theta: Vec<Vec<f32>>,
    /// Mean θ of every layer after each batch, `[batches][layers]`.
    pub history: Vec<Vec<f32>>,
}

/// State of one layer over the batches.
struct BalancingState {
    node: NodeId,
    theta: Vec<f32>,
    largest: Vec<f32>,
}

/// Balances the thresholds of `program` on `rows` calibration samples (`input` is `[rows, F]`, scaled). Emits the
/// thresholds of every batch through `control`, so that their growth can be plotted.
///
/// # Errors
/// [`crate::Error::Invalid`] for invalid constants, [`crate::Error::Cancelled`] once `control` is cancelled.
pub fn balance_thresholds(
    program: &Program,
    input: &[f32],
    rows: usize,
    rule: BalancingOptions,
    granularity: Granularity,
    control: &JobControl,
) -> Result<BalancedThresholds> {
    rule.check()?;
    let network = program.network();
    let width = input.len().checked_div(rows).unwrap_or(0);
    let initial_state = |(node, _): (NodeId, Activation)| {
        let shape = &network.nodes[node].shape;
        let channels = if granularity == Granularity::Channel { shape[0] } else { 1 };
        BalancingState { node, theta: vec![0.0; channels], largest: vec![0.0; channels] }
    };
    let mut layers: Vec<BalancingState> = network.activation_nodes().map(initial_state).collect();
    let mut history = Vec::with_capacity(rule.batches);
    for batch in 0..rule.batches {
        let picks = (0..rule.size).map(|k| (batch * rule.size + k) % rows.max(1));
        let x: Vec<f32> = picks.flat_map(|row| input[row * width..(row + 1) * width].iter().copied()).collect();
        run_batch(program, &x, rule, &mut layers, control)?;
        let means: Vec<f32> =
            layers.iter().map(|layer| layer.theta.iter().sum::<f32>() / layer.theta.len() as f32).collect();
        control.emit(|| JobEvent::Thresholds { batch: batch + 1, of: rule.batches, means: means.clone() });
        control.progress("balancing thresholds", (batch + 1) as f32 / rule.batches as f32);
        history.push(means);
    }
    Ok(BalancedThresholds { theta: layers.into_iter().map(|layer| layer.theta).collect(), history })
}

/// Runs one batch through the network: every layer updates its thresholds and outputs the clipped values.
fn run_batch(
    program: &Program,
    x: &[f32],
    rule: BalancingOptions,
    layers: &mut [BalancingState],
    control: &JobControl,
) -> Result<()> {
    let network = program.network();
    let mut values: Vec<Vec<f32>> = vec![Vec::new(); network.nodes.len()];
    for (id, node) in network.nodes.iter().enumerate() {
        control.check()?;
        let layer = layers.iter_mut().find(|layer| layer.node == id);
        let value = match (&node.op, layer, node.inputs.first()) {
            (Op::Input, ..) => x.to_vec(),
            (Op::Activation(activation), Some(layer), Some(&source)) => {
                let mut z = if program.last_reader(source) == id {
                    std::mem::take(&mut values[source])
                } else {
                    values[source].clone()
                };
                if let fitted @ Activation::Clip { .. } = fitted_activation(*activation) {
                    z.par_iter_mut().for_each(|z| *z = fitted.apply(*z));
                }
                let plane = node.len() / layer.theta.len().max(1);
                let before = layer.theta.clone();
                let update = |(c, (theta, largest)): (usize, (&mut f32, &mut f32))| {
                    let own =
                        z.chunks(node.len()).flat_map(|sample| sample[c * plane..(c + 1) * plane].iter().copied());
                    *theta = rule.update(*theta, own, largest);
                };
                layer.theta.par_iter_mut().zip(&mut layer.largest).enumerate().for_each(update);
                let limits = if rule.clip_first { &before } else { &layer.theta };
                z.par_chunks_mut(node.len()).for_each(|sample| {
                    let planes = sample.chunks_mut(plane.max(1)).zip(limits);
                    planes.for_each(|(plane, &limit)| plane.iter_mut().for_each(|z| *z = z.clamp(0.0, limit.max(0.0))));
                });
                z
            }
            _ => {
                let inputs: Vec<&[f32]> = node.inputs.iter().map(|&input| values[input].as_slice()).collect();
                program.apply_on_slices(id, &inputs, rule.size)
            }
        };
        node.inputs.iter().filter(|&&i| program.last_reader(i) == id).for_each(|&i| values[i] = Vec::new());
        values[id] = value;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn theta_history(rule: BalancingOptions, z: &[f32], batches: usize) -> Vec<f32> {
        let (mut theta, mut largest) = (0.0, 0.0);
        (0..batches)
            .map(|_| {
                theta = rule.update(theta, z.iter().copied(), &mut largest);
                theta
            })
            .collect()
    }

    #[test]
    fn thresholds_follow_the_worked_examples() {
        let rule = BalancingOptions::default();
        assert_eq!(theta_history(rule, &[0.0, 1.0, 2.0, 3.0], 3), [3.0, 3.0, 3.0]);
        assert_eq!(theta_history(rule, &[-1.0, 0.5, 2.0, 4.5], 4), [3.5, 4.0, 4.25, 4.375]);
        assert_eq!(theta_history(rule, &[3.0; 4], 2), [6.0, 6.0], "overshoots and stays");
        assert_eq!(theta_history(BalancingOptions { cap: true, ..rule }, &[3.0; 4], 2), [3.0, 3.0]);
    }

    #[test]
    fn texts_round_trip() {
        for text in ["8x32", "8x32,step=0.5", "10x4,clip-first,cap"] {
            assert_eq!(BalancingOptions::parse(text).unwrap().to_string(), text);
        }
        for text in ["8", "0x4", "8x32,step=0", "8x32,fast"] {
            assert!(BalancingOptions::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn thresholds_never_decrease(
            z in prop::collection::vec(-5f32..5.0, 1..20), step in 0.01f32..2.0, cap: bool,
        ) {
            let history = theta_history(BalancingOptions { step, cap, ..BalancingOptions::default() }, &z, 12);
            prop_assert!(history.windows(2).all(|pair| pair[1] >= pair[0]));
        }
    }
}
