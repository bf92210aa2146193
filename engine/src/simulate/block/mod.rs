//! Runs one block of samples through the whole spiking network.
//!
//! A layer runs in event form if it has one. Otherwise, or if another layer needs its dense value, values are dense
//! tensors.

mod by_step;
mod decode;
mod dense;

pub(super) use by_step::currents_by_step;
pub(super) use decode::decode;

use super::correction::srp;
use super::currents::{Current, Currents};
use super::event_currents::{EventCurrents, SpikeInput};
use super::event_frames::{frame_lists, frame_spikes};
use super::execution_form::{dense_nodes, is_whole, planned_form};
use super::layer::{LayerTask, integrate};
use super::layer_buffers::{LayerBuffers, LayerOutput};
use super::plan::{Reuse, SimulationPlan};
use super::signal::{Signal, frame_count};
use super::spike_train::{SpikeRows, SpikeTrain};
use crate::Result;
use crate::compute::dense::tensor_to_vec;
use crate::compute::event::frame_events::FrameEvents;
use crate::compute::event::lookup_table::TableCache;
use crate::compute::event::{Grid, LinearMap, SynapsePlan, Term};
use crate::compute::program::EventForm;
use crate::convert::{Correction, SpikingLayer, SpikingNetwork};
use crate::network::{NodeId, Op};
use crate::progress::JobControl;

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

/// Adds the layer's bias correction to its currents, `[…, F]`.
pub(super) fn add_bias(layer: &SpikingLayer, current: &mut [f32]) {
    if !layer.bias.is_empty() {
        for row in current.chunks_mut(layer.neurons().max(1)) {
            row.iter_mut().enumerate().for_each(|(i, x)| *x += layer.bias_of(i));
        }
    }
}
