//! Which steps of a recording answer, by the recipe's readout.

use std::ops::Range;

use crate::convert::Readout;
use crate::simulate::Recording;
use crate::task::classification::{confidence, readout_start};

/// The steps of one sample of a recording, after some of its steps, whose mean readout are its logits. `delay` is the estimate
/// for a readout that asks for one.
pub fn steps_of(readout: Readout, delay: usize) -> impl Fn(&Recording, usize, usize) -> Range<usize> + Sync {
    move |recording: &Recording, sample: usize, steps: usize| match readout {
        Readout::Sum => 0..steps,
        Readout::Delayed(None) => readout_start(delay, steps)..steps,
        Readout::Delayed(Some(start)) => start.min(steps - 1)..steps,
        Readout::EarlyExit(enough) => {
            let exit = (1..steps).find(|&t| confidence(recording.readout_at(t, sample), t) >= enough);
            0..exit.unwrap_or(steps)
        }
    }
}
