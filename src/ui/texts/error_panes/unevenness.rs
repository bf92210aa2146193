//! Texts of the unevenness pane: categories, bars and explanation.

/// Names of the five categories.
pub const NAMES: [&str; 5] =
    ["as expected", "should be silent, fires", "fires too often", "fires too rarely", "should fire, is silent"];
pub const EMPTY: &str = "No run yet. Open a network.";
pub const TITLE: &str = "Unevenness: errors of the spike count";
pub const SAME_INPUT: &str = "same input";
pub const SAME_INPUT_HINT: &str = "Expected spikes from the layer's own mean input: from v(0) = ½ θ with soft reset and no leak, only the order of arrival makes \
     a difference";
pub const END_TO_END: &str = "end to end";
pub const END_TO_END_HINT: &str = "Expected spikes from the ANN: propagated and clipping errors count too";
pub const WRONG_ONLY: &str = "neurons with errors only";
pub const SOURCE: &str = "The split into four kinds of error is this program's reading of Hao et al. (AAAI 2023).";
pub const NO_SUCH_NEURON: &str = "no such neuron in this layer";

pub fn none_here(sample: usize, name: &str) -> String {
    format!("None in sample {sample}; click to show one of another sample: {name}")
}

pub fn some_here(n: usize, sample: usize, name: &str) -> String {
    format!("{n} in sample {sample}; click to show the next, largest error first: {name}")
}

pub fn in_focus(kind: usize, place: usize, of: usize, sample: usize) -> String {
    format!("in focus: C{kind}, {place} of {of} in sample {sample}")
}

pub fn wrong(share: &str) -> String {
    format!("{share} wrong")
}

/// The full text of a row; `kinds` has a line for each category of error.
pub fn hover(layer: &str, kinds: &str, total: u64) -> String {
    format!("{layer}\n{kinds}of {total} neurons × samples")
}

pub fn row(layer: &str) -> String {
    format!("Unevenness of {layer}")
}

pub const RESIDUAL: &str = "Residual potential";
pub const CONDITION: &str = "condition";
pub const CONDITION_HINT: &str = "Residual potential that indicates a wrong spike count";
pub const CAUGHT: &str = "detected";
pub const CAUGHT_HINT: &str = "Wrong neurons that the condition detects";
pub const MISSED: &str = "missed";
pub const MISSED_HINT: &str = "Wrong neurons that the condition does not detect";
pub const FALSE_ALARMS: &str = "false alarms";
pub const FALSE_ALARMS_HINT: &str = "Neurons with the expected spike count that the condition detects";
pub const TOO_MANY: &str = "v(t) < 0, n ≥ 1: too many spikes";
pub const UNKNOWN_POTENTIAL: &str = "v(t) is known at the last step alone with a hard reset or a leak.";
pub const TOO_FEW: &str = "v(t) ≥ θ, n < t: too few spikes";
pub const NONE: &str = "none";

pub fn silenced(rightly: u64, wrongly: u64) -> String {
    format!("SRP silences {rightly} neurons × samples that should be silent and {wrongly} that should fire.")
}

pub fn explanation(
    t: usize,
    layer: &str,
    as_due: &str,
    should_be_silent: &str,
    too_often: &str,
    too_rarely: &str,
    should_fire: &str,
) -> String {
    format!(
        "Each neuron's spike count after {t} steps is compared with the count for the same mean input arriving evenly, \
         from v(0) = ½ θ with soft reset and no leak; of such neurons only the order of arrival makes a difference. In {layer} {as_due} are as expected; {should_be_silent} fire \
         though they should be silent, {too_often} fire too often, {too_rarely} too rarely and {should_fire} are \
         silent though they should fire. With \"end to end\" the expected count comes from the ANN, so propagated \
         errors show as well."
    )
}

pub fn layer_as_due(layer: &str, share: &str) -> String {
    format!("{layer}: {share} as expected")
}

pub fn description(layers: &str) -> String {
    format!("Categories of unevenness, same input. {layers}.")
}
