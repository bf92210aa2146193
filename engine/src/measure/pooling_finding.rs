//! Finding about max pools: layers whose error comes mostly from their own pool, with lateral pooling as the fix.

use super::layer_report::LayerReport;
use super::ledger::LedgerReference;
use super::report::Report;
use crate::convert::MaxPoolRule;
use crate::convert::findings::{Finding, Fix};

/// Errors of pooling below this share of the layer's mean activation are not worth another rule.
const MIN_SHARE: f64 = 0.01;

/// A warning for every layer of `report` in which pooling is the largest part of the error.
pub fn pooling_findings(report: &Report) -> Vec<Finding> {
    report.layers.iter().filter_map(finding).collect()
}

fn finding(layer: &LayerReport) -> Option<Finding> {
    let ledger = layer.ledger_against(LedgerReference::Activation);
    let largest = ledger.parts().iter().fold(0.0f64, |largest, part| largest.max(part.abs()));
    let share = ledger.pooling.abs() / layer.mean_activation.max(1e-12);
    if ledger.pooling.abs() < largest || share < MIN_SHARE {
        return None;
    }
    let text = format!(
        "the max pool before the neurons adds {:+.3} to a mean activation of {:.3}, the largest part of the error: it takes \
         the largest of fluctuating currents at each step. Lateral pooling takes the largest of their means.",
        ledger.pooling, layer.mean_activation
    );
    Some(Finding::warning("max pool", Some(&layer.name), text).with_fix(Fix::Pooling(MaxPoolRule::Lateral)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Ledger;

    #[test]
    fn only_layers_whose_largest_part_is_pooling_are_found() {
        let layer = |pooling: f64, unevenness: f64| LayerReport {
            name: "conv".into(),
            mean_activation: 1.0,
            ledger: Ledger { pooling, unevenness, total: pooling + unevenness, ..Ledger::default() },
            ..LayerReport::default()
        };
        let found = |pooling, unevenness| {
            pooling_findings(&Report { layers: vec![layer(pooling, unevenness)], ..Report::default() }).len()
        };
        assert_eq!([found(1.4, 0.1), found(0.1, -0.2), found(0.001, 0.0), found(0.0, 0.0)], [1, 0, 0, 0]);
    }
}
