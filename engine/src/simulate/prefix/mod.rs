//! The first t steps of a longer run, without simulating again.
//!
//! Spikes are a prefix of the recorded bits. The mean input of a layer is its stateless part applied to the mean of its
//! input spikes, since that part is linear. Single steps are needed only if a max pool reads spikes.

mod on_slices;

use std::sync::Arc;

pub use on_slices::OnSlices;
use rayon::prelude::*;

use crate::Result;
use crate::compute::dense::tensor_to_vec;
use crate::compute::program::Program;
use crate::compute::simd::transpose::transpose;
use crate::convert::{Correction, MaxPoolRule, Reset, SpikingLayer, SpikingNetwork};
use crate::network::{NodeId, Op};
use crate::progress::JobControl;
use crate::simulate::block::{add_bias, decode};
use crate::simulate::recording::{LayerRecording, Recording};
use crate::simulate::signal::{Signal, apply_signal, input_signal};
use crate::simulate::spike_train::SpikeRows;

/// Values in one block of samples (f32 each).
const BLOCK_VALUES: usize = 4 << 20;

/// The recording as it was after `steps` steps (`1..=recording.steps`). `input` is `[N, F]`, scaled. `None` if the
/// recorded spikes do not determine the potential (hard reset, SRP).
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub fn truncate_recording(
    program: &Program,
    spiking: &SpikingNetwork,
    input: &[f32],
    recording: &Recording,
    steps: usize,
    control: &JobControl,
) -> Result<Option<Recording>> {
    let steps = steps.clamp(1, recording.steps);
    if steps == recording.steps {
        return Ok(Some(recording.clone()));
    }
    let silenced = matches!(spiking.correction, Correction::Srp { .. });
    if silenced || spiking.layers.iter().any(|layer| layer.reset == Reset::Hard || layer.neuron.decay() < 1.0) {
        // A hard reset discards charge and silenced neurons fire unrecorded: the spikes do not determine the potential.
        return Ok(None);
    }
    let means = mean_inputs(program, spiking, input, recording, steps, control)?;
    let layer = |((layer, record), mean_input): ((&SpikingLayer, &LayerRecording), Vec<f32>)| {
        control.check()?;
        let mut spikes = record.spikes.clone();
        spikes.resize(steps);
        let (theta, amplitudes) = (layer.theta_per_neuron(), layer.amplitudes());
        let counts = spikes.counts(steps);
        let starts = record.v_init.clone().unwrap_or_else(|| layer.v_init_all().repeat(recording.samples));
        // v(t) = v(0) + input charge − emitted charge
        let potential = (0..counts.len()).map(|i| {
            let k = i % amplitudes.len().max(1);
            let charge = f64::from(mean_input[i]) + f64::from(layer.bias_shift * theta[k]);
            (f64::from(starts[i]) + charge * steps as f64 - f64::from(amplitudes[k]) * f64::from(counts[i])) as f32
        });
        let potential: Vec<f32> = potential.collect();
        let potential = Arc::new(in_bit_order(&potential, spikes.shape()));
        // Stored where the whole recording stores it.
        let stored = if record.mean_input.is_empty() { Vec::new() } else { in_bit_order(&mean_input, spikes.shape()) };
        let mean_input = Arc::new(stored);
        let (start, silenced) = (record.v_init.clone(), record.silenced.clone());
        Ok(LayerRecording { spikes, potential, mean_input, v_init: start, silenced })
    };
    let layers = spiking.layers.par_iter().zip(&recording.layers).zip(means).map(layer).collect::<Result<_>>()?;
    let readout = recording.readout[..steps * recording.samples * recording.classes].to_vec();
    Ok(Some(Recording { steps, layers, readout, ..*recording }))
}

