//! The training loop: epochs, batches, validation, and the best weights.
//!
//! Does not depend on the window and starts no threads of its own besides rayon's. Network, samples and
//! [`TrainOptions`] determine the result: the same call gives the same weights on the same machine.

use std::ops::ControlFlow;
use std::sync::Arc;

use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::Device;

use super::augment::{Augmentation, Change};
use super::batches::{Batch, Split, gather};
use super::classification::Classification;
use super::objective::{Loss, Objective};
use super::optimizer::{Optimizer, cosine};
use super::trainable_network::{TrainableNetwork, logits_node};
use crate::compute::program::Program;
use crate::data::{Samples, Scaling};
use crate::network::Network;
use crate::progress::JobControl;
use crate::{Error, Result};

/// Rows per batch when the network is only evaluated, at most.
const EVALUATION_ROWS: usize = 256;
/// Input values per batch when the network is only evaluated, at most, 8 MB.
const EVALUATION_VALUES: usize = 1 << 21;

/// Options of training.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainOptions {
    /// Passes over the training samples.
    pub epochs: usize,
    /// Samples per step.
    pub batch: usize,
    pub optimizer: Optimizer,
    /// The learning rate at the start; it falls to 0 along half a cosine.
    pub learning_rate: f64,
    /// L2 penalty on every parameter.
    pub weight_decay: f32,
    /// Fraction of the samples that is held out to choose the best weights.
    pub validation_fraction: f32,
    /// Random changes of each training picture.
    pub augmentation: Augmentation,
    /// Seed of the split, the order and the changes.
    pub seed: u64,
}

impl Default for TrainOptions {
    fn default() -> Self {
        let optimizer = Optimizer::default();
        Self {
            epochs: 10,
            batch: 64,
            optimizer,
            learning_rate: optimizer.default_learning_rate(),
            weight_decay: 0.0,
            validation_fraction: 0.1,
            augmentation: Augmentation::default(),
            seed: 1,
        }
    }
}

/// Progress of a training, reported after every batch and, with the score held out, after every epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrainProgress {
    /// From 1 to `epochs`.
    pub epoch: usize,
    pub epochs: usize,
    /// From 1 to `batches`.
    pub batch: usize,
    pub batches: usize,
    /// Mean loss over this epoch so far; cross-entropy in nats.
    pub loss: f32,
    /// Fraction of this epoch's samples (or pixels) so far that were predicted correctly, before the step that learned from
    /// them; `None` for losses without predictions.
    pub accuracy: Option<f32>,
    /// Score of the held-out samples, at the end of an epoch.
    pub score: Option<f32>,
}

/// Result of a training.
#[derive(Clone, Debug)]
pub struct TrainResult {
    /// The network with the best weights seen, by the score of the held-out samples.
    pub network: Network,
    /// Its score there.
    pub score: f32,
    /// The epoch of these weights, from 1.
    pub epoch: usize,
    /// True when the caller stopped it.
    pub stopped: bool,
}

/// Trains `network` on `samples`, scaled by `scaling` (which the result stores, with the class names), for `objective`.
/// `progress` can stop it with `ControlFlow::Break`; the best weights so far are returned.
///
/// # Errors
/// [`Error::Invalid`] if samples, targets and network do not fit, if an option is out of range, and if the loss is no
/// longer finite.
pub fn train(
    network: &Network,
    samples: &Samples,
    scaling: &Scaling,
    options: &TrainOptions,
    objective: &dyn Objective,
    mut progress: impl FnMut(TrainProgress) -> ControlFlow<()>,
) -> Result<TrainResult> {
    objective.check(network, samples)?;
    samples.check_scaling(scaling)?;
    check_options(options, samples)?;
    let mut network = network.clone();
    network.scaling = Some(scaling.clone());
    if !objective.class_names(samples).is_empty() {
        network.class_names = objective.class_names(samples).to_vec();
    }
    let mut split = Split::new(samples.len(), options.validation_fraction, options.seed);
    let first = &split.training[..split.training.len().min(evaluation_rows(samples))];
    let first = gather(samples, scaling, first, Change::default);
    let device = Device::flex().autodiff();
    let mut trainee = TrainableNetwork::new(Arc::new(network), device, first.values, first.rows);
    let mut optimizer = options.optimizer.init(options.weight_decay);
    let batches = split.training.len().div_ceil(options.batch);
    let mut best = Best { found: None, objective, samples, scaling };
    for epoch in 1..=options.epochs {
        split.shuffle();
        let order = split.training.clone();
        let (mut loss_sum, mut hits, mut counted, mut seen) = (0.0, 0, 0, 0);
        let mut state =
            TrainProgress { epoch, epochs: options.epochs, batch: 0, batches, loss: 0.0, accuracy: None, score: None };
        let mut chunks = order.chunks(options.batch);
        let mut prepare = |chunk: Option<&[usize]>| {
            chunk.map(|chunk| gather(samples, scaling, chunk, || split.change(options.augmentation)))
        };
        let mut next = prepare(chunks.next());
        for index in 0..batches {
            let Some(batch) = next.take() else { break };
            let rows = batch.rows;
            let rate = cosine(options.learning_rate, (epoch - 1) * batches + index, options.epochs * batches);
            // The next batch is prepared while this one is trained on.
            let step = || trainee.step(&mut optimizer, rate, batch, objective);
            let ((loss, [batch_hits, batch_counted]), prepared) = rayon::join(step, || prepare(chunks.next()));
            next = prepared;
            if !loss.is_finite() {
                return Err(Error::Invalid(format!(
                    "Cannot train: the loss became {loss} in epoch {epoch}, batch {}. Use a smaller learning rate than \
                     {}.",
                    index + 1,
                    options.learning_rate
                )));
            }
            hits += batch_hits;
            counted += batch_counted;
            seen += rows;
            loss_sum += loss * rows as f32;
            state = TrainProgress {
                batch: index + 1,
                loss: loss_sum / seen as f32,
                accuracy: (counted > 0).then(|| hits as f32 / counted as f32),
                ..state
            };
            if progress(state).is_break() {
                best.offer(&trainee, &split.held_out, epoch)?;
                return best.finish(true);
            }
        }
        let score = best.offer(&trainee, &split.held_out, epoch)?;
        if progress(TrainProgress { score: Some(score), ..state }).is_break() {
            return best.finish(true);
        }
    }
    best.finish(false)
}

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
    score_at(network, samples, scaling, objective, &all)
}

