//! Neurons and factors of a NIR file as scales and clips of the project's graph.

use super::build::GraphBuilder;
use super::items::FileNode;
use crate::Result;
use crate::error::format_shape;
use crate::network::{Activation, NodeId, Op, Weights};

impl GraphBuilder<'_> {
    /// Adds integrate-and-fire neurons as a scale of r·dt/θ and a clip at 1, or an integrator at the output as a scale.
    pub(super) fn add_neurons(&mut self, index: usize, source: NodeId) -> Result<NodeId> {
        let (reader, FileNode { name, kind, group, .. }) = (self.reader, self.item(index));
        let gain = if kind == "LIF" { self.gain_without_leak(index)? } else { self.gain(index)? };
        if kind == "I" {
            if !self.is_readout(index) {
                let reason = "(I) integrates without spikes within the network; only at the output is it supported";
                return Err(reader.fail(name, reason));
            }
            self.notes.push(format!(
                "'{name}' integrates the output without spikes; its mean input per step is shown. After T steps its potential \
                 is T times as large"
            ));
            return self.add_scale(name, "r", &gain, source);
        }
        let threshold = reader.read_floats(group, name, "v_threshold")?;
        if let Some(theta) = threshold.data.iter().find(|theta| **theta <= 0.0) {
            return Err(reader.fail(name, format!("a threshold is {theta}; it must be above 0")));
        }
        if group.dataset("v_reset").is_ok()
            && reader.read_floats(group, name, "v_reset")?.data.iter().any(|&v| v != 0.0)
        {
            return Err(reader.fail(name, "resets to a potential other than 0, which is not supported"));
        }
        let threshold = self.spread(name, "v_threshold", &threshold, source)?;
        let gain = self.spread(name, "r", &gain, source)?;
        let value_at = |v: &[f32], at: usize| if v.len() == 1 { v[0] } else { v[at] };
        let count = threshold.len().max(gain.len());
        let scale = (0..count).map(|at| value_at(&gain, at) / value_at(&threshold, at)).collect();
        let shape = if count == 1 { vec![1] } else { self.nodes[source].shape.clone() };
        let scaled = self.add_scale(&format!("{name}.scale"), "r", &Weights::new(shape, scale), source)?;
        self.push(name, Op::Activation(Activation::Clip { lambda: 1.0 }), vec![scaled], &[])
    }

    /// r·dt of node `index`.
    fn gain(&self, index: usize) -> Result<Weights> {
        let FileNode { name, group, .. } = self.item(index);
        let r = self.reader.read_floats(group, name, "r")?;
        Ok(Weights::new(
            r.shape.clone(),
            r.data.iter().map(|&r| self.time_step.map_or(r, |step| step.gain(r))).collect(),
        ))
    }

    /// r·dt of LIF neurons without leak, that is, with an infinite time constant.
    fn gain_without_leak(&mut self, index: usize) -> Result<Weights> {
        let (reader, FileNode { name, group, .. }) = (self.reader, self.item(index));
        let tau = reader.read_numbers(group, name, "tau")?;
        if let Some(tau) = tau.data.iter().find(|tau| **tau != f32::INFINITY) {
            let reason = format!("(LIF) its neurons leak (tau = {tau}); only IF neurons (without leak) are supported");
            return Err(reader.fail(name, reason));
        }
        let r = reader.read_numbers(group, name, "r")?;
        if r.data.iter().all(|&r| r == f32::INFINITY) {
            self.notes.push(format!(
                "'{name}' has LIF neurons with infinite tau and r: they do not leak, and are read as IF neurons that add their \
                 input once per step"
            ));
            return Ok(Weights::new(r.shape.clone(), vec![1.0; r.data.len()]));
        }
        self.notes.push(format!(
            "'{name}' has LIF neurons with an infinite tau: they do not leak, and are read as IF neurons with the same r. \
             Taken by the letter, r/tau = 0, they would never fire"
        ));
        self.gain(index)
    }

    /// Adds a product with `factors`: one, one per channel or one per value. All ones need no node.
    pub(super) fn add_scale(&mut self, name: &str, field: &str, factors: &Weights, source: NodeId) -> Result<NodeId> {
        let spread = self.spread(name, field, factors, source)?;
        let shape = self.nodes[source].shape.clone();
        let (channels, all) = (shape.first().copied().unwrap_or(1), self.nodes[source].len());
        if spread.iter().all(|&factor| factor == 1.0) {
            return Ok(source);
        }
        let first = spread.first().copied().unwrap_or(1.0);
        if spread.iter().all(|&factor| factor == first) {
            return self.push(name, Op::Affine { scale: vec![first], shift: vec![0.0] }, vec![source], &[]);
        }
        let plane = (all / channels.max(1)).max(1);
        let planes = spread.chunks(plane);
        if planes.clone().all(|plane| plane.iter().all(|&factor| factor == plane[0])) {
            let scale: Vec<f32> = planes.map(|plane| plane[0]).collect();
            let shift = vec![0.0; scale.len()];
            return self.push(name, Op::Affine { scale, shift }, vec![source], &[]);
        }
        // One per value: of a vector, each is a channel.
        let flat = self.push(&format!("{name}.flat"), Op::Reshape, vec![source], &[all])?;
        let shift = vec![0.0; spread.len()];
        let scaled = self.push(name, Op::Affine { scale: spread, shift }, vec![flat], &[])?;
        self.push(&format!("{name}.unflat"), Op::Reshape, vec![scaled], &shape)
    }

    /// `values` for every value of `source`, or one for all. They are stated once, per channel, or per value.
    fn spread(&self, name: &str, field: &str, values: &Weights, source: NodeId) -> Result<Vec<f32>> {
        let shape = &self.nodes[source].shape;
        let (channels, all) = (shape.first().copied().unwrap_or(1), self.nodes[source].len());
        if values.data.len() == 1 {
            return Ok(values.data.to_vec());
        }
        // Leading ones are a batch.
        let mut stated = values.shape.as_slice();
        while stated.len() > shape.len() && stated.first() == Some(&1) {
            stated = &stated[1..];
        }
        let is_per_channel = stated.first() == Some(&channels) && stated[1..].iter().all(|&n| n == 1);
        if stated == shape.as_slice() {
            return Ok(values.data.to_vec());
        }
        if is_per_channel {
            let plane = all / channels.max(1);
            return Ok(values.data.iter().flat_map(|&value| std::iter::repeat_n(value, plane)).collect());
        }
        Err(self.reader.fail(
            name,
            format!("its '{field}' has shape {} for neurons of {}", format_shape(&values.shape), format_shape(shape)),
        ))
    }
}
