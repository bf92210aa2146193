//! Runs the ANN on the samples and stores its logits and pre-activations.
//!
//! The spiking network is compared with these values.

use std::ops::Range;

use super::forward::{Kept, sample_places};
use super::program::Program;
use crate::Result;
use crate::network::{NodeId, Op, predicted_class};
use crate::progress::JobControl;

/// Logits and pre-activations of the ANN for the samples of a run.
#[derive(Clone, Debug, Default)]
pub struct AnnRun {
    pub samples: usize,
    pub classes: usize,
    /// `[N, classes]`
    pub logits: Vec<f32>,
    /// Pre-activation z of every spiking layer, `[N, F]` each, in network order.
    pub pre_activations: Vec<Vec<f32>>,
}

impl AnnRun {
    /// Runs the ANN on `input` (`[rows, F]`, scaled).
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`] once `control` is cancelled.
    pub fn compute(program: &Program, input: &[f32], rows: usize, control: &JobControl) -> Result<Self> {
        let mut run = Self::default();
        run.compute_again(program, input, rows, control)?;
        Ok(run)
    }

    /// Runs the ANN on `input` (`[rows, F]`, scaled) in place of what this run holds, in the same memory.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`] once `control` is cancelled; then the values mean nothing.
    pub fn compute_again(&mut self, program: &Program, input: &[f32], rows: usize, control: &JobControl) -> Result<()> {
        let network = program.network();
        let sources: Vec<NodeId> = network.activation_nodes().map(|(id, _)| network.nodes[id].inputs[0]).collect();
        self.pre_activations.resize_with(sources.len(), Vec::new);
        for (values, &id) in self.pre_activations.iter_mut().zip(&sources) {
            let len = rows * network.nodes[id].len();
            if values.is_empty() {
                // Zeroed pages from the system cost nothing until they are written.
                *values = vec![0.0; len];
            } else {
                values.resize(len, 0.0);
            }
        }
        let stored = self.pre_activations.iter_mut().zip(&sources);
        let kept =
            stored.map(|(values, &node)| Kept { node, places: sample_places(values, network.nodes[node].len()) });
        let kept: Vec<Kept> = kept.collect();
        let logits = program.run_samples_keeping(input, &kept, "running the ANN", control)?;
        drop(kept);
        (self.samples, self.classes, self.logits) = (rows, network.classes(), logits);
        Ok(())
    }

    /// This run followed by the samples of `more`, a run of the same network.
    pub fn concat(&self, more: &Self) -> Self {
        let pre_activations = self.pre_activations.iter().zip(&more.pre_activations);
        Self {
            samples: self.samples + more.samples,
            classes: self.classes,
            logits: [&self.logits[..], &more.logits[..]].concat(),
            pre_activations: pre_activations.map(|(a, b)| [&a[..], &b[..]].concat()).collect(),
        }
    }

    /// The samples `range` alone.
    pub fn part(&self, range: Range<usize>) -> Self {
        let of = |values: &Vec<f32>| {
            let width = values.len() / self.samples.max(1);
            values[range.start * width..range.end * width].to_vec()
        };
        Self {
            samples: range.len(),
            classes: self.classes,
            logits: of(&self.logits),
            pre_activations: self.pre_activations.iter().map(of).collect(),
        }
    }

    /// The ANN's logits for `sample`, `[classes]`.
    pub fn logits_of(&self, sample: usize) -> &[f32] {
        &self.logits[sample * self.classes..(sample + 1) * self.classes]
    }
    /// The class that the ANN predicts for `sample`.
    pub fn prediction(&self, sample: usize) -> usize {
        predicted_class(self.logits_of(sample))
    }
    /// The ANN's activation at pre-activation `z` of spiking layer `node`.
    pub fn activation(program: &Program, node: usize, z: f32) -> f32 {
        match program.network().nodes[node].op {
            Op::Activation(activation) => activation.apply(z),
            _ => z,
        }
    }
}
