//! Texts of the membrane pane: counts, legend and explanation.

pub const EMPTY: &str = "No run yet. Open a network.";
pub const TITLE: &str = "Membrane potential over time-steps";
pub const BEFORE_RESET: &str = "m(t) before reset";
pub const AFTER_RESET: &str = "v(t) after reset";
pub const PATH: &str = "potential";
pub const SPIKE: &str = "spike";
pub const INPUT: &str = "input I(t)";

pub fn sample(number: usize) -> String {
    format!("sample {number}")
}

pub const UNPIN: &str = "Unpin";
pub const UNPIN_HINT: &str = "Stop showing this neuron";
pub const PIN: &str = "Pin";
pub const PIN_HINT: &str = "Keep showing this neuron when the focus moves";

pub fn until(spikes: usize, t: usize) -> String {
    format!("{spikes} up to t = {t}, ")
}

pub const SILENCED: &str = "silenced by SRP, emits nothing: ";

/// Counts of a neuron: spikes emitted in `steps` steps, spikes expected from the ANN and from its own mean input, and
/// the residual. `silenced` and `until` precede it or are empty.
pub fn counts(
    silenced: &str,
    until: &str,
    total: usize,
    steps: usize,
    [ann, own]: [u32; 2],
    potential: &str,
) -> String {
    let spikes = if total == 1 { "spike" } else { "spikes" };
    let step = if steps == 1 { "step" } else { "steps" };
    format!(
        "{silenced}{until}{total} {spikes} in {steps} {step}; expected {ann} (ANN), {own} (own mean input) · \
         v({steps}) = {potential}"
    )
}

pub const POTENTIAL: &str = "potential";

pub fn potential_of(name: &str) -> String {
    format!("Potential of {name}")
}

pub const NEVER: &str = "never";

pub fn fired_at(steps: &str) -> String {
    format!("at t = {steps}")
}

pub fn potential(course: &str, theta: &str, fired: &str) -> String {
    format!("After reset: {course}. Threshold {theta}. It fires {fired}.")
}

pub fn current_of(name: &str) -> String {
    format!("Input current of {name}")
}

pub fn current(course: &str, mean: &str) -> String {
    format!("{course}. Mean {mean}.")
}

pub fn threshold(theta: &str) -> String {
    format!("threshold θ = {theta}")
}

pub const NO_SPIKE: &str = "no spike";

pub fn hover(t: usize, spike: &str, input: &str, before: &str, after: &str, so_far: usize) -> String {
    format!(
        "t = {t}: {spike}\ninput I = {input}\nbefore reset m = {before}\nafter reset v = {after}\nspikes so far \
         {so_far}"
    )
}

pub fn never_active(name: &str, steps: usize, potential: &str) -> String {
    format!(
        "{name} has no threshold: its channel was never active on the calibration samples. It integrates its input \
         but never fires. Its potential after {steps} steps is {potential}."
    )
}

pub const SOFT_RESET: &str = "subtracts θ; the remainder stays";
pub const HARD_RESET: &str = "resets it to zero; the remainder is lost";
pub const AS_ASKED: &str = "as expected from the ANN";

pub fn more(n: i64) -> String {
    format!("{n} more than expected from the ANN")
}

pub fn fewer(n: i64) -> String {
    format!("{n} fewer than expected from the ANN")
}

pub fn explanation(
    name: &str,
    start: &str,
    theta: &str,
    reset: &str,
    steps: usize,
    total: usize,
    verdict: &str,
) -> String {
    format!(
        "{name} starts at v(0) = {start} and adds its input current at every step. When the potential reaches θ = \
         {theta} it fires, and the spike {reset}. In {steps} steps it fired {total} times, {verdict}."
    )
}
