//! Frames of events as lists, and as spikes: whole-number counts in binary digits, one plane a digit.

use super::spike_train::SpikeTrain;
use crate::compute::event::Grid;
use crate::compute::event::frame_events::{FrameEvents, is_count};

/// Weights of the planes of a count, the lowest digit first.
const WEIGHTS: [i32; 8] = [1, 2, 4, 8, 16, 32, 64, 128];
/// Planes that are always there, so that the sums of a sample do not depend on the counts of its neighbors: layers with
/// one plane add in another order.
const MIN_PLANES: usize = 2;

/// Whether all values are whole numbers from 0 to 255, which events in a frame are.
pub(super) fn are_counts(frames: &[f32]) -> bool {
    frames.iter().all(|&value| is_count(value))
}

/// The events of samples with frames of `shape`, whose frames are `len` values a sample. `None` if a value is no whole
/// number from 0 to 255, or the shape has no grid.
pub(super) fn frame_lists(frames: &[f32], shape: &[usize], len: usize) -> Option<Vec<FrameEvents>> {
    use rayon::prelude::*;
    let grid = Grid::of(shape)?;
    frames.par_chunks(len.max(1)).map(|sample| FrameEvents::new(sample, grid)).collect()
}

/// The steps `from..from + steps` of `frames` (`[B, count, F]` of `shape`) as spikes of B samples: step t shows frame t
/// modulo `count`. `None` if a value is no whole number from 0 to 255, or the shape has no grid.
pub(super) fn frame_spikes(
    frames: &[f32],
    shape: &[usize],
    count: usize,
    (from, steps): (usize, usize),
) -> Option<SpikeTrain> {
    let grid = Grid::of(shape)?;
    if !are_counts(frames) {
        return None;
    }
    let max = frames.iter().copied().fold(0.0f32, f32::max);
    let planes = ((max as u32).checked_ilog2().unwrap_or(0) as usize + 1).max(MIN_PLANES);
    let samples = frames.len() / (count * grid.len()).max(1);
    let mut train = SpikeTrain::for_grid(samples, (grid.channels, grid.places()), &WEIGHTS[..planes]);
    train.resize(steps);
    let words = grid.len().div_ceil(64);
    for t in 0..steps {
        for sample in 0..samples {
            let start = (sample * count + (from + t) % count) * grid.len();
            let row = train.row_mut(t, sample);
            for (c, channel) in frames[start..start + grid.len()].chunks_exact(grid.places().max(1)).enumerate() {
                for (place, &value) in channel.iter().enumerate().filter(|(_, value)| **value != 0.0) {
                    let (digits, bit) = (value as u32, place * grid.channels + c);
                    for plane in (0..planes).filter(|plane| digits >> plane & 1 == 1) {
                        row[plane * words + bit / 64] |= 1 << (bit % 64);
                    }
                }
            }
        }
    }
    Some(train)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_kept_in_binary_digits_and_frames_repeat() {
        // Two samples of two frames of [2, 1, 2].
        let frames: Vec<f32> = (0..16u8).map(f32::from).collect();
        let train = frame_spikes(&frames, &[2, 1, 2], 2, (1, 3)).unwrap();
        assert_eq!((train.steps(), train.weights().len()), (3, 4));
        for (t, frame) in [1, 0, 1].into_iter().enumerate() {
            for sample in 0..2 {
                for neuron in 0..4 {
                    let count = frames[(sample * 2 + frame) * 4 + neuron];
                    assert_eq!(train.value(t, sample, neuron) as f32, count);
                }
            }
        }
    }

    #[test]
    fn other_numbers_are_no_counts() {
        for value in [0.5, -1.0, 256.0, f32::NAN] {
            assert!(frame_spikes(&[0.0, value], &[1], 2, (0, 2)).is_none(), "{value}");
        }
    }
}
