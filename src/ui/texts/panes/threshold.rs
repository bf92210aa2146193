//! What the threshold pane says.

pub const EMPTY: &str = "The activations of a layer and its threshold appear when the first run is through.";
pub const TITLE: &str = "Threshold and what it costs";
pub const RISE_HINT: &str = "How the thresholds rose batch by batch while they were balanced";
pub const RISE: &str = "Show how they rose";
pub const FIELD_HINT: &str = "The threshold of this layer, in units of activation";
pub const BACK: &str = "Back to the rule";
pub const BACK_HINT: &str = "Let the threshold rule choose this layer's θ again";
pub const MINIMUM_HINT: &str =
    "Where the predicted error against the ANN's activation is least, with inputs that arrive evenly";

pub fn minimum(theta: &str) -> String {
    format!("Take the minimum, {theta}")
}

pub const LOG: &str = "Log counts";

/// The first of the figures at θ, then the others.
pub fn step(value: &str) -> String {
    format!("step θ/T = {value}")
}

pub fn clipped(share: &str) -> String {
    format!("clipped {share}")
}

/// Where θ is no lower than the end of the ANN's own activation.
pub fn clipped_by_both(share: &str) -> String {
    format!("clipped {share}, by the ANN as well")
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
pub const CLIPPED: &str = "clipped, and what clipping costs";
pub const QUANTIZATION: &str = "quantization";
pub const BOTH: &str = "both errors, diamond: least";

pub fn no_threshold(layer: &str) -> String {
    format!(
        "No neuron of {layer} was ever active on the calibration samples. Without a threshold it never fires. Set θ \
         by hand or calibrate on other samples."
    )
}

pub fn least(theta: &str, error: &str) -> String {
    format!(" The predicted error is least at θ = {theta}, where both together cost {error}.")
}

pub fn explanation(theta: &str, layer: &str, clipped: &str, step: &str, least: &str) -> String {
    format!(
        "θ = {theta} is the largest activation that {layer} can answer with; {clipped} of the calibration activations \
         lie above and are clipped. Below it the answer is a multiple of θ/T = {step}: a lower θ makes finer steps \
         but clips more.{least}"
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

pub const ERROR_AXIS: &str = "predicted error²";

pub fn hover(theta: &str, clipping: &str, quantization: &str, total: &str, clipped: &str) -> String {
    format!("θ = {theta}\nclipping {clipping}\nquantization {quantization}\ntotal {total}\nclipped {clipped}")
}

pub const COSTS: &str = "Predicted error over the threshold";

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
    format!("mean threshold of each layer over its highest value, {state}; the layer in focus is bright")
}

pub const BATCHES: &str = "batches";
pub const RISE_AXIS: &str = "θ / highest θ";

pub fn hover_rise(batch: usize, layer: &str, theta: &str) -> String {
    format!("after batch {batch}\n{layer}: θ {theta}")
}

pub const RISING: &str = "Thresholds rising";

pub fn risen(state: &str, layers: &str) -> String {
    format!("Mean θ of each layer after {state}: {layers}.")
}
