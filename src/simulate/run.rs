//! Runs a spiking network over T steps. Time is a dimension: each layer runs all its steps before the next one starts, so
//! stateless layers see `[T·B, …]` at once and what is constant in time is computed once.
//!
//! Nothing is computed twice: spikes of layers before the first change are taken from the last recording, a longer T goes
//! on from the stored potentials, a shorter T is a prefix ([`super::prefix`]).

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::Control;
use super::control::Event;
use super::neuron::step_row;
use super::prefix::prefix;
use super::recording::{LayerRecording, Recording, SpikeTrain};
use super::signal::{Signal, apply_signal};
use crate::convert::{SpikingLayer, SpikingNetwork};
use crate::network::forward::{Program, numbers};
use crate::network::{NodeId, Op};
use crate::{Error, Result};

/// Values of one layer that one block of samples may hold over all steps (f32 each).
const BLOCK_VALUES: usize = 2 << 20;

/// What to run, and what is already known.
#[derive(Clone, Copy)]
pub struct Plan<'a> {
    pub program: &'a Program,
    pub spiking: &'a SpikingNetwork,
    /// Scaled input, `[samples, F]`.
    pub input: &'a [f32],
    pub samples: usize,
    pub steps: usize,
    /// A recording of the same network and samples to build on.
    pub previous: Option<&'a Recording>,
    /// Layers before this one are unchanged since `previous`. With all of them unchanged, a longer run goes on from it.
    pub unchanged_layers: usize,
}

/// What of a previous recording a run takes over.
#[derive(Clone, Copy)]
struct Reuse<'a> {
    previous: Option<&'a Recording>,
    /// Layers whose spikes are taken from `previous`.
    layers: usize,
    /// Steps already simulated: the run goes on from there.
    from_step: usize,
}

/// What one block of samples gives.
struct Block {
    first: usize,
    rows: usize,
    /// One per simulated layer.
    layers: Vec<Option<Trail>>,
    /// `[T][B][classes]`, summed over steps.
    readout: Vec<f32>,
}

/// Simulates by `plan`. Cancelling returns [`Error::Cancelled`] within one layer of one block.
pub fn run(plan: &Plan<'_>, control: &Control) -> Result<Recording> {
    if plan.samples == 0 {
        return Err(Error::Invalid("there are no samples to run".into()));
    }
    // Of a longer run, what stays is its beginning.
    let shortened = match plan.previous.filter(|r| r.steps > plan.steps && plan.unchanged_layers > 0 && fits(plan, r)) {
        Some(longer) => Some(prefix(plan.program, plan.spiking, plan.input, longer, plan.steps, control)?),
        None => None,
    };
    let plan = &Plan { previous: shortened.as_ref().or(plan.previous), ..*plan };
    let reuse = reuse_of(plan);
    if let Some(previous) = reuse.previous
        && reuse.layers == plan.spiking.layers.len()
        && reuse.from_step == 0
        && previous.steps == plan.steps
    {
        return Ok(previous.clone());
    }
    let steps = plan.steps - reuse.from_step;
    let needed = needed_nodes(plan, reuse.layers);
    let widest = plan.program.network().nodes.iter().map(|node| node.len()).max().unwrap_or(1);
    let share = plan.samples.div_ceil(2 * rayon::current_num_threads());
    let rows = (BLOCK_VALUES / (steps * widest).max(1)).clamp(1, share.max(1));
    let done = AtomicUsize::new(0);
    let starts: Vec<usize> = (0..plan.samples).step_by(rows).collect();
    let blocks = starts.into_par_iter().map(|first| {
        let rows = rows.min(plan.samples - first);
        let block = run_block(plan, reuse, &needed, first, rows, control)?;
        control.tell(|| Event::Answers { samples: first..first + rows, steps, readout: block.readout.clone() });
        let done = done.fetch_add(rows, Ordering::Relaxed) + rows;
        control.progress("simulating", done as f32 / plan.samples as f32);
        Ok(block)
    });
    let blocks: Vec<Block> = blocks.collect::<Result<_>>()?;
    Ok(assemble(plan, reuse, &blocks))
}

/// Whether `recording` is of the plan's network and samples.
fn fits(plan: &Plan<'_>, recording: &Recording) -> bool {
    recording.samples == plan.samples && recording.layers.len() == plan.spiking.layers.len() && recording.steps > 0
}

