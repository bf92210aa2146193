//! Training batches: train/validation split, sample order, scaled and changed values and targets.
//!
//! Host memory only; uses no tensors.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::augment::{Augmentation, Change};
use crate::data::samples::targets::TargetBox;
use crate::data::{Samples, Scaling};

/// Scaled input and targets of some samples. Targets that the samples do not have are empty.
#[derive(Debug, Default)]
pub struct Batch {
    /// `[rows, F]`.
    pub values: Vec<f32>,
    pub rows: usize,
    pub labels: Vec<u16>,
    /// `[rows, H, W]`.
    pub masks: Vec<u8>,
    /// `[rows]`.
    pub boxes: Vec<Vec<TargetBox>>,
}

/// Samples split in two by a seeded shuffle: training samples and held-out samples.
pub(super) struct Split {
    pub training: Vec<usize>,
    pub held_out: Vec<usize>,
    rng: ChaCha8Rng,
}

impl Split {
    /// Holds out `fraction` of `count` samples, with at least one on either side; `count` is at least 2.
    pub(super) fn new(count: usize, fraction: f32, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut order: Vec<usize> = (0..count).collect();
        order.shuffle(&mut rng);
        let held = ((count as f32 * fraction).round() as usize).clamp(1, count.saturating_sub(1).max(1));
        let training = order.split_off(held.min(order.len()));
        Self { training, held_out: order, rng }
    }

    /// The position of the random numbers, in words.
    pub(super) fn word(&self) -> u128 {
        self.rng.get_word_pos()
    }

    /// Goes on from `order` of the training samples and `word` of the random numbers.
    pub(super) fn restore(&mut self, order: &[usize], word: &str) -> Result<(), String> {
        let word = word.parse().map_err(|_| format!("'{word}' is no position of random numbers"))?;
        let sorted = |order: &[usize]| {
            let mut order = order.to_vec();
            order.sort_unstable();
            order
        };
        if sorted(order) != sorted(&self.training) {
            return Err("it is not an order of these training samples".into());
        }
        self.training = order.to_vec();
        self.rng.set_word_pos(word);
        Ok(())
    }

    /// Shuffles the training samples for the next epoch.
    pub(super) fn shuffle(&mut self) {
        self.training.shuffle(&mut self.rng);
    }

    /// A random change of the next training sample.
    pub(super) fn change(&mut self, augmentation: Augmentation) -> Change {
        Change::random(augmentation, &mut self.rng)
    }
}

/// The samples at `indices`, each picture with its targets changed by the result of `change` (pixels without a source
/// get the file's zero).
pub(super) fn gather(samples: &Samples, scaling: &Scaling, indices: &[usize], change: impl FnMut() -> Change) -> Batch {
    gather_steps(samples, scaling, indices, None, change)
}

/// As [`gather`]; recordings over `steps` steps give `[steps, rows, F]`, one frame a step, repeated.
pub(super) fn gather_steps(
    samples: &Samples,
    scaling: &Scaling,
    indices: &[usize],
    steps: Option<usize>,
    mut change: impl FnMut() -> Change,
) -> Batch {
    let len = samples.sample_len();
    let frames = samples.frames.as_ref().zip(steps).filter(|(frames, _)| frames.count > 0);
    let times = frames.map_or(1, |(_, steps)| steps);
    let plane = indices.len() * len;
    let mut batch = Batch { values: vec![0.0; times * plane], rows: indices.len(), ..Batch::default() };
    for (row, &index) in indices.iter().enumerate() {
        let mut change = change();
        let size = match samples.shape.as_slice() {
            &[_, height, width] => [height, width],
            _ => {
                change = Change::default();
                [1, 1]
            }
        };
        for t in 0..times {
            let from = match frames {
                Some((frames, _)) => &frames.values[(index * frames.count + t % frames.count) * len..][..len],
                None => samples.raw(index),
            };
            let to = &mut batch.values[t * plane + row * len..][..len];
            if change == Change::default() {
                to.copy_from_slice(from);
            } else {
                change.apply(from, to, size);
            }
        }
        if let Some(masks) = samples.targets.masks() {
            let start = batch.masks.len();
            let from = masks.of_sample(index);
            batch.masks.resize(start + from.len(), 0);
            change.apply_to_mask(from, &mut batch.masks[start..], [masks.height, masks.width]);
        }
        if let Some(boxes) = samples.targets.boxes() {
            let own = boxes.of_sample.get(index).map_or(&[][..], Vec::as_slice);
            batch.boxes.push(if change == Change::default() { own.to_vec() } else { change.boxes(own, size) });
        }
    }
    samples.scale(&mut batch.values, scaling);
    batch.labels = indices.iter().filter_map(|&index| samples.label(index)).collect();
    batch
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn samples() -> Samples {
        Samples {
            source: "test".into(),
            shape: vec![1, 2, 3],
            values: Arc::new((0..12).map(|v| v as f32).collect()),
            labels: Arc::new(vec![4, 7]),
            full_scale: 2.0,
            ..Samples::default()
        }
    }

    #[test]
    fn the_seed_splits_the_samples_in_two() {
        let split = Split::new(100, 0.1, 3);
        assert_eq!((split.training.len(), split.held_out.len()), (90, 10));
        let mut all = [split.training.clone(), split.held_out.clone()].concat();
        all.sort_unstable();
        assert_eq!(all, (0..100).collect::<Vec<_>>());
        assert_eq!(split.held_out, Split::new(100, 0.1, 3).held_out);
        assert_ne!(split.held_out, Split::new(100, 0.1, 4).held_out);
        let small = Split::new(2, 0.0, 1);
        assert_eq!((small.training.len(), small.held_out.len()), (1, 1));
    }

    #[test]
    fn batches_are_scaled_and_labeled() {
        let batch = gather(&samples(), &Scaling::Unit, &[1], Change::default);
        assert_eq!(batch.values, [3.0, 3.5, 4.0, 4.5, 5.0, 5.5]);
        assert_eq!((batch.labels, batch.rows), (vec![7], 1));
    }

    #[test]
    fn shifts_move_whole_images() {
        let moved = |shift| {
            gather(&samples(), &Scaling::Bytes, &[1], || Change { shift, ..Change::default() })
                .values
                .iter()
                .map(|v| v / 127.5)
                .collect::<Vec<_>>()
        };
        assert_eq!(moved([0, 0]), [6.0, 7.0, 8.0, 9.0, 10.0, 11.0]);
        assert_eq!(moved([1, 0]), [0.0, 0.0, 0.0, 6.0, 7.0, 8.0]);
        assert_eq!(moved([-1, 1]), [0.0, 9.0, 10.0, 0.0, 0.0, 0.0]);
        assert_eq!(moved([0, -2]), [8.0, 0.0, 0.0, 11.0, 0.0, 0.0]);
        assert_eq!(moved([9, 9]), [0.0; 6]);
    }
}
