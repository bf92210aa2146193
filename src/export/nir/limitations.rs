//! What a NIR graph cannot say of the neurons' dynamics, as a grade with reasons, and what is told in its metadata instead.

use crate::convert::{Correction, Neuron, Readout, Recipe, Reset, SpikingNetwork, Tie};
use crate::export::{Grade, Graded};

/// What the format's definition of an IF neuron leaves out.
pub(super) fn dynamics(spiking: &SpikingNetwork, recipe: &Recipe) -> Graded {
    let mut graded = Graded::faithful();
    if recipe.reset == Reset::Soft {
        graded.lower(
            Grade::Approximate,
            "NIR has no reset by subtraction: its IF neuron goes back to v_reset. Readers that subtract anyway (sinabs) run it as here; \
             those that reset to 0 lose what lay above the threshold",
        );
    }
    if spiking.layers.iter().any(|layer| layer.start.is_some() || layer.v_init != 0.0) {
        graded.lower(
            Grade::Approximate,
            "NIR has no initial potential: v(0) is in the metadata (v_init, as a share of θ) and must be set by hand in the reader",
        );
    }
    if recipe.tie == Tie::Ge {
        graded.lower(
            Grade::Approximate,
            "here a potential exactly at θ fires, in NIR it does not: where currents are quantized counts differ by one",
        );
    }
    if recipe.neuron != Neuron::If {
        graded.lower_first(Grade::Unsupported, format!("NIR has no '{}' neuron", recipe.neuron));
    }
    if recipe.correction != Correction::None {
        graded.lower_first(
            Grade::Unsupported,
            "a correction (SRP, COS) depends on the sample, which no graph can say; export without it",
        );
    }
    if let Readout::EarlyExit(_) | Readout::Delayed(_) = recipe.readout {
        graded.lower(
            Grade::Approximate,
            "the readout leaves out steps or exits early; the graph's output is the current of every step",
        );
    }
    graded
}

/// What is remembered of the conversion beside the graph.
pub(super) fn metadata(recipe: &Recipe, graded: &Graded) -> Vec<(String, String)> {
    let tie = if recipe.tie == Tie::Ge { "m >= theta" } else { "m > theta" };
    let reset = if recipe.reset == Reset::Soft { "subtract" } else { "zero" };
    let entries = [
        ("source", concat!("spikescope ", env!("CARGO_PKG_VERSION")).to_owned()),
        ("dt", "1".into()),
        ("T", recipe.steps.to_string()),
        ("v_init", recipe.v_init.to_string()),
        ("tie", tie.into()),
        ("reset", reset.into()),
        ("readout", recipe.readout.to_string()),
        ("grade", graded.grade.word().into()),
        ("reasons", graded.reasons.join("\n")),
    ];
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
