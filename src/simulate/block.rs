//! One block of samples through the whole spiking network, and one layer's neurons over its current.

use super::Control;
use super::correct::cos::Cos;
use super::correct::srp;
use super::neuron::Dynamics;
use super::recording::{LayerRecording, SpikeTrain};
use super::run::{Plan, Reuse, needed_nodes};
use super::signal::{Signal, apply_signal};
use crate::convert::{Correction, SpikingLayer, SpikingNetwork};
use crate::network::forward::{Program, numbers};
use crate::network::{NodeId, Op};
use crate::{Error, Result};

/// What one block of samples gives.
pub(super) struct Block {
    pub first: usize,
    pub rows: usize,
    /// One per simulated layer.
    pub layers: Vec<Option<Trail>>,
    /// `[T][B][classes]`, summed over steps.
    pub readout: Vec<f32>,
}

/// What integrating one layer leaves behind.
pub(super) struct Trail {
    /// `[T][B][plane][word]`
    pub bits: Vec<u64>,
    /// Mean input current, `[B, F]`.
    pub mean_input: Vec<f32>,
    /// Potential after the last step, `[B, F]`.
    pub potential: Vec<f32>,
    /// Shifted v(0), `[B, F]` (COS).
    pub start: Option<Vec<f32>>,
    /// Silenced neurons, `[B][word]` (SRP).
    pub silenced: Option<Vec<u64>>,
}

/// Runs samples `first..first + rows` of the plan; `needed` are the nodes whose values it takes.
pub(super) fn run_block(
    plan: &Plan<'_>,
    reuse: Reuse<'_>,
    needed: &[bool],
    first: usize,
    rows: usize,
    control: &Control,
) -> Result<Block> {
    let masks = match plan.spiking.correction {
        Correction::Srp { steps, rule } if reuse.from_step == 0 && steps > 0 => {
            Some(pre_steps(plan, steps, rule, first, rows, control)?)
        }
        _ => None,
    };
    // COS reads ρ steps even when fewer are kept.
    let kept = plan.steps - reuse.from_step;
    let steps = match plan.spiking.correction {
        Correction::Cos { steps, .. } if reuse.from_step == 0 => kept.max(steps),
        _ => kept,
    };
    let network = plan.program.network();
    let width = network.input_shape().iter().product::<usize>();
    let mut values: Vec<Option<Signal>> = vec![None; network.nodes.len()];
    let mut layers: Vec<Option<Trail>> = plan.spiking.layers.iter().map(|_| None).collect();
    for (id, node) in network.nodes.iter().enumerate().filter(|(id, _)| needed[*id]) {
        control.check()?;
        let signal = match node.op {
            Op::Input => {
                let x = plan.input[first * width..(first + rows) * width].to_vec();
                Signal::Constant(plan.program.tensor(x, rows))
            }
            Op::Activation(_) => {
                let index = plan.spiking.layers.iter().position(|layer| layer.node == id);
                let Some(index) = index else {
                    return Err(Error::Internal(format!("activation '{}' has no neurons", node.name)));
                };
                let layer = &plan.spiking.layers[index];
                match reuse.previous {
                    Some(previous) if index < reuse.layers => {
                        let spikes = decode(layer, &previous.layers[index].spikes, 0..kept, first, rows);
                        Signal::Sequence(plan.program.tensor(spikes, kept * rows))
                    }
                    _ => {
                        let Some(current) = take(&mut values, plan.program, node.inputs[0], id) else {
                            return Err(Error::Internal(format!("'{}' has no input", node.name)));
                        };
                        let going_on = reuse.previous.filter(|_| reuse.from_step > 0);
                        let task = Task {
                            steps,
                            kept,
                            first,
                            rows,
                            past: going_on.map(|r| (&r.layers[index], reuse.from_step)),
                            correction: plan.spiking.correction,
                            mask: masks.as_ref().map(|masks| masks[index].as_slice()),
                        };
                        let (out, trail) = integrate(layer, current, &task);
                        layers[index] = Some(trail);
                        Signal::Sequence(plan.program.tensor(out, steps * rows))
                    }
                }
            }
            _ => {
                let inputs =
                    node.inputs.iter().filter_map(|&input| take(&mut values, plan.program, input, id)).collect();
                apply_signal(network, node, plan.program.params(id), inputs, steps, plan.spiking.pooling)
            }
        };
        values[id] = Some(signal);
    }
    let Some(output) = values[network.output].take() else {
        return Err(Error::Internal("the network gave no output".into()));
    };
    let mut readout = numbers(output.sequence(steps));
    let row = rows * network.classes();
    readout.truncate(kept * row);
    for i in row..readout.len() {
        readout[i] += readout[i - row];
    }
    Ok(Block { first, rows, layers, readout })
}

