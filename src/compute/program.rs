//! Runs a [`Network`] on a Burn device, node after node, with one tensor function per operation ([`super::dense`]).
//!
//! The event form of the same operations is [`super::event`]; a program makes it where it is asked for.
//!
//! Every value is a `Tensor<2>` of shape `[N, F]`, F being the flattened sample shape; the first dimension is the batch,
//! or time and batch folded together (`[T·N, F]`). Shapes were checked when the network was read, so nothing here fails.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};

use burn::tensor::{Device, Tensor, TensorData};

use super::dense::{NodeParams, apply_node, tensor_to_vec};
use super::event::lookup_table::TableCache;
use super::event::{Grid, SynapsePlan, compile};
use crate::network::{Network, Node, NodeId, Op};

/// Multiplications of one node in one go, about five milliseconds on one core, so that work is stopped soon.
const STRETCH: usize = 1 << 26;
/// The most rows in one go.
const ROWS: usize = 64;

/// A network with its weights on a device, ready to run.
#[derive(Clone, Debug)]
pub struct Program {
    network: Arc<Network>,
    params: Vec<NodeParams>,
    device: Device,
    /// For every node, the last node that reads it: its value is dropped there.
    last_reader: Vec<NodeId>,
    /// The event form of every node that was asked for.
    events: Arc<Vec<OnceLock<Option<EventForm>>>>,
    /// Whether event forms are left unused.
    dense_only: bool,
}

/// A node in event form.
#[derive(Debug)]
pub struct EventForm {
    pub plan: SynapsePlan,
    /// Lookup tables of the feed's terms, in their order.
    pub tables: Vec<TableCache>,
    /// Its value without spikes, `[places][channels]` of the feed's inner grid; empty where it depends on the sample.
    pub constant: Vec<f32>,
}

impl Program {
    /// Puts the weights of `network` on `device`.
    pub fn new(network: Arc<Network>, device: &Device) -> Self {
        let params = network.nodes.iter().map(|node| NodeParams::of(&node.op, device)).collect();
        let mut last_reader: Vec<NodeId> = (0..network.nodes.len()).collect();
        for (id, node) in network.nodes.iter().enumerate() {
            node.inputs.iter().for_each(|&input| last_reader[input] = id);
        }
        last_reader[network.output] = network.nodes.len();
        let events = Arc::new(network.nodes.iter().map(|_| OnceLock::new()).collect());
        Self { network, params, device: device.clone(), last_reader, events, dense_only: false }
    }

    /// The same program on dense tensors only: what the event kernels are compared with.
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
        &self.params[id]
    }
    /// The last node that reads the value of `id`.
    pub fn last_reader(&self, id: NodeId) -> NodeId {
        self.last_reader[id]
    }

    /// The network's answer for `input` `[N, F]`, shape `[N, classes]`. `observe` sees every node's value as it is made.
    pub fn run(&self, input: Tensor<2>, mut observe: impl FnMut(NodeId, &Tensor<2>)) -> Tensor<2> {
        let Ok(answer) = self.try_run(input, |id, value| {
            observe(id, value);
            Ok::<(), Infallible>(())
        });
        answer
    }

    /// The same, ended by the first error of `observe`.
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
                    apply_node(&self.network, node, &self.params[id], inputs)
                }
            };
            observe(id, &value)?;
            values[id] = Some(value);
        }
        Ok(values[self.network.output].take().unwrap_or(input))
    }

    /// Rows that go through the network together where work is to be stopped within some milliseconds: no node takes more
    /// than 2^26 multiplications for them.
    pub fn batch_rows(&self) -> usize {
        let multiplications = |node: &Node| match &node.op {
            Op::Conv2d { weight, .. } => node.len() * weight.data.len() / weight.shape[0].max(1),
            Op::Linear { weight, .. } => weight.data.len(),
            _ => node.len(),
        };
        let most = self.network.nodes.iter().map(multiplications).max().unwrap_or(1);
        (STRETCH / most.max(1)).clamp(1, ROWS)
    }

    /// The event form of node `id`, where it has one; made when it is first asked for.
    pub fn event_form(&self, id: NodeId) -> Option<&EventForm> {
        if self.dense_only {
            return None;
        }
        let make = || {
            let feed = compile(&self.network, id)?;
            let constant = if feed.depends_on_input { Vec::new() } else { self.value_without_spikes(&feed, None) };
            let tables = feed.terms.iter().map(|_| TableCache::default()).collect();
            Some(EventForm { plan: feed, tables, constant })
        };
        self.events[id].get_or_init(make).as_ref()
    }

    /// What `plan` adds up to without any spike, `[N][places][channels]`, for `input` (`[N, F]`, scaled). Without input one
    /// sample, which is right where the feed is not analog.
    pub fn value_without_spikes(&self, feed: &SynapsePlan, input: Option<Tensor<2>>) -> Vec<f32> {
        let rows = input.as_ref().map_or(1, |x| x.dims()[0]);
        let mut values: Vec<Option<Tensor<2>>> = vec![None; self.network.nodes.len()];
        for id in self.nodes_between_spikes(feed.inner) {
            let node = &self.network.nodes[id];
            values[id] = Some(match node.op {
                Op::Input => input.clone().unwrap_or_else(|| self.tensor(vec![0.0; rows * node.len()], rows)),
                Op::Activation(_) => self.tensor(vec![0.0; rows * node.len()], rows),
                _ => {
                    let inputs = node.inputs.iter().filter_map(|&i| values[i].clone()).collect();
                    apply_node(&self.network, node, &self.params[id], inputs)
                }
            });
        }
        let Some(value) = values[feed.inner].take() else { return Vec::new() };
        let Grid { channels, .. } = feed.sum;
        let places = feed.sum.places();
        let by_channel = tensor_to_vec(value);
        let mut out = vec![0.0; by_channel.len()];
        for (from, to) in by_channel.chunks(channels * places).zip(out.chunks_mut(channels * places)) {
            for (c, plane) in from.chunks(places).enumerate() {
                plane.iter().enumerate().for_each(|(p, &value)| to[p * channels + c] = value);
            }
        }
        out
    }

    /// Node `target` and all nodes on the ways to it from the input or from the next spikes upstream, in order.
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

    /// `[N, F]` numbers as a tensor on this program's device.
    pub fn tensor(&self, values: Vec<f32>, rows: usize) -> Tensor<2> {
        let columns = values.len().checked_div(rows).unwrap_or(0);
        Tensor::from_data(TensorData::new(values, [rows, columns]), &self.device)
    }
}
