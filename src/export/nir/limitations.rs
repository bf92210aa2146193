//! Limitations of NIR for the neurons' dynamics, as a fidelity report, and metadata that records them.

use crate::convert::{Correction, NeuronModel, Readout, Recipe, Reset, SpikingNetwork, TieRule};
use crate::export::{Fidelity, FidelityReport};

/// Dynamics that NIR's definition of an IF neuron does not include.
pub(super) fn check_dynamics(spiking: &SpikingNetwork, recipe: &Recipe) -> FidelityReport {
    let mut report = FidelityReport::faithful();
    if recipe.reset == Reset::Soft {
        report.downgrade(
            Fidelity::Approximate,
            "NIR has no reset by subtraction: its IF neuron resets to v_reset. Readers that subtract anyway (sinabs) \
             reproduce this run; those that reset to 0 lose the remainder above the threshold",
        );
    }
    if spiking.layers.iter().any(|layer| layer.v_init_values.is_some() || layer.v_init != 0.0) {
        report.downgrade(
            Fidelity::Approximate,
            "NIR has no initial potential: v(0) is in the metadata (v_init, as a share of θ) and must be set in the \
             reader",
        );
    }
    if recipe.tie == TieRule::Ge {
        report.downgrade(
            Fidelity::Approximate,
            "here a potential exactly at θ fires, in NIR it does not: with quantized currents spike counts differ by \
             one",
        );
    }
    if recipe.neuron != NeuronModel::If {
        report.downgrade_first(Fidelity::Unsupported, format!("NIR has no '{}' neuron", recipe.neuron));
    }
    if recipe.correction != Correction::None {
        report.downgrade_first(
            Fidelity::Unsupported,
            "a correction (SRP, COS) depends on the sample, which a graph cannot express. Export without it",
        );
    }
    if let Readout::EarlyExit(_) | Readout::Delayed(_) = recipe.readout {
        report.downgrade(
            Fidelity::Approximate,
            "the readout skips steps or exits early; the graph's output is the current of every step",
        );
    }
    report
}

/// Metadata of the conversion, stored in the graph.
pub(super) fn metadata(recipe: &Recipe, report: &FidelityReport) -> Vec<(String, String)> {
    let tie = if recipe.tie == TieRule::Ge { "m >= theta" } else { "m > theta" };
    let reset = if recipe.reset == Reset::Soft { "subtract" } else { "zero" };
    let entries = [
        ("source", concat!("spikescope ", env!("CARGO_PKG_VERSION")).to_owned()),
        ("dt", "1".into()),
        ("T", recipe.steps.to_string()),
        ("v_init", recipe.v_init.to_string()),
        ("tie", tie.into()),
        ("reset", reset.into()),
        ("readout", recipe.readout.to_string()),
        ("grade", report.grade.as_str().into()),
        ("reasons", report.reasons.join("\n")),
    ];
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
