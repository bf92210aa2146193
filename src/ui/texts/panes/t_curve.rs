//! Texts of the T-curve pane: axes, progress and explanation.

pub const EMPTY: &str = "No run yet. Open a network.";
pub const TITLE: &str = "Accuracy over time-steps";
pub const AGREES: &str = "agreement with the ANN";

/// Progress of a run.
pub fn through(samples: usize, of: usize) -> String {
    format!("{samples} of {of} samples done")
}

pub fn within_from(t: usize) -> String {
    format!("within one point of the ANN from t = {t} on")
}

pub const NOT_WITHIN: &str = "not within one point of the ANN: increase T";
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

pub fn stays(t: usize) -> String {
    format!("From t = {t} on the SNN stays within one point of the ANN.")
}

pub const DOES_NOT_STAY: &str = "In this run the SNN does not stay within one point of the ANN: increase T or choose \
     other thresholds.";
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
