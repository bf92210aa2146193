//! What the pane of past runs says.

pub const EMPTY: &str = "Every run appears here with what was changed.";
pub const TITLE: &str = "Past runs";
pub const COMPARE_HINT: &str = "Choose \"compare\" in a row to lay two runs over each other.";
pub const CHANGE_HINT: &str = "Change something: the next run appears here, and both can be compared.";

pub const COLUMNS: [&str; 7] = ["run", "", "T", "right", "mismatch", "took", "changed"];

pub const EARLIER: &str = "before this start";
pub const FORGET: &str = "Forget";
pub const FORGET_HINT: &str = "Take the runs of earlier starts off the list";
pub const FORGET_NAME: &str = "Forget the runs of earlier starts";

pub fn go_back(number: usize) -> String {
    format!("Go back to run {number}")
}

pub const ANEW: &str = "Its settings again; the run is computed anew";
pub const AT_ONCE: &str = "Its settings again; the result is there at once";
pub const FIRST: &str = "the first run";
pub const RIGHT_HINT: &str = "Samples answered rightly";
/// Where nobody knows what is right.
pub fn agree(share: &str) -> String {
    format!("{share} agree")
}
pub const AGREEMENT_HINT: &str = "Agreement with the ANN";
pub const COMPARE: &str = "compare";
pub const COMPARED: &str = "compared";

pub fn compare_with(number: usize) -> String {
    format!("Compare with run {number}")
}

pub const SAME: &str = "the same settings";

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
    format!(" Best so far is run {number} with {share} after {steps} steps.")
}

pub fn against(other: usize, share: &str, other_share: &str, mismatch: f64, other_mismatch: f64) -> String {
    format!(
        " Against run {other} the one on the screen has {share} instead of {other_share} and a mismatch of \
         {mismatch:.3} instead of {other_mismatch:.3}."
    )
}

pub const NOT_COMPARED: &str =
    " Choose \"compare\" in a row to lay its curves over those on the screen, here and in the T-curve.";

pub fn earlier(runs: usize) -> String {
    format!(", {runs} of them before this start")
}

pub fn explanation(settings: usize, earlier: &str, best: &str, against: &str) -> String {
    format!(
        "{settings} settings were run{earlier}; a click on a number goes back to its settings, and the last finished \
         runs are there at once.{best}{against}"
    )
}

pub fn compared_with(number: usize, share: &str) -> String {
    format!(", compared with run {number}: {share}")
}

pub fn description(runs: usize, number: usize, share: &str, other: &str) -> String {
    format!("Table of {runs} runs. On the screen is run {number}: {share}{other}.")
}
