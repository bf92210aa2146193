//! Texts of the T-curve pane: axes, progress and explanation.

pub const EMPTY: &str = "No run yet. Open a network.";
pub const TITLE: &str = "Accuracy over time-steps";
pub const AGREES: &str = "agreement with the ANN";

/// Progress of a run.
pub fn through(samples: usize, of: usize) -> String {
    format!("{samples} of {of} samples done")
}

pub const INTERVAL: &str = "95 % interval";
pub const TARGET: &str = "target";
pub const TARGET_VALUE: &str = "value of the target";
pub const TARGET_OF_ANN: &str = "of the ANN";
pub const TARGET_WITHIN: &str = "within";
/// The unit of a number of percentage points.
pub fn points(count: f64) -> &'static str {
    if count == 1.0 { " point" } else { " points" }
}

pub fn of_ann(percent: f64) -> String {
    format!("{percent} % of the ANN")
}

pub fn within(count: f64) -> String {
    format!("within {count}{} of the ANN", points(count))
}

/// From which step on the target is met, and how sure so many samples make it.
pub fn from_step(t: usize, share: &str, low: &str, high: &str, samples: usize) -> String {
    let plural = if samples == 1 { "" } else { "s" };
    format!("from t = {t} on: {share} ({low} to {high}, {samples} sample{plural})")
}

pub const NEVER_REACHED: &str = "not reached in this run";
pub const UNCERTAIN: &str = "In brackets the 95 % confidence interval of the accuracy; more samples make it narrower";
pub const USE_T: &str = "Use this T";

pub fn use_t_hint(t: usize) -> String {
    format!("Set T to {t}")
}

pub const LOG_TIME: &str = "Log t";
pub const LOG_STEPS: &str = "time-steps t (log)";
pub const FIT: &str = "Fit";
pub const FIT_HINT: &str = "Show the whole curve. Scrolling zooms (with Shift only the time), a drag with the right button \
     zooms into a box";
pub const AGREEMENT_ONLY: &str = "no labels: agreement only";
pub const SHARE: &str = "share of samples";

pub fn hover_accuracy(share: &str) -> String {
    format!("\nSNN {share}")
}

pub fn hover_agreement(accuracy: &str, share: &str) -> String {
    format!("{accuracy}\nagreement {share}")
}

pub fn hover_run(number: usize, share: &str) -> String {
    format!("\nrun {number} {share}")
}

pub fn curve_ann(share: &str) -> String {
    format!(" ANN {share}.")
}

pub fn curve_run(number: usize, course: &str) -> String {
    format!(" Run {number}: {course}.")
}

/// Description of the plot; `ann` and `run` are sentences or empty.
pub fn curves(course: &str, ann: &str, run: &str) -> String {
    format!("SNN: {course}.{ann}{run}")
}

pub fn reaches(share: &str) -> String {
    format!("has {share} there")
}

pub fn ends(t: usize, share: &str) -> String {
    format!("ends at t = {t} with {share}")
}

/// The comparison run's value at the same step.
pub fn against(number: usize, reached: &str) -> String {
    format!(" Run {number}, for comparison, {reached}.")
}

pub fn right(t: usize, snn: &str, samples: usize, ann: &str, low: &str, high: &str) -> String {
    format!(
        "After {t} steps the SNN has an accuracy of {snn} on {samples} samples (ANN {ann}); the band is the 95 % \
         confidence interval, {low} to {high}."
    )
}

pub fn agree(t: usize, share: &str) -> String {
    format!("The samples have no labels; after {t} steps the agreement of SNN and ANN is {share}.")
}

pub const SUMMED: &str =
    "The readout is summed over the steps, so one run gives the prediction after every number of steps.";

pub fn stays(t: usize, target: &str) -> String {
    format!("From t = {t} on the SNN keeps the target, {target}.")
}

pub fn does_not_stay(target: &str) -> String {
    format!("In this run the SNN does not keep the target, {target}: increase T or choose other thresholds.")
}

pub const NO_LABELS: &str = "no labels";

pub fn snn_accuracy(share: &str) -> String {
    format!("SNN accuracy {share}")
}

pub fn ann_accuracy(share: &str) -> String {
    format!(", ANN accuracy {share}")
}

pub fn description(t: usize, accuracy: &str, ann: &str, agreement: &str) -> String {
    format!("Curve of accuracy over time-steps. At t = {t}: {accuracy}{ann}, agreement {agreement}.")
}
