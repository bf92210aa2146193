//! Texts of the initial-potential pane: controls, figures and explanation.

pub const EMPTY: &str = "No run yet. Open a network.";

pub fn no_activation(layer: &str) -> String {
    format!(
        "No error to average: no activation of {layer} lies between 0 and θ on the calibration samples. Choose another \
         layer or other samples."
    )
}

pub const TITLE: &str = "Initial potential and its error";
pub const FIELD_HINT: &str = "Potential of all neurons before the first step, as a share of θ";

pub fn minimum(p: f64) -> String {
    format!("Use the least-error v(0), {p:.2} θ")
}

pub const MINIMUM_HINT: &str =
    "v(0) with the least squared error on the calibration activations, for inputs that arrive evenly";

/// The first figure; the others follow.
pub fn inside(share: &str) -> String {
    format!("{share} of the calibration activations lie in (0, θ)")
}

pub fn unbiased(p: f64) -> String {
    format!("their mean error is 0 at {p:.2} θ")
}

pub fn all_neurons(mean: &str, square: &str) -> String {
    format!(" (all neurons {mean}, {square})")
}

pub fn run(mean: &str, square: &str, all: &str) -> String {
    format!("run: mean error {mean}, mean squared error {square}{all}")
}

pub const THEORY: &str = "theory";
pub const CALIBRATION: &str = "calibration activations";
pub const LEAST: &str = "least";
pub const THIS_RUN: &str = "this run";
pub const AS_IT_CAME: &str = "actual input, one sample";

pub fn spread(mean: &str, unbiased: f64) -> String {
    format!("; they are not uniform, so their mean error is {mean} at one half and 0 at {unbiased:.2}")
}

pub fn best_for_sample(sample: usize, p: f64) -> String {
    format!(": with the actual input of sample {sample} the best is {p:.2}")
}

pub fn run_square(square: &str, p: f64) -> String {
    format!("; the run itself has a mean squared error of {square} at {p:.2}")
}

pub fn explanation(layer: &str, best: f64, spread: &str, came: &str, run: &str) -> String {
    format!(
        "For activations uniform on (0, θ), OPI (Bu et al., AAAI 2022) expects a mean error of (θ/t)(p − ½) and the \
         least squared error at p = v(0)/θ = ½. With inputs that arrive evenly this rounds each activation to the \
         nearest output, so over the calibration activations of {layer} the squared error is least at \
         {best:.2}{spread}. The proof excludes unevenness: where inputs arrive unevenly or with propagated error, a \
         neuron that starts higher fires too early more easily, and the best p may lie below one half{came}{run}."
    )
}

pub fn errors(mean: &str, square: &str, measured_mean: &str, measured_square: &str) -> String {
    format!(
        "Theory expects a mean error of {mean} and a mean squared error of {square}; the calibration activations give \
         {measured_mean} and {measured_square}."
    )
}

pub fn description(layer: &str, steps: usize, p: f32, errors: &str) -> String {
    format!("Two plots of the error of {layer} against v(0)/θ after {steps} steps. v(0) is {p:.2} θ. {errors}")
}

pub const MEAN_PLOT: &str = "Mean error over v(0)";
pub const MEAN_ERROR: &str = "mean error";
pub const SQUARE_PLOT: &str = "Mean squared error over v(0)";
pub const SQUARE_ERROR: &str = "mean squared error";

pub fn at_p(error: &str, p: f64) -> String {
    format!("{error} at p = {p:.2}")
}

pub fn run_has(error: &str) -> String {
    format!("; the run has {error}")
}

pub fn curve(course: &str, p: f32, run: &str) -> String {
    format!("Calibration activations: {course}. v(0) is at p = {p:.2}{run}.")
}

pub fn hover_replayed(error: &str, p: f64) -> String {
    format!("\nactual input {error} (p = {p:.2})")
}

pub fn hover(p: f64, axis: &str, theory: &str, calibration: &str, replayed: &str) -> String {
    format!("p = {p:.2}, {axis}\ntheory {theory}\ncalibration {calibration}{replayed}")
}
