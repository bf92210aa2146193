//! Texts of the neuron bench: controls, plots and explanation.

use crate::convert::{NeuronModel, Reset, TieRule};
use crate::measure::neuron_bench::NeuronBench;

pub const TITLE: &str = "Neuron bench";
pub const EXAMPLE: &str = "Worked example";
pub const EXAMPLE_HINT: &str = "Two spike trains through weights +2 and −2";
pub const IN_FOCUS_HINT: &str = "Load the neuron in focus with the input that it had in the run";
pub const IN_FOCUS: &str = "Load neuron in focus";
pub const ORDER: &str = "order";
pub const BY_TURNS: &str = "Interleave";
pub const BY_TURNS_HINT: &str = "Order the inputs as evenly as possible";
pub const LARGE_FIRST: &str = "Largest first";
pub const LARGE_FIRST_HINT: &str = "Order the inputs from largest to smallest";
pub const LARGE_LAST: &str = "Largest last";
pub const LARGE_LAST_HINT: &str = "Order the inputs from smallest to largest";
pub const SPREAD: &str = "Spread evenly";
pub const SPREAD_HINT: &str = "Same sum, equal input at every step";
pub const ARROW: &str = "arrow ";
pub const ARROW_HINT: &str = "Input of this step";
pub const ARROW_NAME: &str = "Selected arrow";
pub const EARLIER: &str = "Earlier";
pub const LATER: &str = "Later";
pub const WEIGHT: &str = "weight";
pub const SOFT_RESET: &str = "soft reset";
pub const HARD_RESET: &str = "hard reset";
pub const THE_HARD_RESET: &str = "the hard reset";
pub const THE_LEAK: &str = "the leak";
pub const IF: &str = "IF";
pub const SIGNED: &str = "signed";
pub const GROUP: &str = "group of 4";
pub const BURSTS: &str = "bursts of 5";
pub const OTHER: &str = "other";
pub const NEURON: &str = "Neuron on the bench";
pub const AS_DUE: &str = "as expected";

pub fn too_many(n: i64) -> String {
    format!("{n} too many: early input already caused spikes; later inhibition cannot undo them")
}

pub fn began_low(n: i64) -> String {
    format!("{n} too few: v(0) is below ½ θ, or input arrived late")
}

pub fn lost(n: i64, by: &str) -> String {
    format!("{n} too few: {by} takes charge that a neuron of the staircase would keep")
}

pub fn came_late(n: i64) -> String {
    format!("{n} too few: input arrived too late, with no steps left to emit it")
}

pub fn verdict(charge: &str, due: i64, came: i64, end: &str, steps: usize, residue: f32) -> String {
    format!(
        "Input {charge} θ: {due} spikes expected, {came} emitted, {end}. Residual potential: v({steps}) = \
         {residue:.2} θ."
    )
}

pub fn explanation(steps: usize, due: u32, came: i32) -> String {
    format!(
        "One neuron: at each of {steps} steps its input (arrow) is added to the potential; at θ it fires and is reset. \
         Drag an arrow sideways to move it to another step, or up and down with Shift to change it. The sum gives the \
         expected spikes ({due}), the order the emitted spikes ({came}); the difference is the unevenness error."
    )
}

pub const INPUT: &str = "input";
pub const POTENTIAL: &str = "potential";
pub const SPIKE: &str = "spike";
pub const CURRENT: &str = "input I(t)";

pub fn hover_input(t: usize, input: f32) -> String {
    format!("t = {t}\ninput {input}\ndrag sideways: change step\nShift and drag: change size")
}

pub const INPUTS: &str = "Input of the neuron on the bench";

pub fn arrows(steps: usize, arrows: &str) -> String {
    format!("Arrows over {steps} time-steps: {arrows}.")
}

pub fn hover(t: usize, before: f32, after: f32, sent: i32) -> String {
    format!("t = {t}\nm = {before:.3}\nv = {after:.3}\nspikes {sent}")
}

pub const POTENTIAL_NAME: &str = "Potential of the neuron on the bench";

pub fn sent_at(n: i32, t: usize) -> String {
    format!("{n} at t = {t}")
}

pub const NO_SPIKES: &str = "none";

pub fn potential(start: &str, theta: &str, course: &str, spikes: &str) -> String {
    format!("Starts at {start}, threshold {theta}. Before reset: {course}. Spikes: {spikes}.")
}

/// The settings as one line, for frames without controls.
pub fn set(bench: &NeuronBench) -> String {
    let reset = if bench.reset == Reset::Soft { "soft" } else { "hard" };
    let tie = if bench.tie == TieRule::Ge { "≥" } else { ">" };
    let neuron = if bench.neuron == NeuronModel::If { "IF".into() } else { bench.neuron.to_string() };
    format!(
        "{neuron} neuron, T = {}, θ = {}, v(0) = {:.2} θ, weight {}, {reset} reset, fires {tie} θ",
        bench.input.len(),
        bench.theta,
        bench.v_init,
        bench.weight
    )
}
