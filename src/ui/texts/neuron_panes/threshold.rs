//! Texts of the threshold pane: controls, figures and explanation.

pub const EMPTY: &str = "No run yet. Open a network.";
pub const TITLE: &str = "Threshold and its error";
pub const RISE_HINT: &str = "Show the thresholds after each batch of balancing";
pub const RISE: &str = "Show balancing";
pub const FIELD_HINT: &str = "Threshold of this layer, in activation units";
pub const BACK: &str = "Reset to rule";
pub const BACK_HINT: &str = "Let the threshold rule set θ of this layer again";
pub const MINIMUM_HINT: &str =
    "θ with the least predicted error against the ANN's activation, for inputs that arrive evenly";

pub fn minimum(theta: &str) -> String {
    format!("Use the least-error θ, {theta}")
}

pub const LOG: &str = "Log counts";

/// The first figure at θ; the others follow.
pub fn step(value: &str) -> String {
    format!("step θ/T = {value}")
}

pub fn clipped(share: &str) -> String {
    format!("clipped {share}")
}

/// For a θ at or above the upper bound of the ANN's own activation.
pub fn clipped_by_both(share: &str) -> String {
    format!("clipped {share}, also by the ANN")
}

pub fn predicted(error: &str) -> String {
    format!("predicted mean squared error {error}")
}

pub fn measured(t: usize, clipping: &str, quantization: &str) -> String {
    format!("measured mean error at t = {t}: clipping {clipping}, quantization {quantization}")
}

pub fn zero(share: &str) -> String {
    format!("{share} of the activations are zero")
}

pub fn never_active(channels: usize) -> String {
    format!(", {channels} never active")
}

pub fn per_channel(count: usize, low: &str, high: &str, never_active: &str) -> String {
    format!("{count} thresholds, one per channel, {low} to {high}{never_active}; dragging sets one for all")
}

pub const ACTIVATIONS: &str = "activations";
pub const CLIPPED: &str = "clipped";
pub const OTHER_RULES: &str = "θ of other rules";
pub const CLIPPING: &str = "clipping error";
pub const QUANTIZATION: &str = "quantization error";
pub const BOTH: &str = "total error";
pub const MINIMUM: &str = "least";

pub fn no_threshold(layer: &str) -> String {
    format!(
        "{layer} has no threshold and never fires: no neuron was active on the calibration samples. Set θ by hand or \
         calibrate on other samples."
    )
}

pub fn least(theta: &str, error: &str) -> String {
    format!(" The predicted squared error is least at θ = {theta}: {error}.")
}

pub fn explanation(theta: &str, layer: &str, clipped: &str, step: &str, least: &str) -> String {
    format!(
        "θ = {theta} is the largest output of {layer}; {clipped} of the calibration activations lie above and are \
         clipped. Below it the output is a multiple of θ/T = {step}: a lower θ gives finer steps but clips more.{least}"
    )
}

pub const AXIS: &str = "activation, threshold θ";

pub fn bin(count: u64, low: &str, high: &str) -> String {
    format!("{count} activations\nof {low} to {high}")
}

pub const HISTOGRAM: &str = "Histogram of activations with the threshold";

pub fn which_clips(share: &str) -> String {
    format!(", which clips {share}")
}

pub fn histogram(activations: u64, extent: &str, zeros: &str, theta: &str, clips: &str, marks: &str) -> String {
    format!(
        "{activations} activations above 0, up to {extent}, and {zeros} at 0. θ stands at {theta}{clips}. Marks: \
         {marks}."
    )
}

pub const ERROR_AXIS: &str = "squared error";

pub fn hover(theta: &str, clipping: &str, quantization: &str, total: &str, clipped: &str) -> String {
    format!("θ = {theta}\nclipping {clipping}\nquantization {quantization}\ntotal {total}\nclipped {clipped}")
}

pub const COSTS: &str = "Predicted squared error over the threshold";

pub fn error_at(error: &str, theta: &str) -> String {
    format!("{error} at θ = {theta}")
}

pub fn least_at(theta: &str, error: &str) -> String {
    format!(" Least at θ = {theta}: {error}.")
}

pub fn costs(course: &str, least: &str) -> String {
    format!("Clipping and quantization together: {course}.{least}")
}

pub fn layer(number: usize) -> String {
    format!("layer {number}")
}

pub fn batch(done: usize, of: usize) -> String {
    format!("batch {done} of {of}")
}

pub fn batches(done: usize) -> String {
    format!("{done} batches")
}

pub fn rising(state: &str) -> String {
    format!("mean threshold of each layer divided by its highest value, {state}; the layer in focus is bright")
}

pub const BATCHES: &str = "batches";
pub const RISE_AXIS: &str = "θ / highest θ";

pub fn hover_rise(batch: usize, layer: &str, theta: &str) -> String {
    format!("after batch {batch}\n{layer}: θ {theta}")
}

pub const RISING: &str = "Thresholds during balancing";

pub fn risen(state: &str, layers: &str) -> String {
    format!("Mean θ of each layer after {state}: {layers}.")
}