/// Decides what of the previous recording serves.
fn reuse_of<'a>(plan: &Plan<'a>) -> Reuse<'a> {
    let all = plan.spiking.layers.len();
    let nothing = Reuse { previous: None, layers: 0, from_step: 0 };
    let Some(previous) = plan.previous.filter(|r| fits(plan, r)) else { return nothing };
    let unchanged = plan.unchanged_layers.min(all);
    if previous.steps == plan.steps {
        Reuse { previous: Some(previous), layers: unchanged, from_step: 0 }
    } else if unchanged == all {
        Reuse { previous: Some(previous), layers: 0, from_step: previous.steps }
    } else {
        nothing
    }
}

/// The nodes whose values the run has to compute, when the first `kept` spiking layers are known.
fn needed_nodes(plan: &Plan<'_>, kept: usize) -> Vec<bool> {
    let network = plan.program.network();
    let known: Vec<NodeId> = plan.spiking.layers[..kept].iter().map(|layer| layer.node).collect();
    let mut needed = vec![false; network.nodes.len()];
    let mut open = vec![network.output];
    open.extend(plan.spiking.layers[kept..].iter().map(|layer| layer.node));
    while let Some(id) = open.pop() {
        if !std::mem::replace(&mut needed[id], true) && !known.contains(&id) {
            open.extend(&network.nodes[id].inputs);
        }
    }
    needed
}

fn run_block(
    plan: &Plan<'_>,
    reuse: Reuse<'_>,
    needed: &[bool],
    first: usize,
    rows: usize,
    control: &Control,
) -> Result<Block> {
    let network = plan.program.network();
    let steps = plan.steps - reuse.from_step;
    let width = network.input_shape().iter().product::<usize>();
    let mut values: Vec<Option<Signal>> = vec![None; network.nodes.len()];
    let mut layers: Vec<_> = plan.spiking.layers.iter().map(|_| None).collect();
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
                        let spikes = &previous.layers[index].spikes;
                        Signal::Sequence(
                            plan.program.tensor(decode(layer, spikes, 0..steps, first, rows), steps * rows),
                        )
                    }
                    _ => {
                        let Some(current) = take(&mut values, plan.program, node.inputs[0], id) else {
                            return Err(Error::Internal(format!("'{}' has no input", node.name)));
                        };
                        let going_on = reuse.previous.filter(|_| reuse.from_step > 0);
                        let past = going_on.map(|r| (&r.layers[index], reuse.from_step));
                        let (out, record) = integrate(layer, current, steps, first, rows, past);
                        layers[index] = Some(record);
                        Signal::Sequence(plan.program.tensor(out, steps * rows))
                    }
                }
            }
            _ => {
                let inputs =
                    node.inputs.iter().filter_map(|&input| take(&mut values, plan.program, input, id)).collect();
                apply_signal(network, node, plan.program.params(id), inputs, steps)
            }
        };
        values[id] = Some(signal);
    }
    let Some(output) = values[network.output].take() else {
        return Err(Error::Internal("the network gave no output".into()));
    };
    let mut readout = numbers(output.sequence(steps));
    let row = rows * network.classes();
    for i in row..readout.len() {
        readout[i] += readout[i - row];
    }
    Ok(Block { first, rows, layers, readout })
}

/// The value of `id` for its reader `reader`; given away when that is the last one.
fn take(values: &mut [Option<Signal>], program: &Program, id: NodeId, reader: NodeId) -> Option<Signal> {
    if program.last_reader(id) == reader { values[id].take() } else { values[id].clone() }
}

/// Spikes of `steps` as amplitudes θs, `[T·B, F]`.
pub(super) fn decode(
    layer: &SpikingLayer,
    spikes: &SpikeTrain,
    steps: std::ops::Range<usize>,
    first: usize,
    rows: usize,
) -> Vec<f32> {
    let theta = layer.theta_per_neuron();
    let mut out = vec![0.0; steps.len() * rows * theta.len()];
    for (i, row) in out.chunks_mut(theta.len().max(1)).enumerate() {
        spikes.for_each_spike(steps.start + i / rows, first + i % rows, |neuron| row[neuron] = theta[neuron]);
    }
    out
}

/// What integrating leaves behind: bits `[T][B][word]`, mean input and last potential `[B, F]`.
type Trail = (Vec<u64>, Vec<f32>, Vec<f32>);

