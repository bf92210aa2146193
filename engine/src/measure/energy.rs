//! Energy of a run: MACs of the ANN against synaptic operations (SynOps) of the SNN, in joules.
//!
//! Operations are counted from the network graph and the recorded spikes, not estimated from rates. Bias additions, pooling
//! and updates of the potentials are excluded for both networks, as is usual. Steps that a correction runs before the first
//! counted one are not recorded and therefore not counted.

use std::borrow::Cow;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::fan_out::fan_out_of_input;
use crate::compute::event::spike_count::count_spikes;
use crate::compute::event::spike_source::SpikeSource;
use crate::network::{Network, NodeId, Op};
use crate::simulate::{Recording, SpikeTrain};

/// Energy per operation, in joules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct EnergyConstants {
    /// Source of the figures.
    pub name: Cow<'static, str>,
    /// Joules for one synaptic operation of the SNN.
    pub per_synop: f64,
    /// Joules for one multiply-accumulate.
    pub per_mac: f64,
    /// Whether the current of the constant input is computed once and reused; otherwise it is computed at every step.
    pub first_layer_once: bool,
}

impl EnergyConstants {
    /// 77 fJ a SynOp and 12.5 pJ a FLOP (Qiao et al., Frontiers in Neuroscience 2015), as the conversion papers use them:
    /// one MAC is counted as one FLOP.
    pub const QIAO: Self =
        Self { name: Cow::Borrowed("Qiao 2015"), per_synop: 77e-15, per_mac: 12.5e-12, first_layer_once: true };
    /// 0.9 pJ an accumulate and 4.6 pJ a MAC, both f32 in 45 nm CMOS (Horowitz, ISSCC 2014).
    pub const HOROWITZ_45NM: Self =
        Self { name: Cow::Borrowed("Horowitz 45 nm"), per_synop: 0.9e-12, per_mac: 4.6e-12, first_layer_once: true };
    /// The bundled constants.
    pub const PRESETS: [Self; 2] = [Self::QIAO, Self::HOROWITZ_45NM];

    /// User-defined constants, in joules. Negative and non-finite values count as 0.
    pub fn own(per_synop: f64, per_mac: f64, first_layer_once: bool) -> Self {
        let non_negative = |joules: f64| if joules.is_finite() { joules.max(0.0) } else { 0.0 };
        Self {
            name: Cow::Borrowed("own"),
            per_synop: non_negative(per_synop),
            per_mac: non_negative(per_mac),
            first_layer_once,
        }
    }
}

impl Default for EnergyConstants {
    fn default() -> Self {
        Self::QIAO
    }
}

/// Multiply-accumulates of one sample, exact at the borders of convolutions: taps on padding are not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Macs {
    /// All MACs of the ANN.
    pub total: f64,
    /// MACs of weights that read the analog input with no neuron in between. They stay MACs in the SNN.
    pub first_layer: f64,
    /// MACs of weights that read the currents of other weights with no neuron in between (linear bottlenecks). In the SNN
    /// their inputs are real numbers that change over time, so they stay MACs at every step.
    pub graded: f64,
}

impl Macs {
    /// MACs of the SNN in `steps` steps.
    pub fn snn(&self, steps: usize, constants: &EnergyConstants) -> f64 {
        let times = if constants.first_layer_once { 1 } else { steps };
        self.first_layer * times as f64 + self.graded * steps as f64
    }
}

/// Kinds of input values of a node.
#[derive(Clone, Copy, Default)]
struct InputKinds {
    /// The constant input, or its weighted sums.
    constant: bool,
    spikes: bool,
    /// Weighted sums of spikes.
    graded: bool,
}

