//! What is said about the neuron bench.

use crate::convert::{Neuron, Reset, Tie};
use crate::measure::bench::Bench;

/// What is set, in a line, where it cannot be changed.
pub fn set(bench: &Bench) -> String {
    let reset = if bench.reset == Reset::Soft { "soft" } else { "hard" };
    let tie = if bench.tie == Tie::Ge { "≥" } else { ">" };
    let neuron = if bench.neuron == Neuron::If { "IF".into() } else { bench.neuron.to_string() };
    format!(
        "{neuron} neuron, T = {}, θ = {}, v(0) = {:.2} θ, weight {}, {reset} reset, fires {tie} θ",
        bench.input.len(),
        bench.theta,
        bench.v_init,
        bench.weight
    )
}
