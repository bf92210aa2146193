//! Curves of a training in the terminal: one character an epoch.

use std::fmt;

use crate::train::TrainProgress;

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Characters of a curve; longer trainings skip epochs.
const WIDTH: usize = 32;

/// Loss and held-out score of every finished epoch.
#[derive(Debug, Default)]
pub(super) struct Curves {
    loss: Vec<f32>,
    score: Vec<f32>,
}

impl Curves {
    /// Adds the epoch that `at` ends, if it does.
    pub(super) fn push(&mut self, at: &TrainProgress) {
        if let Some(score) = at.score {
            self.loss.push(at.loss);
            self.score.push(score);
        }
    }
}

impl fmt::Display for Curves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.loss.is_empty() {
            return Ok(());
        }
        write!(f, "loss {}  held out {}", bars(&self.loss), bars(&self.score))
    }
}

/// `values` from their lowest to their highest.
fn bars(values: &[f32]) -> String {
    let low = values.iter().copied().fold(f32::INFINITY, f32::min);
    let high = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let width = values.len().min(WIDTH);
    let at = |k: usize| values[k * (values.len() - 1) / (width - 1).max(1)];
    let bar = |v: f32| if high > low { ((v - low) / (high - low) * 7.0).round() as usize } else { 0 };
    (0..width).map(|k| BARS[bar(at(k)).min(7)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_go_from_their_lowest_to_their_highest_value() {
        assert_eq!(bars(&[3.0, 2.0, 1.0]), "█▅▁");
        assert_eq!(bars(&[1.0]), "▁");
        assert_eq!(bars(&(0..100).map(|v| v as f32).collect::<Vec<_>>()).chars().count(), WIDTH);
    }
}
