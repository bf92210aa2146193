//! Runs one block of samples through the whole spiking network.
//!
//! A layer runs in event form if it has one. Otherwise, or if another layer needs its dense value, values are dense
//! tensors.

use std::ops::Range;

use burn::tensor::Tensor;
use rayon::prelude::*;

use super::correction::srp;
use super::currents::{Current, Currents, Piece, PieceCurrents, TakeCurrents};
use super::event_currents::{EventCurrents, SpikeInput};
use super::event_frames::{frame_lists, frame_spikes};
use super::execution_form::{dense_nodes, is_whole, planned_form, steps_at_once};
use super::layer::{LayerTask, integrate};
use super::layer_buffers::{LayerBuffers, LayerOutput};
use super::plan::{Reuse, SimulationPlan};
use super::signal::{Signal, apply_signal, frame_count, input_signal};
use super::spike_train::{SampleSpikes, SpikeRows, SpikeTrain, for_each_bit};
use crate::compute::dense::tensor_to_vec;
use crate::compute::event::frame_events::FrameEvents;
use crate::compute::event::lookup_table::TableCache;
use crate::compute::event::{Grid, LinearMap, SynapsePlan, Term};
use crate::compute::program::EventForm;
use crate::compute::simd::lanes::LANES;
use crate::convert::{Correction, SpikingLayer, SpikingNetwork};
use crate::network::{NodeId, Op};
use crate::progress::JobControl;
use crate::{Error, Result};

/// A block of samples, whose results are written in place.
pub(super) struct Block<'a> {
    pub first: usize,
    pub rows: usize,
    /// One per layer of the network; empty for the layers that are known.
    pub layers: Vec<Option<LayerOutput<'a>>>,
    /// The silenced neurons of every layer (SRP), one step of bits each, whose sample 0 is the block's first.
    pub silenced: Vec<SpikeTrain>,
}

/// Inputs that all blocks of a run share.
#[derive(Clone, Copy)]
pub(super) struct BlockContext<'a> {
    pub plan: &'a SimulationPlan<'a>,
    pub reuse: Reuse<'a>,
    /// Nodes whose dense value some layer needs.
    pub dense: &'a [bool],
    /// Parts that one sample's work is split into for several threads.
    pub parts: usize,
}

/// Steps that a run without reuse simulates: COS reads ρ steps even if fewer are recorded.
pub(super) fn simulated_steps(plan: &SimulationPlan<'_>, reuse: Reuse<'_>) -> usize {
    let recorded = plan.steps - reuse.from_step;
    match plan.spiking.correction {
        Correction::Cos { steps, .. } if reuse.from_step == 0 => recorded.max(steps),
        _ => recorded,
    }
}

/// Runs the samples of `block`, and returns the readout summed over steps, `[T][B][classes]`.
///
/// # Errors
/// [`Error::Cancelled`] once `control` is cancelled.
pub(super) fn run_block(shared: BlockContext<'_>, block: &mut Block<'_>, control: &JobControl) -> Result<Vec<f32>> {
    let BlockContext { plan, reuse, .. } = shared;
    let first = block.first;
    let silenced = match plan.spiking.correction {
        Correction::Srp { steps, rule } if reuse.from_step == 0 && steps > 0 => {
            pre_steps(shared, steps, rule, first, block.rows, control)?
        }
        _ => Vec::new(),
    };
    let recorded_steps = plan.steps - reuse.from_step;
    let steps = simulated_steps(plan, reuse);
    let network = plan.program.network();
    let mut state =
        BlockState { shared, block, steps, values: vec![None; network.nodes.len()], frames: FrameInput::default() };
    for (id, node) in network.nodes.iter().enumerate() {
        control.check()?;
        let index = plan.spiking.layers.iter().position(|layer| layer.node == id);
        if let Some(index) = index.filter(|&index| index >= reuse.layers) {
            let layer = &plan.spiking.layers[index];
            let Some(mut output) = state.block.layers[index].take() else { continue };
            let currents = state.currents(node.inputs[0], id, &layer.bias)?;
            let resumed = reuse.previous.filter(|_| reuse.from_step > 0).map(|r| &r.layers[index]);
            let known = resumed.and_then(|record| record.silenced.as_ref()).map(|bits| (bits, first));
            let task = LayerTask {
                layer,
                constant: matches!(currents.current, Current::Constant(_)),
                recorded_steps,
                first,
                resume_from: resumed.map(|record| (record, reuse.from_step)),
                correction: plan.spiking.correction,
                silenced: silenced.get(index).map(|bits| (bits, 0)).or(known),
            };
            integrate(&task, &currents, &mut output, control)?;
            drop(currents);
            state.block.layers[index] = Some(output);
        }
        if shared.dense[id] {
            state.values[id] = Some(state.dense_value(id, index)?);
        }
    }
    let readout = state.readout(recorded_steps, control)?;
    block.silenced = silenced;
    Ok(readout)
}

