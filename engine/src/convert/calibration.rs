//! Calibration: activation statistics of every layer over the calibration samples.
//!
//! They answer everything that threshold rules ask. They are exact and independent of how the samples were batched. A pass
//! over the samples keeps only what the recipe's rule reads, see [`Calibration::prepare`].

use std::sync::Arc;

use super::activation_collector::{Detail, LayerCollector};
use super::activation_quantiles::{ActivationQuantiles, ValueSource};
use super::calibration_source::{CalibrationInput, CalibrationSource, MAX_KEPT_BYTES, SortedValues, sort_sets};
use super::recipe::{Granularity, Recipe, ThresholdRule};
use crate::compute::program::Program;
use crate::network::Node;
use crate::progress::JobControl;
use crate::{Error, Result};

/// Fraction of the largest values that is kept at least, so that a small change of a percentile needs no other pass.
const MIN_FRACTION: f64 = 0.002;
/// Fraction that is kept once a percentile needs another pass and all values would be too many: all of the percentile
/// slider, which ends at 90.
const SLIDER_FRACTION: f64 = 0.1;

/// Statistics of every spiking layer's ReLU(z) over the calibration samples.
#[derive(Clone, Debug)]
pub struct Calibration {
    pub samples: usize,
    /// One per activation, in network order.
    pub layers: Vec<ActivationStatistics>,
    source: Arc<CalibrationSource>,
}

/// ReLU(z) of one layer over all calibration samples, for exact order statistics.
#[derive(Clone, Debug)]
pub struct ActivationStatistics {
    /// The activation.
    pub node: crate::network::NodeId,
    /// All channels together.
    pub layer: ActivationQuantiles,
    /// One per channel (the first dimension of the layer's shape).
    pub channels: Vec<ActivationQuantiles>,
}

/// Peak number of bytes that calibrating on `samples` samples takes besides the samples themselves.
pub fn estimate_bytes(samples: usize, neurons: &[usize]) -> usize {
    // Twice the values to keep on each thread, and the activations of a sample.
    let values = neurons.iter().sum::<usize>();
    let kept = ((values * samples * 4) as f64 * SLIDER_FRACTION) as usize;
    (2 * kept.min(MAX_KEPT_BYTES) + 4 * values) * rayon::current_num_threads()
}

/// Runs the ANN over `rows` calibration samples (`input` is `[rows, F]`, scaled) and collects the inputs of each
/// activation.
///
/// # Errors
/// [`Error::Invalid`] without samples, [`Error::Network`] for a layer with inputs that are not finite,
/// [`Error::Cancelled`] once `control` is cancelled.
pub fn calibrate(program: &Program, input: &[f32], rows: usize, control: &JobControl) -> Result<Calibration> {
    let input = Arc::new(input.to_vec());
    calibrate_for(program, Box::new(move || input.clone()), rows, &Recipe::default(), control)
}

/// The same, and keeps what the rule of `recipe` needs, in one pass. The samples are read again by later passes.
///
/// # Errors
/// As [`calibrate`].
pub fn calibrate_for(
    program: &Program,
    input: CalibrationInput,
    rows: usize,
    recipe: &Recipe,
    control: &JobControl,
) -> Result<Calibration> {
    if rows == 0 {
        return Err(Error::Invalid("Cannot calibrate: no samples. Use at least one.".into()));
    }
    let network = program.network();
    let source = Arc::new(CalibrationSource::new(program, input, rows));
    let neurons: usize = source.layers.iter().map(|&node| network.nodes[node].len()).sum();
    let needed = match recipe.threshold {
        ThresholdRule::Percentile(p) => fraction_above(p).max(MIN_FRACTION),
        _ => MIN_FRACTION,
    };
    let by_channel = recipe.granularity == Granularity::Channel;
    // A fraction that would not fit is not kept: layers are then read one by one.
    let fits = bytes_of(needed, neurons * rows) <= MAX_KEPT_BYTES;
    let detail = Detail { fraction: if fits { needed } else { 0.0 }, by_channel };
    let collected = source.collect(|_| Some(detail), control)?;
    let layers = source.layers.iter().zip(collected).enumerate().map(|(index, (&node, collector))| {
        let collector = collector.ok_or_else(|| Error::Internal("a layer was not calibrated".into()))?;
        check_finite(&network.nodes[node], &collector)?;
        let statistics = statistics(&source, index, &collector, rows);
        statistics.set_largest(by_channel, sort_sets(collector.sets, control)?);
        Ok(statistics)
    });
    Ok(Calibration { samples: rows, layers: layers.collect::<Result<_>>()?, source: source.clone() })
}

/// Fraction of the values above percentile `p`.
fn fraction_above(p: f64) -> f64 {
    (1.0 - p / 100.0).clamp(0.0, 1.0)
}

