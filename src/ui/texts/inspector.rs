//! What the inspector says.

pub const TITLE: &str = "Inspector";
pub const EMPTY: &str = "Numbers of the layer and the neuron in focus appear after the first run.";
pub const NEURON: &str = "Neuron";
pub const UNPIN: &str = "Unpin";
pub const UNPIN_HINT: &str = "Let this neuron's membrane go";
pub const PIN: &str = "Pin";
pub const PIN_HINT: &str = "Keep this neuron's membrane in view";
pub const SPIKES: &str = "Spikes n";

pub fn spikes(count: u32, t: usize) -> String {
    if t == 1 { format!("{count} in 1 step") } else { format!("{count} in {t} steps") }
}

pub const SPIKES_HINT: &str = "Spikes up to the time cursor";
pub const DUE: &str = "Due, from the ANN";
pub const DUE_HINT: &str = "z·t/θ + ½ rounded down, between 0 and t, from the ANN's pre-activation z";
pub const DUE_OWN: &str = "Due, own input";
pub const DUE_OWN_HINT: &str = "The same from this neuron's own mean input";
pub const OFFSET: &str = "Offset spikes ψ";
pub const OFFSET_HINT: &str = "Spikes due (from the ANN) less spikes fired";
pub const THRESHOLD_OF: &str = "Threshold θ";
pub const UNITS_HINT: &str = "In activation units";
pub const SNN_ACTIVATION: &str = "SNN activation φ";
pub const SNN_ACTIVATION_HINT: &str = "θ·n/t, in activation units";
pub const ANN_ACTIVATION_OF: &str = "ANN activation a";
pub const ANN_INPUT: &str = "ANN input z";
pub const ANN_INPUT_HINT: &str = "Pre-activation of the ANN";
pub const MEAN_INPUT: &str = "Mean input";
pub const MEAN_INPUT_HINT: &str = "Mean current per step up to the time cursor, in activation units";
pub const POTENTIAL: &str = "Potential v(t)";
pub const POTENTIAL_HINT: &str = "Membrane potential after step t, in activation units";
pub const IN_THRESHOLDS: &str = "in thresholds";
pub const IN_THRESHOLDS_HINT: &str = "The potential over the threshold";

pub fn where_from(reference: &str) -> String {
    format!("Where its error φ − {reference} comes from")
}

pub const NEVER_ACTIVE: &str =
    "This channel was never active on the calibration samples: its threshold is 0 and it never fires.";

pub fn silenced_rightly(held: i32) -> String {
    format!("Silenced by SRP, rightly: the ANN asks for no spike, and it would have sent {held}.")
}

pub fn silenced_wrongly(due: i32, t: usize, held: i32) -> String {
    format!("Silenced by SRP, wrongly: the ANN asks for {due} in {t} steps; it fired {held}, sent none.")
}

pub fn right(spikes: u32, t: usize) -> String {
    format!("Right: {spikes} spikes in {t} steps are what the ANN's value asks for.")
}

pub const TOO_LOW: &str = "too low";
pub const TOO_HIGH: &str = "too high";
pub const LOW: &str = "low";
pub const HIGH: &str = "high";

pub fn off_though_due(side: &str) -> String {
    format!("too {side} though its spikes are as many as due")
}

pub fn carried_in(mean: &str, z: &str) -> String {
    format!(
        "carried in: its mean input is {mean} where the ANN has {z}, so what reaches it from the layers before is \
         off, if only by rounding"
    )
}

pub fn clipped_as_ann(theta: &str) -> String {
    format!(
        "clipped at θ = {theta}; the ANN itself clips at its learned value, so this costs nothing where both are the \
         same"
    )
}

pub fn clipped_late(theta: &str, end: &str) -> String {
    format!("clipped too late: θ = {theta} lies above {end}, where the ANN's own activation ends")
}

