//! Mean logits of a recording by the recipe's readout.

use crate::convert::Readout;
use crate::simulate::Recording;
use crate::task::classification::{confidence, readout_start};

/// Decodes one sample of a recording after some of its steps: the mean logits of those that count. `delay` is the estimate for
/// a readout that asks for one.
pub fn mean_logits(readout: Readout, delay: usize) -> impl Fn(&Recording, usize, usize) -> Vec<f32> + Sync {
    move |recording: &Recording, sample: usize, steps: usize| {
        let (from, to) = match readout {
            Readout::Sum => (0, steps),
            Readout::Delayed(None) => (readout_start(delay, steps), steps),
            Readout::Delayed(Some(start)) => (start.min(steps - 1), steps),
            Readout::EarlyExit(enough) => {
                let exit = (1..steps).find(|&t| confidence(recording.readout_at(t, sample), t) >= enough);
                (0, exit.unwrap_or(steps))
            }
        };
        let mut sums = recording.readout_at(to, sample).to_vec();
        if from > 0 {
            sums.iter_mut().zip(recording.readout_at(from, sample)).for_each(|(sum, before)| *sum -= before);
        }
        sums.iter_mut().for_each(|sum| *sum /= (to - from) as f32);
        sums
    }
}
