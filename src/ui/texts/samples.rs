//! Texts of the sample strip: tiles, labels and predictions.

pub const EMPTY: &str = "No run yet. Open a network.";
pub const SAMPLES: &str = "Samples";

pub fn disagree(count: usize, t: usize) -> String {
    format!("{count} disagree at t = {t}")
}

pub const ONLY: &str = "only these";
pub const ONLY_HINT: &str = "Show only samples where SNN and ANN disagree at the time cursor";

/// How alike the outputs of all samples are, for outputs that are no classes.
pub fn alike(measure: &str, share: &str) -> String {
    format!("{measure} {share}")
}

pub const WORST_FIRST: &str = "worst first";
pub const WORST_FIRST_HINT: &str = "Samples whose outputs differ most from the ANN's first. The bar in a tile is long where \
     they are alike";

pub fn all_agree(samples: usize, t: usize) -> String {
    format!("SNN and ANN agree on all {samples} samples at t = {t}.")
}

pub fn and_is(class: &str) -> String {
    format!(", label {class}")
}

pub fn sample(number: usize, label: &str, ann: &str, snn: &str) -> String {
    format!("Sample {number}{label}, ANN {ann}, SNN {snn}")
}

/// A sample whose outputs are not classes, with the output of each network.
pub fn sample_of(number: usize, ann: &str, snn: &str) -> String {
    format!("Sample {number}: {ann}, {snn}")
}

pub fn of_data_set(number: usize) -> String {
    format!("Sample {number} of the data set")
}

pub fn is(class: &str) -> String {
    format!("label {class}")
}

pub fn ann(class: &str) -> String {
    format!("ANN {class}")
}

/// `sign` is set if the prediction differs from the ANN.
pub fn snn(sign: &str, class: &str) -> String {
    format!("{sign}SNN {class}")
}
