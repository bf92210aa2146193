//! Texts of the energy pane: controls, table and explanation.

pub fn synops(count: &str) -> String {
    format!("{count} SynOps")
}

pub fn macs(count: &str) -> String {
    format!("{count} MACs")
}

pub fn uncounted(steps: usize) -> String {
    format!(
        "The correction runs {steps} pre-steps on each sample; their spikes are not recorded and not included in these \
         figures."
    )
}

pub const NEVER_EVEN: &str = "No firing rate breaks even: the MACs alone cost as much as the ANN";
pub const ALWAYS_CHEAPER: &str = "With SynOps at no cost, every firing rate is cheaper than the ANN";

pub fn even_if_all(steps: usize, rate: &str) -> String {
    format!(
        "Even with every neuron firing at every step, {steps} steps cost less than the ANN (break-even at {rate} \
         spikes per neuron per step)"
    )
}

pub fn even_at(steps: usize, rate: &str) -> String {
    format!("{steps} steps break even at {rate} spikes per neuron per step")
}

pub fn verdict(even: &str, rate: &str, cost: &str, of_ann: &str) -> String {
    format!("{even}; this run has {rate} and needs {cost}{of_ann}.")
}

pub fn costs(macs: &str, ann: &str, per_mac: &str, t: usize, synops: &str, per_synop: &str, snn: &str) -> String {
    format!(
        "The ANN needs {macs} multiply-accumulates per sample, {ann} at {per_mac} pJ each; after {t} steps the SNN has \
         needed {synops} synaptic operations at {per_synop} pJ each, {snn} in total."
    )
}

pub const ONCE: &str = "once";
pub const AT_EVERY_STEP: &str = "at every step";

pub fn graded(macs: &str) -> String {
    format!(", and {macs} MACs at every step where weight layers follow each other without neurons in between")
}

pub fn included(macs: &str, times: &str, graded: &str) -> String {
    format!(
        "This includes {macs} MACs for the weights applied to the analog input, computed {times}{graded}; each spike \
         counts one operation per connection, exact at borders and before pooling."
    )
}

pub fn explanation(costs: &str, included: &str, verdict: &str, constants: &str) -> String {
    format!("{costs} {included} {verdict} Constants: {constants}.")
}

pub fn reaches(t: usize) -> String {
    format!("break-even at t = {t}")
}

pub const STAYS_BELOW: &str = "below the ANN at all steps";

pub fn description(ann: &str, snn: &str, t: usize, even: &str, verdict: &str) -> String {
    format!("SNN energy per sample over time-steps against the ANN's {ann}: {snn} at t = {t}; {even}. {verdict}")
}

pub fn of_ann(share: &str) -> String {
    format!("{share} of the ANN")
}

pub fn times_ann(ratio: &str) -> String {
    format!("{ratio} times the ANN")
}

/// Headers and tooltips of the table's columns after the layer name.
pub const COLUMNS: [(&str, &str); 5] = [
    ("rate", "Spikes per neuron per step"),
    ("fan-out", "Mean number of neurons that one spike reaches; spikes are counted before pooling"),
    ("operations", "SynOps of spikes, or MACs of analog values"),
    ("energy", "Operations times energy per operation"),
    ("share", "Share of the SNN's energy up to the time cursor"),
];

pub const EMPTY: &str = "No run yet. Open a network.";
pub const NO_LAYER: &str = "This run has no spiking layer.";
pub const TITLE: &str = "Energy per sample";
pub const OVER_TIME: &str = "Over time";
pub const BY_LAYER: &str = "By layer";
pub const BY_LAYER_HINT: &str = "Show the energy of each layer";
pub const AFTER_STEPS: &str = "SNN after t steps";
pub const LOG: &str = "Log axis";

pub fn preset(synop: &str, mac: &str) -> String {
    format!("{synop} pJ per SynOp, {mac} pJ per MAC")
}

/// The same with the name of the set of constants.
pub fn priced(name: &str, synop: &str, mac: &str) -> String {
    format!("{name}: {}", preset(synop, mac))
}

pub const OWN_HINT: &str = "Custom constants: edit the numbers beside this";
pub const OWN: &str = "custom";
pub const SYNOP: &str = "SynOp ";
pub const SYNOP_HINT: &str = "Energy of one synaptic operation: one spike at one neuron that it reaches";
pub const MAC: &str = "MAC ";
pub const MAC_HINT: &str = "Energy of one multiply-accumulate, in the ANN and for the analog input";
pub const FIRST_LAYER: &str = "First layer";
pub const FIRST_LAYER_HINT: &str = "The input is analog, so the first weights need MACs in the SNN too. A constant \
     input can be computed once and held";
pub const EVERY_STEP: &str = "every step";
pub const ENERGY: &str = "energy";

pub fn break_even(t: usize) -> String {
    format!(" break-even at t = {t} ")
}

pub const CURVE: &str = "Energy over time-steps";
pub const NO_BREAK_EVEN: &str = "no break-even";

pub fn break_even_at(t: usize) -> String {
    format!("break-even at t = {t}")
}

pub fn curve(course: &str, ann: &str, even: &str) -> String {
    format!("SNN per sample: {course}. ANN: {ann}; {even}.")
}

pub fn table(t: usize) -> String {
    format!("SNN per sample, steps 1 to {t}")
}

pub const LAYER: &str = "layer";
pub const ANALOG: &str = "analog input";
pub const BETWEEN: &str = "between weights";

pub fn neurons(count: usize) -> String {
    format!("{count} neurons; click to show this layer")
}