/// The silenced neurons of every layer, `[B][word]` each, from τ pre-steps of the whole network in lock-step.
fn pre_steps(
    plan: &Plan<'_>,
    steps: usize,
    rule: crate::convert::SrpRule,
    first: usize,
    rows: usize,
    control: &Control,
) -> Result<Vec<Vec<u64>>> {
    let uncorrected = SpikingNetwork { correction: Correction::None, ..plan.spiking.clone() };
    let pre = Plan { spiking: &uncorrected, steps, previous: None, unchanged_layers: 0, ..*plan };
    let block = run_block(&pre, Reuse::NOTHING, &needed_nodes(&pre, 0), first, rows, control)?;
    let mask = |(trail, layer): (Option<Trail>, &SpikingLayer)| {
        trail.map(|trail| srp::mask(&trail.potential, &layer.theta_per_neuron(), rule)).unwrap_or_default()
    };
    Ok(block.layers.into_iter().zip(&plan.spiking.layers).map(mask).collect())
}

/// The value of `id` for its reader `reader`; given away when that is the last one.
fn take(values: &mut [Option<Signal>], program: &Program, id: NodeId, reader: NodeId) -> Option<Signal> {
    if program.last_reader(id) == reader { values[id].take() } else { values[id].clone() }
}

/// Outputs of `steps` as amplitudes, `[T·B, F]`.
pub(super) fn decode(
    layer: &SpikingLayer,
    spikes: &SpikeTrain,
    steps: std::ops::Range<usize>,
    first: usize,
    rows: usize,
) -> Vec<f32> {
    let units = layer.units();
    let mut out = vec![0.0; steps.len() * rows * units.len()];
    for (i, row) in out.chunks_mut(units.len().max(1)).enumerate() {
        spikes.for_each_bit(steps.start + i / rows, first + i % rows, |neuron, weight| {
            row[neuron] += weight as f32 * units[neuron];
        });
    }
    out
}

/// What one layer's neurons are to do.
struct Task<'a> {
    /// Steps of the current.
    steps: usize,
    /// The first of them that are kept.
    kept: usize,
    first: usize,
    rows: usize,
    /// The layer's recording so far and its number of steps.
    past: Option<(&'a LayerRecording, usize)>,
    correction: Correction,
    /// Silenced neurons, `[B][word]`.
    mask: Option<&'a [u64]>,
}

