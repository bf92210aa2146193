//! Training batches: train/validation split, sample order, random shifts, scaled values.
//!
//! Host memory only; uses no tensors.

use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::data::{Samples, Scaling};

/// Scaled input and labels of some samples.
pub(super) struct Batch {
    /// `[rows, F]`.
    pub values: Vec<f32>,
    pub labels: Vec<u16>,
    pub rows: usize,
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

    /// Shuffles the training samples for the next epoch.
    pub(super) fn shuffle(&mut self) {
        self.training.shuffle(&mut self.rng);
    }

    /// A random shift in pixels, down and right, each in `-max_shift..=max_shift`.
    pub(super) fn shift(&mut self, max_shift: u8) -> [isize; 2] {
        let max_shift = i16::from(max_shift);
        [(); 2].map(|()| isize::from(self.rng.random_range(-max_shift..=max_shift)))
    }
}

/// The samples at `indices`, each image shifted by the result of `shift` (the edges are filled with the file's zero).
pub(super) fn gather(
    samples: &Samples,
    scaling: &Scaling,
    indices: &[usize],
    mut shift: impl FnMut() -> [isize; 2],
) -> Batch {
    let len = samples.sample_len();
    let mut values = vec![0.0; indices.len() * len];
    for (row, &index) in values.chunks_exact_mut(len).zip(indices) {
        match (shift(), samples.shape.as_slice()) {
            ([0, 0], _) => row.copy_from_slice(samples.raw(index)),
            (by, &[_, height, width]) => copy_shifted(samples.raw(index), row, height, width, by),
            _ => row.copy_from_slice(samples.raw(index)),
        }
    }
    samples.scale(&mut values, scaling);
    let labels = indices.iter().filter_map(|&index| samples.label(index)).collect();
    Batch { values, labels, rows: indices.len() }
}

/// Copies planes of `height` by `width`, shifted `down` and `right`; pixels without a source stay unchanged.
fn copy_shifted(from: &[f32], to: &mut [f32], height: usize, width: usize, [down, right]: [isize; 2]) {
    let kept = width.saturating_sub(right.unsigned_abs());
    let (source, target) = (right.min(0).unsigned_abs().min(width), right.max(0).unsigned_abs().min(width));
    for (from, to) in from.chunks_exact(height * width).zip(to.chunks_exact_mut(height * width)) {
        for y in 0..height {
            let Some(old) = y.checked_add_signed(-down).filter(|&old| old < height) else { continue };
            let row = &from[old * width + source..][..kept];
            to[y * width + target..][..kept].copy_from_slice(row);
        }
    }
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
        let batch = gather(&samples(), &Scaling::Unit, &[1], || [0, 0]);
        assert_eq!(batch.values, [3.0, 3.5, 4.0, 4.5, 5.0, 5.5]);
        assert_eq!((batch.labels, batch.rows), (vec![7], 1));
    }

    #[test]
    fn shifts_move_whole_images() {
        let moved =
            |by| gather(&samples(), &Scaling::Bytes, &[1], || by).values.iter().map(|v| v / 127.5).collect::<Vec<_>>();
        assert_eq!(moved([0, 0]), [6.0, 7.0, 8.0, 9.0, 10.0, 11.0]);
        assert_eq!(moved([1, 0]), [0.0, 0.0, 0.0, 6.0, 7.0, 8.0]);
        assert_eq!(moved([-1, 1]), [0.0, 9.0, 10.0, 0.0, 0.0, 0.0]);
        assert_eq!(moved([0, -2]), [8.0, 0.0, 0.0, 11.0, 0.0, 0.0]);
        assert_eq!(moved([9, 9]), [0.0; 6]);
    }
}
