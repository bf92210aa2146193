//! Texts of the inspector: labels, units and explanations.

pub const TITLE: &str = "Inspector";
pub const EMPTY: &str = "No run yet. Open a network.";
pub const NEURON: &str = "Neuron";
pub const UNPIN: &str = "Unpin";
pub const UNPIN_HINT: &str = "Stop showing this neuron's membrane";
pub const PIN: &str = "Pin";
pub const PIN_HINT: &str = "Keep showing this neuron's membrane when the focus moves";
pub const SPIKES: &str = "Spikes n";

pub fn spikes(count: u32, t: usize) -> String {
    if t == 1 { format!("{count} in 1 step") } else { format!("{count} in {t} steps") }
}

pub const SPIKES_HINT: &str = "Spikes up to the time cursor";
pub const DUE: &str = "Expected spikes (ANN)";
pub const DUE_HINT: &str = "z·t/θ + ½ rounded down and clipped to 0…t, with the ANN's pre-activation z";
pub const DUE_OWN: &str = "Expected spikes (own mean input)";
pub const DUE_OWN_HINT: &str = "The same with the neuron's own mean input in place of z";
pub const OFFSET: &str = "Offset spikes ψ";
pub const OFFSET_HINT: &str = "Expected spikes (ANN) minus spikes n";
pub const THRESHOLD_OF: &str = "Threshold θ";
pub const UNITS_HINT: &str = "In units of the ANN's activation, as all values of this table";
pub const SNN_ACTIVATION: &str = "SNN activation φ";
pub const SNN_ACTIVATION_HINT: &str = "θ·n/t, in activation units";
pub const ANN_ACTIVATION_OF: &str = "ANN activation a";
pub const ANN_INPUT: &str = "ANN input z";
pub const ANN_INPUT_HINT: &str = "Pre-activation of the ANN";
pub const MEAN_INPUT: &str = "Mean input";
pub const MEAN_INPUT_HINT: &str = "Mean current per step up to the time cursor, in activation units";
pub const POTENTIAL: &str = "Potential v(t)";
pub const POTENTIAL_HINT: &str = "Membrane potential after step t, in activation units";
pub const IN_THRESHOLDS: &str = "v(t) / θ";
pub const IN_THRESHOLDS_HINT: &str = "Membrane potential relative to the threshold";

pub fn where_from(reference: &str) -> String {
    format!("Error φ − {reference} by source")
}

pub const NEVER_ACTIVE: &str =
    "This channel was never active on the calibration samples: its threshold is 0 and it never fires.";

pub fn silenced_rightly(held: i32) -> String {
    format!("Silenced by SRP, correctly: the ANN expects 0 spikes; {held} were suppressed.")
}

pub fn silenced_wrongly(due: i32, t: usize, held: i32) -> String {
    format!("Silenced by SRP, wrongly: the ANN expects {due} spikes in {t} steps; {held} were suppressed.")
}

pub fn right(spikes: u32, t: usize) -> String {
    format!("Correct: {spikes} spikes in {t} steps, as expected from the ANN.")
}

pub const TOO_LOW: &str = "too low";
pub const TOO_HIGH: &str = "too high";
pub const LOW: &str = "low";
pub const HIGH: &str = "high";

pub fn off_though_due(side: &str) -> String {
    format!("too {side} although the spike count is as expected")
}

pub fn carried_in(mean: &str, z: &str) -> String {
    format!(
        "propagated error: its mean input is {mean} where the ANN has {z}; earlier layers are off, if only by rounding"
    )
}

pub fn clipped_as_ann(theta: &str) -> String {
    format!("clipping at θ = {theta}; the ANN itself clips at its learned λ, so this is no error where both are equal")
}

pub fn clipped_late(theta: &str, end: &str) -> String {
    format!("clipping too late: θ = {theta} lies above {end}, where the ANN's activation saturates")
}

pub fn clipped(mean: &str, theta: &str) -> String {
    format!("clipping: its mean input {mean} is above θ = {theta}, and a neuron fires at most once per step")
}

