//! Texts of the raster pane: axes, rates and explanation.

pub const EMPTY: &str = "No run yet. Open a network.";
pub const TITLE: &str = "Spikes of the layer";
pub const RASTER: &str = "Raster of spikes";

pub fn raster(steps: usize, neurons: usize, layer: &str, spikes: u64, t: usize) -> String {
    format!("{steps} time-steps across, {neurons} neurons of {layer} down; {spikes} spikes up to t = {t}.")
}

pub const NEURON: &str = "neuron";
pub const CHANNEL: &str = "channel";
pub const RATE: &str = "rate (spikes/step)";

/// `word` is [`CHANNEL`] or [`NEURON`], here and below.
pub fn rate(word: &str, channel: usize, rate: &str, steps: usize) -> String {
    format!("{word} {channel}\n{rate} spikes per step over {steps} steps")
}

pub fn rates_of(word: &str) -> String {
    format!("Rate of each {word}")
}

pub fn rates(channels: usize, busiest: &str) -> String {
    format!("Spikes per neuron and step of the busiest of {channels}. {busiest}.")
}

pub const SPIKE: &str = "spike";
pub const NO_SPIKE: &str = "no spike";

pub fn hover(name: &str, t: usize, spike: &str) -> String {
    format!("{name}\nt = {t}: {spike}\nclick to show its membrane")
}

pub fn busiest(word: &str, channel: usize, rate: &str) -> String {
    format!(" The busiest {word} is {channel} with {rate} spikes per neuron and step.")
}

pub fn explanation(
    neurons: usize,
    layer: &str,
    sample: usize,
    t: usize,
    spikes: u64,
    silent: &str,
    busiest: &str,
) -> String {
    format!(
        "Every mark is a spike of one of the {neurons} neurons of {layer} for sample {sample}. Up to t = {t} they \
         fired {spikes} times, and {silent} of them not at all.{busiest}"
    )
}