/// The silenced neurons of every layer (SRP), from τ pre-steps of the whole network in lock-step.
fn pre_steps(
    shared: BlockContext<'_>,
    steps: usize,
    rule: crate::convert::SrpRule,
    first: usize,
    rows: usize,
    control: &JobControl,
) -> Result<Vec<SpikeTrain>> {
    let plan = shared.plan;
    let uncorrected = SpikingNetwork { correction: Correction::None, ..plan.spiking.clone() };
    let pre = SimulationPlan { spiking: &uncorrected, steps, previous: None, unchanged_layers: 0, ..*plan };
    let dense = dense_nodes(&pre, 0);
    let layers = &plan.spiking.layers;
    let mut buffers: Vec<_> = layers.iter().map(|layer| LayerBuffers::new(layer, rows, steps, [false; 2])).collect();
    let outputs = buffers.iter_mut().zip(layers).map(|(buffers, layer)| buffers.split(layer, rows, 0).pop()).collect();
    let mut block = Block { first, rows, layers: outputs, silenced: Vec::new() };
    run_block(BlockContext { plan: &pre, reuse: Reuse::NONE, dense: &dense, ..shared }, &mut block, control)?;
    let mask = |(layer, buffers): (&SpikingLayer, LayerBuffers)| srp::silence_mask(layer, &buffers.potential, rule);
    Ok(layers.iter().zip(buffers).map(mask).collect())
}

/// State of a block while it runs through the network.
struct BlockState<'a, 'b> {
    shared: BlockContext<'a>,
    block: &'a mut Block<'b>,
    steps: usize,
    values: Vec<Option<Signal>>,
    frames: FrameInput,
}

/// The frames of a block's input, once a layer has read them.
struct FrameInput {
    /// The events of each sample.
    lists: Option<Vec<FrameEvents>>,
    /// The same as bits, for terms without weights; of no samples until one asks.
    bits: SpikeTrain,
}

impl Default for FrameInput {
    fn default() -> Self {
        Self { lists: None, bits: SpikeTrain::new(0, 0) }
    }
}

impl BlockState<'_, '_> {
    /// The current that node `source` provides to its reader `reader`.
    fn currents<'b>(&'b mut self, source: NodeId, reader: NodeId, bias: &'b [f32]) -> Result<Currents<'b>> {
        let plan = self.shared.plan;
        let grid = Grid::from_any_shape(&plan.program.network().nodes[source].shape);
        let (samples, steps, parts) = (self.block.rows, self.steps, self.shared.parts);
        let mut form = planned_form(plan, source);
        if let Some(frames) = form.filter(|form| form.plan.frames)
            && !self.read_frames(&frames.plan)
        {
            form = None;
            // A lateral pool sums over the steps: its dense value was not expected.
            if is_whole(plan, source) {
                self.compute_dense(source)?;
            }
        }
        let current = match form {
            Some(form) => Current::Events(self.events(form)),
            None if !is_whole(plan, source) => Current::Steps(self.dense_steps(source)?),
            None => match self.value(source, Some(reader))? {
                Signal::Constant(x) => Current::Constant(tensor_to_vec(x)),
                Signal::Sequence(x) => Current::Steps(tensor_to_vec(x)),
            },
        };
        Ok(Currents { current, grid, samples, steps, bias, parts })
    }

    /// Reads the frames of the input as events, for the terms of `form`. Returns false if they are no whole-number counts.
    fn read_frames(&mut self, form: &SynapsePlan) -> bool {
        let BlockContext { plan, reuse, .. } = self.shared;
        let network = plan.program.network();
        let (shape, len) = (network.input_shape(), plan.input.len() / plan.samples.max(1));
        let input = &plan.input[self.block.first * len..(self.block.first + self.block.rows) * len];
        if self.frames.lists.is_none() {
            self.frames.lists = frame_lists(input, shape, len);
        }
        let has_bits = |term: &Term| {
            matches!(term.map, LinearMap::Shortcut(_)) && matches!(network.nodes[term.source].op, Op::Input)
        };
        if self.frames.bits.samples() == 0 && self.frames.lists.is_some() && form.terms.iter().any(has_bits) {
            let frames = frame_count(plan.program, plan.input, plan.samples);
            let Some(bits) = frame_spikes(input, shape, frames, (reuse.from_step, self.steps)) else { return false };
            self.frames.bits = bits;
        }
        self.frames.lists.is_some()
    }

