//! What the SNN answers after every number of steps under a readout rule: all steps, steps after a delay, or each sample as
//! soon as it is sure.

use rayon::prelude::*;

use crate::convert::Readout;
use crate::network::argmax;
use crate::simulate::Recording;

/// Least steps that the rule of the estimated delay leaves for the answer.
const MIN_READOUT_STEPS: usize = 4;

/// Answers of all samples after every step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Predictions {
    pub samples: usize,
    /// `[N][T]`, time innermost.
    classes: Vec<u32>,
    /// Mean over the samples of the steps that the answer at T takes: T unless samples exit early.
    pub mean_steps: f64,
    /// Steps at the start that the answer at T leaves out, under [`Readout::Delayed`].
    pub delay: Option<usize>,
}

impl Predictions {
    /// Reads the answers of `recording` by `rule`. `delay` is the estimate for [`Readout::Delayed`] without a number.
    pub fn decode(recording: &Recording, rule: Readout, delay: usize) -> Self {
        let steps = recording.steps;
        let one = |sample: usize| -> (Vec<u32>, usize) {
            let mut exit = None;
            let mut window = vec![0.0; recording.classes];
            let answers = (1..=steps).map(|t| {
                let start = match rule {
                    Readout::Sum => 0,
                    Readout::Delayed(None) => readout_start(delay, t),
                    Readout::Delayed(Some(start)) => start.min(t - 1),
                    Readout::EarlyExit(wanted) => {
                        let sums = recording.readout_at(t, sample);
                        let now = argmax(sums);
                        if exit.is_none() && confidence(sums, t) >= wanted {
                            exit = Some((t, now));
                        }
                        return exit.map_or(now, |(_, answer)| answer) as u32;
                    }
                };
                window.copy_from_slice(recording.readout_at(t, sample));
                if start > 0 {
                    window.iter_mut().zip(recording.readout_at(start, sample)).for_each(|(sum, before)| *sum -= before);
                }
                argmax(&window) as u32
            });
            let answers = answers.collect();
            (answers, exit.map_or(steps, |(t, _)| t))
        };
        let rows: Vec<(Vec<u32>, usize)> = (0..recording.samples).into_par_iter().map(one).collect();
        let mean_steps = rows.iter().map(|(_, t)| *t as f64).sum::<f64>() / recording.samples.max(1) as f64;
        let classes = rows.into_iter().flat_map(|(row, _)| row).collect();
        let delay = match rule {
            Readout::Delayed(None) => Some(readout_start(delay, steps)),
            Readout::Delayed(Some(start)) => Some(start.min(steps.saturating_sub(1))),
            Readout::Sum | Readout::EarlyExit(_) => None,
        };
        Self { samples: recording.samples, classes, mean_steps, delay }
    }

    /// The answer for `sample` after `t` steps (1-based).
    pub fn at(&self, t: usize, sample: usize) -> usize {
        let steps = self.classes.len().checked_div(self.samples).unwrap_or(0);
        self.classes[sample * steps + t - 1] as usize
    }
}

/// The paper's rule: t0 if T >= t0 + 4, else T − 4 (0 in runs that are shorter than that).
pub fn readout_start(estimate: usize, steps: usize) -> usize {
    let last = steps.saturating_sub(MIN_READOUT_STEPS);
    estimate.min(last)
}

/// The softmax probabilities of `sums / t`; evenly spread for values that are no numbers.
pub fn probabilities(sums: &[f32], t: usize) -> Vec<f64> {
    let most = sums.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f64> = sums.iter().map(|sum| (f64::from(sum - most) / t.max(1) as f64).exp()).collect();
    let total: f64 = powers.iter().sum();
    let fine = total.is_finite() && total > 0.0;
    powers.into_iter().map(|power| if fine { power / total } else { 1.0 / sums.len() as f64 }).collect()
}

/// The largest softmax probability of `sums / t`; 0 for values that are no numbers.
pub(crate) fn confidence(sums: &[f32], t: usize) -> f32 {
    let most = sums.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let total: f64 = sums.iter().map(|sum| (f64::from(sum - most) / t as f64).exp()).sum();
    if total.is_finite() && total > 0.0 { (1.0 / total) as f32 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two classes, one sample; the logits of each step, summed as a recording keeps them.
    fn recording(steps: &[[f32; 2]]) -> Recording {
        let mut sums = [0.0f32; 2];
        let readout = steps.iter().flat_map(|step| {
            sums = [sums[0] + step[0], sums[1] + step[1]];
            sums
        });
        let readout = readout.collect();
        Recording { steps: steps.len(), samples: 1, classes: 2, layers: Vec::new(), readout }
    }

    #[test]
    fn a_delay_forgets_the_start_and_an_exit_keeps_the_first_sure_answer() {
        let recording = recording(&[[4.0, 0.0], [0.0, 1.0], [0.0, 1.0], [0.0, 1.0], [0.0, 9.0], [0.0, 9.0]]);
        let read = |rule, delay| {
            let answers = Predictions::decode(&recording, rule, delay);
            ((1..=6).map(|t| answers.at(t, 0)).collect::<Vec<_>>(), answers.mean_steps)
        };
        assert_eq!(read(Readout::Sum, 0), (vec![0, 0, 0, 0, 1, 1], 6.0));
        assert_eq!(read(Readout::Delayed(Some(1)), 0), (vec![0, 1, 1, 1, 1, 1], 6.0));
        // t0 = 1 where it leaves four steps, before that t − 4.
        assert_eq!(read(Readout::Delayed(None), 1), (vec![0, 0, 0, 0, 1, 1], 6.0));
        assert_eq!(read(Readout::EarlyExit(0.95), 0), (vec![0; 6], 1.0));
        assert_eq!(read(Readout::EarlyExit(1.0), 0).1, 6.0, "never quite sure");
        let delays = [Readout::Sum, Readout::Delayed(Some(1)), Readout::Delayed(None), Readout::EarlyExit(0.9)]
            .map(|rule| Predictions::decode(&recording, rule, 9).delay);
        assert_eq!(delays, [None, Some(1), Some(2), None], "an estimate of 9 leaves four of six steps");
    }
}