/// Runs one layer's neurons over its current; gives the outputs `[T·B, F]`.
fn integrate(layer: &SpikingLayer, current: Signal, task: &Task<'_>) -> (Vec<f32>, Trail) {
    let Task { steps, kept, first, rows, past, .. } = *task;
    let neurons = layer.neurons();
    let words = neurons.div_ceil(64) * layer.neuron.weights().len();
    let span = first * neurons..(first + rows) * neurons;
    let theta = layer.theta_per_neuron();
    let constant = matches!(current, Signal::Constant(_));
    let mut out = match current {
        Signal::Constant(x) | Signal::Sequence(x) => numbers(x),
    };
    add_bias(layer, &mut out);
    let held = constant.then(|| out.clone());
    if constant {
        out = out.repeat(steps);
    }
    let mut v = past.map_or_else(|| layer.starts().repeat(rows), |(record, _)| record.potential[span.clone()].to_vec());
    let start = match (task.correction, past) {
        (Correction::Cos { steps, passes, guard }, None) => {
            let cos = Cos { steps, passes, guard, tie: layer.tie };
            for (b, start) in v.chunks_mut(neurons.max(1)).enumerate() {
                let row = |t: usize| &out[(t * rows + b) * neurons..(t * rows + b + 1) * neurons];
                cos.calibrate(start, &theta, layer.shift, row);
            }
            Some(v.clone())
        }
        _ => None,
    };
    let silenced = task.mask.map(<[u64]>::to_vec).or_else(|| held_back(past, first, rows));
    let mut sent = sent_before(layer, past, first, rows);
    let dynamics = Dynamics { neuron: layer.neuron, reset: layer.reset, tie: layer.tie };
    let mut bits = vec![0u64; steps * rows * words];
    let mut charge = vec![0.0f32; rows * neurons];
    let mut potential = Vec::new();
    for t in 0..steps {
        for b in 0..rows {
            let at = (t * rows + b) * neurons;
            let row = &mut out[at..at + neurons];
            let sample = b * neurons..(b + 1) * neurons;
            if !constant && t < kept {
                charge[sample.clone()].iter_mut().zip(row.iter()).for_each(|(c, i)| *c += i);
            }
            let word = (t * rows + b) * words;
            let (v, bits) = (&mut v[sample.clone()], &mut bits[word..word + words]);
            if layer.shift != 0.0 {
                v.iter_mut().zip(&theta).for_each(|(v, theta)| *v += layer.shift * theta);
            }
            let sent = if sent.is_empty() { &mut [][..] } else { &mut sent[sample] };
            dynamics.step_row(v, row, &theta, sent, bits);
            if let Some(silenced) = &silenced {
                silence(row, bits, &silenced[b * words..(b + 1) * words]);
            }
        }
        if t + 1 == kept {
            potential = v.clone();
        }
    }
    bits.truncate(kept * rows * words);
    let mean_input = match (held, past) {
        // Held exactly: summing equal numbers would round.
        (Some(x), _) => x,
        (None, None) => charge.iter().map(|c| c / kept as f32).collect(),
        (None, Some((record, before))) => {
            let total = (before + kept) as f32;
            let old = &record.mean_input[span];
            charge.iter().zip(old).map(|(c, m)| (c + m * before as f32) / total).collect()
        }
    };
    (out, Trail { bits, mean_input, potential, start, silenced })
}

/// Adds the layer's bias correction to its currents, `[…, F]`.
pub(super) fn add_bias(layer: &SpikingLayer, current: &mut [f32]) {
    if !layer.bias.is_empty() {
        for row in current.chunks_mut(layer.neurons().max(1)) {
            row.iter_mut().enumerate().for_each(|(i, x)| *x += layer.bias_of(i));
        }
    }
}

/// The silenced neurons of a run that goes on, `[B][word]`.
fn held_back(past: Option<(&LayerRecording, usize)>, first: usize, rows: usize) -> Option<Vec<u64>> {
    let silenced = past?.0.silenced.as_ref()?;
    Some((first..first + rows).flat_map(|sample| silenced.row(0, sample).iter().copied()).collect())
}

/// Counts that a run that goes on has sent already, `[B, F]`; empty for the plain neuron, which does not ask.
fn sent_before(layer: &SpikingLayer, past: Option<(&LayerRecording, usize)>, first: usize, rows: usize) -> Vec<i32> {
    let neurons = layer.neurons();
    if layer.neuron == crate::convert::Neuron::If {
        return Vec::new();
    }
    let mut sent = vec![0u32; rows * neurons];
    if let Some((record, steps)) = past {
        let samples = sent.chunks_mut(neurons.max(1)).enumerate();
        samples.for_each(|(b, row)| record.spikes.add_counts(steps, first + b, row));
    }
    sent.into_iter().map(|n| n as i32).collect()
}

/// Takes the spikes of silenced neurons out of one row of outputs and its bits.
fn silence(row: &mut [f32], bits: &mut [u64], silenced: &[u64]) {
    for (w, (word, &mask)) in bits.iter_mut().zip(silenced).enumerate() {
        let mut held = *word & mask;
        *word &= !mask;
        while held != 0 {
            row[w * 64 + held.trailing_zeros() as usize] = 0.0;
            held &= held - 1;
        }
    }
}
