//! Readout of a finished run: accuracy by readout window, and early exit by confidence.
//!
//! Both use the recorded readout; nothing is simulated again.

use rayon::prelude::*;

use super::readout_delay::{ReadoutDelay, readout_delay};
use super::run_data::RunData;
use crate::compute::AnnRun;
use crate::network::predicted_class;
use crate::simulate::Recording;
use crate::task::classification::confidence;

/// Maximum number of window starts and ends.
const MAX_WINDOW_BOUNDS: usize = 64;
/// Maximum number of logits read for all windows together; larger runs get fewer starts and ends.
const MAX_LOGITS: usize = 1 << 28;

/// All readout measures of one run.
#[derive(Clone, Debug)]
pub struct ReadoutReport {
    /// Whether accuracies are against labels; without labels they are agreement with the ANN.
    pub labeled: bool,
    pub start_by_end: ReadoutWindows,
    pub delay: ReadoutDelay,
    /// Accuracy of the mean logits over (`delay.start`, T].
    pub delay_accuracy: f32,
    pub exits: ExitTable,
}

/// Accuracy of the mean logits over the steps (start, end].
#[derive(Clone, Debug, PartialEq)]
pub struct ReadoutWindows {
    /// Time-steps T of the run.
    pub steps: usize,
    /// Steps that windows start after and end with: 0 ..= T ascending, all of them or up to 65 at equal distance.
    pub bounds: Vec<usize>,
    /// A triangle: for the end `bounds[e]`, e from 1, one accuracy for each start `bounds[s]`, s < e.
    pub accuracy: Vec<f32>,
}

/// Confidence and correctness of every sample after every step, for early exit.
#[derive(Clone, Debug, PartialEq)]
pub struct ExitTable {
    steps: usize,
    labeled: bool,
    /// `[N][T]`, time innermost.
    predictions: Vec<StepPrediction>,
}

/// The prediction of one sample after t steps.
#[derive(Clone, Copy, Debug, PartialEq)]
struct StepPrediction {
    /// Largest softmax probability of the mean logits.
    confidence: f32,
    correct: bool,
    agrees: bool,
}

/// Early exit: every sample stops at the first t at which it reaches a confidence.
#[derive(Clone, Debug, PartialEq)]
pub struct EarlyExit {
    /// Mean over samples of the exit step.
    pub mean_steps: f64,
    /// Fraction of correct predictions; `None` without labels.
    pub accuracy: Option<f64>,
    /// Fraction of predictions equal to the ANN's.
    pub agreement: f64,
    /// Samples that exit after t steps, `[T]`.
    pub histogram: Vec<u64>,
    /// Samples that never reach the confidence; they exit at T and are in the histogram's last entry.
    pub unsure: u64,
}

/// Computes all readout measures of `data`.
pub fn readout_report(data: &RunData<'_>) -> ReadoutReport {
    let RunData { recording, ann, labels, .. } = *data;
    let (classes, labeled) = reference_classes(labels, ann);
    let delay = readout_delay(data.spiking, ann, recording.steps);
    ReadoutReport {
        labeled,
        start_by_end: start_by_end(recording, &classes),
        delay_accuracy: window_accuracy(recording, &classes, delay.start, recording.steps),
        delay,
        exits: ExitTable::new(recording, labels, ann),
    }
}

/// The correct class of each sample, `[N]`, and whether it is from labels; if labels are missing it is the ANN's prediction.
fn reference_classes(labels: &[u16], ann: &AnnRun) -> (Vec<usize>, bool) {
    match ann.samples > 0 && labels.len() >= ann.samples {
        true => (labels[..ann.samples].iter().map(|&label| usize::from(label)).collect(), true),
        false => ((0..ann.samples).map(|sample| ann.prediction(sample)).collect(), false),
    }
}

/// Fraction of samples whose mean logits over (`start`, `end`] (`start < end <= T`) predict `reference_classes`.
pub fn window_accuracy(recording: &Recording, reference_classes: &[usize], start: usize, end: usize) -> f32 {
    let mut window = vec![0.0; recording.classes];
    let mut is_correct = |sample: usize, class: usize| {
        window.copy_from_slice(recording.readout_at(end, sample));
        if start > 0 {
            window.iter_mut().zip(recording.readout_at(start, sample)).for_each(|(sum, before)| *sum -= before);
        }
        predicted_class(&window) == class
    };
    let count = reference_classes.iter().enumerate().filter(|&(sample, &class)| is_correct(sample, class)).count();
    count as f32 / reference_classes.len().max(1) as f32
}