    /// The dense value of node `target` at every step, `[T·B, F]`, computed for a few steps at a time.
    fn dense_steps(&self, target: NodeId) -> Result<Vec<f32>> {
        let BlockContext { plan, parts, .. } = self.shared;
        let network = plan.program.network();
        let nodes = plan.program.nodes_between_spikes(target);
        let at_once = steps_at_once(network, &nodes, self.block.rows, self.steps, parts);
        let row = self.block.rows * network.nodes[target].len();
        let mut values = vec![0.0; self.steps * row];
        let part = |(k, values): (usize, &mut [f32])| -> Result<()> {
            let first = k * at_once;
            let value = self.dense_part(&nodes, first..(first + at_once).min(self.steps))?;
            values.copy_from_slice(&tensor_to_vec(value));
            Ok(())
        };
        let size = (at_once * row).max(1);
        if parts > 1 {
            values.par_chunks_mut(size).enumerate().try_for_each(part)?;
        } else {
            values.chunks_mut(size).enumerate().try_for_each(part)?;
        }
        Ok(values)
    }

    /// The dense value of the last of `nodes`, which are all that it needs, at `steps`: `[steps·B, F]`.
    fn dense_part(&self, nodes: &[NodeId], steps: Range<usize>) -> Result<Tensor<2>> {
        let BlockContext { plan, reuse, .. } = self.shared;
        let network = plan.program.network();
        let count = steps.len();
        let mut values: Vec<Option<Signal>> = vec![None; nodes.len()];
        for (at, &id) in nodes.iter().enumerate() {
            let node = &network.nodes[id];
            let index = plan.spiking.layers.iter().position(|layer| layer.node == id);
            let value = match (&node.op, index) {
                (Op::Input, _) => {
                    let (of, shown) = ((self.block.first, self.block.rows), (reuse.from_step + steps.start, count));
                    input_signal(plan.program, plan.input, plan.samples, of, shown)
                }
                (Op::Activation(_), Some(index)) => {
                    let (rows, first) = self.spikes(index);
                    let spikes = decode(&plan.spiking.layers[index], rows, steps.clone(), first, self.block.rows);
                    Signal::Sequence(plan.program.tensor(spikes, count * self.block.rows))
                }
                (Op::Activation(_), None) => return Err(without_neurons(&node.name)),
                _ => {
                    let mut inputs = Vec::with_capacity(node.inputs.len());
                    for (k, input) in node.inputs.iter().enumerate() {
                        let place = nodes[..at].iter().position(|id| id == input);
                        // Moved out at the last reading, so that it can be overwritten.
                        let again = node.inputs[k + 1..].contains(input)
                            || nodes[at + 1..].iter().any(|&later| network.nodes[later].inputs.contains(input));
                        let value = place.and_then(|place| match again {
                            true => values[place].clone(),
                            false => values[place].take(),
                        });
                        let missing = || Error::Internal(format!("'{}' has no value", network.nodes[*input].name));
                        inputs.push(value.ok_or_else(missing)?);
                    }
                    apply_signal(network, node, plan.program.params(id), inputs, count, plan.spiking.pooling)
                }
            };
            values[at] = Some(value);
        }
        let last = values.pop().flatten().ok_or_else(|| Error::Internal("no dense value".into()))?;
        Ok(last.sequence(count))
    }

    /// Computes the dense values that node `target` needs and that are not known.
    fn compute_dense(&mut self, target: NodeId) -> Result<()> {
        let plan = self.shared.plan;
        for id in plan.program.nodes_between_spikes(target) {
            let index = plan.spiking.layers.iter().position(|layer| layer.node == id);
            if self.values[id].is_none() {
                self.values[id] = Some(self.dense_value(id, index)?);
            }
        }
        Ok(())
    }