/// Values `[N, F]` of neurons `[C, places]` in the order of the bits.
fn in_bit_order(values: &[f32], (channels, places): (usize, usize)) -> Vec<f32> {
    let mut out = vec![0.0; values.len()];
    let neurons = (channels * places).max(1);
    for (own, out) in values.chunks(neurons).zip(out.chunks_mut(neurons)) {
        transpose(own, [channels, places], out);
    }
    out
}

/// Mean input current of every spiking layer over steps `1..=steps`, `[N, F]` each.
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub fn mean_inputs(
    program: &Program,
    spiking: &SpikingNetwork,
    input: &[f32],
    recording: &Recording,
    steps: usize,
    control: &JobControl,
) -> Result<Vec<Vec<f32>>> {
    if steps == recording.steps && recording.has_final_state() {
        let layer = |(layer, record): (&SpikingLayer, &LayerRecording)| {
            let samples = (0..recording.samples).into_par_iter();
            samples.flat_map_iter(|sample| record.mean_inputs(layer, sample).unwrap_or_default()).collect()
        };
        return Ok(spiking.layers.iter().zip(&recording.layers).map(layer).collect());
    }
    let per_step = match spiking.pooling {
        MaxPoolRule::PreNeuron => feeds_max_pool(program),
        // A lateral pool preserves the mean.
        MaxPoolRule::Lateral => vec![false; program.network().nodes.len()],
    };
    let network = program.network();
    if let Some(prefix) = OnSlices::without_pools(program, spiking, input, recording, steps) {
        return prefix.all(&vec![true; spiking.layers.len()], control);
    }
    let widest = network.nodes.iter().map(|node| node.len()).max().unwrap_or(1);
    let per_sample = widest * if per_step.contains(&true) { steps } else { 1 };
    let share = recording.samples.div_ceil(2 * rayon::current_num_threads());
    let rows = (BLOCK_VALUES / per_sample.max(1)).clamp(1, share.max(1));
    let starts: Vec<usize> = (0..recording.samples).step_by(rows).collect();
    let blocks = starts.into_par_iter().map(|first| {
        control.check()?;
        let rows = rows.min(recording.samples - first);
        Ok(block_means(program, spiking, input, recording, steps, &per_step, first, rows))
    });
    let blocks: Vec<Vec<Vec<f32>>> = blocks.collect::<Result<_>>()?;
    let mut means: Vec<Vec<f32>> = spiking.layers.iter().map(|_| Vec::new()).collect();
    for block in blocks {
        means.iter_mut().zip(block).for_each(|(all, part)| all.extend(part));
    }
    Ok(means)
}

/// Mean input of every spiking layer over steps `1..=steps` if max pools read the mean of their input instead of each step,
/// `[N, F]`; empty for layers without a max pool between them and the neurons before. The difference to [`mean_inputs`] is
/// what the pools add by taking the largest of fluctuating currents. A lateral pool preserves the mean: all are empty.
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub fn pooled_means(
    program: &Program,
    spiking: &SpikingNetwork,
    input: &[f32],
    recording: &Recording,
    steps: usize,
    control: &JobControl,
) -> Result<Vec<Vec<f32>>> {
    let network = program.network();
    let mut behind_pool = vec![false; network.nodes.len()];
    for (id, node) in network.nodes.iter().enumerate() {
        let reads = node.inputs.iter().any(|&input| behind_pool[input]);
        behind_pool[id] = matches!(node.op, Op::MaxPool2d { .. }) || reads && !matches!(node.op, Op::Activation(_));
    }
    let wanted: Vec<bool> =
        spiking.layers.iter().map(|layer| behind_pool[network.nodes[layer.node].inputs[0]]).collect();
    if spiking.pooling == MaxPoolRule::Lateral || !wanted.contains(&true) {
        return Ok(vec![Vec::new(); wanted.len()]);
    }
    if let Some(prefix) = OnSlices::new(program, spiking, input, recording, steps) {
        return prefix.all(&wanted, control);
    }
    let widest = network.nodes.iter().map(|node| node.len()).max().unwrap_or(1);
    let per_step = vec![false; network.nodes.len()];
    let rows = (BLOCK_VALUES / widest.max(1)).clamp(1, recording.samples.max(1));
    let mut means = vec![Vec::new(); wanted.len()];
    for first in (0..recording.samples).step_by(rows) {
        control.check()?;
        let rows = rows.min(recording.samples - first);
        let block = block_means(program, spiking, input, recording, steps, &per_step, first, rows);
        let all = means.iter_mut().zip(block).zip(&wanted).filter(|(_, wanted)| **wanted);
        all.for_each(|((all, part), _)| all.extend(part));
    }
    Ok(means)
}

