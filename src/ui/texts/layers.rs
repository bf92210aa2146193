//! Texts of the layer strip, including first divergence and findings.

pub const DIVERGENCE_HINT: &str = "The first layer, in network order, with a neuron that differs from the ANN by more \
     than quantization explains after all steps of this run, and the first such neuron in it";
pub const DIVERGENCE: &str = "First divergence";
pub const SHOW: &str = "Show";
pub const SHOW_HINT: &str = "Show this neuron at the step where it diverges";
pub const SHOW_NAME: &str = "Show first divergence";

pub fn after_all(steps: usize, divergence: &str) -> String {
    format!("After all {steps} steps {divergence}")
}

pub const ROUNDING: &str = "Earlier layers differ by rounding (quantization) at most.";

pub fn no_divergence(steps: usize) -> String {
    format!("In {steps} steps no neuron differs by more than quantization explains.")
}

pub fn never(samples: usize) -> String {
    format!("; {samples} never diverge")
}

pub fn most(samples: usize, count: usize, layer: &str, never: &str) -> String {
    format!("Of {samples} samples {count} diverge first in {layer}, more than in any other layer{never}.")
}

pub fn none_leaves(samples: usize) -> String {
    format!("None of {samples} samples diverges in any layer.")
}

/// The threshold of a layer that the user has set.
pub fn by_hand(theta: &str) -> String {
    format!("set {theta}")
}

pub const BY_HAND: &str = "θ was set by hand; the threshold rule does not change it";

pub const AMONG_THEM: &str = ", including the sample in focus (mark at the left)";

pub fn leave_here(count: usize, of: usize, among: &str) -> String {
    format!("{count} of {of} samples diverge first in this layer{among}")
}

pub const DIVERGENCE_KEY: &str = "first divergence of the sample";

pub fn silent(t: usize) -> String {
    format!("no spikes in any sample up to t = {t}")
}

pub const NO_FINDINGS: &str = "Findings: none";

/// The number of errors, warnings and notes.
pub fn findings_by_severity(counts: [usize; 3]) -> String {
    let names = ["error", "warning", "note"];
    let one = |(count, name): (usize, &str)| format!("{count} {name}{}", if count == 1 { "" } else { "s" });
    let all: Vec<String> = counts.into_iter().zip(names).filter(|(count, _)| *count > 0).map(one).collect();
    if all.is_empty() { NO_FINDINGS.to_owned() } else { format!("Findings: {}", all.join(", ")) }
}

pub const SHOW_MORE: &str = "Show the whole finding";
pub const SHOW_LESS: &str = "Show one line";

pub const AS_PANE: &str = "Show as a pane";
pub const AS_PANE_HINT: &str = "Show the findings in a tab beside the other panes";
pub const AS_IT_IS: &str = "The network was converted without changes.";
/// One finding about several layers.
pub fn of_layers(layers: usize, finding: &str) -> String {
    format!("{layers} layers: {finding}")
}

pub fn and_more(layers: usize) -> String {
    format!("and {layers} more")
}

pub const LOOK_AT: &str = "Show this layer";
pub const MEND_HINT: &str = "Fix this finding; can be undone";
/// The five parts of the error, in reading order.
pub const PARTS: [&str; 5] = ["propagated", "clipping", "quantization", "unevenness", "pooling"];
pub const LAYERS: &str = "Layers";

pub fn parameters(count: &str) -> String {
    format!("{count} parameters")
}

pub const EMPTY: &str = "No run yet. Open a network.";

pub fn input(shape: &str) -> String {
    format!("input {shape}")
}

pub fn answers(classes: usize) -> String {
    format!("{classes} outputs")
}

pub fn layer(name: &str) -> String {
    format!("Layer {name}")
}

pub fn rate(rate: f64) -> String {
    format!("{rate:.3} sp/step")
}

pub fn together(reference: &str) -> String {
    format!("total: φ − {reference}")
}

pub const MEANS_RELATIVE: &str = "Means over neurons and samples, as shares of the layer's mean activation";
pub const MEANS: &str = "Means over neurons and samples, in activation units";
