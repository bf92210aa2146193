//! Slices, pads and joined channels in the NIR writer: pending until a convolution moves the values.

use super::selection_conv::ChannelSelection;
use super::writer::{Writer, WrittenValue};
use crate::network::NodeId;
use crate::network::nir::NirOp;

impl Writer<'_> {
    /// `value` with a convolution for its pending selection.
    pub(super) fn materialize(&mut self, value: WrittenValue, name: &str) -> Result<WrittenValue, String> {
        let Some(selection) = &value.selection else { return Ok(value) };
        let kind = selection.convolution(&value.scales)?;
        let NirOp::Conv2d { weight, .. } = &kind else { return Err("is not a convolution".into()) };
        let channels = weight.shape[0];
        let name = self.add(&format!("{name}_moved"), kind, &value, Vec::new());
        Ok(WrittenValue { sources: vec![name], scales: vec![1.0; channels], selection: None })
    }

    /// Adds an image's slice or padding to the pending selection, for the node that reads it.
    pub(super) fn add_selection(&mut self, id: NodeId, value: WrittenValue) -> Result<WrittenValue, String> {
        let network = self.network;
        let node = &network.nodes[id];
        let from = |shape: &[usize]| {
            <[usize; 3]>::try_from(shape).map_err(|_| "moves values that are not an image".to_owned())
        };
        let pending = value.selection.clone();
        let extended = pending.and_then(|selection| selection.then(&node.op));
        if let Some(selection) = extended {
            return Ok(WrittenValue { selection: Some(selection), ..value });
        }
        let shape = from(&network.nodes[node.inputs[0]].shape)?;
        let value = self.materialize(value, &node.name)?;
        let selection = ChannelSelection::all(shape)
            .then(&node.op)
            .ok_or_else(|| format!("NIR has no node for '{}'", node.kind_name()))?;
        Ok(WrittenValue { selection: Some(selection), ..value })
    }

    /// Joins images along the channels; each is placed among the channels by its own convolution.
    pub(super) fn join_channels(
        &mut self,
        id: NodeId,
        values: &[Option<WrittenValue>],
    ) -> Result<WrittenValue, String> {
        let network = self.network;
        let node = &network.nodes[id];
        let (mut sources, mut at) = (Vec::new(), 0);
        for k in 0..node.inputs.len() {
            let shape = network.nodes[node.inputs[k]].shape.as_slice();
            let Ok(from) = <[usize; 3]>::try_from(shape) else { return Err("NIR has no node that joins lists".into()) };
            let part = self.input(node, k, values)?;
            let selection = Some(ChannelSelection::all(from).into_channels(at, node.shape[0]));
            at += from[0];
            let part = self.materialize(WrittenValue { selection, ..part }, &format!("{}_{k}", node.name))?;
            sources.extend(part.sources);
        }
        Ok(WrittenValue { sources, scales: vec![1.0; node.shape[0]], selection: None })
    }
}