/// Bytes of the upper `fraction` of `count` values.
fn bytes_of(fraction: f64, count: usize) -> usize {
    (fraction * count as f64 * 4.0) as usize
}

fn statistics(
    source: &Arc<CalibrationSource>,
    index: usize,
    collector: &LayerCollector,
    rows: usize,
) -> ActivationStatistics {
    let (neurons, plane) = collector.sizes();
    let source_of = |channel: Option<usize>| ValueSource { calibration: source.clone(), layer: index, channel };
    let largest = |bits: &i32| f32::from_bits(*bits as u32);
    let mut representatives = collector.representatives.clone();
    // Their order depends on the workers.
    representatives.sort_unstable_by(f32::total_cmp);
    let channels = collector.positive.iter().zip(&collector.max).enumerate();
    ActivationStatistics {
        node: source.layers[index],
        layer: ActivationQuantiles::from_counts(
            neurons * rows,
            collector.positive.iter().sum(),
            collector.max.iter().map(largest).fold(0.0, f32::max),
            representatives,
            source_of(None),
        ),
        channels: channels
            .map(|(channel, (&positive, max))| {
                let source = source_of(Some(channel));
                ActivationQuantiles::from_counts(plane * rows, positive, largest(max), Vec::new(), source)
            })
            .collect(),
    }
}

impl Calibration {
    /// Makes sure that converting by `recipe` needs no further pass over the samples, if what it needs can be kept.
    ///
    /// # Errors
    /// [`Error::Cancelled`] once `control` is cancelled.
    pub fn prepare(&self, recipe: &Recipe, control: &JobControl) -> Result<()> {
        let by_channel = recipe.granularity == Granularity::Channel;
        let all_bytes = self.layers.iter().map(|layer| layer.layer.positive() * 4).sum();
        let p = match recipe.threshold {
            ThresholdRule::Percentile(p) => p,
            ThresholdRule::Mse => return self.source.load_all(by_channel, all_bytes, control),
            // The diagnosis asks for the fraction above each threshold.
            ThresholdRule::Balance(_) => return self.source.load_all(false, all_bytes, control),
            ThresholdRule::Max | ThresholdRule::Learned => return Ok(()),
        };
        if self.layers.iter().all(|layer| layer.sets(by_channel).iter().all(|set| set.has_percentile(p))) {
            return Ok(());
        }
        // Sorting all of them takes less time than selecting a tenth, and the next percentile is known as well.
        if all_bytes <= MAX_KEPT_BYTES {
            return self.source.load_all(by_channel, all_bytes, control);
        }
        let count = self.layers.iter().map(|layer| layer.layer.len()).sum();
        let wide = fraction_above(p).max(SLIDER_FRACTION);
        let fraction = if bytes_of(wide, count) <= MAX_KEPT_BYTES { wide } else { fraction_above(p) };
        if fraction > SLIDER_FRACTION || bytes_of(fraction, count) > MAX_KEPT_BYTES {
            return self.source.load_all(by_channel, all_bytes, control);
        }
        let collected = self.source.collect(|_| Some(Detail { fraction, by_channel }), control)?;
        for (layer, collector) in self.layers.iter().zip(collected) {
            if let Some(collector) = collector {
                layer.set_largest(by_channel, sort_sets(collector.sets, control)?);
            }
        }
        Ok(())
    }

    /// Bytes of the values that are kept.
    pub fn bytes(&self) -> usize {
        let sets = self.layers.iter().flat_map(|layer| layer.channels.iter().chain([&layer.layer]));
        self.source.bytes() + sets.map(ActivationQuantiles::bytes).sum::<usize>()
    }
}

impl ActivationStatistics {
    /// The sets that a threshold is fitted to.
    pub(super) fn sets(&self, by_channel: bool) -> &[ActivationQuantiles] {
        if by_channel { &self.channels } else { std::slice::from_ref(&self.layer) }
    }
    /// Stores the largest values of each set.
    fn set_largest(&self, by_channel: bool, sets: Vec<Vec<f32>>) {
        let sets = Arc::new(sets);
        for (index, set) in self.sets(by_channel).iter().enumerate() {
            set.set_largest(SortedValues::new(&sets, index));
        }
    }
}

/// Refuses pre-activations of `layer` that are NaN or infinite: no threshold can be fitted to them.
fn check_finite(layer: &Node, collector: &LayerCollector) -> Result<()> {
    let Some((sample, value)) = collector.first_not_finite else { return Ok(()) };
    let reason = format!(
        "its input is {value} on {} of the calibration samples, first on number {sample}. Check these samples, the input \
         scaling and the weights.",
        collector.not_finite
    );
    Err(Error::network(&layer.name, reason))
}

#[cfg(test)]
mod tests;
