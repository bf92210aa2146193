//! Class predictions of the SNN after every step, decoded by a readout rule.
//!
//! Rules: the sum over all steps, the sum after a delay, or early exit per sample at a confidence threshold. Which class
//! scores predict is [`predicted_class`]; whether outputs are class scores is [`Classes`].

use rayon::prelude::*;

use crate::convert::{Finding, Readout};
use crate::network::{Network, Op, predicted_class};
use crate::simulate::Recording;

/// Minimum number of steps that the estimated delay leaves for the readout.
const MIN_READOUT_STEPS: usize = 4;

/// Whether the outputs of a network are class scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Classes {
    /// By their shape, or a single value behind a sigmoid.
    Stated,
    /// A single bare value, taken for the score of class 1 because the labels are 0 and 1.
    Assumed,
    /// They are values, boxes or images; labels do not apply.
    None,
}

impl Classes {
    /// What the outputs of `network` are, for samples with `labels` (empty: none).
    pub fn of(network: &Network, labels: &[u16]) -> Self {
        if network.is_classifier() {
            return Self::Stated;
        }
        // A clip or ReLU at the end is never below 0, where class 0 would be.
        let is_bare = network.classes() == 1
            && network.outputs().len() == 1
            && !matches!(network.nodes[network.last_layer()].op, Op::Activation(_));
        let is_binary = !labels.is_empty() && labels.iter().all(|&label| label <= 1);
        if is_bare && is_binary { Self::Assumed } else { Self::None }
    }

    /// Whether they are class scores.
    pub fn are(self) -> bool {
        self != Self::None
    }

    /// A note if that was assumed, or if a single value is not taken for a class although there are labels.
    pub fn finding(self, network: &Network, labels: &[u16]) -> Option<Finding> {
        let text = match self {
            Self::Assumed => {
                "the output is one value without a sigmoid and the labels are 0 and 1, so it is taken for the score of \
                 class 1: a value above 0 predicts 1"
                    .to_owned()
            }
            Self::None if network.classes() == 1 => {
                let why = match labels.iter().max()? {
                    0 | 1 => "behind an activation that is never below 0".to_owned(),
                    highest => format!("and the labels go up to {highest}"),
                };
                format!("the output is one value {why}: it is compared as a value, and labels are not used")
            }
            Self::Stated | Self::None => return None,
        };
        Some(Finding::note("one output value", None, text))
    }
}

/// Predicted class of every sample after every step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Predictions {
    pub samples: usize,
    /// `[N][T]`, time innermost.
    classes: Vec<u32>,
    /// Mean over the samples of the steps until the prediction at T: T unless samples exit early.
    pub mean_steps: f64,
    /// Steps at the start that the prediction at T skips, under [`Readout::Delayed`].
    pub delay: Option<usize>,
}

impl Predictions {
    /// Decodes the predictions of `recording` by `rule`. `delay` is the estimate for [`Readout::Delayed`] without a number.
    pub fn decode(recording: &Recording, rule: Readout, delay: usize) -> Self {
        let steps = recording.steps;
        let decode_sample = |sample: usize| -> (Vec<u32>, usize) {
            let mut exit = None;
            let mut window = vec![0.0; recording.classes];
            let predictions = (1..=steps).map(|t| {
                let start = match rule {
                    Readout::Sum => 0,
                    Readout::Delayed(None) => readout_start(delay, t),
                    Readout::Delayed(Some(start)) => start.min(t - 1),
                    Readout::EarlyExit(min_confidence) => {
                        let sums = recording.readout_at(t, sample);
                        let current = predicted_class(sums);
                        if exit.is_none() && confidence(sums, t) >= min_confidence {
                            exit = Some((t, current));
                        }
                        return exit.map_or(current, |(_, prediction)| prediction) as u32;
                    }
                };
                window.copy_from_slice(recording.readout_at(t, sample));
                if start > 0 {
                    window.iter_mut().zip(recording.readout_at(start, sample)).for_each(|(sum, before)| *sum -= before);
                }
                predicted_class(&window) as u32
            });
            let predictions = predictions.collect();
            (predictions, exit.map_or(steps, |(t, _)| t))
        };
        let rows: Vec<(Vec<u32>, usize)> = (0..recording.samples).into_par_iter().map(decode_sample).collect();
        let mean_steps = rows.iter().map(|(_, t)| *t as f64).sum::<f64>() / recording.samples.max(1) as f64;
        let classes = rows.into_iter().flat_map(|(row, _)| row).collect();
        let delay = match rule {
            Readout::Delayed(None) => Some(readout_start(delay, steps)),
            Readout::Delayed(Some(start)) => Some(start.min(steps.saturating_sub(1))),
            Readout::Sum | Readout::EarlyExit(_) => None,
        };
        Self { samples: recording.samples, classes, mean_steps, delay }
    }