/// Accuracy for every start and end, at most 64 of each. `reference_classes` holds the correct class of each sample, `[N]`.
pub fn start_by_end(recording: &Recording, reference_classes: &[usize]) -> ReadoutWindows {
    let steps = recording.steps;
    let row = (recording.samples * recording.classes).max(1);
    let points = MAX_WINDOW_BOUNDS.min(steps).min((2 * MAX_LOGITS / row).isqrt().max(8)).max(1);
    let bounds: Vec<usize> = (0..=points.min(steps)).map(|k| k * steps / points).collect();
    let windows = bounds.iter().enumerate().flat_map(|(e, &end)| bounds[..e].iter().map(move |&start| (start, end)));
    let windows: Vec<(usize, usize)> = windows.collect();
    let accuracy =
        windows.into_par_iter().map(|(start, end)| window_accuracy(recording, reference_classes, start, end)).collect();
    ReadoutWindows { steps, bounds, accuracy }
}

impl ReadoutWindows {
    /// The accuracy from `bounds[start]` to `bounds[end]`; `None` unless `start < end`.
    pub fn get(&self, start: usize, end: usize) -> Option<f32> {
        if start >= end { None } else { self.accuracy.get(end * (end - 1) / 2 + start).copied() }
    }
    /// The best start for the end T and its accuracy; of equal ones the earliest, which averages the most steps.
    pub fn best_at_end(&self) -> Option<(usize, f32)> {
        let end = self.bounds.len().checked_sub(1)?;
        let at = |start: usize| self.get(start, end).map(|accuracy| (self.bounds[start], accuracy));
        (0..end).filter_map(at).reduce(|best, next| if next.1 > best.1 { next } else { best })
    }
}

/// Early exit at the first t where the largest softmax probability of the mean logits reaches `confidence`, else at T.
pub fn early_exit(recording: &Recording, labels: &[u16], ann: &AnnRun, confidence: f32) -> EarlyExit {
    ExitTable::new(recording, labels, ann).at(confidence)
}

impl ExitTable {
    /// Reads prediction and confidence of every sample after every step.
    pub fn new(recording: &Recording, labels: &[u16], ann: &AnnRun) -> Self {
        let (classes, labeled) = reference_classes(labels, ann);
        let prediction_at = |sample: usize, t: usize| {
            let sums = recording.readout_at(t, sample);
            let prediction = predicted_class(sums);
            StepPrediction {
                confidence: confidence(sums, t),
                correct: classes.get(sample) == Some(&prediction),
                agrees: ann.prediction(sample) == prediction,
            }
        };
        let steps = recording.steps;
        let predictions = (0..recording.samples).into_par_iter();
        let predictions = predictions.flat_map_iter(|sample| (1..=steps).map(move |t| (sample, t)));
        Self { steps, labeled, predictions: predictions.map(|(sample, t)| prediction_at(sample, t)).collect() }
    }

    /// Result of the run if every sample exits at the given `confidence`.
    pub fn at(&self, confidence: f32) -> EarlyExit {
        let mut histogram = vec![0; self.steps];
        let (mut steps, mut correct, mut agrees, mut unsure) = (0, 0u64, 0u64, 0);
        let samples = self.predictions.chunks_exact(self.steps.max(1));
        let count = samples.len().max(1) as f64;
        for sample in samples {
            let first_confident = sample.iter().position(|prediction_at| prediction_at.confidence >= confidence);
            let at = first_confident.unwrap_or(self.steps - 1);
            histogram[at] += 1;
            steps += at + 1;
            correct += u64::from(sample[at].correct);
            agrees += u64::from(sample[at].agrees);
            unsure += u64::from(first_confident.is_none());
        }
        EarlyExit {
            mean_steps: steps as f64 / count,
            accuracy: self.labeled.then_some(correct as f64 / count),
            agreement: agrees as f64 / count,
            histogram,
            unsure,
        }
    }
}

#[cfg(test)]
mod tests;
