//! Scores of a network on samples held out, and the best weights by them.

use std::sync::Arc;

use burn::tensor::Device;

use super::result::TrainResult;
use crate::compute::dense::tensor_to_vec;
use crate::compute::program::Program;
use crate::data::{Samples, Scaling};
use crate::network::Network;
use crate::progress::JobControl;
use crate::train::augment::Change;
use crate::train::batches::{gather, gather_steps};
use crate::train::classification::Classification;
use crate::train::objective::Objective;
use crate::train::spiking::Spiking;
use crate::train::trainable_network::{Pass, TrainableNetwork, logits_node};
use crate::{Error, Result};

/// Rows per batch when the network is only evaluated, at most.
const EVALUATION_ROWS: usize = 256;
/// Input values per batch when the network is only evaluated, at most, 8 MB.
const EVALUATION_VALUES: usize = 1 << 21;

/// The fraction of `samples` whose label `network` predicts.
///
/// # Errors
/// [`Error::Invalid`] if samples, labels, scaling and network do not fit.
pub fn accuracy(network: &Network, samples: &Samples, scaling: &Scaling) -> Result<f32> {
    score(network, samples, scaling, &Classification)
}

/// The score of `network` on `samples` by `objective`.
///
/// # Errors
/// [`Error::Invalid`] if samples, targets, scaling and network do not fit.
pub fn score(network: &Network, samples: &Samples, scaling: &Scaling, objective: &dyn Objective) -> Result<f32> {
    objective.check(network, samples)?;
    samples.check_scaling(scaling)?;
    let all: Vec<usize> = (0..samples.len()).collect();
    if let spiking @ Some(_) = Spiking::of(network) {
        let device = Device::flex().autodiff();
        let mut frozen = TrainableNetwork::frozen(Arc::new(network.clone()), device, spiking);
        return spiking_score_at(&mut frozen, samples, scaling, objective, &all);
    }
    score_at(network, samples, scaling, objective, &all)
}

/// The best weights so far, and what judges them.
pub(in crate::train) struct Best<'a> {
    pub found: Option<TrainResult>,
    pub objective: &'a dyn Objective,
    pub samples: &'a Samples,
    pub scaling: &'a Scaling,
    pub spiking: Option<Spiking>,
}

impl Best<'_> {
    /// Scores the current weights and stores them if they are best; of equals the later ones, from the smaller learning
    /// rate.
    pub fn offer(&mut self, trainee: &mut TrainableNetwork, held_out: &[usize], epoch: usize) -> Result<f32> {
        let network = trainee.to_network();
        let score = match self.spiking {
            Some(_) => spiking_score_at(trainee, self.samples, self.scaling, self.objective, held_out)?,
            None => score_at(&network, self.samples, self.scaling, self.objective, held_out)?,
        };
        if self.found.as_ref().is_none_or(|best| score >= best.score) {
            self.found = Some(TrainResult { network, score, epoch, stopped: false });
        }
        Ok(score)
    }

    /// Epochs since the best weights.
    pub fn waited(&self, epoch: usize) -> usize {
        self.found.as_ref().map_or(0, |best| epoch.saturating_sub(best.epoch))
    }

    pub fn finish(self, stopped: bool) -> Result<TrainResult> {
        let best =
            self.found.ok_or_else(|| Error::Internal("a training ended before it looked at its weights".into()))?;
        Ok(TrainResult { stopped, ..best })
    }
}

/// Samples that are evaluated at once.
pub(in crate::train) fn evaluation_rows(samples: &Samples) -> usize {
    (EVALUATION_VALUES / samples.sample_len().max(1)).clamp(1, EVALUATION_ROWS)
}

fn score_at(
    network: &Network,
    samples: &Samples,
    scaling: &Scaling,
    objective: &dyn Objective,
    indices: &[usize],
) -> Result<f32> {
    // Scores are those of the logits; nodes after them are computed and ignored.
    let logits = Network { output: logits_node(network), ..network.clone() };
    let program = Program::new(Arc::new(logits), &Device::flex());
    let width = program.network().classes().max(1);
    let run = |chunk: &[usize]| {
        let batch = gather(samples, scaling, chunk, Change::default);
        match program.outputs(&batch.values, &JobControl::default()) {
            Ok(outputs) => chunk.iter().copied().zip(outputs.chunks_exact(width).map(<[f32]>::to_vec)).collect(),
            Err(error) => unreachable!("nothing cancels the evaluation: {error}"),
        }
    };
    let mut outputs =
        indices.chunks(evaluation_rows(samples)).flat_map(|chunk| -> Vec<(usize, Vec<f32>)> { run(chunk) });
    objective.score(&mut outputs, samples)
}

/// The score of `trainee` as a spiking network.
fn spiking_score_at(
    trainee: &mut TrainableNetwork,
    samples: &Samples,
    scaling: &Scaling,
    objective: &dyn Objective,
    indices: &[usize],
) -> Result<f32> {
    let steps = trainee.steps_of_time();
    let run = |chunk: &[usize]| -> Vec<(usize, Vec<f32>)> {
        let batch = gather_steps(samples, scaling, chunk, steps, Change::default);
        let input = trainee.input(batch.values);
        let logits = tensor_to_vec(trainee.forward(input, batch.rows, Pass::Use).detach());
        let width = (logits.len() / chunk.len()).max(1);
        chunk.iter().copied().zip(logits.chunks_exact(width).map(<[f32]>::to_vec)).collect()
    };
    let rows = evaluation_rows(samples).min(EVALUATION_ROWS / 4);
    let mut outputs = indices.chunks(rows).flat_map(run);
    objective.score(&mut outputs, samples)
}
