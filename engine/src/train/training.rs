//! The training loop: epochs, batches, validation, and the best weights.
//!
//! Does not depend on the window and starts no threads of its own besides rayon's. Network, samples and
//! [`TrainOptions`] determine the result: the same call gives the same weights on the same machine.

mod held_out;
mod options;
mod result;

use std::ops::ControlFlow;
use std::sync::Arc;

use burn::optim::GradientsParams;
use burn::tensor::Device;

use self::held_out::{Best, evaluation_rows};
pub use self::held_out::{accuracy, score};
pub use self::options::TrainOptions;
use self::options::{check_options, identity};
pub use self::result::TrainResult;
use super::augment::Change;
use super::batches::{Batch, Split, gather, gather_steps};
use super::checkpoint::{Checkpoint, Position};
use super::objective::{Loss, Objective};
use super::optimizer::{OptimizerState, cosine};
use super::robust::{InputGradient, PixelSteps};
use super::trainable_network::{Pass, TrainableNetwork};
use crate::data::{Samples, Scaling};
use crate::network::Network;
use crate::{Error, Result};

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
    /// The gradient of the two-class probability on some held-out samples, at the end of an epoch, if it was asked for.
    pub gradient: Option<InputGradient>,
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
    match &options.spiking {
        Some(spiking) => spiking.prepare(&mut network),
        // An ANN that goes on from a spiking network has no neurons any more.
        None => network.neurons = None,
    }
    let mut split = Split::new(samples.len(), options.validation_fraction, options.seed);
    let first = &split.training[..split.training.len().min(evaluation_rows(samples))];
    let first = gather(samples, scaling, first, Change::default);
    let of = identity(&network, samples, scaling, options)?;
    let device = Device::flex().autodiff();
    let mut trainee = TrainableNetwork::new(Arc::new(network), device, (first.values, first.rows), options.spiking);
    let mut optimizer = options.optimizer.init(options.weight_decay);
    let batches = split.training.len().div_ceil(options.batch);
    let mut best = Best { found: None, objective, samples, scaling, spiking: options.spiking };
    let pixels = match options.sparse.is_some() || options.adversarial.is_some() || options.measure_gradient {
        true => Some(PixelSteps::new(samples, scaling, options.adversarial.is_some())?),
        false => None,
    };
    let mut curves = Vec::new();
    let fresh = TrainProgress {
        epoch: 0,
        epochs: options.epochs,
        batch: 0,
        batches,
        loss: 0.0,
        accuracy: None,
        score: None,
        gradient: None,
    };
    let mut finished = 0;
    if let Some(path) = &options.resume {
        let mut stored = Checkpoint::read(path, &of)?;
        stored.restore(&mut trainee, path)?;
        split.restore(&stored.order, &stored.at.word).map_err(|reason| Error::file(path, "order", reason))?;
        let (bits, epoch) = stored.at.best;
        let network = Network { name: trainee.name().to_owned(), ..stored.best };
        best.found = Some(TrainResult { network, score: f32::from_bits(bits), epoch, stopped: false });
        optimizer.slots = stored.slots;
        (curves, finished) = (stored.at.curves, stored.at.epoch);
        // The curves so far.
        for (k, &(loss, score, accuracy)) in curves.iter().enumerate() {
            let (loss, score) = (f32::from_bits(loss), Some(f32::from_bits(score)));
            let accuracy = accuracy.map(f32::from_bits);
            let state = TrainProgress { epoch: k + 1, batch: batches, loss, accuracy, score, ..fresh };
            if progress(state).is_break() {
                return best.finish(true);
            }
        }
        if best.waited(finished) >= options.patience.unwrap_or(usize::MAX) {
            return best.finish(false);
        }
    }
    for epoch in finished + 1..=options.epochs {
        split.shuffle();
        let order = split.training.clone();
        let (mut loss_sum, mut hits, mut counted, mut seen) = (0.0, 0, 0, 0);
        let mut state = TrainProgress { epoch, ..fresh };
        let mut chunks = order.chunks(options.batch);
        let steps = options.spiking.map(|spiking| spiking.steps);
        let mut prepare = |chunk: Option<&[usize]>| {
            chunk.map(|chunk| gather_steps(samples, scaling, chunk, steps, || split.change(options.augmentation)))
        };
        let mut next = prepare(chunks.next());
        for index in 0..batches {
            let Some(batch) = next.take() else { break };
            let rows = batch.rows;
            let at = (epoch - 1) * batches + index;
            let rate = cosine(options.learning_rate, at, options.epochs * batches);
            let context = StepContext { objective, options, pixels: pixels.as_ref(), at };
            // The next batch is prepared while this one is trained on.
            let step = || trainee.step(&mut optimizer, rate, batch, &context);
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
                best.offer(&mut trainee, &split.held_out, epoch)?;
                return best.finish(true);
            }
        }
        let score = best.offer(&mut trainee, &split.held_out, epoch)?;
        state.score = Some(score);
        if let (Some(pixels), true) = (&pixels, options.measure_gradient) {
            state.gradient = InputGradient::measure(&mut trainee, pixels, samples, scaling, &split.held_out);
        }
        curves.push((state.loss.to_bits(), score.to_bits(), state.accuracy.map(f32::to_bits)));
        if let (Some(path), Some(found)) = (&options.checkpoint, &best.found) {
            let mut at = Position::new(of.clone(), epoch, split.word(), (found.score, found.epoch));
            at.curves.clone_from(&curves);
            Checkpoint::write(path, at, &trainee, &optimizer.slots, &split.training, &found.network)?;
        }
        if progress(state).is_break() {
            return best.finish(true);
        }
        if best.waited(epoch) >= options.patience.unwrap_or(usize::MAX) {
            break;
        }
    }
    best.finish(false)
}

