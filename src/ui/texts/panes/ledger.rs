//! What the error ledger says.

/// What each part means, in the order of the ledger.
pub const MEANINGS: [&str; 4] = [
    "carried in: the layers before sent another mean input than in the ANN",
    "clipping: a neuron answers up to its threshold, the reference up to λ (ReLU without end)",
    "quantization: in T steps the answer moves in steps of θ/T, the reference in its own (ReLU in none)",
    "unevenness: the order in which spikes arrive changes the count",
];
pub const EMPTY: &str = "The error of each layer appears when the first run is through.";
pub const TITLE: &str = "Where the error comes from";
pub const RELATIVE: &str = "relative";
pub const RELATIVE_HINT: &str = "Divides each layer's error by its mean ANN activation, so that layers can be compared";
pub const AGAINST_A: &str = "against a";
pub const AGAINST_A_HINT: &str = "The error against the ANN's own activation: what its QCFS or clip makes of z. A \
     layer that does the same has no error.";
pub const AGAINST_RELU: &str = "against ReLU(z)";
pub const AGAINST_RELU_HINT: &str =
    "The error against ReLU(z), as if the ANN did not clip or round: what it clips and rounds itself counts as error";
pub const ERROR_OF_A: &str = "φ − a";
pub const ERROR_OF_RELU: &str = "φ − ReLU(z)";
pub const SHARE_OF_MEAN: &str = "share of the mean activation";
pub const UNITS: &str = "units of activation";

/// What the two sides of the bars mean.
pub fn scale(formula: &str, unit: &str) -> String {
    format!("too little  |  {formula}, {unit}  |  too much")
}

pub fn scale_short(formula: &str) -> String {
    format!("too little  |  {formula}  |  too much")
}

/// The heads of the figures beside the bars.
pub const COLUMNS: [&str; 6] = ["carried", "clipped", "quantized", "uneven", "total", "re-run"];

/// A row in full; `parts` has a line for each part of the error.
pub fn hover(layer: &str, parts: &str, total: f64, reference: &str, rerun: f64) -> String {
    format!(
        "{layer}\n{parts}{total:+.5}  together: mean of φ − {reference}\n{rerun:+.5}  carried in by re-run: φ less \
         what this layer answers on the ANN's own input"
    )
}

pub fn row(layer: &str, total: &str) -> String {
    format!("{layer}: total error {total}")
}

pub const OWN_ACTIVATION: &str = "the ANN's own activation a, what its QCFS or clip makes of z";
pub const RELU_ALTHOUGH: &str = "ReLU(z), although the ANN itself clips or rounds";
pub const RELU_OF_ANN: &str = "ReLU(z) of the ANN";

pub fn explanation(t: usize, against: &str, layer: &str, error: &str, mean: &str, mostly: &str) -> String {
    format!(
        "Each bar is the mean difference between what the spiking layer answers after {t} steps and {against}, split \
         into four parts that add up exactly; the upright tick is their sum. The largest relative error is in {layer}: \
         {error}, where the mean activation is {mean}, mostly {mostly}. Parts of opposite sign can cancel, so look at the lengths \
         and not only at the tick. The count due is that from v(0) = ½ θ: what another v(0) shifts stands under unevenness. \"Re-run\", in a wide pane, is what came in wrong measured another way: the answer less what the \
         same layer answers on the ANN's own input."
    )
}

pub fn layer(name: &str, parts: &str, total: &str) -> String {
    format!("{name}: {parts}, total {total}")
}

pub const RELU: &str = "ReLU(z)";

pub fn description(against: &str, layers: &str) -> String {
    format!("Error ledger against {against}. {layers}")
}
