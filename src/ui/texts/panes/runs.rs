//! Texts of the runs pane: table, comparison and explanation.

pub const EMPTY: &str = "No run yet. Open a network.";
pub const TITLE: &str = "Past runs";
pub const COMPARE_HINT: &str = "Choose \"compare\" in a row to overlay two runs.";
pub const CHANGE_HINT: &str = "Change a setting: the next run appears here, and both can be compared.";

pub const COLUMNS: [&str; 10] = ["run", "", "", "T", "accuracy", "mismatch", "time", "network", "data", "changes"];

pub const ONLY_NETWORK: &str = "this network";
pub const ONLY_NETWORK_HINT: &str = "Show only runs of the network on the screen";
pub const ONLY_STARRED: &str = "starred";
pub const ONLY_STARRED_HINT: &str = "Show only runs with a star";
pub const NAME: &str = "Name:";
pub const STAR: &str = "Star";
pub const STAR_HINT: &str = "A run with a star stays when the runs of earlier sessions are removed";
pub const REMOVE: &str = "Remove from the list";

/// The name of the button with name, star and removal of a run.
pub fn more(number: usize) -> String {
    format!("Name, star or remove run {number}")
}

/// The label of the field with the name of a run.
pub fn name_of(number: usize) -> String {
    format!("Name of run {number}")
}

/// A run with its name before its changes.
pub fn named(name: &str, changes: &str) -> String {
    if name.is_empty() { changes.to_owned() } else { format!("{name}: {changes}") }
}

/// The number of a run, with a mark if it has a star.
pub fn number(number: usize, starred: bool) -> String {
    if starred { format!("{number} *") } else { number.to_string() }
}

pub const EARLIER: &str = "earlier session";
pub const FORGET: &str = "Remove";
pub const FORGET_HINT: &str = "Remove the runs of earlier program starts from the list, except those with a star";
pub const FORGET_NAME: &str = "Remove the runs of earlier program starts";

pub fn go_back(number: usize) -> String {
    format!("Restore run {number}")
}

pub const ANEW: &str = "Restore its settings and recompute the run";
pub const AT_ONCE: &str = "Restore its settings; the result is cached";
pub const FIRST: &str = "first run";
pub const RIGHT_HINT: &str = "SNN accuracy: share of samples classified correctly";
/// For data without labels: the share and the name of its measure.
pub fn alike(share: &str, measure: &str) -> String {
    format!("{share} {measure}")
}
pub const COMPARE: &str = "compare";
pub const COMPARED: &str = "compared";

pub fn compare_with(number: usize) -> String {
    format!("Compare with run {number}")
}

pub const SAME: &str = "same settings";

pub fn changes(number: usize, other: usize, changes: &str) -> String {
    format!("Run {number} against run {other}: {changes}")
}

pub const CURVES: &str = "Curves of the two runs";

pub fn curve(number: usize, course: &str) -> String {
    format!("Run {number}: {course}.")
}

pub const LAYER: &str = "layer";
pub const MISMATCH: &str = "mismatch";
pub const MISMATCHES: &str = "Mismatch of each layer in the two runs";

pub fn mismatches(number: usize, layers: &str) -> String {
    format!("Run {number}: {layers}.")
}

pub fn best(number: usize, share: &str, steps: usize) -> String {
    format!(" Best run: {number} with {share} after {steps} steps.")
}

pub fn against(other: usize, share: &str, other_share: &str, mismatch: f64, other_mismatch: f64) -> String {
    format!(
        " The run shown has {share} (run {other}: {other_share}) and a mismatch of {mismatch:.3} (run {other}: \
         {other_mismatch:.3})."
    )
}

pub const NOT_COMPARED: &str =
    " Choose \"compare\" in a row to overlay its curves on the run shown, here and in the T-curve.";

pub fn earlier(runs: usize) -> String {
    format!(", {runs} of them in earlier sessions")
}

pub fn explanation(settings: usize, earlier: &str, best: &str, against: &str) -> String {
    format!(
        "{settings} settings were run{earlier}; click a number to restore its settings. The most recent results are \
         cached.{best}{against}"
    )
}

pub fn compared_with(number: usize, share: &str) -> String {
    format!(", compared with run {number}: {share}")
}

pub fn description(runs: usize, number: usize, share: &str, other: &str) -> String {
    format!("Table of {runs} runs. Shown is run {number}: {share}{other}.")
}