/// What a step of training depends on besides its batch.
struct StepContext<'a> {
    objective: &'a dyn Objective,
    options: &'a TrainOptions,
    /// The pixels of the samples, if they are moved.
    pixels: Option<&'a PixelSteps>,
    /// Number of the step.
    at: usize,
}

impl TrainableNetwork {
    /// Trains on `batch`; a loss that is not finite changes nothing. Returns the loss, the correct predictions and all
    /// that count.
    fn step(
        &mut self,
        optimizer: &mut OptimizerState,
        rate: f64,
        mut batch: Batch,
        context: &StepContext<'_>,
    ) -> (f32, [usize; 2]) {
        let (mut values, rows) = (std::mem::take(&mut batch.values), batch.rows);
        if let (Some(adversarial), Some(pixels)) = (&context.options.adversarial, context.pixels) {
            let seed = context.options.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ context.at as u64;
            values = adversarial.attack(self, pixels, (&values, rows), &batch.labels, seed);
        }
        let kept = if context.options.sparse.is_some() { values.clone() } else { Vec::new() };
        if context.objective.reads_input() {
            batch.values.clone_from(&values);
        }
        let input = self.input(values);
        let output = self.forward(input, rows, Pass::Learn { updates: true });
        let Loss { mut value, mut tensor, hits } = context.objective.loss(&output, &batch);
        if let (Some(sparse), Some(pixels)) = (&context.options.sparse, context.pixels) {
            let penalty = sparse.penalty(self, pixels, (&kept, rows), &output, &batch.labels);
            value += penalty.clone().into_scalar::<f32>();
            tensor = tensor + penalty;
        }
        if value.is_finite() {
            let gradients = GradientsParams::from_grads(tensor.backward(), &self.layers);
            self.layers = optimizer.step(rate, std::mem::take(&mut self.layers), gradients);
            self.clamp_thresholds();
        }
        (value, hits)
    }
}

#[cfg(test)]
mod checkpoint_tests;
#[cfg(test)]
mod scene_tests;
#[cfg(test)]
mod tests;
