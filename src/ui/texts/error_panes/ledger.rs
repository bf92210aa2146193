//! Texts of the error ledger: parts, columns and explanation.

use crate::ground::numbers::{signed, signed_percent};

/// Meaning of each part, in the order of the ledger.
pub const MEANINGS: [&str; 5] = [
    "propagated: the mean input from earlier layers differs from the ANN's",
    "clipping: the output saturates at θ, the reference at λ (ReLU: never)",
    "quantization: outputs are multiples of θ/T, the reference has its own levels (ReLU: none)",
    "unevenness: the order in which spikes arrive changes the spike count",
    "pooling: the max pool before the neurons takes the largest of fluctuating currents at each step",
];
pub const EMPTY: &str = "No run yet. Open a network.";
pub const TITLE: &str = "Error by source";
pub const RELATIVE: &str = "relative";
pub const RELATIVE_HINT: &str =
    "Divide each layer's error by its mean ANN activation, to compare layers; also in the layer strip";
pub const SORT: &str = "sort by error";
pub const SORT_HINT: &str = "Largest error first, instead of the order of the network";
pub const WORST: &str = "Worst: ";
pub const FOCUS_HINT: &str = "Focus this layer";

/// The relative error of the worst layer, and its largest part.
pub fn worst(share: f64, part: &str) -> String {
    format!(", {} of its mean activation, mostly {part}", signed_percent(share, 1))
}

pub const BEGINS: &str = ", begins in ";
pub const BEGINS_HINT: &str = "The first layer before it that adds at least half as much error of its own as the layer \
     that adds most";
pub const AGAINST_A: &str = "against a";
pub const AGAINST_A_HINT: &str = "Measure the error against the ANN's own activation, after its QCFS or clip; a layer \
     that does the same has no error";
pub const AGAINST_RELU: &str = "against ReLU(z)";
pub const AGAINST_RELU_HINT: &str =
    "Measure the error against ReLU(z), so that clipping and rounding in the ANN count as error";
pub const ERROR_OF_A: &str = "φ − a";
pub const ERROR_OF_RELU: &str = "φ − ReLU(z)";
pub const SHARE_OF_MEAN: &str = "share of the mean activation";
pub const UNITS: &str = "units of activation";

/// Meaning of the two sides of the bars.
pub fn scale(formula: &str, unit: &str) -> String {
    format!("too little  |  {formula}, {unit}  |  too much")
}

pub fn scale_short(formula: &str) -> String {
    format!("too little  |  {formula}  |  too much")
}

/// Headers of the figures beside the bars.
pub const COLUMNS: [&str; 7] = ["propagated", "clipped", "quantized", "uneven", "pooled", "total", "re-run"];

/// The full text of a row; `parts` has a line for each part of the error.
pub fn hover(layer: &str, parts: &str, total: f64, reference: &str, rerun: f64) -> String {
    format!(
        "{layer}\n{parts}{}  total: mean of φ − {reference}\n{}  propagated, by re-run: φ minus this layer's output for \
         the ANN's own input",
        signed(total, 5),
        signed(rerun, 5)
    )
}

pub fn row(layer: &str, total: &str) -> String {
    format!("{layer}: total error {total}")
}

pub const OWN_ACTIVATION: &str = "the ANN's own activation a, after its QCFS or clip";
pub const RELU_ALTHOUGH: &str = "ReLU(z), although the ANN itself clips or rounds";
pub const RELU_OF_ANN: &str = "ReLU(z) of the ANN";

pub fn explanation(t: usize, against: &str, layer: &str, error: &str, mean: &str, mostly: &str) -> String {
    format!(
        "Each bar is the mean difference between the output of the spiking layer after {t} steps and {against}, split \
         into five parts that add up exactly; the vertical tick is their sum. The largest relative error is in \
         {layer}: {error}, where the mean activation is {mean}, mostly {mostly}. Parts of opposite sign can cancel, so \
         compare the lengths and not only the tick. Expected spike counts assume v(0) = ½ θ; the effect of another \
         v(0) counts as unevenness. \"Re-run\", in a wide pane, is another measure of the propagated error: the output \
         minus the output of the same layer for the ANN's own input."
    )
}

pub fn layer(name: &str, parts: &str, total: &str) -> String {
    format!("{name}: {parts}, total {total}")
}

pub const RELU: &str = "ReLU(z)";

pub fn description(against: &str, layers: &str) -> String {
    format!("Error ledger against {against}. {layers}")
}