    /// Predicted class of `sample` after `t` steps (1-based).
    pub fn at(&self, t: usize, sample: usize) -> usize {
        let steps = self.classes.len().checked_div(self.samples).unwrap_or(0);
        self.classes[sample * steps + t - 1] as usize
    }
}

/// First step of a delayed readout (Bu et al., CVPR 2025): t0 if T >= t0 + 4, else T − 4 (0 in shorter runs).
pub fn readout_start(estimate: usize, steps: usize) -> usize {
    let last = steps.saturating_sub(MIN_READOUT_STEPS);
    estimate.min(last)
}

/// Softmax probabilities of `sums / t`, `[classes]`; uniform if a value is not finite. A single value is the logit of
/// class 1 of two: its sigmoid.
pub fn probabilities(sums: &[f32], t: usize) -> Vec<f64> {
    if let [sum] = sums {
        return probabilities(&[0.0, *sum], t);
    }
    let max = sums.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f64> = sums.iter().map(|sum| (f64::from(sum - max) / t.max(1) as f64).exp()).collect();
    let total: f64 = powers.iter().sum();
    let is_finite = total.is_finite() && total > 0.0;
    powers.into_iter().map(|power| if is_finite { power / total } else { 1.0 / sums.len() as f64 }).collect()
}

/// The largest of the [`probabilities`] of `sums / t`; 0 if a value is not finite.
pub(crate) fn confidence(sums: &[f32], t: usize) -> f32 {
    if let [sum] = sums {
        return confidence(&[0.0, *sum], t);
    }
    let max = sums.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let total: f64 = sums.iter().map(|sum| (f64::from(sum - max) / t as f64).exp()).sum();
    if total.is_finite() && total > 0.0 { (1.0 / total) as f32 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Activation, Node};

    /// Two classes, one sample; the logits of each step, summed as in a recording.
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
    fn one_value_has_two_probabilities_and_needs_labels_or_a_sigmoid() {
        let both = probabilities(&[4.0], 2);
        assert!((both[1] - 1.0 / (1.0 + (-2.0f64).exp())).abs() < 1e-9 && (both[0] + both[1] - 1.0).abs() < 1e-9);
        assert_eq!((confidence(&[-4.0], 2), confidence(&[f32::NAN], 1)), (confidence(&[4.0], 2), 0.0));
        let node = |op, inputs: &[usize]| Node { name: "n".into(), op, inputs: inputs.to_vec(), shape: vec![1] };
        let network = |op| Network {
            name: "n".into(),
            nodes: vec![node(Op::Input, &[]), node(op, &[0])],
            output: 1,
            scaling: None,
            class_names: vec![],
            neurons: None,
        };
        let bare = network(Op::Affine { scale: vec![2.0], shift: vec![0.0] });
        assert_eq!(
            [&[0, 1][..], &[0, 2], &[]].map(|labels| Classes::of(&bare, labels)),
            [Classes::Assumed, Classes::None, Classes::None]
        );
        assert!(Classes::Assumed.finding(&bare, &[0, 1]).unwrap().text.contains("above 0"));
        assert!(Classes::None.finding(&bare, &[0, 7]).unwrap().text.contains("up to 7"));
        assert_eq!(Classes::None.finding(&bare, &[]), None);
        assert_eq!(Classes::of(&network(Op::Sigmoid), &[]), Classes::Stated);
        assert_eq!(Classes::of(&network(Op::Activation(Activation::Relu)), &[0, 1]), Classes::None);
    }

    #[test]
    fn delay_skips_the_first_steps_and_early_exit_keeps_the_first_confident_prediction() {
        let recording = recording(&[[4.0, 0.0], [0.0, 1.0], [0.0, 1.0], [0.0, 1.0], [0.0, 9.0], [0.0, 9.0]]);
        let read = |rule, delay| {
            let predictions = Predictions::decode(&recording, rule, delay);
            ((1..=6).map(|t| predictions.at(t, 0)).collect::<Vec<_>>(), predictions.mean_steps)
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
