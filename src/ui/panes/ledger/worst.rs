//! The layer with the largest error, its main part, and the layer where that error begins.

use crate::measure::{LayerReport, Ledger, LedgerReference};

/// Index of the propagated part among the parts.
const PROPAGATED: usize = 0;

/// The layer with the largest relative error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Worst {
    pub(super) layer: usize,
    /// Its largest part.
    pub(super) part: usize,
    /// The layer where a propagated error begins.
    pub(super) begins: Option<usize>,
}

impl Worst {
    pub(super) fn of(layers: &[LayerReport], reference: LedgerReference) -> Option<Self> {
        let (worst, _, part) = largest_relative_error(layers, reference)?;
        let layer = layers.iter().position(|layer| std::ptr::eq(layer, worst))?;
        let own: Vec<f64> = layers[..layer].iter().map(|layer| own_error(layer, reference)).collect();
        let begins = if part == PROPAGATED { first_large(&own) } else { None };
        Some(Self { layer, part, begins })
    }
}

/// The error that a layer adds itself, relative to its mean activation.
fn own_error(layer: &LayerReport, reference: LedgerReference) -> f64 {
    let parts = layer.ledger_against(reference).parts();
    parts.iter().skip(PROPAGATED + 1).sum::<f64>().abs() / layer.mean_activation.max(1e-12)
}

/// The first of `errors` with at least half of the largest.
fn first_large(errors: &[f64]) -> Option<usize> {
    let largest = errors.iter().copied().fold(0.0, f64::max);
    errors.iter().position(|error| *error > 0.0 && *error >= 0.5 * largest)
}

/// The layer with the largest relative error, and its largest part.
pub(super) fn largest_relative_error(
    layers: &[LayerReport],
    reference: LedgerReference,
) -> Option<(&LayerReport, Ledger, usize)> {
    let size = |layer: &LayerReport| layer.ledger_against(reference).total.abs() / layer.mean_activation.max(1e-12);
    let layer = layers.iter().max_by(|a, b| size(a).total_cmp(&size(b)))?;
    let ledger = layer.ledger_against(reference);
    let parts = ledger.parts();
    let part = (0..parts.len()).max_by(|&a, &b| parts[a].abs().total_cmp(&parts[b].abs()))?;
    Some((layer, ledger, part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn propagated_error_begins_in_the_first_layer_that_adds_much() {
        assert_eq!(first_large(&[0.1, 0.5, 0.9, 0.2]), Some(1));
        assert_eq!(first_large(&[0.0, 0.0]), None);
        assert_eq!(first_large(&[]), None);
    }
}
