//! The mean readout at a step: over all steps so far, or without the first ones.

use crate::convert::Readout;
use crate::simulate::Recording;
use crate::task::classification::readout_start;

/// Which steps the readout at a step averages.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReadoutWindow {
    pub rule: Readout,
    /// Estimated delay of [`Readout::Delayed`] without a number; `None` stands for half of the steps, as class maps are
    /// read (Bu et al., CVPR 2025, section 5.2).
    pub delay: Option<usize>,
}

/// The number of steps that the readout at step `t` (from 1) skips under `rule`; `delay` is the estimate for
/// [`Readout::Delayed`] without a number, `None` skips half.
pub fn window_start(rule: Readout, delay: Option<usize>, t: usize) -> usize {
    match (rule, delay) {
        (Readout::Sum | Readout::EarlyExit(_), _) => 0,
        (Readout::Delayed(Some(start)), _) => start.min(t.saturating_sub(1)),
        (Readout::Delayed(None), Some(delay)) => readout_start(delay, t),
        (Readout::Delayed(None), None) => t / 2,
    }
}

impl ReadoutWindow {
    /// Steps that the readout at step `t` skips.
    pub fn start(&self, t: usize) -> usize {
        window_start(self.rule, self.delay, t)
    }

    /// The mean readout of `sample` at step `t`, into `mean`: the mean current of each output, which may have any sign.
    pub fn mean_into(&self, recording: &Recording, t: usize, sample: usize, mean: &mut Vec<f32>) {
        let start = self.start(t);
        let steps = (t - start) as f32;
        mean.clear();
        mean.extend_from_slice(recording.readout_at(t, sample));
        if start > 0 {
            mean.iter_mut().zip(recording.readout_at(start, sample)).for_each(|(sum, before)| *sum -= before);
        }
        mean.iter_mut().for_each(|sum| *sum /= steps);
    }

    /// The mean readout of `sample` at step `t`.
    pub fn mean(&self, recording: &Recording, t: usize, sample: usize) -> Vec<f32> {
        let mut mean = Vec::new();
        self.mean_into(recording, t, sample, &mut mean);
        mean
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_skip_half_an_estimate_or_a_number() {
        let at = |rule, delay| [1, 2, 3, 8, 64].map(|t| window_start(rule, delay, t));
        assert_eq!(at(Readout::Sum, None), [0; 5]);
        assert_eq!(at(Readout::Delayed(None), None), [0, 1, 1, 4, 32]);
        assert_eq!(at(Readout::Delayed(None), Some(5)), [0, 0, 0, 4, 5]);
        assert_eq!(at(Readout::Delayed(Some(2)), None), [0, 1, 2, 2, 2]);
        let recording =
            Recording { steps: 2, samples: 1, classes: 2, layers: vec![], readout: vec![1.0, -2.0, 4.0, -8.0] };
        let window = ReadoutWindow { rule: Readout::Delayed(None), delay: None };
        assert_eq!((window.mean(&recording, 1, 0), window.mean(&recording, 2, 0)), (vec![1.0, -2.0], vec![3.0, -6.0]));
        let all = ReadoutWindow { rule: Readout::Sum, delay: None };
        assert_eq!(all.mean(&recording, 2, 0), [2.0, -4.0]);
    }
}
