//! Texts of the offset spikes pane: histogram, maps and explanation.

use crate::ground::numbers::signed;

pub const EMPTY: &str = "No run yet. Open a network.";
pub const TITLE: &str = "Offset spikes: expected minus emitted";

pub fn description(layer: &str, none: &str, one: &str, two: &str, more: &str) -> String {
    format!(
        "Histogram of offset spikes of {layer}: {none} of neurons have none, {one} are off by one, {two} by two, \
         {more} by more."
    )
}

pub const BEFORE: &str = "before correction";
pub const TOO_OFTEN: &str = "fires too often";
pub const TOO_RARELY: &str = "too rarely";
pub const OUTLINE: &str = "before correction";
pub const AXIS: &str = "fires too often  |  ψ = expected − emitted spikes  |  fires too rarely";
pub const AXIS_SHORT: &str = "too often  |  ψ = expected − emitted  |  too rarely";
pub const AXIS_SHORTEST: &str = "ψ = expected − emitted";
pub const SHARE: &str = "share of neurons";

pub fn hover_before(share: &str) -> String {
    format!("\nbefore correction {share}")
}

pub fn hover(psi: i32, count: u64, share: &str, before: &str) -> String {
    format!("ψ = {psi}\n{count} neurons × samples\n{share}{before}")
}

pub const HISTOGRAM: &str = "Histogram of offset spikes";

pub fn bars_before(bars: &str) -> String {
    format!(" Before the correction {bars}.")
}

pub fn histogram(layer: &str, bars: &str, before: &str) -> String {
    format!("Share of the neurons of {layer} by expected minus emitted spikes. {bars}.{before}")
}

pub const MEAN: &str = "mean ψ per neuron";
pub const MAP: &str = "Map of offset spikes";
pub const MAP_BEFORE: &str = "Map of offset spikes before correction";

pub fn map(layer: &str, low: f32, high: f32, here: f32) -> String {
    let [low, high, here] = [low, high, here].map(|psi| signed(f64::from(psi), 2));
    format!("Mean ψ of every neuron of {layer}, {low} to {high}; {here} in the neuron in focus.")
}

pub fn neuron(name: &str, psi: f32) -> String {
    format!("{name}\nmean ψ {}", signed(f64::from(psi), 3))
}

pub fn exact_before(share: &str) -> String {
    format!(" Before the correction {share} were exact.")
}

pub fn explanation(t: usize, layer: &str, exact: &str, too_often: &str, too_rarely: &str, before: &str) -> String {
    format!(
        "ψ is the spike count expected from the ANN's pre-activation in {t} steps minus the emitted count (Hao et al., \
         ICLR 2023). In {layer} {exact} of the neurons are exact, {too_often} fire too often (ψ below 0, orange) and \
         {too_rarely} too rarely (ψ above 0, blue).{before} The map shows the mean over the samples for each neuron; \
         click a cell to show its membrane."
    )
}
