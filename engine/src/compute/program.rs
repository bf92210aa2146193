//! A network with its weights on a Burn device, run node by node.
//!
//! Each operation is one tensor function of [`super::dense`]. The event form of the same operations is
//! [`super::event`]; a program compiles it on first use.
//!
//! Every value is a `Tensor<2>` of shape `[N, F]`, F being the flattened sample shape. The first dimension is the
//! batch, or time and batch folded together (`[T·N, F]`). Shapes were checked when the network was read, so nothing
//! here fails.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};

use burn::tensor::{Device, Tensor, TensorData};

use super::backend::Backend;
use super::convolution::Convolution;
use super::dense::{NodeParams, apply_node, tensor_to_vec};
use super::event::lookup_table::TableCache;
use super::event::{Grid, SynapsePlan, compile, compile_frames};
use super::prepared::Prepared;
use crate::network::{Network, Node, NodeId, Op};

/// Multiplications of one node in one batch: about five milliseconds on one core, so that cancelling takes effect soon.
const MAX_MULTIPLICATIONS: usize = 1 << 26;
/// Maximum number of rows in one batch.
const MAX_ROWS: usize = 64;

/// A network with its weights on a device, ready to run.
#[derive(Clone, Debug)]
pub struct Program {
    network: Arc<Network>,
    /// The tensors of every node for which they were requested.
    params: Arc<Vec<OnceLock<NodeParams>>>,
    /// The kernel of every node for which it was requested.
    prepared: Arc<Vec<OnceLock<Prepared>>>,
    device: Device,
    /// For every node, the last node that reads it; its value is dropped there.
    last_reader: Vec<NodeId>,
    /// The event form of every node for which one was requested.
    events: Arc<Vec<OnceLock<Option<EventForm>>>>,
    /// The same where the input is frames of events.
    frames: Arc<Vec<OnceLock<Option<EventForm>>>>,
    /// Whether event forms are ignored.
    dense_only: bool,
}

/// A node in event form.
#[derive(Debug)]
pub struct EventForm {
    pub plan: SynapsePlan,
    /// Lookup tables of the plan's terms, in their order.
    pub tables: Vec<TableCache>,
    /// The value without spikes, `[places][channels]` of the plan's inner grid; empty if it depends on the sample.
    pub constant: Vec<f32>,
}

impl Program {
    /// A program for `network` on `device`. Weights are moved there, and arranged for kernels, on first use.
    pub fn new(network: Arc<Network>, device: &Device) -> Self {
        let mut last_reader: Vec<NodeId> = (0..network.nodes.len()).collect();
        for (id, node) in network.nodes.iter().enumerate() {
            node.inputs.iter().for_each(|&input| last_reader[input] = id);
        }
        last_reader[network.output] = network.nodes.len();
        let [events, frames] = [(); 2].map(|()| Arc::new(network.nodes.iter().map(|_| OnceLock::new()).collect()));
        let params = Arc::new(network.nodes.iter().map(|_| OnceLock::new()).collect());
        let prepared = Arc::new(network.nodes.iter().map(|_| OnceLock::new()).collect());
        Self { network, params, prepared, device: device.clone(), last_reader, events, frames, dense_only: false }
    }

    /// The same program without event forms: the reference that tests compare the event kernels with.
    pub fn dense_only(self) -> Self {
        Self { dense_only: true, ..self }
    }
    /// The network this program runs.
    pub fn network(&self) -> &Arc<Network> {
        &self.network
    }
    /// The device the weights are on.
    pub fn device(&self) -> &Device {
        &self.device
    }
    /// The tensors of node `id`.
    pub fn params(&self, id: NodeId) -> &NodeParams {
        self.params[id].get_or_init(|| NodeParams::of(&self.network.nodes[id].op, &self.device))
    }
    /// The kernel of node `id`.
    pub fn prepared(&self, id: NodeId) -> &Prepared {
        self.prepared[id].get_or_init(|| Prepared::new(&self.network, id))
    }
    /// Whether [`Program::run_samples`] uses the kernels of this crate: in place of burn-flex, with which they share the
    /// processor. Other backends compute every node themselves.
    pub fn runs_on_slices(&self) -> bool {
        self.is_on(Backend::Flex)
    }
    fn is_on(&self, backend: Backend) -> bool {
        backend.device().is_ok_and(|device| device == self.device)
    }
    /// The last node that reads the value of `id`.
    pub fn last_reader(&self, id: NodeId) -> NodeId {
        self.last_reader[id]
    }

    /// The value of node `id` from its inputs, `[N, F]` each, on this program's device.
    ///
    /// On the CPU a convolution is our own operation on the storage of Burn's tensors, on burn-ndarray many times as fast as
    /// Burn's. Each sum is one chain over the taps: a neuron without spikes gets exactly its bias.
    pub fn apply(&self, id: NodeId, mut inputs: Vec<Tensor<2>>) -> Tensor<2> {
        let node = &self.network.nodes[id];
        if matches!(node.op, Op::Conv2d { .. })
            && (self.is_on(Backend::Flex) || self.is_on(Backend::Ndarray))
            && let Prepared::Convolution(_) = self.prepared(id)
            && let Some(x) = inputs.pop()
        {
            let [rows, _] = x.dims();
            return self.tensor(self.convolve(id, &tensor_to_vec(x), rows, Convolution::direct), rows);
        }
        // A fifth of the time of burn-flex's own.
        if matches!(node.op, Op::AvgPool2d { .. } | Op::MaxPool2d { .. })
            && self.runs_on_slices()
            && let Some(x) = inputs.pop()
        {
            let [rows, _] = x.dims();
            return self.tensor(self.apply_on_slices(id, &[&tensor_to_vec(x)], rows), rows);
        }
        apply_node(&self.network, node, self.params(id), inputs)
    }

