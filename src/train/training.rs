//! The training loop: epochs, batches, validation, and the best weights.
//!
//! Does not depend on the window and starts no threads of its own besides rayon's. Network, samples and
//! [`TrainOptions`] determine the result: the same call gives the same weights on the same machine.

use std::ops::ControlFlow;
use std::sync::Arc;

use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::loss::cross_entropy_with_logits;
use burn::tensor::{Device, Tensor, TensorData};

use super::batches::{Batch, Split, gather};
use super::optimizer::{Optimizer, cosine};
use super::trainable_network::{TrainableNetwork, logits_node};
use crate::compute::dense::tensor_to_vec;
use crate::compute::program::Program;
use crate::data::{Samples, Scaling};
use crate::network::{Network, predicted_class};
use crate::progress::JobControl;
use crate::{Error, Result};

/// Rows per batch when the network is only evaluated.
const EVALUATION_ROWS: usize = 256;

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
    /// Each training image is randomly shifted by up to this many pixels.
    pub shift: u8,
    /// Seed of the split, the order and the shifts.
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
            shift: 0,
            seed: 1,
        }
    }
}

/// Progress of a training, reported after every batch and, with the held-out accuracy, after every epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrainProgress {
    /// From 1 to `epochs`.
    pub epoch: usize,
    pub epochs: usize,
    /// From 1 to `batches`.
    pub batch: usize,
    pub batches: usize,
    /// Mean cross-entropy over this epoch so far, in nats.
    pub loss: f32,
    /// Fraction of this epoch's samples so far that were predicted correctly, before the step that learned from them.
    pub accuracy: f32,
    /// Accuracy on the held-out samples, at the end of an epoch.
    pub validation_accuracy: Option<f32>,
}

/// Result of a training.
#[derive(Clone, Debug)]
pub struct TrainResult {
    /// The network with the best weights seen, by accuracy on the held-out samples.
    pub network: Network,
    /// Its accuracy there.
    pub validation_accuracy: f32,
    /// The epoch of these weights, from 1.
    pub epoch: usize,
    /// True when the caller stopped it.
    pub stopped: bool,
}

