//! Calibration: activation statistics of every layer over the calibration samples.
//!
//! They contain everything that threshold rules need. They are exact and independent of how the samples were batched.

use rayon::prelude::*;

use super::activation_quantiles::ActivationQuantiles;
use crate::compute::dense::tensor_to_vec;
use crate::compute::program::Program;
use crate::network::{Node, NodeId};
use crate::progress::JobControl;
use crate::{Error, Result};

/// Statistics of every spiking layer's ReLU(z) over the calibration samples.
#[derive(Clone, Debug)]
pub struct Calibration {
    pub samples: usize,
    /// One per activation, in network order.
    pub layers: Vec<ActivationStatistics>,
}

/// ReLU(z) of one layer over all calibration samples, ready for exact order statistics.
#[derive(Clone, Debug)]
pub struct ActivationStatistics {
    pub node: NodeId,
    /// All channels together.
    pub layer: ActivationQuantiles,
    /// One per channel (the first dimension of the layer's shape).
    pub channels: Vec<ActivationQuantiles>,
}

/// Peak number of bytes that calibrating on `samples` samples takes.
pub fn estimate_bytes(samples: usize, neurons: &[usize]) -> usize {
    // Every value is stored once as collected, once in the layer's order and once in its channel's, plus room to sort a
    // layer.
    let sorting = neurons.iter().max().unwrap_or(&0) * rayon::current_num_threads();
    (neurons.iter().sum::<usize>() * 3 + sorting) * samples * 4
}

/// Runs the ANN over `rows` calibration samples (`input` is `[rows, F]`, scaled) and sorts the inputs of each
/// activation.
///
/// # Errors
/// [`Error::Invalid`] without samples, [`Error::Network`] for a layer with inputs that are not finite,
/// [`Error::Cancelled`] once `control` is cancelled.
pub fn calibrate(program: &Program, input: &[f32], rows: usize, control: &JobControl) -> Result<Calibration> {
    let network = program.network();
    if rows == 0 {
        return Err(Error::Invalid("Cannot calibrate: no samples. Use at least one.".into()));
    }
    let width = input.len() / rows;
    let block = program.batch_rows().min(rows);
    let layers: Vec<NodeId> = network.activation_nodes().map(|(id, _)| id).collect();
    let mut collected: Vec<Vec<f32>> = vec![Vec::new(); layers.len()];
    for start in (0..rows).step_by(block) {
        control.progress("calibrating", start as f32 / rows as f32);
        let end = (start + block).min(rows);
        let x = program.tensor(input[start * width..end * width].to_vec(), end - start);
        program.try_run(x, |id, value| {
            for (k, &layer) in layers.iter().enumerate() {
                // The activation's input is its pre-activation z.
                if network.nodes[layer].inputs[0] == id {
                    collected[k].extend(tensor_to_vec(value.clone()));
                }
            }
            control.check()
        })?;
    }
    for (&node, z) in layers.iter().zip(&collected) {
        control.check()?;
        check_finite(&network.nodes[node], z)?;
    }
    let statistics = layers.par_iter().zip(collected).map(|(&node, z)| {
        let shape = &network.nodes[node].shape;
        let neurons: usize = shape.iter().product();
        let plane = neurons / shape[0];
        let channel = |c: usize| {
            ActivationQuantiles::from_pre_activations(
                z.chunks(neurons).map(|s| &s[c * plane..(c + 1) * plane]),
                control,
            )
        };
        let channels = (0..shape[0]).into_par_iter().map(channel).collect::<Result<_>>()?;
        Ok(ActivationStatistics {
            node,
            layer: ActivationQuantiles::from_pre_activations(z.chunks(neurons), control)?,
            channels,
        })
    });
    Ok(Calibration { samples: rows, layers: statistics.collect::<Result<_>>()? })
}

/// Refuses pre-activations `z` `[N, F]` of `layer` that are NaN or infinite: no threshold can be fitted to them.
fn check_finite(layer: &Node, z: &[f32]) -> Result<()> {
    let Some(at) = z.iter().position(|z| !z.is_finite()) else { return Ok(()) };
    let count = z.chunks(layer.len().max(1)).filter(|sample| sample.iter().any(|z| !z.is_finite())).count();
    let reason = format!(
        "its input is {} on {count} of the calibration samples, first on number {}. Check these samples, the input \
         scaling and the weights.",
        z[at],
        at / layer.len().max(1)
    );
    Err(Error::network(&layer.name, reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::thresholds::min_mse_threshold;

    fn sorted(values: impl Iterator<Item = f32>) -> ActivationQuantiles {
        let values: Vec<f32> = values.collect();
        ActivationQuantiles::from_pre_activations(std::iter::once(values.as_slice()), &JobControl::default()).unwrap()
    }

    #[test]
    fn min_mse_threshold_is_below_the_maximum_with_an_outlier() {
        let spread = sorted((1..=1000).map(|k| k as f32 / 1000.0).chain([4.0]));
        let theta = min_mse_threshold(&spread, 4, 0.5);
        assert!((0.9..1.3).contains(&theta), "{theta}");
        assert_eq!(min_mse_threshold(&sorted([0.0; 3].into_iter()), 4, 0.5), 0.0);
    }
}