/// Nodes on a path from spikes to a max pool, which does not preserve the mean over time.
fn feeds_max_pool(program: &Program) -> Vec<bool> {
    let network = program.network();
    let mut feeds = vec![false; network.nodes.len()];
    for (id, node) in network.nodes.iter().enumerate().rev() {
        let pool = matches!(node.op, Op::MaxPool2d { .. });
        if pool || (feeds[id] && !matches!(node.op, Op::Activation(_))) {
            node.inputs.iter().for_each(|&input| feeds[input] = true);
        }
    }
    feeds
}

#[expect(clippy::too_many_arguments, reason = "one block of `mean_inputs`, whose arguments it passes on")]
fn block_means(
    program: &Program,
    spiking: &SpikingNetwork,
    input: &[f32],
    recording: &Recording,
    steps: usize,
    per_step: &[bool],
    first: usize,
    rows: usize,
) -> Vec<Vec<f32>> {
    let network = program.network();
    let mut values: Vec<Option<Signal>> = vec![None; network.nodes.len()];
    let mut means = Vec::with_capacity(spiking.layers.len());
    let averaged = |signal: Signal| match signal {
        Signal::Constant(x) => x,
        Signal::Sequence(x) => {
            let columns = x.dims()[1];
            x.reshape([steps, rows, columns]).mean_dim(0).reshape([rows, columns])
        }
    };
    for (id, node) in network.nodes.iter().enumerate() {
        let value_of = |values: &[Option<Signal>], id: NodeId| values[id].clone();
        let signal = match node.op {
            Op::Input => {
                let signal = input_signal(program, input, recording.samples, (first, rows), (0, steps));
                if per_step[id] { signal } else { Signal::Constant(averaged(signal)) }
            }
            Op::Activation(_) => {
                let index = means.len();
                let Some(current) = value_of(&values, node.inputs[0]) else { continue };
                let (layer, spikes) = (&spiking.layers[index], &recording.layers[index].spikes);
                let mut mean = tensor_to_vec(averaged(current));
                add_bias(layer, &mut mean);
                means.push(mean);
                if per_step[id] {
                    Signal::Sequence(
                        program.tensor(decode(layer, SpikeRows::Train(spikes), 0..steps, first, rows), steps * rows),
                    )
                } else {
                    let amplitudes = layer.amplitudes();
                    let mut rates = vec![0.0; rows * amplitudes.len()];
                    let mut counts = vec![0u32; amplitudes.len()];
                    for (b, row) in rates.chunks_mut(amplitudes.len().max(1)).enumerate() {
                        counts.fill(0);
                        spikes.add_counts(steps, first + b, &mut counts);
                        row.iter_mut()
                            .zip(&counts)
                            .zip(&amplitudes)
                            .for_each(|((r, &n), t)| *r = t * n as f32 / steps as f32);
                    }
                    Signal::Constant(program.tensor(rates, rows))
                }
            }
            _ => {
                let inputs = node.inputs.iter().filter_map(|&input| value_of(&values, input)).collect();
                let signal = apply_signal(program, id, inputs, steps, spiking.pooling);
                if per_step[id] { signal } else { Signal::Constant(averaged(signal)) }
            }
        };
        for &input in &node.inputs {
            if program.last_reader(input) == id {
                values[input] = None;
            }
        }
        values[id] = Some(signal);
    }
    means
}
