//! Runs one block of samples through the whole spiking network.
//!
//! A layer runs in event form if it has one. Otherwise, or if another layer needs its dense value, values are dense
//! tensors.

use std::sync::OnceLock;

use super::correction::srp;
use super::currents::{Current, Currents};
use super::event_currents::{ColumnPosition, EventCurrents, SpikeInput};
use super::layer::{LayerTask, LayerTrace, integrate};
use super::plan::{Reuse, SimulationPlan};
use super::signal::{Signal, apply_signal, frame_count, input_signal};
use super::spike_train::SpikeTrain;
use crate::compute::dense::tensor_to_vec;
use crate::compute::event::Grid;
use crate::compute::event::lookup_table::TableCache;
use crate::compute::program::{EventForm, Program};
use crate::compute::simd::lanes::LANES;
use crate::convert::{Correction, MaxPoolRule, SpikingLayer, SpikingNetwork};
use crate::network::{NodeId, Op};
use crate::progress::JobControl;
use crate::{Error, Result};

/// Result of one block of samples.
pub(super) struct Block {
    pub first: usize,
    pub rows: usize,
    /// One per simulated layer.
    pub layers: Vec<Option<LayerTrace>>,
    /// `[T][B][classes]`, summed over steps.
    pub readout: Vec<f32>,
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
    /// Called when a layer of the block is done, with its index, to take its mean inputs and final potentials. They
    /// then need not be stored until the whole block is done; without the callback they stay in the block.
    pub on_layer_done: Option<&'a OnLayerDone<'a>>,
}

/// Arguments: layer, first sample, and the trace whose mean inputs and final potentials are taken.
pub(super) type OnLayerDone<'a> = dyn Fn(usize, usize, &mut LayerTrace) + Sync + 'a;

/// The event form in which a run reads node `id`, if it has one under the network's max-pooling rule and its inputs do
/// not spike in nearly every step.
pub(super) fn event_form<'a>(program: &'a Program, id: NodeId, spiking: &SpikingNetwork) -> Option<&'a EventForm> {
    let form = program.event_form(id).filter(|_| !spiking.dense_nodes.contains(&id))?;
    (spiking.pooling == MaxPoolRule::Lateral || !form.plan.needs_lateral()).then_some(form)
}

/// Like [`event_form`], under `plan`: what reads an input that changes over time runs on dense values.
pub(super) fn planned_form<'a>(plan: &SimulationPlan<'a>, id: NodeId) -> Option<&'a EventForm> {
    let changes_over_time = || frame_count(plan.program, plan.input, plan.samples) > 1;
    event_form(plan.program, id, plan.spiking).filter(|form| !(form.plan.depends_on_input && changes_over_time()))
}

