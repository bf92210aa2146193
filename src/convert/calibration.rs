//! Activation statistics over the calibration samples: everything that threshold rules ask, exact and independent of how
//! the samples were batched.

use rayon::prelude::*;

use super::recipe::{Granularity, Recipe, ThresholdRule};
use crate::measure::predict::predict;
use crate::network::forward::{Program, numbers};
use crate::network::{NodeId, Op};
use crate::simulate::Control;
use crate::{Error, Result};

/// Statistics of every spiking layer's ReLU(z) over the calibration samples.
#[derive(Clone, Debug)]
pub struct Calibration {
    pub samples: usize,
    /// One per activation, in network order.
    pub layers: Vec<LayerStatistics>,
}

/// ReLU(z) of one layer over all calibration samples, ready for exact order statistics.
#[derive(Clone, Debug)]
pub struct LayerStatistics {
    pub node: NodeId,
    /// All channels together.
    pub layer: Sorted,
    /// One per channel (the first dimension of the layer's shape).
    pub channels: Vec<Sorted>,
}

/// A sorted set of activations; zeros are only counted.
#[derive(Clone, Debug, Default)]
pub struct Sorted {
    pub zeros: usize,
    /// The values above zero, ascending.
    pub positive: Vec<f32>,
}

impl Sorted {
    fn of(values: impl Iterator<Item = f32>) -> Self {
        let mut zeros = 0;
        let mut positive: Vec<f32> = values
            .filter(|&z| {
                if z > 0.0 {
                    true
                } else {
                    zeros += 1;
                    false
                }
            })
            .collect();
        positive.sort_unstable_by(f32::total_cmp);
        Self { zeros, positive }
    }
    /// Number of values, zeros included.
    pub fn len(&self) -> usize {
        self.zeros + self.positive.len()
    }
    /// True when nothing was collected.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The largest value.
    pub fn max(&self) -> f32 {
        self.positive.last().copied().unwrap_or(0.0)
    }
    /// The `p`-th percentile, 0 to 100, zeros included, linear between order statistics.
    pub fn percentile(&self, p: f64) -> f32 {
        if self.is_empty() {
            return 0.0;
        }
        let at = |rank: usize| rank.checked_sub(self.zeros).map_or(0.0, |i| f64::from(self.positive[i]));
        let position = p / 100.0 * (self.len() - 1) as f64;
        let (low, high) = (position.floor() as usize, position.ceil() as usize);
        let (a, b) = (at(low), at(high));
        (a + (b - a) * (position - low as f64)) as f32
    }
    /// Share of all values (zeros included) that are above `limit`.
    pub fn share_above(&self, limit: f32) -> f64 {
        let above = self.positive.len() - self.positive.partition_point(|&z| z <= limit);
        above as f64 / self.len().max(1) as f64
    }
    /// Counts of the values above zero in `bins` equal bins over `0..=extent`; values beyond fall in the last bin.
    pub fn histogram(&self, bins: usize, extent: f32) -> Vec<u64> {
        let mut edges = (0..=bins).map(|k| self.positive.partition_point(|&z| z <= extent * k as f32 / bins as f32));
        let mut low = edges.next().map_or(0, |_| 0);
        let mut counts: Vec<u64> = edges.map(|high| (high - std::mem::replace(&mut low, high)) as u64).collect();
        if let Some(last) = counts.last_mut() {
            *last += (self.positive.len() - low) as u64;
        }
        counts
    }
}

/// Bytes a calibration over `samples` samples will hold at most while it is made.
pub fn predict_bytes(samples: usize, neurons: &[usize]) -> usize {
    // Every value once as collected, once in the layer's order and once in its channel's.
    neurons.iter().sum::<usize>() * samples * 4 * 3
}

