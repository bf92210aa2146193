//! Other ways to read the answer off a finished run: from a later start on, or as soon as it is sure. Both are questions to
//! the readout that was recorded; nothing is simulated again.

use rayon::prelude::*;

use super::readout_delay::{ReadoutDelay, readout_delay};
use super::run_data::RunData;
use crate::compute::AnnRun;
use crate::network::argmax;
use crate::simulate::Recording;
use crate::task::classification::confidence;

/// Most starts and ends that are tried.
const POINTS: usize = 64;
/// Most logits that are looked at for all starts and ends together; beyond it fewer of them are tried.
const WORK: usize = 1 << 28;

/// All that is asked of the readout of one run.
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
    /// Steps that windows start after and end with: 0 ..= T ascending, all of them or up to 65 evenly chosen.
    pub bounds: Vec<usize>,
    /// A triangle: for the end `bounds[e]`, e from 1, one accuracy for each start `bounds[s]`, s < e.
    pub accuracy: Vec<f32>,
}

/// When each sample could have answered, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct ExitTable {
    steps: usize,
    labeled: bool,
    /// `[N][T]`, time innermost.
    moments: Vec<Moment>,
}

/// The answer of one sample after t steps.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Moment {
    /// Largest softmax probability of the mean logits.
    confidence: f32,
    right: bool,
    agrees: bool,
}

/// The samples answering at the first t at which they are sure.
#[derive(Clone, Debug, PartialEq)]
pub struct EarlyExit {
    /// Mean of the steps at which samples answer.
    pub mean_steps: f64,
    /// Share answered rightly; `None` without labels.
    pub accuracy: Option<f64>,
    /// Share answered as the ANN does.
    pub agreement: f64,
    /// Samples that answer after t steps, `[T]`.
    pub histogram: Vec<u64>,
    /// Samples that never were sure; they answer at T and are in the histogram's last entry.
    pub unsure: u64,
}

/// Asks everything of the readout of `subject`.
pub fn readout_report(subject: &RunData<'_>) -> ReadoutReport {
    let RunData { recording, ann, labels, .. } = *subject;
    let (wanted, labeled) = reference_classes(labels, ann);
    let delay = readout_delay(subject.spiking, ann, recording.steps);
    ReadoutReport {
        labeled,
        start_by_end: start_by_end(recording, &wanted),
        delay_accuracy: window_accuracy(recording, &wanted, delay.start, recording.steps),
        delay,
        exits: ExitTable::of(recording, labels, ann),
    }
}

/// The right answer for each sample, and whether it is from labels; without one label a sample it is the ANN's.
fn reference_classes(labels: &[u16], ann: &AnnRun) -> (Vec<usize>, bool) {
    match ann.samples > 0 && labels.len() >= ann.samples {
        true => (labels[..ann.samples].iter().map(|&label| usize::from(label)).collect(), true),
        false => ((0..ann.samples).map(|sample| ann.prediction(sample)).collect(), false),
    }
}

/// Share of samples whose mean logits over (`start`, `end`] (`start < end <= T`) are largest at `reference_classes`.
pub fn window_accuracy(recording: &Recording, wanted: &[usize], start: usize, end: usize) -> f32 {
    let mut window = vec![0.0; recording.classes];
    let mut right = |sample: usize, wanted: usize| {
        window.copy_from_slice(recording.readout_at(end, sample));
        if start > 0 {
            window.iter_mut().zip(recording.readout_at(start, sample)).for_each(|(sum, before)| *sum -= before);
        }
        argmax(&window) == wanted
    };
    let count = wanted.iter().enumerate().filter(|&(sample, &wanted)| right(sample, wanted)).count();
    count as f32 / wanted.len().max(1) as f32
}

/// Accuracy for every start and end, at most 64 of each. `reference_classes` holds the right answer for each sample.
pub fn start_by_end(recording: &Recording, wanted: &[usize]) -> ReadoutWindows {
    let steps = recording.steps;
    let row = (recording.samples * recording.classes).max(1);
    let points = POINTS.min(steps).min((2 * WORK / row).isqrt().max(8)).max(1);
    let bounds: Vec<usize> = (0..=points.min(steps)).map(|k| k * steps / points).collect();
    let windows = bounds.iter().enumerate().flat_map(|(e, &end)| bounds[..e].iter().map(move |&start| (start, end)));
    let windows: Vec<(usize, usize)> = windows.collect();
    let accuracy = windows.into_par_iter().map(|(start, end)| window_accuracy(recording, wanted, start, end)).collect();
    ReadoutWindows { steps, bounds, accuracy }
}

impl ReadoutWindows {
    /// The accuracy from `bounds[start]` to `bounds[end]`; `None` unless `start < end`.
    pub fn get(&self, start: usize, end: usize) -> Option<f32> {
        if start >= end { None } else { self.accuracy.get(end * (end - 1) / 2 + start).copied() }
    }
    /// The best start for the end T and its accuracy; of equals the earliest, which averages most steps.
    pub fn best_at_end(&self) -> Option<(usize, f32)> {
        let end = self.bounds.len().checked_sub(1)?;
        let at = |start: usize| self.get(start, end).map(|accuracy| (self.bounds[start], accuracy));
        (0..end).filter_map(at).reduce(|best, next| if next.1 > best.1 { next } else { best })
    }
}

/// Answers at the first t where the largest softmax probability of the mean logits reaches `confidence`, else at T.
pub fn early_exit(recording: &Recording, labels: &[u16], ann: &AnnRun, confidence: f32) -> EarlyExit {
    ExitTable::of(recording, labels, ann).at(confidence)
}

impl ExitTable {
    /// Reads the answer and how sure it is for every sample after every step.
    pub fn of(recording: &Recording, labels: &[u16], ann: &AnnRun) -> Self {
        let (wanted, labeled) = reference_classes(labels, ann);
        let moment = |sample: usize, t: usize| {
            let sums = recording.readout_at(t, sample);
            let answer = argmax(sums);
            Moment {
                confidence: confidence(sums, t),
                right: wanted.get(sample) == Some(&answer),
                agrees: ann.prediction(sample) == answer,
            }
        };
        let steps = recording.steps;
        let moments = (0..recording.samples).into_par_iter();
        let moments = moments.flat_map_iter(|sample| (1..=steps).map(move |t| (sample, t)));
        Self { steps, labeled, moments: moments.map(|(sample, t)| moment(sample, t)).collect() }
    }

    /// What becomes of the run when every sample answers once it is as sure as `confidence`.
    pub fn at(&self, confidence: f32) -> EarlyExit {
        let mut histogram = vec![0; self.steps];
        let (mut steps, mut right, mut agrees, mut unsure) = (0, 0u64, 0u64, 0);
        let samples = self.moments.chunks_exact(self.steps.max(1));
        let count = samples.len().max(1) as f64;
        for sample in samples {
            let sure = sample.iter().position(|moment| moment.confidence >= confidence);
            let at = sure.unwrap_or(self.steps - 1);
            histogram[at] += 1;
            steps += at + 1;
            right += u64::from(sample[at].right);
            agrees += u64::from(sample[at].agrees);
            unsure += u64::from(sure.is_none());
        }
        EarlyExit {
            mean_steps: steps as f64 / count,
            accuracy: self.labeled.then_some(right as f64 / count),
            agreement: agrees as f64 / count,
            histogram,
            unsure,
        }
    }
}

#[cfg(test)]
mod tests;