impl TrainableNetwork {
    /// Trains on `batch`; a loss that is not finite changes nothing. Returns the loss, the correct predictions and all
    /// that count.
    fn step(
        &mut self,
        optimizer: &mut ModuleOptimizer,
        rate: f64,
        batch: Batch,
        objective: &dyn Objective,
    ) -> (f32, [usize; 2]) {
        let mut batch = batch;
        let input = std::mem::take(&mut batch.values);
        if objective.reads_input() {
            batch.values.clone_from(&input);
        }
        let output = self.forward(input, batch.rows);
        let Loss { value, tensor, hits } = objective.loss(&output, &batch);
        if value.is_finite() {
            let gradients = GradientsParams::from_grads(tensor.backward(), &self.layers);
            self.layers = optimizer.step(rate, std::mem::take(&mut self.layers), gradients);
            self.clamp_thresholds();
        }
        (value, hits)
    }
}

/// The best weights so far, and what judges them.
struct Best<'a> {
    found: Option<TrainResult>,
    objective: &'a dyn Objective,
    samples: &'a Samples,
    scaling: &'a Scaling,
}

impl Best<'_> {
    /// Scores the current weights and stores them if they are best; of equals the later ones, from the smaller learning
    /// rate.
    fn offer(&mut self, trainee: &TrainableNetwork, held_out: &[usize], epoch: usize) -> Result<f32> {
        let network = trainee.to_network();
        let score = score_at(&network, self.samples, self.scaling, self.objective, held_out)?;
        if self.found.as_ref().is_none_or(|best| score >= best.score) {
            self.found = Some(TrainResult { network, score, epoch, stopped: false });
        }
        Ok(score)
    }

    fn finish(self, stopped: bool) -> Result<TrainResult> {
        let best =
            self.found.ok_or_else(|| Error::Internal("a training ended before it looked at its weights".into()))?;
        Ok(TrainResult { stopped, ..best })
    }
}

/// Samples that are evaluated at once.
fn evaluation_rows(samples: &Samples) -> usize {
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

fn check_options(options: &TrainOptions, samples: &Samples) -> Result<()> {
    let invalid = |reason: &str| Err(Error::Invalid(reason.into()));
    if samples.len() < 2 {
        return invalid("Cannot train: at least 2 samples needed, one to train on and one held out.");
    }
    if options.epochs == 0 || options.batch == 0 {
        return invalid("Cannot train: epochs and batch must be at least 1.");
    }
    if !(options.learning_rate.is_finite() && options.learning_rate > 0.0) {
        return invalid("Cannot train: the learning rate must be above 0.");
    }
    if !(options.weight_decay.is_finite() && options.weight_decay >= 0.0) {
        return invalid("Cannot train: the weight decay must be 0 or more.");
    }
    if !(0.0..1.0).contains(&options.validation_fraction) {
        return invalid("Cannot train: the held-out part must be at least 0 and below 1.");
    }
    let crop = options.augmentation.crop;
    if !(crop > 0.0 && crop <= 1.0) {
        return invalid("Cannot train: the smallest crop must be above 0 and at most 1.");
    }
    Ok(())
}

#[cfg(test)]
mod scene_tests;
#[cfg(test)]
mod tests;