pub fn clipped(mean: &str, theta: &str) -> String {
    format!("clipped: its mean input {mean} is above θ = {theta}, and no neuron can fire more than once a step")
}

pub fn moves_in_steps(t: usize, step: &str) -> String {
    format!("in {t} steps its activation moves in steps of θ/t = {step}")
}

pub fn quantized_otherwise(steps: &str, levels: u32) -> String {
    format!("quantized in other steps than the ANN: {steps}, the ANN's in {levels} levels")
}

pub fn quantized(steps: &str) -> String {
    format!("quantized: {steps}")
}

pub fn order(due: u32, fired: u32) -> String {
    let spikes = if fired == 1 { "spike" } else { "spikes" };
    format!(
        "order of arrival: its input would be worth {due} if it came evenly, but as it came it fired {fired} {spikes}"
    )
}

pub fn cancelled(why: &str) -> String {
    format!("Right in the end, because errors cancel each other. The largest of them: {why}.")
}

pub fn mostly(error: &str, side: &str, why: &str) -> String {
    format!("φ is {error} {side}, mostly {why}.")
}

pub const LAYER: &str = "Layer";
pub const KIND: &str = "Kind";
pub const KIND_HINT: &str = "What feeds the neurons";
pub const SHAPE: &str = "Shape";
pub const SHAPE_HINT: &str = "Channels × height × width, or neurons";
pub const ANN_ACTIVATION: &str = "ANN activation";
pub const ANN_ACTIVATION_HINT: &str = "What the neurons stand for";
pub const CURRENTS: &str = "Currents";
pub const THRESHOLD: &str = "Threshold";
pub const RATE: &str = "Rate";

pub fn rate(rate: f64) -> String {
    format!("{rate:.4} spikes/step")
}

pub const RATE_HINT: &str = "Mean over neurons and samples";
pub const MISMATCH: &str = "Mean |φ − a|";
pub const MISMATCH_HINT: &str = "Over neurons and samples, in activation units";
pub const CORRELATION: &str = "Correlation φ, a";
pub const CORRELATION_HINT: &str = "Pearson's r over neurons and samples";
pub const SYNOPS: &str = "SynOps";
pub const SYNOPS_HINT: &str = "Synaptic operations caused by this layer's spikes, all samples and steps so far";

pub fn currents_hint(instructions: &str) -> String {
    format!(
        "How this layer's input currents are computed. From events (here with {instructions} instructions), a spike \
         adds one row of weights and a silent input costs nothing; by tables, eight channels are added at once; \
         dense, every input is multiplied at every step. The faster one is taken: the firing rates to expect are read \
         off the calibration, and where the forms cross was measured (cargo bench --bench kernels)."
    )
}

pub const CONSTANT: &str = "once: constant";
pub const TABLES: &str = "events, by tables";
pub const EVENTS: &str = "events, one by one";
pub const DENSE_BY_RATE: &str = "dense: nearly all spike";
pub const DENSE: &str = "dense: no event form";
pub const SAMPLE: &str = "Sample";
pub const OFF_BY: &str = "SNN off by";
pub const OFF_BY_HINT: &str = "|SNN − ANN| / |ANN| of the outputs, at the time cursor";
pub const ANN_FINDS: &str = "ANN finds";
pub const ANN_FINDS_HINT: &str = "Boxes the ANN is sure of";
pub const SNN_FINDS: &str = "SNN finds";
pub const SNN_FINDS_HINT: &str = "Boxes the SNN is sure of, at the time cursor";
pub const INDEX: &str = "Index";
pub const INDEX_HINT: &str = "In the data set";
pub const LABEL: &str = "Label";
pub const LABEL_HINT: &str = "What the data set says";
pub const ANN_SAYS: &str = "ANN says";
pub const ANN_SAYS_HINT: &str = "The ANN's answer";
pub const SNN_SAYS: &str = "SNN says";
pub const SNN_SAYS_HINT: &str = "The SNN's answer at the time cursor";