/// Runs samples `first..first + rows` of the plan.
///
/// # Errors
/// [`Error::Cancelled`] once `control` is cancelled.
pub(super) fn run_block(shared: BlockContext<'_>, first: usize, rows: usize, control: &JobControl) -> Result<Block> {
    let BlockContext { plan, reuse, .. } = shared;
    let masks = match plan.spiking.correction {
        Correction::Srp { steps, rule } if reuse.from_step == 0 && steps > 0 => {
            Some(pre_steps(shared, steps, rule, first, rows, control)?)
        }
        _ => None,
    };
    // COS reads ρ steps even if fewer are recorded.
    let recorded_steps = plan.steps - reuse.from_step;
    let steps = match plan.spiking.correction {
        Correction::Cos { steps, .. } if reuse.from_step == 0 => recorded_steps.max(steps),
        _ => recorded_steps,
    };
    let network = plan.program.network();
    let mut state = BlockState {
        shared,
        first,
        rows,
        steps,
        values: vec![None; network.nodes.len()],
        layers: plan.spiking.layers.iter().map(|_| None).collect(),
    };
    for (id, node) in network.nodes.iter().enumerate() {
        control.check()?;
        let index = plan.spiking.layers.iter().position(|layer| layer.node == id);
        if let Some(index) = index.filter(|&index| index >= reuse.layers) {
            let layer = &plan.spiking.layers[index];
            let mut currents = state.currents(node.inputs[0], id, &layer.bias)?;
            let is_constant = matches!(currents.current, Current::Constant(_));
            // COS reads every step separately.
            currents.single_step = is_constant && !matches!(plan.spiking.correction, Correction::Cos { .. });
            let resumed = reuse.previous.filter(|_| reuse.from_step > 0);
            let task = LayerTask {
                layer,
                constant: is_constant,
                recorded_steps,
                first,
                resume_from: resumed.map(|r| (&r.layers[index], reuse.from_step)),
                correction: plan.spiking.correction,
                mask: masks.as_ref().map(|masks| &masks[index]),
            };
            let mut trace = integrate(&task, &currents, control)?;
            drop(currents);
            if let Some(take) = shared.on_layer_done {
                take(index, first, &mut trace);
            }
            state.layers[index] = Some(trace);
        }
        if shared.dense[id] {
            state.values[id] = Some(state.dense_value(id, index)?);
        }
    }
    let readout = state.readout(recorded_steps, control)?;
    let truncate = |trace: LayerTrace| {
        let LayerTrace { mut spikes, .. } = trace;
        spikes.resize(recorded_steps);
        LayerTrace { spikes, ..trace }
    };
    let layers = state.layers.into_iter().map(|trace| trace.map(truncate)).collect();
    Ok(Block { first, rows, layers, readout })
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
    let masks: Vec<OnceLock<SpikeTrain>> = vec![OnceLock::new(); plan.spiking.layers.len()];
    // Of a layer's final state only the mask is stored.
    let to_mask = |layer: usize, _: usize, trace: &mut LayerTrace| {
        let potential = std::mem::take(&mut trace.potential);
        trace.mean_input = Vec::new();
        masks[layer].get_or_init(|| srp::silence_mask(&plan.spiking.layers[layer], &potential, rule));
    };
    let shared =
        BlockContext { plan: &pre, reuse: Reuse::NONE, dense: &dense, on_layer_done: Some(&to_mask), ..shared };
    run_block(shared, first, rows, control)?;
    Ok(masks.into_iter().filter_map(OnceLock::into_inner).collect())
}

/// The nodes whose dense value is needed if the first `recorded_layers` spiking layers are known: those on the paths
/// from spikes or input to every layer without an event form.
pub(super) fn dense_nodes(plan: &SimulationPlan<'_>, recorded_layers: usize) -> Vec<bool> {
    let network = plan.program.network();
    let mut needed = vec![false; network.nodes.len()];
    let readers = plan.spiking.layers[recorded_layers..].iter().map(|layer| network.nodes[layer.node].inputs[0]);
    for target in readers.chain([network.output]) {
        if planned_form(plan, target).is_none() {
            plan.program.nodes_between_spikes(target).into_iter().for_each(|id| needed[id] = true);
        }
    }
    needed
}

/// State of a block while it runs through the network.
struct BlockState<'a> {
    shared: BlockContext<'a>,
    first: usize,
    rows: usize,
    steps: usize,
    values: Vec<Option<Signal>>,
    layers: Vec<Option<LayerTrace>>,
}