pub fn moves_in_steps(t: usize, step: &str) -> String {
    format!("in {t} steps its output is a multiple of θ/t = {step}")
}

pub fn quantized_otherwise(steps: &str, levels: u32) -> String {
    format!("quantization differs from the ANN's: {steps}, and the ANN has {levels} levels")
}

pub fn quantized(steps: &str) -> String {
    format!("quantization: {steps}")
}

pub fn order(due: u32, fired: u32) -> String {
    let spikes = if fired == 1 { "spike" } else { "spikes" };
    format!("unevenness: the same input arriving evenly would give {due}, but it fired {fired} {spikes}")
}

pub fn pooled(mean: &str, pooled: &str) -> String {
    format!(
        "pooling: its max pool takes the largest of fluctuating currents at each step, {mean} in the mean, where the \
         largest mean current is {pooled}"
    )
}

pub fn cancelled(why: &str) -> String {
    format!("Correct, because errors cancel. The largest: {why}.")
}

pub fn mostly(error: &str, side: &str, why: &str) -> String {
    format!("φ is {error} {side}, mostly {why}.")
}

pub const LAYER: &str = "Layer";
pub const KIND: &str = "Kind";
pub const KIND_HINT: &str = "Operation that computes the neurons' input current";
pub const SHAPE: &str = "Shape";
pub const SHAPE_HINT: &str = "Channels x height x width, or neurons";
pub const ANN_ACTIVATION: &str = "ANN activation";
pub const ANN_ACTIVATION_HINT: &str = "Activation function that the neurons replace";
pub const CURRENTS: &str = "Currents";
pub const THRESHOLD: &str = "Threshold";
pub const RATE: &str = "Firing rate";

pub fn rate(rate: f64) -> String {
    format!("{rate:.4} spikes/step")
}

pub const RATE_HINT: &str = "Spikes per neuron and step, averaged over neurons and samples";
pub const MISMATCH: &str = "Mean |φ − a|";
pub const MISMATCH_HINT: &str = "Difference between SNN and ANN activation, averaged over neurons and samples";
pub const CORRELATION: &str = "Correlation φ, a";
pub const CORRELATION_HINT: &str = "Pearson's r between SNN and ANN activation, over neurons and samples";
pub const SYNOPS: &str = "SynOps";
pub const SYNOPS_HINT: &str = "Synaptic operations caused by this layer's spikes, all samples and steps so far";

pub fn currents_hint(instructions: &str) -> String {
    format!(
        "How this layer's input currents are computed. From events (here with {instructions} instructions), a spike \
         adds one row of weights and a silent input costs nothing; with lookup tables, eight channels are added at \
         once; dense, every input is multiplied at every step. The faster form is chosen from the firing rates \
         expected after calibration and from measured break-even points (cargo bench --bench kernels)."
    )
}

pub const CONSTANT: &str = "constant, computed once";
pub const TABLES: &str = "events, lookup tables";
pub const EVENTS: &str = "events, one by one";
pub const DENSE_BY_RATE: &str = "dense (high firing rate)";
pub const DENSE: &str = "dense (no event form)";
pub const SAMPLE: &str = "Sample";
pub const OFF_BY: &str = "Relative error";
pub const OFF_BY_HINT: &str = "|SNN − ANN| / |ANN| of the outputs, at the time cursor";
pub const ANN_FINDS: &str = "ANN boxes";
pub const ANN_FINDS_HINT: &str = "Boxes that the ANN detects";
pub const SNN_FINDS: &str = "SNN boxes";
pub const SNN_FINDS_HINT: &str = "Boxes that the SNN detects up to the time cursor";
pub const INDEX: &str = "Index";
pub const INDEX_HINT: &str = "Position in the data set";
pub const LABEL: &str = "Label";
pub const LABEL_HINT: &str = "Class according to the data set";
pub const ANN_SAYS: &str = "ANN prediction";
pub const ANN_SAYS_HINT: &str = "Class with the largest logit of the ANN";
pub const SNN_SAYS: &str = "SNN prediction";
pub const SNN_SAYS_HINT: &str = "Class with the largest readout of the SNN at the time cursor";