    fn events<'b>(&'b self, form: &'b EventForm) -> EventCurrents<'b> {
        let plan = self.shared.plan;
        let source = |(term, tables): (&'b Term, &TableCache)| {
            let is_input = matches!(plan.program.network().nodes[term.source].op, Op::Input);
            if let Some(lists) = self.frames.lists.as_ref().filter(|_| is_input) {
                let bits = SpikeRows::Train(&self.frames.bits);
                return SpikeInput::of_frames((lists, self.shared.reuse.from_step), bits, term, &form.plan);
            }
            let index = plan.spiking.layers.iter().position(|layer| layer.node == term.source).unwrap_or(0);
            let layer = &plan.spiking.layers[index];
            let amplitudes = layer.theta.iter().map(|&theta| layer.neuron.amplitude(theta)).collect();
            SpikeInput::new(amplitudes, self.spikes(index), term, &form.plan, tables)
        };
        let synapse_plan = &form.plan;
        let constant = if synapse_plan.depends_on_input {
            plan.program.value_without_spikes(synapse_plan, Some(self.input()))
        } else {
            form.constant.clone()
        };
        EventCurrents {
            plan: synapse_plan,
            sources: synapse_plan.terms.iter().zip(&form.tables).map(source).collect(),
            constant,
            pooling: plan.spiking.pooling,
        }
    }

    /// The spikes of layer `index`, and the sample in them that is the block's first.
    fn spikes(&self, index: usize) -> (SpikeRows<'_>, usize) {
        match (&self.block.layers[index], self.shared.reuse.previous) {
            (Some(output), _) => (SpikeRows::Block(&output.spikes), 0),
            (None, Some(previous)) => (SpikeRows::Train(&previous.layers[index].spikes), self.block.first),
            (None, None) => unreachable!("a layer that was neither run nor known"),
        }
    }

    /// The block's scaled input, `[B, F]`.
    fn input(&self) -> burn::tensor::Tensor<2> {
        let plan = self.shared.plan;
        let width = plan.program.network().input_shape().iter().product::<usize>();
        plan.program.tensor(
            plan.input[self.block.first * width..(self.block.first + self.block.rows) * width].to_vec(),
            self.block.rows,
        )
    }

    /// The dense value of node `id`; `index` is its index among the spiking layers.
    fn dense_value(&mut self, id: NodeId, index: Option<usize>) -> Result<Signal> {
        let BlockContext { plan, reuse, .. } = self.shared;
        let network = plan.program.network();
        let node = &network.nodes[id];
        Ok(match (&node.op, index) {
            (Op::Input, _) => {
                let (of, steps) = ((self.block.first, self.block.rows), (reuse.from_step, self.steps));
                input_signal(plan.program, plan.input, plan.samples, of, steps)
            }
            (Op::Activation(_), Some(index)) => {
                let layer = &plan.spiking.layers[index];
                let (rows, first) = self.spikes(index);
                let spikes = decode(layer, rows, 0..self.steps, first, self.block.rows);
                Signal::Sequence(plan.program.tensor(spikes, self.steps * self.block.rows))
            }
            (Op::Activation(_), None) => {
                return Err(without_neurons(&node.name));
            }
            _ => {
                // A node can read one value several times; it is moved out at the last.
                let last = |k: usize| !node.inputs[k + 1..].contains(&node.inputs[k]);
                let inputs: Result<Vec<Signal>> = node
                    .inputs
                    .iter()
                    .enumerate()
                    .map(|(k, &input)| self.value(input, last(k).then_some(id)))
                    .collect();
                apply_signal(network, node, plan.program.params(id), inputs?, self.steps, plan.spiking.pooling)
            }
        })
    }

    /// The dense value of `id`; moved out if `reader` is the last node that reads it.
    fn value(&mut self, id: NodeId, reader: Option<NodeId>) -> Result<Signal> {
        let value = &mut self.values[id];
        let is_last = reader == Some(self.shared.plan.program.last_reader(id));
        let value = if is_last { value.take() } else { value.clone() };
        value.ok_or_else(|| {
            Error::Internal(format!("'{}' has no value", self.shared.plan.program.network().nodes[id].name))
        })
    }

    /// The readout summed over steps, `[recorded steps][B][classes]`.
    fn readout(&mut self, recorded_steps: usize, control: &JobControl) -> Result<Vec<f32>> {
        let plan = self.shared.plan;
        let network = plan.program.network();
        let (rows, classes) = (self.block.rows, network.classes());
        let currents = self.currents(network.output, network.nodes.len(), &[])?;
        let mut readout = currents_by_step(&currents, control)?;
        let row = rows * classes;
        readout.truncate(recorded_steps * row);
        for i in row..readout.len() {
            readout[i] += readout[i - row];
        }
        Ok(readout)
    }
}