/// Counts the MACs of `network` for one sample.
pub fn macs(network: &Network) -> Macs {
    let mut macs = Macs::default();
    let mut kinds: Vec<InputKinds> = Vec::with_capacity(network.nodes.len());
    for node in &network.nodes {
        let inputs = node.inputs.iter().map(|&id| kinds[id]).fold(InputKinds::default(), |a, b| InputKinds {
            constant: a.constant || b.constant,
            spikes: a.spikes || b.spikes,
            graded: a.graded || b.graded,
        });
        kinds.push(match node.op {
            Op::Input => InputKinds { constant: true, ..InputKinds::default() },
            Op::Activation(_) => InputKinds { spikes: true, ..InputKinds::default() },
            Op::Conv2d { .. } | Op::ConvTranspose2d { .. } | Op::Linear { .. } => {
                let count = macs_of(network, kinds.len());
                macs.total += count;
                match inputs {
                    InputKinds { graded: true, .. } => macs.graded += count,
                    InputKinds { constant: true, .. } => macs.first_layer += count,
                    _ => {}
                }
                let graded = inputs.graded || inputs.spikes;
                InputKinds { graded, constant: !graded, spikes: false }
            }
            _ => inputs,
        });
    }
    macs
}

/// MACs of the weights at node `id`: the connections of all its input values, padding excepted.
fn macs_of(network: &Network, id: NodeId) -> f64 {
    let mut at = &network.nodes[id];
    let mut fan_out_per_value = fan_out_of_input(network, at, 0, &[]);
    // Zeros of a separate Pad node are padding too.
    while let Op::Pad { .. } = network.nodes[at.inputs[0]].op {
        at = &network.nodes[at.inputs[0]];
        fan_out_per_value = fan_out_of_input(network, at, 0, &fan_out_per_value);
    }
    fan_out_per_value.iter().sum()
}

/// The operations of a run of T steps, per sample.
#[derive(Clone, Debug, PartialEq)]
pub struct OperationCounts {
    pub macs: Macs,
    /// One per spiking layer, in network order.
    pub layers: Vec<LayerOperations>,
}

/// The operations that the spikes of one layer cause. Spikes are counted before any pooling.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerOperations {
    pub neurons: usize,
    /// Mean fan-out of a neuron.
    pub fan_out: f64,
    /// Spikes in steps 1..=t, mean over samples, `[T]`.
    pub spikes: Vec<f64>,
    /// SynOps in steps 1..=t, mean over samples, `[T]`.
    pub synops: Vec<f64>,
}

/// One step of a spike train, sample after sample, with spikes weighted by their cost: a burst of three counts three times,
/// a negative spike counts as any spike.
struct StepSpikes<'a> {
    train: &'a SpikeTrain,
    t: usize,
    weights: Vec<i32>,
}

impl<'a> StepSpikes<'a> {
    fn new(train: &'a SpikeTrain, t: usize) -> Self {
        Self { train, t, weights: train.weights().iter().map(|weight| weight.abs()).collect() }
    }
}

impl SpikeSource for StepSpikes<'_> {
    fn plane(&self, sample: usize, plane: usize) -> &[u64] {
        let words = self.train.neurons().div_ceil(64);
        &self.train.row(self.t, sample)[plane * words..(plane + 1) * words]
    }
    fn weights(&self) -> &[i32] {
        &self.weights
    }
}

