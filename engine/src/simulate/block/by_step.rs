//! Currents of a block as one array, step by step.

use std::ops::Range;

use crate::Result;
use crate::compute::simd::lanes::LANES;
use crate::progress::JobControl;
use crate::simulate::currents::{Current, Currents, Piece, PieceCurrents, TakeCurrents};

/// Currents as `[T][B][F]`.
pub(in crate::simulate) fn currents_by_step(currents: &Currents<'_>, control: &JobControl) -> Result<Vec<f32>> {
    match (&currents.current, currents.lanes()) {
        (Current::Steps(values), _) if currents.bias.is_empty() => Ok(values.clone()),
        (Current::Constant(values), _) if currents.bias.is_empty() => Ok(values.repeat(currents.steps)),
        (_, 1) => by_step_in::<1>(currents, control),
        (_, 2) => by_step_in::<2>(currents, control),
        _ => by_step_in::<4>(currents, control),
    }
}

fn by_step_in<const N: usize>(currents: &Currents<'_>, control: &JobControl) -> Result<Vec<f32>> {
    let mut out = vec![0.0; currents.steps * currents.samples * currents.grid.len()];
    for task in currents.tasks() {
        currents.run::<N>(&task, control, &mut ByStep { currents, out: &mut out })?;
    }
    Ok(out)
}

/// Collects currents as `[T][B][F]`.
struct ByStep<'a, 'b> {
    currents: &'a Currents<'b>,
    out: &'a mut [f32],
}

impl<const N: usize> TakeCurrents<N> for ByStep<'_, '_> {
    fn take(&mut self, piece: &Piece, steps: Range<usize>, currents: PieceCurrents<'_, N>) {
        let (samples, grid) = (self.currents.samples, self.currents.grid);
        for (k, t) in steps.enumerate() {
            let row = (t * samples + piece.sample) * grid.len();
            for (at, place) in piece.places.clone().enumerate() {
                let values = currents.at(k, at);
                for (lane, c) in piece.channels.clone().enumerate() {
                    self.out[row + c * grid.places() + place] = values[lane / LANES].0[lane % LANES];
                }
            }
        }
    }
}
