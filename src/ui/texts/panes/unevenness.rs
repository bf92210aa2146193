//! What the pane of unevenness says.

/// The five categories in plain words.
pub const NAMES: [&str; 5] =
    ["as due", "should be silent, fires", "fires too often", "fires too rarely", "should fire, is silent"];
pub const EMPTY: &str = "Categories of unevenness appear when the first run is through.";
pub const TITLE: &str = "Unevenness: how the count is wrong";
pub const SAME_INPUT: &str = "same input";
pub const SAME_INPUT_HINT: &str =
    "The count due is computed from the layer's own mean input: only the order of arrival is to blame";
pub const END_TO_END: &str = "end to end";
pub const END_TO_END_HINT: &str =
    "The count due is computed from the ANN: errors carried in and clipping are counted too";
pub const WRONG_ONLY: &str = "wrong neurons only";
pub const SOURCE: &str = "The split into four kinds of error is this program's reading of Hao et al. (AAAI 2023).";
pub const NO_SUCH_NEURON: &str = "no such neuron in this layer";

pub fn none_here(sample: usize, name: &str) -> String {
    format!("None in sample {sample}. Look at one of another sample: {name}")
}

pub fn some_here(n: usize, sample: usize, name: &str) -> String {
    format!("{n} in sample {sample}; a click shows the next, the worst first: {name}")
}

pub fn in_focus(kind: usize, place: usize, of: usize, sample: usize) -> String {
    format!("in focus: C{kind}, {place} of {of} in sample {sample}")
}

pub fn wrong(share: &str) -> String {
    format!("{share} wrong")
}

/// A row in full; `kinds` has a line for each kind of error.
pub fn hover(layer: &str, kinds: &str, total: u64) -> String {
    format!("{layer}\n{kinds}of {total} neurons × samples")
}

pub fn row(layer: &str) -> String {
    format!("Unevenness of {layer}")
}

pub const RESIDUAL: &str = "Residual potential";
pub const CONDITION: &str = "condition";
pub const CONDITION_HINT: &str = "What the potential left over says about the count";
pub const CAUGHT: &str = "caught";
pub const CAUGHT_HINT: &str = "Wrong neurons that the condition finds";
pub const MISSED: &str = "missed";
pub const MISSED_HINT: &str = "Wrong neurons that it does not find";
pub const FALSE_ALARMS: &str = "false alarms";
pub const FALSE_ALARMS_HINT: &str = "Neurons that it finds though their count is as due";
pub const TOO_MANY: &str = "v(t) < 0, n ≥ 1: too many spikes";
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
        "Each neuron's count after {t} steps is compared with the count that the same mean input would give if it \
         arrived evenly; what differs is the work of order alone. In {layer} {as_due} are as due; {should_be_silent} \
         fire though they should be silent, {too_often} fire too often, {too_rarely} too rarely and {should_fire} stay \
         silent though they should fire. With \"end to end\" the count due comes from the ANN, so errors carried in \
         from earlier layers show as well."
    )
}

pub fn layer_as_due(layer: &str, share: &str) -> String {
    format!("{layer}: {share} as due")
}

pub fn description(layers: &str) -> String {
    format!("Categories of unevenness, same input. {layers}.")
}
