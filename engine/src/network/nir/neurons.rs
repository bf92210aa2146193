//! Neurons of a NIR file as clips and scales of the project's graph, with exact potentials where floats allow it.
//!
//! A neuron with the threshold θ and the gain g = r·dt emits spikes of amplitude 1. Two forms do so; the first that rounds
//! nothing is used.
//!
//! - A scale of g/θ and a clip at 1, if g/θ has at most 12 binary digits: products with weights of as many are exact.
//! - A scale of g, a clip at θ, and a scale s behind the spikes with θ·s = 1 in floats, if all neurons have one θ.
//!
//! Neurons for which neither is exact are read in the first form, with a note where weights are short.

use super::build::GraphBuilder;
use super::items::FileNode;
use crate::Result;
use crate::network::{Activation, NodeId, Op, Weights};

impl GraphBuilder<'_> {
    /// Adds integrate-and-fire neurons as scales and a clip, or an integrator at the output as a scale.
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
        let shape = |values: &[f32]| if values.len() == 1 { vec![1] } else { self.nodes[source].shape.clone() };
        let scale: Vec<f32> = (0..count).map(|at| value_at(&gain, at) / value_at(&threshold, at)).collect();
        let theta = threshold.first().copied().unwrap_or(1.0);
        let is_divided = (0..count).all(|at| scale[at] * value_at(&threshold, at) == value_at(&gain, at));
        let is_exact = is_divided && scale.iter().all(is_short);
        let has_one_theta = threshold.iter().all(|&other| other == theta);
        let unit = inverse(theta).filter(|_| has_one_theta && !is_exact && !is_power_of_two(theta));
        if !(is_exact || unit.is_some() && gain.iter().all(is_short)) && self.reads_short_weights(source) {
            self.notes.push(rounding_note(name, &gain, if unit.is_some() { &[] } else { &threshold }));
        }
        let Some(unit) = unit else {
            let scale = Weights::new(shape(&scale), scale);
            let scaled = self.add_scale(&format!("{name}.scale"), "r", &scale, source)?;
            return self.push(name, Op::Activation(Activation::Clip { lambda: 1.0 }), vec![scaled], &[]);
        };
        let gain = Weights::new(shape(&gain), gain);
        let scaled = self.add_scale(&format!("{name}.scale"), "r", &gain, source)?;
        let spikes = self.push(name, Op::Activation(Activation::Clip { lambda: theta }), vec![scaled], &[])?;
        let scale = Op::Affine { scale: vec![unit], shift: vec![0.0] };
        self.push(&format!("{name}.spikes"), scale, vec![spikes], &[])
    }

    /// Whether all weights whose outputs add up to the value of `source` are short, so that potentials are exact and may lie
    /// exactly at a threshold.
    fn reads_short_weights(&self, source: NodeId) -> bool {
        let are_short = |weights: &Weights| weights.data.iter().all(is_short);
        let (mut open, mut seen) = (vec![source], vec![false; self.nodes.len()]);
        while let Some(id) = open.pop() {
            if std::mem::replace(&mut seen[id], true) {
                continue;
            }
            match &self.nodes[id].op {
                Op::Linear { weight, bias } | Op::Conv2d { weight, bias, .. } => {
                    if !are_short(weight) || !bias.as_ref().is_none_or(are_short) {
                        return false;
                    }
                }
                Op::Activation(_) => {}
                _ => open.extend(&self.nodes[id].inputs),
            }
        }
        true
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
}

fn is_power_of_two(factor: f32) -> bool {
    factor.is_normal() && factor.to_bits() & 0x007f_ffff == 0
}

/// Whether `number` has at most 12 binary digits: the product of two such numbers is exact.
fn is_short(number: &f32) -> bool {
    number.to_bits() & 0xfff == 0
}

/// The float s with θ·s = 1 in floats: 1/θ or a neighbor of it. About 1 in 20 thresholds have none.
fn inverse(theta: f32) -> Option<f32> {
    let nearest = 1.0 / theta;
    [nearest, nearest.next_down(), nearest.next_up()].into_iter().find(|s| s.is_normal() && theta * s == 1.0)
}

/// The note on neurons whose potentials are rounded, though the weights are not.
fn rounding_note(name: &str, gain: &[f32], threshold: &[f32]) -> String {
    let odd = |values: &[f32]| values.iter().copied().find(|value| !is_power_of_two(*value));
    let what = match (odd(threshold), odd(gain)) {
        (Some(theta), _) => format!("v_threshold {theta} is no power of two: weights are divided by it"),
        (None, gain) => format!("r·dt = {} is no power of two: weights are multiplied by it", gain.unwrap_or(1.0)),
    };
    format!(
        "'{name}': {what} and rounded, so a potential that is exactly at the threshold may count as above or below it. Powers of \
         two give exact counts"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inverse_of_a_threshold_is_exact_or_none() {
        for theta in [0.3, 0.5, 0.7, 3.0, 7.0, 10.0, 48.0, 100.0, 127.0] {
            assert_eq!(inverse(theta).map(|s| s * theta), Some(1.0), "{theta}");
        }
        assert_eq!((inverse(55.0), inverse(f32::MIN_POSITIVE / 4.0)), (None, None));
    }
}