fn without_neurons(activation: &str) -> Error {
    Error::Internal(format!("activation '{activation}' has no neurons"))
}

/// Calls `work` with the input currents of spiking layer `layer` for samples `first..first + rows`, computed from the
/// recorded spikes of the layers before it.
pub(super) fn with_recorded_currents<R>(
    plan: &SimulationPlan<'_>,
    layer: usize,
    first: usize,
    rows: usize,
    work: impl FnOnce(&Currents<'_>) -> Result<R>,
) -> Result<R> {
    let network = plan.program.network();
    let spiking = &plan.spiking.layers[layer];
    let source = network.nodes[spiking.node].inputs[0];
    let reuse = Reuse { previous: plan.previous, layers: layer, from_step: 0 };
    let layers = plan.spiking.layers.iter().map(|_| None).collect();
    let mut block = Block { first, rows, layers, silenced: Vec::new() };
    let mut state = BlockState {
        shared: BlockContext { plan, reuse, dense: &[], parts: 1 },
        block: &mut block,
        steps: plan.steps,
        values: vec![None; network.nodes.len()],
        frames: FrameInput::default(),
    };
    if planned_form(plan, source).is_none() && is_whole(plan, source) {
        state.compute_dense(source)?;
    }
    let currents = state.currents(source, spiking.node, &spiking.bias)?;
    work(&currents)
}

/// Currents as `[T][B][F]`.
pub(super) fn currents_by_step(currents: &Currents<'_>, control: &JobControl) -> Result<Vec<f32>> {
    match (&currents.current, currents.lanes()) {
        (Current::Steps(values), _) if currents.bias.is_empty() => Ok(values.clone()),
        (Current::Constant(values), _) if currents.bias.is_empty() => Ok(values.repeat(currents.steps)),
        (_, 1) => by_step_in::<1>(currents, control),
        (_, 2) => by_step_in::<2>(currents, control),
        _ => by_step_in::<4>(currents, control),
    }
}

fn by_step_in<const N: usize>(currents: &Currents<'_>, control: &JobControl) -> Result<Vec<f32>> {
    let mut out = vec![0.0; currents.steps * currents.samples * currents.grid.len()];
    for task in currents.tasks() {
        currents.run::<N>(&task, control, &mut ByStep { currents, out: &mut out })?;
    }
    Ok(out)
}

/// Collects currents as `[T][B][F]`.
struct ByStep<'a, 'b> {
    currents: &'a Currents<'b>,
    out: &'a mut [f32],
}

impl<const N: usize> TakeCurrents<N> for ByStep<'_, '_> {
    fn take(&mut self, piece: &Piece, steps: Range<usize>, currents: PieceCurrents<'_, N>) {
        let (samples, grid) = (self.currents.samples, self.currents.grid);
        for (k, t) in steps.enumerate() {
            let row = (t * samples + piece.sample) * grid.len();
            for (at, place) in piece.places.clone().enumerate() {
                let values = currents.at(k, at);
                for (lane, c) in piece.channels.clone().enumerate() {
                    self.out[row + c * grid.places() + place] = values[lane / LANES].0[lane % LANES];
                }
            }
        }
    }
}

/// Outputs of `steps` as amplitudes, `[T·B, F]`.
pub(super) fn decode(
    layer: &SpikingLayer,
    spikes: SpikeRows<'_>,
    steps: Range<usize>,
    first: usize,
    rows: usize,
) -> Vec<f32> {
    let units = layer.amplitudes();
    let mut out = vec![0.0; steps.len() * rows * units.len()];
    for (i, row) in out.chunks_mut(units.len().max(1)).enumerate() {
        let sample = SampleSpikes { rows: spikes, sample: first + i % rows };
        for_each_bit(&sample, spikes.shape(), steps.start + i / rows, |neuron, weight| {
            row[neuron] += weight as f32 * units[neuron];
        });
    }
    out
}

/// Adds the layer's bias correction to its currents, `[…, F]`.
pub(super) fn add_bias(layer: &SpikingLayer, current: &mut [f32]) {
    if !layer.bias.is_empty() {
        for row in current.chunks_mut(layer.neurons().max(1)) {
            row.iter_mut().enumerate().for_each(|(i, x)| *x += layer.bias_of(i));
        }
    }
}