impl BlockState<'_> {
    /// The current that node `source` provides to its reader `reader`.
    fn currents<'b>(&'b mut self, source: NodeId, reader: NodeId, bias: &'b [f32]) -> Result<Currents<'b>> {
        let plan = self.shared.plan;
        let grid = Grid::from_any_shape(&plan.program.network().nodes[source].shape);
        let (samples, steps, parts) = (self.rows, self.steps, self.shared.parts);
        let current = match planned_form(plan, source) {
            Some(form) => Current::Events(self.events(form)),
            None => match self.value(source, Some(reader))? {
                Signal::Constant(x) => Current::Constant(tensor_to_vec(x)),
                Signal::Sequence(x) => Current::Steps(tensor_to_vec(x)),
            },
        };
        Ok(Currents { current, grid, samples, steps, single_step: false, bias, parts })
    }

    fn events<'b>(&'b self, form: &'b EventForm) -> EventCurrents<'b> {
        let BlockContext { plan, reuse, .. } = self.shared;
        let source = |(term, tables): (&'b crate::compute::event::Term, &TableCache)| {
            let index = plan.spiking.layers.iter().position(|layer| layer.node == term.source).unwrap_or(0);
            let layer = &plan.spiking.layers[index];
            match (&self.layers[index], reuse.previous) {
                (Some(trace), _) => SpikeInput::new(layer, &trace.spikes, 0, 0, term, &form.plan, tables),
                (None, Some(previous)) => {
                    SpikeInput::new(layer, &previous.layers[index].spikes, self.first, 0, term, &form.plan, tables)
                }
                (None, None) => unreachable!("a layer that was neither run nor known"),
            }
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

    /// The block's scaled input, `[B, F]`.
    fn input(&self) -> burn::tensor::Tensor<2> {
        let plan = self.shared.plan;
        let width = plan.program.network().input_shape().iter().product::<usize>();
        plan.program.tensor(plan.input[self.first * width..(self.first + self.rows) * width].to_vec(), self.rows)
    }

    /// The dense value of node `id`; `index` is its index among the spiking layers.
    fn dense_value(&mut self, id: NodeId, index: Option<usize>) -> Result<Signal> {
        let BlockContext { plan, reuse, .. } = self.shared;
        let network = plan.program.network();
        let node = &network.nodes[id];
        Ok(match (&node.op, index) {
            (Op::Input, _) => {
                let (of, steps) = ((self.first, self.rows), (reuse.from_step, self.steps));
                input_signal(plan.program, plan.input, plan.samples, of, steps)
            }
            (Op::Activation(_), Some(index)) => {
                let layer = &plan.spiking.layers[index];
                let spikes = match (&self.layers[index], reuse.previous) {
                    (Some(trace), _) => decode(layer, &trace.spikes, 0..self.steps, 0, self.rows),
                    (None, Some(previous)) => {
                        decode(layer, &previous.layers[index].spikes, 0..self.steps, self.first, self.rows)
                    }
                    (None, None) => unreachable!("a layer that was neither run nor known"),
                };
                Signal::Sequence(plan.program.tensor(spikes, self.steps * self.rows))
            }
            (Op::Activation(_), None) => {
                return Err(Error::Internal(format!("activation '{}' has no neurons", node.name)));
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
        let (rows, classes) = (self.rows, network.classes());
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
    let mut state = BlockState {
        shared: BlockContext { plan, reuse, dense: &[], parts: 1, on_layer_done: None },
        first,
        rows,
        steps: plan.steps,
        values: vec![None; network.nodes.len()],
        layers: plan.spiking.layers.iter().map(|_| None).collect(),
    };
    if planned_form(plan, source).is_none() {
        for id in plan.program.nodes_between_spikes(source) {
            let index = plan.spiking.layers.iter().position(|layer| layer.node == id);
            state.values[id] = Some(state.dense_value(id, index)?);
        }
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
    let (width, places) = (currents.grid.len(), currents.grid.places());
    let mut out = vec![0.0; currents.steps * currents.samples * width];
    // The visited positions, and the values of all of them, `[visit][T][lane]`.
    type Piece = (Vec<ColumnPosition>, Vec<f32>);
    let pieces = currents.for_each_column::<N, Piece>(control, |_, columns| {
        let mut piece: Piece = Default::default();
        columns(&mut |at, column| {
            piece.0.push(at.clone());
            for values in column.iter() {
                piece.1.extend((0..at.lanes()).map(|lane| values[lane / LANES].0[lane % LANES]));
            }
        })?;
        Ok(piece)
    })?;
    for (visits, values) in pieces {
        let mut values = values.into_iter();
        for at in visits {
            for t in 0..currents.steps {
                let row = (t * currents.samples + at.sample) * width;
                at.neurons().zip(&mut values).for_each(|((place, c), value)| out[row + c * places + place] = value);
            }
        }
    }
    Ok(out)
}

/// Outputs of `steps` as amplitudes, `[T·B, F]`.
pub(super) fn decode(
    layer: &SpikingLayer,
    spikes: &SpikeTrain,
    steps: std::ops::Range<usize>,
    first: usize,
    rows: usize,
) -> Vec<f32> {
    let units = layer.amplitudes();
    let mut out = vec![0.0; steps.len() * rows * units.len()];
    for (i, row) in out.chunks_mut(units.len().max(1)).enumerate() {
        spikes.for_each_bit(steps.start + i / rows, first + i % rows, |neuron, weight| {
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
