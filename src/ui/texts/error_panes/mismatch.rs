//! Texts of the mismatch pane and of the live mismatch overlay.

pub const STREAMING_BEFORE: &str = "; gray: the previous run";

/// Shown during a run.
pub fn streaming(samples: usize, of: usize, before: &str) -> String {
    format!("mean |φ − a| of each layer, first to last: {samples} of {of} samples done{before}")
}

pub const STREAMING: &str = "Mismatch of each layer so far";
pub const EMPTY: &str = "No run yet. Open a network.";
pub const TITLE: &str = "Activation mismatch";

pub fn description(layer: &str, r: &str, difference: &str) -> String {
    format!(
        "Density of ANN activation against SNN activation in {layer}: correlation {r}, mean absolute difference \
         {difference}."
    )
}

pub fn correlation(r: &str) -> String {
    format!("correlation r = {r}")
}

pub fn mean_difference(value: &str) -> String {
    format!("mean |φ − a| = {value}")
}

pub fn both_silent(share: &str) -> String {
    // Keeps number and percent sign on the same line.
    format!("both silent: {}", share.replace(' ', "\u{a0}"))
}

pub const DENSITY: &str = "ANN activation against SNN activation";

pub fn density(layer: &str, extent: &str, r: &str, difference: &str) -> String {
    format!(
        "Density of all neurons and samples of {layer}, both divided by θ, up to {extent}: on the diagonal they are \
         equal. Correlation {r}, mean absolute difference {difference}."
    )
}

pub const CEILING: &str = "saturation (φ = θ)";
pub const ANN_AXIS: &str = "ANN activation a / θ";
pub const SNN_AXIS: &str = "SNN activation φ / θ";

pub fn density_hover(a: f32, phi: f32, count: u32) -> String {
    format!("a ≈ {a:.2} θ, φ ≈ {phi:.2} θ\n{count} neurons × samples")
}

pub const ANN_VALUES: &str = "ANN a";
pub const SNN_VALUES: &str = "SNN φ";
pub const ANN_MAP: &str = "Map of the ANN";
pub const SNN_MAP: &str = "Map of the SNN";
pub const DIFFERENCE_MAP: &str = "Map of the difference";

pub fn map(name: &str, layer: &str, sample: usize, low: &str, high: &str, here: &str) -> String {
    format!("{name} of {layer} for sample {sample}, {low} to {high}; {here} in the neuron in focus.")
}

pub fn neuron(name: &str, a: &str, phi: &str, spikes: u32, psi: i32) -> String {
    format!("{name}\na = {a}, φ = {phi} ({spikes} spikes), ψ = {psi}")
}

pub fn explanation(layer: &str, t: usize, r: &str, difference: &str, mean: &str, sample: usize) -> String {
    let levels = t + 1;
    format!(
        "Every neuron of {layer} for every sample is one point: its ANN activation on x, its SNN activation after {t} \
         steps on y, both divided by θ; on the diagonal they are equal. Their correlation is r = {r}, the mean \
         difference {difference}, the mean activation {mean}. Points right of 1 are clipped; horizontal lines are the \
         {levels} levels of {t} steps. The maps show sample {sample} channel by channel."
    )
}