/// Trains `network` on `samples`, scaled by `scaling` (which the result stores, with the class names). `progress` can
/// stop it with `ControlFlow::Break`; the best weights so far are returned.
///
/// # Errors
/// [`Error::Invalid`] if samples, labels and network do not fit, if an option is out of range, and if the loss is no
/// longer finite.
pub fn train(
    network: &Network,
    samples: &Samples,
    scaling: &Scaling,
    options: &TrainOptions,
    mut progress: impl FnMut(TrainProgress) -> ControlFlow<()>,
) -> Result<TrainResult> {
    check(network, samples, scaling)?;
    check_options(options, samples)?;
    let mut network = network.clone();
    network.scaling = Some(scaling.clone());
    if !samples.class_names.is_empty() {
        network.class_names = samples.class_names.clone();
    }
    let mut split = Split::new(samples.len(), options.validation_fraction, options.seed);
    let first = &split.training[..split.training.len().min(EVALUATION_ROWS)];
    let first = gather(samples, scaling, first, || [0, 0]);
    let device = Device::flex().autodiff();
    let mut trainee = TrainableNetwork::new(Arc::new(network), device, first.values, first.rows);
    let mut optimizer = options.optimizer.init(options.weight_decay);
    let batches = split.training.len().div_ceil(options.batch);
    let mut best = Best::default();
    for epoch in 1..=options.epochs {
        split.shuffle();
        let order = split.training.clone();
        let (mut loss_sum, mut correct, mut seen) = (0.0, 0, 0);
        let mut state = TrainProgress {
            epoch,
            epochs: options.epochs,
            batch: 0,
            batches,
            loss: 0.0,
            accuracy: 0.0,
            validation_accuracy: None,
        };
        let mut chunks = order.chunks(options.batch);
        let mut prepare =
            |chunk: Option<&[usize]>| chunk.map(|chunk| gather(samples, scaling, chunk, || split.shift(options.shift)));
        let mut next = prepare(chunks.next());
        for index in 0..batches {
            let Some(batch) = next.take() else { break };
            let rows = batch.rows;
            let rate = cosine(options.learning_rate, (epoch - 1) * batches + index, options.epochs * batches);
            // The next batch is prepared while this one is trained on.
            let (step, prepared) = rayon::join(|| trainee.step(&mut optimizer, rate, batch), || prepare(chunks.next()));
            next = prepared;
            let Step { loss, correct: batch_correct } = step;
            if !loss.is_finite() {
                return Err(Error::Invalid(format!(
                    "Cannot train: the loss became {loss} in epoch {epoch}, batch {}. Use a smaller learning rate than \
                     {}.",
                    index + 1,
                    options.learning_rate
                )));
            }
            correct += batch_correct;
            seen += rows;
            loss_sum += loss * rows as f32;
            state = TrainProgress {
                batch: index + 1,
                loss: loss_sum / seen as f32,
                accuracy: correct as f32 / seen as f32,
                ..state
            };
            if progress(state).is_break() {
                best.offer(&trainee, samples, scaling, &split.held_out, epoch);
                return best.finish(true);
            }
        }
        let validation = best.offer(&trainee, samples, scaling, &split.held_out, epoch);
        if progress(TrainProgress { validation_accuracy: Some(validation), ..state }).is_break() {
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
    check(network, samples, scaling)?;
    let all: Vec<usize> = (0..samples.len()).collect();
    Ok(accuracy_at(network, samples, scaling, &all))
}

/// Loss and hits of one step, before its update.
struct Step {
    /// Mean cross-entropy, in nats.
    loss: f32,
    /// Samples that were predicted correctly.
    correct: usize,
}

impl TrainableNetwork {
    /// Trains on `batch`; a loss that is not finite changes nothing.
    fn step(&mut self, optimizer: &mut ModuleOptimizer, rate: f64, batch: Batch) -> Step {
        let Batch { values, labels, rows } = batch;
        let logits = self.forward(values, rows);
        // A single value is the logit of class 1 against 0.
        let scores = match logits.dims() {
            [rows, 1] => Tensor::cat(vec![Tensor::zeros([rows, 1], &logits.device()), logits.clone()], 1),
            _ => logits.clone(),
        };
        let target = one_hot(&labels, scores.dims()[1], &scores.device());
        let loss = cross_entropy_with_logits(scores, target);
        let value = loss.clone().into_scalar::<f32>();
        if value.is_finite() {
            let gradients = GradientsParams::from_grads(loss.backward(), &self.layers);
            self.layers = optimizer.step(rate, std::mem::take(&mut self.layers), gradients);
            self.clamp_thresholds();
        }
        Step { loss: value, correct: count_correct(logits, &labels) }
    }
}

/// The best weights so far.
#[derive(Default)]
struct Best(Option<TrainResult>);

impl Best {
    /// Evaluates the current weights and stores them if they are best; of equals the later ones, from the smaller
    /// learning rate.
    fn offer(
        &mut self,
        trainee: &TrainableNetwork,
        samples: &Samples,
        scaling: &Scaling,
        held_out: &[usize],
        epoch: usize,
    ) -> f32 {
        let network = trainee.to_network();
        let validation_accuracy = accuracy_at(&network, samples, scaling, held_out);
        if self.0.as_ref().is_none_or(|best| validation_accuracy >= best.validation_accuracy) {
            self.0 = Some(TrainResult { network, validation_accuracy, epoch, stopped: false });
        }
        validation_accuracy
    }

    fn finish(self, stopped: bool) -> Result<TrainResult> {
        let best = self.0.ok_or_else(|| Error::Internal("a training ended before it looked at its weights".into()))?;
        Ok(TrainResult { stopped, ..best })
    }
}

fn accuracy_at(network: &Network, samples: &Samples, scaling: &Scaling, indices: &[usize]) -> f32 {
    // Predictions are those of the logits; nodes after them are computed and ignored.
    let logits = Network { output: logits_node(network), ..network.clone() };
    let program = Program::new(Arc::new(logits), &Device::flex());
    let correct: usize = indices
        .chunks(EVALUATION_ROWS)
        .map(|chunk| {
            let Batch { values, labels, .. } = gather(samples, scaling, chunk, || [0, 0]);
            let logits =
                program.run_samples(&values, &[], "evaluating", &JobControl::default(), || (), |_, _, _, _| Ok(()));
            match logits {
                Ok((logits, _)) => correct_predictions(&logits, program.network().classes(), &labels),
                Err(error) => unreachable!("nothing cancels the evaluation: {error}"),
            }
        })
        .sum();
    correct as f32 / indices.len().max(1) as f32
}

/// Number of rows of `logits` `[N, classes]` that predict their label.
fn count_correct(logits: Tensor<2>, labels: &[u16]) -> usize {
    let classes = logits.dims()[1];
    correct_predictions(&tensor_to_vec(logits.detach()), classes, labels)
}

fn correct_predictions(logits: &[f32], classes: usize, labels: &[u16]) -> usize {
    logits.chunks_exact(classes).zip(labels).filter(|(row, label)| predicted_class(row) == usize::from(**label)).count()
}

/// `[N, classes]`, 1 at each label.
fn one_hot(labels: &[u16], classes: usize, device: &Device) -> Tensor<2> {
    let mut values = vec![0.0f32; labels.len() * classes];
    values.chunks_exact_mut(classes).zip(labels).for_each(|(row, label)| row[usize::from(*label)] = 1.0);
    Tensor::from_data(TensorData::new(values, [labels.len(), classes]), device)
}

/// Refuses samples that do not fit the network or have no labels.
fn check(network: &Network, samples: &Samples, scaling: &Scaling) -> Result<()> {
    let invalid = |reason: String| Err(Error::Invalid(format!("Cannot train on {}: {reason}.", samples.source)));
    if samples.is_empty() {
        return invalid("no samples".into());
    }
    if samples.labels.len() != samples.len() {
        return invalid("the samples have no labels, which training and accuracy need".into());
    }
    if samples.sample_len() != network.nodes[0].len() {
        let (have, want) = (&samples.shape, network.input_shape());
        return invalid(format!(
            "the samples are {}, but the network '{}' takes {}",
            crate::error::format_shape(have),
            network.name,
            crate::error::format_shape(want)
        ));
    }
    // A single value without a sigmoid may be the score of class 1 as well; the labels say so.
    if !network.is_classifier() && (network.classes() != 1 || network.outputs().len() != 1) {
        return invalid(format!("the outputs of the network '{}' are not class scores", network.name));
    }
    let classes = network.class_count();
    if let Some(label) = samples.labels.iter().find(|&&label| usize::from(label) >= classes) {
        return invalid(format!("label {label}, but the network '{}' has {classes} classes", network.name));
    }
    samples.check_scaling(scaling)
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
    Ok(())
}

#[cfg(test)]
mod tests;
