//! Frames of event recordings as networks read them: their mean over time, and one frame a step.

use super::pixels::PixelSpace;

impl PixelSpace {
    /// What the ANN reads: the mean over all frames, scaled, `[N, F]`.
    pub fn ann_input(&self, pixels: &[f32]) -> Vec<f32> {
        self.scaled(&self.mean(pixels, self.frames()))
    }

    /// The mean over `steps` steps that show the frames in turn, `[N, F]`; images as they are.
    pub fn mean(&self, pixels: &[f32], steps: usize) -> Vec<f32> {
        if self.frames() == 1 {
            return pixels.to_vec();
        }
        let (width, shares) = (self.frame_len().max(1), self.shares(steps));
        let mut mean = vec![0.0; pixels.len() / self.frames()];
        for (mean, sample) in mean.chunks_exact_mut(width).zip(pixels.chunks_exact(self.len().max(1))) {
            for (frame, share) in sample.chunks_exact(width).zip(&shares) {
                mean.iter_mut().zip(frame).for_each(|(mean, value)| *mean += share * value);
            }
        }
        mean
    }

    /// The gradient of the frames for the `gradient` `[N, F]` of their [mean](Self::mean).
    pub fn of_mean(&self, gradient: Vec<f32>, steps: usize) -> Vec<f32> {
        if self.frames() == 1 {
            return gradient;
        }
        let shares = self.shares(steps);
        let rows = gradient.chunks_exact(self.frame_len().max(1));
        rows.flat_map(|row| shares.iter().flat_map(move |share| row.iter().map(move |g| g * share))).collect()
    }

    /// `[N, frames, F]` as `[steps, N, F]`: step t shows frame t modulo the number of frames.
    pub fn by_step(&self, frames: &[f32], steps: usize) -> Vec<f32> {
        let width = self.frame_len().max(1);
        let frame = |t: usize| {
            let at = t % self.frames() * width;
            frames.chunks_exact(self.len().max(1)).flat_map(move |sample| &sample[at..at + width]).copied()
        };
        (0..steps).flat_map(frame).collect()
    }

    /// The gradient of the frames, `[N, frames, F]`, for that of every step, `[steps, N, F]`.
    pub fn of_steps(&self, gradient: &[f32], rows: usize) -> Vec<f32> {
        let width = self.frame_len().max(1);
        let mut sums = vec![0.0; rows * self.len()];
        for (t, step) in gradient.chunks_exact((rows * width).max(1)).enumerate() {
            let at = t % self.frames() * width;
            for (sample, own) in sums.chunks_exact_mut(self.len().max(1)).zip(step.chunks_exact(width)) {
                sample[at..at + width].iter_mut().zip(own).for_each(|(sum, g)| *sum += g);
            }
        }
        sums
    }

    /// The share of the steps that show each frame.
    fn shares(&self, steps: usize) -> Vec<f32> {
        let (whole, rest) = (steps / self.frames(), steps % self.frames());
        (0..self.frames()).map(|k| (whole + usize::from(k < rest)) as f32 / steps.max(1) as f32).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::attack::PixelSpace;
    use crate::data::samples::FrameSequence;
    use crate::data::{Samples, Scaling};

    #[test]
    fn gradients_go_back_to_the_frames_that_the_steps_show() {
        let values = Arc::new((0..12u8).map(f32::from).collect::<Vec<_>>());
        let frames = FrameSequence { count: 3, values, events: None };
        let samples = Samples {
            shape: vec![1, 1, 2],
            values: Arc::new(vec![2.0, 3.0, 8.0, 9.0]),
            max: 11.0,
            frames: Some(frames),
            ..Samples::default()
        };
        let space = PixelSpace::over_time(&samples, &Scaling::Unit).unwrap();
        let pixels = space.pixels(&samples, 0..2).unwrap();
        assert_eq!((space.len(), space.shape(), pixels.len()), (6, vec![3, 1, 1, 2], 12));
        assert_eq!(space.mean(&pixels, 3), [2.0, 3.0, 8.0, 9.0]);
        // Steps 0 and 3 show frame 0.
        assert_eq!(space.mean(&pixels, 4), [1.5, 2.5, 7.5, 8.5]);
        assert_eq!(space.of_mean(vec![1.0, 0.0, 0.0, 2.0], 4)[..6], [0.5, 0.0, 0.25, 0.0, 0.25, 0.0]);
        let steps = space.by_step(&pixels, 4);
        assert_eq!(steps[..4], [0.0, 1.0, 6.0, 7.0]);
        assert_eq!(steps[12..], steps[..4]);
        assert_eq!(space.of_steps(&[1.0; 16], 2)[..6], [2.0, 2.0, 1.0, 1.0, 1.0, 1.0]);
        assert!(space.form().limit().is_infinite() && space.has_counts());
    }
}
