//! Collects activations while samples run: counts, largest values and representatives of each layer.
//!
//! Every worker collects its samples; what is merged is counts and sorted values, which do not depend on their number.

use super::largest_values::{LargestValues, scan_planes};
use crate::network::Node;

/// Which values of a layer to keep.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Detail {
    /// Fraction of all values that is kept, the largest first.
    pub fraction: f64,
    /// Whether values are kept by channel instead of for the whole layer.
    pub by_channel: bool,
}

impl Detail {
    /// Number of the largest of `count` values that contain every order statistic of the upper `fraction`, and the
    /// interpolation's neighbor.
    pub fn wanted(self, count: usize) -> usize {
        if self.fraction <= 0.0 { 0 } else { ((self.fraction * count as f64).ceil() as usize + 3).min(count) }
    }
}

/// Values of one layer over some of the samples.
#[derive(Clone, Debug)]
pub(super) struct LayerCollector {
    /// Neurons of a channel, and of the layer.
    plane: usize,
    neurons: usize,
    /// Values above zero of every channel.
    pub positive: Vec<usize>,
    /// Bits of the largest value of every channel.
    pub max: Vec<i32>,
    /// One for each channel, or one for the layer.
    pub sets: Vec<LargestValues>,
    /// Some of the values, ReLU(z), in no order.
    pub representatives: Vec<f32>,
    /// Every so many samples, and in them neurons, is a representative.
    stride: (usize, usize),
    /// Samples with values that are not finite, and the first of them: number, value.
    pub not_finite: usize,
    pub first_not_finite: Option<(usize, f32)>,
}

/// Maximum number of samples, and of values, that represent a layer.
const REPRESENTATIVE_SAMPLES: usize = 16;
const REPRESENTATIVES: usize = 4096;

impl LayerCollector {
    /// For layer `node` over `rows` samples.
    pub fn new(node: &Node, rows: usize, detail: Detail) -> Self {
        let channels = node.shape.first().copied().unwrap_or(1).max(1);
        let neurons = node.len();
        let plane = neurons / channels;
        let (sets, of_each) = if detail.by_channel { (channels, plane) } else { (1, neurons) };
        let sampled = rows.div_ceil(REPRESENTATIVE_SAMPLES).max(1);
        // Odd, so that it does not stay in a few columns of an image.
        let every = (rows.div_ceil(sampled) * neurons).div_ceil(REPRESENTATIVES).max(1) | 1;
        Self {
            plane,
            neurons,
            positive: vec![0; channels],
            max: vec![0; channels],
            sets: vec![LargestValues::new(detail.wanted(of_each * rows)); sets],
            representatives: Vec::new(),
            stride: (sampled, every),
            not_finite: 0,
            first_not_finite: None,
        }
    }

    /// Adds the pre-activations `z` (`[F]`) of sample `sample`.
    pub fn add(&mut self, sample: usize, z: &[f32]) {
        let Self { positive, max, sets, .. } = self;
        let mut is_finite = true;
        scan_planes(z, self.plane, sets, |channel, counts| {
            is_finite &= counts.is_finite;
            if let (Some(positive), Some(max)) = (positive.get_mut(channel), max.get_mut(channel)) {
                *positive += counts.positive;
                *max = counts.max.max(*max);
            }
        });
        if !is_finite {
            self.not_finite += 1;
            if self.first_not_finite.is_none_or(|(first, _)| sample < first) {
                self.first_not_finite = z.iter().copied().find(|z| !z.is_finite()).map(|value| (sample, value));
            }
        }
        let (sampled, every) = self.stride;
        if sample.is_multiple_of(sampled) {
            self.representatives.extend(z.iter().step_by(every).map(|z| z.max(0.0)));
        }
    }

    /// The values of both.
    pub fn merge(mut self, other: Self) -> Self {
        self.positive.iter_mut().zip(other.positive).for_each(|(a, b)| *a += b);
        self.max.iter_mut().zip(other.max).for_each(|(a, b)| *a = b.max(*a));
        self.sets = self.sets.into_iter().zip(other.sets).map(|(a, b)| a.merge(b)).collect();
        self.representatives.extend(other.representatives);
        self.not_finite += other.not_finite;
        let first = [self.first_not_finite, other.first_not_finite].into_iter().flatten();
        self.first_not_finite = first.min_by_key(|(sample, _)| *sample);
        self
    }

    /// Neurons of the layer, and of one channel.
    pub fn sizes(&self) -> (usize, usize) {
        (self.neurons, self.plane)
    }
}
