//! Gradients that only pass activations where a rule lets them: plain, guided backprop, deconvolution.

use super::sweep::{Rule, one_hot, sweep};
use super::values::Values;
use crate::network::NodeId;

/// What an activation does to the gradient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Its slope.
    Plain,
    /// Its slope, and only what is above 0.
    Guided,
    /// Only what is above 0.
    Deconvolution,
}

/// Passes gradients through activations by a gate.
pub struct Gated<'a> {
    pub values: &'a Values<'a>,
    pub gate: Gate,
}

impl Rule for Gated<'_> {
    fn pass(&self, id: NodeId, mut gradient: Vec<f32>) -> Vec<Vec<f32>> {
        let Some(slopes) = self.values.slopes(id) else {
            return self.values.maps.transposed(id, &self.values.inputs(id), &gradient, self.values.rows);
        };
        if self.gate != Gate::Deconvolution {
            gradient.iter_mut().zip(slopes).for_each(|(gradient, slope)| *gradient *= slope);
        }
        if self.gate != Gate::Plain {
            gradient.iter_mut().for_each(|gradient| *gradient = gradient.max(0.0));
        }
        vec![gradient]
    }
}

/// The gradient of each row's target with respect to the input, through `gate`, `[rows, F]`.
pub fn gated(values: &Values<'_>, targets: &[usize], gate: Gate) -> Vec<f32> {
    let start = one_hot(targets, values.maps.network().classes());
    sweep(values, start, 0, &Gated { values, gate })
}