/// Counts the operations of `recording`; `fan_outs` are from [`super::fan_out::fan_outs`] of the same `network`.
pub fn operations(network: &Network, fan_outs: &[Vec<f64>], recording: &Recording) -> OperationCounts {
    let layer = |(record, fan_out): (&crate::simulate::LayerRecording, &Vec<f64>)| {
        let train = &record.spikes;
        let per_sample = 1.0 / recording.samples.max(1) as f64;
        // Fan-outs in the order of the bits.
        let mut fan_out_of = vec![0.0; train.neurons().next_multiple_of(64)];
        fan_out.iter().enumerate().for_each(|(neuron, fan_out)| fan_out_of[train.bit_index(neuron)] = *fan_out);
        let step = |t: usize| {
            let mut counts = vec![0.0; fan_out_of.len()];
            count_spikes(&StepSpikes::new(train, t), recording.samples, &mut counts);
            let synops = counts.iter().zip(&fan_out_of).map(|(&count, fan_out)| f64::from(count) * fan_out);
            (counts.iter().map(|&count| f64::from(count)).sum(), synops.sum())
        };
        let steps: Vec<(f64, f64)> = (0..recording.steps).into_par_iter().map(step).collect();
        let sums = |pick: fn(&(f64, f64)) -> f64| {
            let mut sum = 0.0;
            let add = |step| {
                sum += pick(step);
                sum * per_sample
            };
            steps.iter().map(add).collect()
        };
        LayerOperations {
            neurons: train.neurons(),
            fan_out: fan_out.iter().sum::<f64>() / fan_out.len().max(1) as f64,
            spikes: sums(|s| s.0),
            synops: sums(|s| s.1),
        }
    };
    OperationCounts { macs: macs(network), layers: recording.layers.iter().zip(fan_outs).map(layer).collect() }
}

/// ANN against SNN, per sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Energy {
    pub ann_macs: f64,
    /// MACs of the SNN for its analog input, once or per step.
    pub first_layer_macs: f64,
    /// SynOps in steps 1..=t, `[T]`.
    pub synops: Vec<f64>,
    pub ann_joules: f64,
    /// Energy of the SNN after t steps, `[T]`.
    pub snn_joules: Vec<f64>,
    /// The first t after which the SNN has used as much energy as the ANN; `None` if all T steps use less.
    pub break_even_step: Option<usize>,
    /// Mean spikes per neuron per step at which T steps use as much energy as the ANN, with spikes distributed over the
    /// layers as in this run (evenly if there are none). 0 if the MACs alone use as much, infinite if spikes cost nothing.
    pub break_even_rate: f64,
    /// Mean spikes per neuron per step of this run.
    pub rate: f64,
}

/// Joules of the SNN for a sample after `t` steps with so many `synops`, under `constants`.
pub fn snn_joules(macs: &Macs, synops: f64, t: usize, constants: &EnergyConstants) -> f64 {
    constants.per_synop * synops + constants.per_mac * macs.snn(t, constants)
}

/// The energy of `operations` under `constants`.
pub fn energy(operations: &OperationCounts, constants: &EnergyConstants) -> Energy {
    let OperationCounts { macs, layers } = operations;
    let steps = layers.iter().map(|layer| layer.synops.len()).max().unwrap_or(0);
    let at = |t: usize| layers.iter().map(|layer| layer.synops[t]).sum::<f64>();
    let synops: Vec<f64> = (0..steps).map(at).collect();
    let snn_joules: Vec<f64> = (1..=steps).map(|t| snn_joules(macs, synops[t - 1], t, constants)).collect();
    let ann_joules = constants.per_mac * macs.total;
    let neuron_steps = (layers.iter().map(|layer| layer.neurons).sum::<usize>() * steps).max(1) as f64;
    let spikes: f64 = layers.iter().filter_map(|layer| layer.spikes.last()).sum();
    let rate = spikes / neuron_steps;
    let budget = (ann_joules - constants.per_mac * macs.snn(steps, constants)).max(0.0);
    // Mean energy of one spike, with spikes distributed as in this run.
    let joules_per_spike = constants.per_synop
        * match synops.last() {
            Some(&synops) if spikes > 0.0 => synops / spikes,
            _ => layers.iter().map(|l| l.fan_out * l.neurons as f64).sum::<f64>() * steps as f64 / neuron_steps,
        };
    Energy {
        ann_macs: macs.total,
        first_layer_macs: macs.first_layer,
        break_even_step: snn_joules.iter().position(|&joules| joules >= ann_joules).map(|i| i + 1),
        break_even_rate: if budget > 0.0 { budget / joules_per_spike / neuron_steps } else { 0.0 },
        synops,
        ann_joules,
        snn_joules,
        rate,
    }
}

#[cfg(test)]
mod tests;
