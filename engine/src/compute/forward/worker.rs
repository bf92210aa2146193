//! Memory of one worker, and the steps of a forward pass on it.

use std::collections::HashSet;

use super::kept::Kept;
use super::operations::apply;
use super::schedule::{Schedule, Segment, Step, Value};
use crate::Result;
use crate::compute::convolution::Epilogue;
use crate::compute::convolution::epilogue::KeepAndActivate;
use crate::compute::convolution::prepared::MAX_INPUT;
use crate::compute::prepared::Prepared;
use crate::compute::program::Program;
use crate::compute::simd::dispatch;
use crate::network::{NodeId, Op};
use crate::progress::JobControl;

/// The values of one worker.
#[derive(Debug)]
pub struct Worker {
    buffers: Vec<Vec<f32>>,
    /// For every buffer and sample whether all values are known to be at most [`MAX_INPUT`].
    small: Vec<Vec<bool>>,
    packed: Vec<f32>,
}

/// Some consecutive samples of a run.
pub struct Group<'a, 'k> {
    pub program: &'a Program,
    pub schedule: &'a Schedule,
    /// The nodes that are observed or kept.
    pub targets: &'a HashSet<NodeId>,
    /// Those that are observed.
    pub observed: &'a HashSet<NodeId>,
    pub kept: &'a [Kept<'k>],
    /// `[samples, F]`, scaled
    pub input: &'a [f32],
    /// Index of the first of them.
    pub first: usize,
    pub samples: usize,
    pub control: &'a JobControl,
}

impl Worker {
    /// Memory for `schedule`.
    pub fn new(schedule: &Schedule) -> Self {
        let samples = |grouped: bool| if grouped { schedule.group } else { 1 };
        let buffers = schedule.buffers.iter().map(|buffer| vec![0.0; buffer.len * samples(buffer.grouped)]).collect();
        let small = schedule.buffers.iter().map(|buffer| vec![false; samples(buffer.grouped)]).collect();
        Self { buffers, small, packed: Vec::new() }
    }

    /// Runs a group of samples. `observe(node, sample, values)` gets the values of every node once they are computed;
    /// those of one sample, `[F]`. It may replace them.
    pub fn run(
        &mut self,
        group: &Group,
        mut observe: impl FnMut(NodeId, usize, &mut [f32]) -> Result<()>,
    ) -> Result<()> {
        for Segment { grouped, steps } in &group.schedule.segments {
            let parts = if *grouped { 1 } else { group.samples };
            let samples = if *grouped { group.samples } else { 1 };
            for part in 0..parts {
                for step in steps {
                    group.control.check()?;
                    self.step(group, step, part * samples..(part + 1) * samples, &mut observe)?;
                }
            }
        }
        Ok(())
    }

    /// Computes `step` for some samples of the group.
    fn step(
        &mut self,
        group: &Group,
        step: &Step,
        samples: std::ops::Range<usize>,
        observe: &mut impl FnMut(NodeId, usize, &mut [f32]) -> Result<()>,
    ) -> Result<()> {
        let place = |value: &Value| {
            let first = if value.grouped { samples.start } else { 0 };
            first * value.len..(first + samples.len()) * value.len
        };
        let Some(target) = step.output.buffer else { return Ok(()) };
        let mut memory = std::mem::take(&mut self.buffers[target]);
        let out = &mut memory[place(&step.output)];
        let read = |value: &Value| match value.buffer {
            Some(buffer) => self.buffers[buffer].get(place(value)).unwrap_or_default(),
            None => &group.input[place(value)],
        };
        let inputs: Vec<&[f32]> = step.inputs.iter().skip(usize::from(step.in_place)).map(read).collect();
        let network = group.program.network();
        let node = &network.nodes[step.node];
        // The value before the activation is observed only if someone asked for it; then it must be there.
        let between = step.activation.is_some_and(|_| group.targets.contains(&step.before_activation));
        let mut activation = step.activation.map(|(_, activation)| activation);
        match (&node.op, group.program.prepared(step.node)) {
            (Op::Conv2d { bias, .. }, Prepared::Convolution(convolution)) => {
                let epilogue = Epilogue {
                    bias: bias.as_ref().map_or(&[], |bias| bias.data.as_slice()),
                    residual: step.residual.as_ref().map(read),
                    activation: if between { None } else { activation.take() },
                };
                let is_small = step.inputs.first().is_some_and(|value| self.is_small(value, &samples));
                let x = inputs.first().copied().unwrap_or_default();
                convolution.forward_known(x, samples.len(), is_small, epilogue, out);
            }
            (Op::Linear { .. }, Prepared::Linear(linear)) => {
                let x = inputs.first().copied().unwrap_or_default();
                linear.forward(x, samples.len(), &mut self.packed, out);
            }
            _ => apply(group.program, step.node, &inputs, samples.len(), out),
        }
        let mut tell = |node: NodeId, out: &mut [f32]| {
            let values = out.chunks_mut(step.output.len.max(1));
            values.enumerate().try_for_each(|(k, values)| observe(node, group.first + samples.start + k, values))
        };
        let mut kept = group.kept.iter().filter(|kept| kept.node == step.before_activation);
        let kept = match (kept.next(), kept.next()) {
            (Some(kept), None) if activation.is_some() && !group.observed.contains(&kept.node) => Some(kept),
            _ => None,
        };
        if kept.is_none() && (between || step.activation.is_none()) {
            tell(step.before_activation, out)?;
        }
        let first_small = if step.output.grouped { samples.start } else { 0 };
        for (k, values) in out.chunks_mut(step.output.len.max(1)).enumerate() {
            let is_small = activation.is_some_and(|activation| {
                let mut place = kept.and_then(|kept| kept.places[group.first + samples.start + k].lock().ok());
                let keep = place.as_mut().map(|place| &mut ***place);
                dispatch(KeepAndActivate { activation, values, keep, limit: MAX_INPUT })
            });
            // Who observes the activations may replace them.
            let is_fixed = step.activation.is_some_and(|(node, _)| !group.targets.contains(&node));
            self.small[target][first_small + k] = is_small && is_fixed;
        }
        if let Some((node, _)) = step.activation {
            tell(node, out)?;
        }
        self.buffers[target] = memory;
        Ok(())
    }

    /// Whether `value` of `samples` is known to have no value above [`MAX_INPUT`].
    fn is_small(&self, value: &Value, samples: &std::ops::Range<usize>) -> bool {
        let Some(buffer) = value.buffer else { return false };
        let first = if value.grouped { samples.start } else { 0 };
        self.small[buffer].get(first..first + samples.len()).is_some_and(|small| small.iter().all(|&small| small))
    }
}
