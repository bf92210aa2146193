//! Runs the ANN on the samples and stores its logits and pre-activations.
//!
//! The spiking network is compared with these values.

use super::dense::tensor_to_vec;
use super::program::Program;
use crate::Result;
use crate::network::{Op, predicted_class};
use crate::progress::JobControl;

/// Logits and pre-activations of the ANN for the samples of a run.
#[derive(Clone, Debug)]
pub struct AnnRun {
    pub samples: usize,
    pub classes: usize,
    /// `[N, classes]`
    pub logits: Vec<f32>,
    /// Pre-activation z of every spiking layer, `[N, F]` each, in network order.
    pub pre_activations: Vec<Vec<f32>>,
}

impl AnnRun {
    /// Runs the ANN on `input` (`[rows, F]`, scaled), in batches of [`Program::batch_rows`].
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`] once `control` is cancelled.
    pub fn compute(program: &Program, input: &[f32], rows: usize, control: &JobControl) -> Result<Self> {
        let network = program.network();
        let width = input.len().checked_div(rows).unwrap_or(0);
        let sources: Vec<_> = network.activation_nodes().map(|(id, _)| network.nodes[id].inputs[0]).collect();
        let mut run = Self {
            samples: rows,
            classes: network.classes(),
            logits: Vec::with_capacity(rows * network.classes()),
            pre_activations: vec![Vec::new(); sources.len()],
        };
        let block = program.batch_rows();
        for start in (0..rows).step_by(block) {
            control.progress("running the ANN", start as f32 / rows as f32);
            let end = (start + block).min(rows);
            let x = program.tensor(input[start * width..end * width].to_vec(), end - start);
            let logits = program.try_run(x, |id, value| {
                for (k, _) in sources.iter().enumerate().filter(|(_, source)| **source == id) {
                    run.pre_activations[k].extend(tensor_to_vec(value.clone()));
                }
                control.check()
            })?;
            run.logits.extend(tensor_to_vec(logits));
        }
        Ok(run)
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