    /// The network's logits for `input` `[N, F]`, shape `[N, classes]`. `observe` gets every node's value once it is
    /// computed.
    pub fn run(&self, input: Tensor<2>, mut observe: impl FnMut(NodeId, &Tensor<2>)) -> Tensor<2> {
        let Ok(logits) = self.try_run(input, |id, value| {
            observe(id, value);
            Ok::<(), Infallible>(())
        });
        logits
    }

    /// Like [`Program::run`], but stops at the first error of `observe`.
    ///
    /// # Errors
    /// The first error of `observe`.
    pub fn try_run<E>(
        &self,
        input: Tensor<2>,
        mut observe: impl FnMut(NodeId, &Tensor<2>) -> Result<(), E>,
    ) -> Result<Tensor<2>, E> {
        let mut values: Vec<Option<Tensor<2>>> = vec![None; self.network.nodes.len()];
        for (id, node) in self.network.nodes.iter().enumerate() {
            let value = match node.op {
                Op::Input => input.clone(),
                _ => {
                    let inputs: Vec<Tensor<2>> = node.inputs.iter().filter_map(|&i| values[i].clone()).collect();
                    for &i in &node.inputs {
                        if self.last_reader[i] == id {
                            values[i] = None;
                        }
                    }
                    self.apply(id, inputs)
                }
            };
            observe(id, &value)?;
            values[id] = Some(value);
        }
        Ok(values[self.network.output].take().unwrap_or(input))
    }

    /// Rows that run through the network together, so that cancelling takes effect within some milliseconds: no node
    /// takes more than 2^26 multiplications for them.
    pub fn batch_rows(&self) -> usize {
        let multiplications = |node: &Node| match &node.op {
            Op::Conv2d { weight, .. } => node.len() * weight.data.len() / weight.shape[0].max(1),
            Op::Linear { weight, .. } => weight.data.len(),
            _ => node.len(),
        };
        let max_multiplications = self.network.nodes.iter().map(multiplications).max().unwrap_or(1);
        (MAX_MULTIPLICATIONS / max_multiplications.max(1)).clamp(1, MAX_ROWS)
    }

    /// The event form of node `id`, if it has one; compiled on first use.
    pub fn event_form(&self, id: NodeId) -> Option<&EventForm> {
        let compile = || self.form_of(compile(&self.network, id)?);
        if self.dense_only { None } else { self.events[id].get_or_init(compile).as_ref() }
    }

    /// As [`Self::event_form`] where the input is frames of events: whole-number counts of spikes, one frame a step.
    pub fn frame_form(&self, id: NodeId) -> Option<&EventForm> {
        let compile = || self.form_of(compile_frames(&self.network, id)?);
        if self.dense_only { None } else { self.frames[id].get_or_init(compile).as_ref() }
    }

    fn form_of(&self, plan: SynapsePlan) -> Option<EventForm> {
        let constant = if plan.depends_on_input { Vec::new() } else { self.value_without_spikes(&plan, None) };
        let tables = plan.terms.iter().map(|_| TableCache::default()).collect();
        Some(EventForm { plan, tables, constant })
    }

    /// The value of `plan` without any spike, `[N][places][channels]`, for `input` (`[N, F]`, scaled). Without input it
    /// is computed for one sample, which is correct unless the plan depends on the input.
    pub fn value_without_spikes(&self, plan: &SynapsePlan, input: Option<Tensor<2>>) -> Vec<f32> {
        let rows = input.as_ref().map_or(1, |x| x.dims()[0]);
        let mut values: Vec<Option<Tensor<2>>> = vec![None; self.network.nodes.len()];
        for id in self.nodes_between_spikes(plan.inner) {
            let node = &self.network.nodes[id];
            values[id] = Some(match node.op {
                Op::Input => input.clone().unwrap_or_else(|| self.tensor(vec![0.0; rows * node.len()], rows)),
                Op::Activation(_) => self.tensor(vec![0.0; rows * node.len()], rows),
                _ => {
                    let inputs = node.inputs.iter().filter_map(|&i| values[i].clone()).collect();
                    self.apply(id, inputs)
                }
            });
        }
        let Some(value) = values[plan.inner].take() else { return Vec::new() };
        let Grid { channels, .. } = plan.sum;
        let places = plan.sum.places();
        let by_channel = tensor_to_vec(value);
        let mut out = vec![0.0; by_channel.len()];
        for (from, to) in by_channel.chunks(channels * places).zip(out.chunks_mut(channels * places)) {
            for (c, plane) in from.chunks(places).enumerate() {
                plane.iter().enumerate().for_each(|(p, &value)| to[p * channels + c] = value);
            }
        }
        out
    }

    /// Node `target` and all nodes on the paths to it from the input or from the next spikes upstream, in order.
    pub fn nodes_between_spikes(&self, target: NodeId) -> Vec<NodeId> {
        let mut found = vec![false; self.network.nodes.len()];
        let mut open = vec![target];
        while let Some(id) = open.pop() {
            let node = &self.network.nodes[id];
            if !std::mem::replace(&mut found[id], true) && !matches!(node.op, Op::Activation(_)) {
                open.extend(&node.inputs);
            }
        }
        (0..=target).filter(|&id| found[id]).collect()
    }

    /// Values `[N, F]` as a tensor on this program's device.
    pub fn tensor(&self, values: Vec<f32>, rows: usize) -> Tensor<2> {
        let columns = values.len().checked_div(rows).unwrap_or(0);
        Tensor::from_data(TensorData::new(values, [rows, columns]), &self.device)
    }
}