/// Runs the ANN over `rows` calibration samples (`input` is `[rows, F]`, scaled) and sorts what each activation sees.
pub fn calibrate(program: &Program, input: &[f32], rows: usize, control: &Control) -> Result<Calibration> {
    let network = program.network();
    if rows == 0 {
        return Err(Error::Invalid("calibration needs at least one sample".into()));
    }
    let width = input.len() / rows;
    let block = 64.min(rows);
    let layers: Vec<NodeId> = network.activations().map(|(id, _)| id).collect();
    let mut collected: Vec<Vec<f32>> = vec![Vec::new(); layers.len()];
    for start in (0..rows).step_by(block) {
        control.check()?;
        control.progress("calibrating", start as f32 / rows as f32);
        let end = (start + block).min(rows);
        let x = program.tensor(input[start * width..end * width].to_vec(), end - start);
        program.run(x, |id, value| {
            for (k, &layer) in layers.iter().enumerate() {
                // The activation's input is its pre-activation z.
                if network.nodes[layer].inputs[0] == id {
                    collected[k].extend(numbers(value.clone()));
                }
            }
        });
    }
    let statistics = layers.par_iter().zip(collected).map(|(&node, z)| {
        let shape = &network.nodes[node].shape;
        let neurons: usize = shape.iter().product();
        let plane = neurons / shape[0];
        let channel =
            |c: usize| Sorted::of(z.chunks(neurons).flat_map(move |s| s[c * plane..(c + 1) * plane].iter().copied()));
        let channels: Vec<Sorted> = (0..shape[0]).into_par_iter().map(channel).collect();
        control.check()?;
        Ok(LayerStatistics { node, layer: Sorted::of(z.iter().copied()), channels })
    });
    Ok(Calibration { samples: rows, layers: statistics.collect::<Result<_>>()? })
}

/// The θ with the least mean squared error of the T-level staircase against ReLU, among 95 from the maximum down in steps
/// of one per cent (Li et al., ICML 2021). The staircase starts from the recipe's v(0).
fn least_error(sorted: &Sorted, steps: usize, v_init: f32) -> f32 {
    let grid: Vec<f32> = (0..95).map(|k| sorted.max() * (1.0 - 0.01 * k as f32)).collect();
    let predictions = predict(sorted, &grid, steps, v_init);
    predictions.iter().min_by(|a, b| a.total().total_cmp(&b.total())).map_or(0.0, |best| best.theta)
}

/// The thresholds of one layer under the rule of `recipe`: one, or one per channel.
pub fn thresholds(program: &Program, statistics: &LayerStatistics, recipe: &Recipe) -> Result<Vec<f32>> {
    let (rule, granularity) = (recipe.threshold, recipe.granularity);
    let of = |sorted: &Sorted| match rule {
        ThresholdRule::Percentile(p) => sorted.percentile(p),
        ThresholdRule::Mse => least_error(sorted, recipe.steps, recipe.v_init),
        _ => sorted.max(),
    };
    let node = &program.network().nodes[statistics.node];
    if rule == ThresholdRule::Learned {
        let Op::Activation(activation) = node.op else { unreachable!("statistics of a node that is no activation") };
        return activation.lambda().map(|lambda| vec![lambda]).ok_or_else(|| {
            Error::network(
                &node.name,
                "a ReLU has no learned threshold; use threshold percentile:99.9 or max for this network",
            )
        });
    }
    let theta: Vec<f32> = match granularity {
        Granularity::Layer => vec![of(&statistics.layer)],
        Granularity::Channel => statistics.channels.par_iter().map(of).collect(),
    };
    if granularity == Granularity::Layer && theta[0] <= 0.0 {
        let reason = if statistics.layer.positive.is_empty() {
            "never active on the calibration samples, so its threshold would be 0; use other samples or set it by hand"
        } else {
            "its threshold would be 0 at this percentile; raise the percentile"
        };
        return Err(Error::network(&node.name, reason));
    }
    Ok(theta)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_count_zeros_and_interpolate_between_order_statistics() {
        let sorted = Sorted::of([3.0, -1.0, 1.0, 0.0, 2.0].into_iter());
        assert_eq!((sorted.zeros, sorted.len()), (2, 5));
        assert_eq!(sorted.percentile(0.0), 0.0);
        assert_eq!(sorted.percentile(50.0), 1.0);
        assert_eq!(sorted.percentile(62.5), 1.5);
        assert_eq!(sorted.percentile(100.0), 3.0);
        assert_eq!(Sorted::of([0.0; 4].into_iter()).percentile(99.9), 0.0);
    }

    #[test]
    fn the_least_error_lies_below_the_maximum_when_one_outlier_stretches_it() {
        let sorted = Sorted::of((1..=1000).map(|k| k as f32 / 1000.0).chain([4.0]));
        let theta = least_error(&sorted, 4, 0.5);
        assert!((0.9..1.3).contains(&theta), "{theta}");
        assert_eq!(least_error(&Sorted::of([0.0; 3].into_iter()), 4, 0.5), 0.0);
    }

    #[test]
    fn histograms_hold_every_positive_value() {
        let sorted = Sorted::of([0.0, 0.1, 0.9, 1.5, 2.0, 7.0].into_iter());
        assert_eq!(sorted.histogram(2, 2.0), vec![2, 3]);
        assert_eq!(sorted.share_above(1.5), 2.0 / 6.0);
    }
}