/// Runs one layer's neurons over its current. `past` is the layer's recording so far and its number of steps.
fn integrate(
    layer: &SpikingLayer,
    current: Signal,
    steps: usize,
    first: usize,
    rows: usize,
    past: Option<(&LayerRecording, usize)>,
) -> (Vec<f32>, Trail) {
    let neurons = layer.neurons();
    let words = neurons.div_ceil(64);
    let span = first * neurons..(first + rows) * neurons;
    let theta = layer.theta_per_neuron();
    let v0: Vec<f32> = theta.iter().map(|t| layer.v_init * t).collect();
    let mut v = past.map_or_else(|| v0.repeat(rows), |(record, _)| record.potential[span.clone()].to_vec());
    let mut bits = vec![0u64; steps * rows * words];
    let (mut out, constant) = match current {
        Signal::Constant(x) => {
            let x = numbers(x);
            (x.repeat(steps), Some(x))
        }
        Signal::Sequence(x) => (numbers(x), None),
    };
    let mut charge = vec![0.0f32; rows * neurons];
    for t in 0..steps {
        for b in 0..rows {
            let at = (t * rows + b) * neurons;
            let row = &mut out[at..at + neurons];
            let sample = b * neurons..(b + 1) * neurons;
            if constant.is_none() {
                charge[sample.clone()].iter_mut().zip(row.iter()).for_each(|(c, i)| *c += i);
            }
            let word = (t * rows + b) * words;
            step_row(&mut v[sample], row, &theta, &mut bits[word..word + words], layer.reset, layer.tie);
        }
    }
    let mean = match (constant, past) {
        // Held exactly: summing equal numbers would round.
        (Some(x), _) => x,
        (None, None) => charge.iter().map(|c| c / steps as f32).collect(),
        (None, Some((record, before))) => {
            let total = (before + steps) as f32;
            let old = &record.mean_input[span];
            charge.iter().zip(old).map(|(c, m)| (c + m * before as f32) / total).collect()
        }
    };
    (out, (bits, mean, v))
}

/// Puts the blocks together with what was kept.
fn assemble(plan: &Plan<'_>, reuse: Reuse<'_>, blocks: &[Block]) -> Recording {
    let classes = plan.program.network().classes();
    let new_steps = plan.steps - reuse.from_step;
    let layer = |(index, layer): (usize, &SpikingLayer)| {
        let neurons = layer.neurons();
        let kept = |r: &Recording| {
            let old = &r.layers[index];
            let mut spikes = old.spikes.clone();
            spikes.resize(plan.steps);
            LayerRecording { spikes, mean_input: old.mean_input.clone(), potential: old.potential.clone() }
        };
        if let Some(previous) = reuse.previous.filter(|_| index < reuse.layers) {
            return kept(previous);
        }
        let mut record = match reuse.previous.filter(|_| reuse.from_step > 0) {
            Some(previous) => kept(previous),
            None => {
                let mut spikes = SpikeTrain::new(plan.samples, neurons);
                spikes.resize(plan.steps);
                let zeros = vec![0.0; plan.samples * neurons];
                LayerRecording { spikes, mean_input: zeros.clone(), potential: zeros }
            }
        };
        for block in blocks {
            let Some((bits, mean, v)) = &block.layers[index] else { continue };
            let words = record.spikes.row_words();
            for (i, row) in bits.chunks(words.max(1)).enumerate() {
                let (t, sample) = (reuse.from_step + i / block.rows, block.first + i % block.rows);
                record.spikes.row_mut(t, sample).copy_from_slice(row);
            }
            let span = block.first * neurons..(block.first + block.rows) * neurons;
            record.mean_input[span.clone()].copy_from_slice(mean);
            record.potential[span].copy_from_slice(v);
        }
        record
    };
    let layers: Vec<LayerRecording> = plan.spiking.layers.par_iter().enumerate().map(layer).collect();
    let mut readout = vec![0.0; plan.steps * plan.samples * classes];
    let row = plan.samples * classes;
    if let Some(previous) = reuse.previous.filter(|_| reuse.from_step > 0) {
        readout[..reuse.from_step * row].copy_from_slice(&previous.readout);
    }
    for block in blocks {
        let width = block.rows * classes;
        for t in 0..new_steps {
            let at = (reuse.from_step + t) * row + block.first * classes;
            for k in 0..width {
                let before = match reuse.from_step {
                    0 => 0.0,
                    from => readout[(from - 1) * row + block.first * classes + k],
                };
                readout[at + k] = before + block.readout[t * width + k];
            }
        }
    }
    Recording { steps: plan.steps, samples: plan.samples, classes, layers, readout }
}
