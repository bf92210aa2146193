//! Sentences and quantities of the energy pane.

use super::data::PaneData;
use crate::measure::energy::Energy;
use crate::ui::texts::format::{format_number, format_percent, format_si};
use crate::ui::texts::panes::energy as texts;

pub(super) fn synop_words(count: f64) -> String {
    texts::synops(&format_si(count))
}

pub(super) fn mac_words(count: f64) -> String {
    texts::macs(&format_si(count))
}

/// Spikes per neuron per step up to the time cursor.
pub(super) fn rate(data: &PaneData<'_>) -> f64 {
    let layers = &data.operations.layers;
    let spikes: f64 = layers.iter().map(|layer| layer.spikes[data.t - 1]).sum();
    spikes / (layers.iter().map(|layer| layer.neurons).sum::<usize>() * data.t).max(1) as f64
}

/// Maximum spikes of a neuron in one step.
fn most_per_step(data: &PaneData<'_>) -> f64 {
    data.snapshot.run.spiking.layers.iter().map(|layer| layer.neuron.max_spikes_per_step()).max().unwrap_or(1) as f64
}

/// The note about steps that the figures do not contain: those of a correction before the first counted step.
pub(super) fn uncounted(data: &PaneData<'_>) -> Option<String> {
    let spiking = &data.snapshot.run.spiking;
    match spiking.correction.hardware_presteps(spiking.layers.len()) {
        0 => None,
        steps => Some(texts::uncounted(steps)),
    }
}

/// The sentence with the break-even firing rate.
pub(super) fn verdict(data: &PaneData<'_>) -> String {
    let Energy { ann_joules, snn_joules, break_even_rate, rate, .. } = &data.energy;
    let last = snn_joules.len();
    let whole = snn_joules[last - 1];
    let even = match *break_even_rate {
        even if even <= 0.0 => texts::NEVER_EVEN.to_owned(),
        even if even.is_infinite() => texts::ALWAYS_CHEAPER.to_owned(),
        even if even > most_per_step(data) => texts::even_if_all(last, &format_number(even)),
        even => texts::even_at(last, &format_number(even)),
    };
    let of_ann = if *ann_joules > 0.0 { format!(", {}", of_ann(whole / ann_joules)) } else { String::new() };
    texts::verdict(&even, &format_number(*rate), &joules(whole), &of_ann)
}

pub(super) fn explain(data: &PaneData<'_>) -> String {
    let PaneData { energy, constants, operations, t, .. } = data;
    let first = texts::costs(
        &format_si(energy.ann_macs),
        &joules(energy.ann_joules),
        &pico(constants.per_mac),
        *t,
        &format_si(energy.synops[t - 1]),
        &pico(constants.per_synop),
        &joules(energy.snn_joules[t - 1]),
    );
    let times = if constants.first_layer_once { texts::ONCE } else { texts::AT_EVERY_STEP };
    let graded = match operations.macs.graded > 0.0 {
        true => texts::graded(&format_si(operations.macs.graded)),
        false => String::new(),
    };
    let second = texts::included(&format_si(energy.first_layer_macs), times, &graded);
    texts::explanation(&first, &second, &verdict(data), &constants.name)
}

pub(super) fn describe(data: &PaneData<'_>) -> String {
    let PaneData { energy, t, .. } = data;
    let even = match energy.break_even_step {
        Some(t) => texts::reaches(t),
        None => texts::STAYS_BELOW.into(),
    };
    texts::description(&joules(energy.ann_joules), &joules(energy.snn_joules[t - 1]), *t, &even, &verdict(data))
}

/// A fraction or a multiple of the ANN's energy, as text.
pub(super) fn of_ann(ratio: f64) -> String {
    if ratio < 2.0 { texts::of_ann(&format_percent(ratio)) } else { texts::times_ann(&format_number(ratio)) }
}

/// Formats joules as picojoules.
pub(super) fn pico(joules: f64) -> String {
    crate::ui::texts::format::format_tick(joules * 1e12)
}

/// Formats an energy with the unit prefix that leaves one to three digits before the decimal point.
pub(super) fn joules(value: f64) -> String {
    if value == 0.0 {
        return "0 J".into();
    }
    let units = [(1.0, "J"), (1e-3, "mJ"), (1e-6, "µJ"), (1e-9, "nJ")];
    let (unit, name) = units.into_iter().find(|(unit, _)| value.abs() >= *unit * 0.9995).unwrap_or((1e-12, "pJ"));
    format!("{} {name}", crate::ui::texts::format::format_tick(value / unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn energies_have_a_unit_prefix() {
        let written = [0.0, 77e-15, 12.5e-12, 1.606e-3, 2.0, 999.9e-9].map(joules);
        assert_eq!(written, ["0 J", "0.077 pJ", "12.5 pJ", "1.61 mJ", "2 J", "1 µJ"]);
        assert_eq!([77e-15, 4.6e-12].map(pico), ["0.077", "4.6"]);
    }
}
