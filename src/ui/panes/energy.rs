//! What the run costs against the ANN: energy over the time-steps, and which layers it goes to.

use egui::{Align, DragValue, Grid, Layout, RichText, ScrollArea, Ui};
use egui_plot::{HLine, Line, LineStyle, Plot, VLine};

use super::parts::{self, Page, number, percent};
use super::t_curve::marks;
use crate::lab::{Lab, Message, Snapshot};
use crate::measure::energy::{Energy, EnergyConstants, Operations, energy};
use crate::ui::tones::tones;
use crate::ui::words::compact;

/// From this width on the table stands beside the plot.
const WIDE: f32 = 760.0;
/// The table's width beside the plot.
const TABLE: f32 = 420.0;

/// What the pane shows, put together once a frame.
struct Sight<'a> {
    snapshot: &'a Snapshot,
    operations: &'a Operations,
    constants: &'a EnergyConstants,
    energy: Energy,
    /// The time cursor, 1..=T.
    t: usize,
}

/// Draws the pane.
pub fn show(ui: &mut Ui, lab: &Lab, out: &mut Vec<Message>) {
    let Some(snapshot) = &lab.snapshot else {
        return parts::empty(ui, "What ANN and SNN cost appears when the first run is through.");
    };
    let (operations, constants) = (&snapshot.whole.operations, &lab.view.energy);
    let energy = energy(operations, constants);
    let t = snapshot.focus.steps.min(energy.snn_joules.len());
    if t == 0 {
        return parts::empty(ui, "This run has no spiking layer.");
    }
    let sight = Sight { snapshot, operations, constants, energy, t };
    let page = Page { title: "Energy per sample", explanation: explain(&sight), description: describe(&sight) };
    parts::page(
        ui,
        &page,
        || csv(&sight),
        |ui| {
            controls(ui, constants, out);
            ui.add(egui::Label::new(RichText::new(verdict(&sight)).small()).wrap());
            let tones = tones(ui);
            parts::legend(ui, &[("SNN after t steps", tones.snn), ("ANN", tones.ann)]);
            let room = ui.available_size();
            if room.x >= WIDE {
                ui.horizontal_top(|ui| {
                    let size = egui::vec2(room.x - TABLE - 12.0, room.y);
                    ui.allocate_ui(size, |ui| plot(ui, &sight, size.y, out));
                    ui.vertical(|ui| {
                        ScrollArea::both().auto_shrink(false).show(ui, |ui| table(ui, &sight, out));
                    });
                });
            } else {
                ScrollArea::both().auto_shrink(false).show(ui, |ui| {
                    plot(ui, &sight, (room.y * 0.72).max(130.0), out);
                    table(ui, &sight, out);
                });
            }
        },
    );
}

/// Which constants, own values, and how often the first layer is computed.
fn controls(ui: &mut Ui, constants: &EnergyConstants, out: &mut Vec<Message>) {
    ui.horizontal_wrapped(|ui| {
        for preset in EnergyConstants::PRESETS {
            let hint = format!("{} pJ a SynOp, {} pJ a MAC", pico(preset.per_synop), pico(preset.per_mac));
            if ui.selectable_label(constants.name == preset.name, &*preset.name).on_hover_text(hint).clicked() {
                out.push(Message::SetEnergy(EnergyConstants {
                    first_layer_once: constants.first_layer_once,
                    ..preset
                }));
            }
        }
        let own = |per_synop, per_mac| EnergyConstants::own(per_synop, per_mac, constants.first_layer_once);
        let hint = "Your own figures: change a number beside this";
        if ui.selectable_label(constants.name == "own", "own").on_hover_text(hint).clicked() {
            out.push(Message::SetEnergy(own(constants.per_synop, constants.per_mac)));
        }
        let (mut synop, mut mac) = (constants.per_synop * 1e12, constants.per_mac * 1e12);
        let mut field = |value: &mut f64, prefix: &str, hint: &str| {
            let speed = (*value * 0.01).max(1e-3);
            let field = DragValue::new(value).prefix(prefix).suffix(" pJ").range(0.0..=1e6).speed(speed);
            ui.add(field.max_decimals(4).update_while_editing(false)).on_hover_text(hint).changed()
        };
        let a = field(&mut synop, "SynOp ", "What one spike costs at each neuron that it reaches");
        let b = field(&mut mac, "MAC ", "What one multiply-accumulate costs, in the ANN and for the analogue input");
        if a || b {
            out.push(Message::SetEnergy(own(synop * 1e-12, mac * 1e-12)));
        }
        ui.label("First layer").on_hover_text(
            "The input is analogue, so the weights that it meets first need MACs in the SNN too. As it does not change over \
             the steps, its current can be computed once and held",
        );
        for (once, name) in [(true, "once"), (false, "every step")] {
            if ui.radio(constants.first_layer_once == once, name).clicked() {
                out.push(Message::SetEnergy(EnergyConstants { first_layer_once: once, ..constants.clone() }));
            }
        }
    });
}

/// The curve, the ANN's line, and where they meet.
fn plot(ui: &mut Ui, sight: &Sight<'_>, height: f32, out: &mut Vec<Message>) {
    let (tones, ink) = (tones(ui), parts::ink(ui));
    let energy = &sight.energy;
    let last = energy.snn_joules.len();
    let most = energy.snn_joules.last().copied().unwrap_or(0.0).max(energy.ann_joules);
    let plot = Plot::new("energy")
        .height((height - 6.0).max(110.0))
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .include_x(1.0)
        .include_x(last as f64)
        .include_y(0.0)
        .include_y(most * 1.08)
        .custom_x_axes(vec![parts::x_axis("time-steps t")])
        .x_grid_spacer(move |_| marks(last))
        .y_axis_label("energy per sample")
        .y_axis_formatter(|mark, _| joules(mark.value))
        .y_axis_min_width(62.0)
        .label_formatter(|at| {
            let t = parts::step_at(parts::position(at).x, last);
            let snn = energy.snn_joules.get(t - 1)?;
            let synops = energy.synops.get(t - 1)?;
            let of_ann = percent(snn / energy.ann_joules.max(f64::MIN_POSITIVE));
            Some(format!("t = {t}\n{}, {of_ann} of the ANN\n{} SynOps", joules(*snn), compact(*synops)))
        });
    let shown = plot.show(ui, |plot| {
        plot.hline(HLine::new("ANN", energy.ann_joules).color(tones.ann).width(1.8).allow_hover(false));
        let points: Vec<[f64; 2]> = energy.snn_joules.iter().enumerate().map(|(i, j)| [(i + 1) as f64, *j]).collect();
        plot.line(Line::new("SNN", points).color(tones.snn).width(2.2).allow_hover(false));
        if let Some(t) = energy.break_even_step {
            let mark = VLine::new("break-even", t as f64).color(tones.snn.gamma_multiply(0.6));
            plot.vline(mark.style(LineStyle::dotted_dense()).width(1.5).allow_hover(false));
            let at = egui_plot::PlotPoint::new(t as f64, most * 1.02);
            let text = RichText::new(format!(" break-even at t = {t} ")).small().color(tones.snn);
            let anchor = if 2 * t > last { egui::Align2::RIGHT_CENTER } else { egui::Align2::LEFT_CENTER };
            plot.text(egui_plot::Text::new("break-even", at, text).anchor(anchor).allow_hover(false));
        }
        plot.vline(parts::cursor_line(sight.t, ink.cursor));
    });
    parts::drag_cursor(&shown, sight.t, last, true, out);
}

/// Where it goes, up to the time cursor.
fn table(ui: &mut Ui, sight: &Sight<'_>, out: &mut Vec<Message>) {
    let (t, constants) = (sight.t, sight.constants);
    let whole = sight.energy.snn_joules[t - 1].max(f64::MIN_POSITIVE);
    let cell = |ui: &mut Ui, text: String| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| ui.label(RichText::new(text).small()));
    };
    ui.small(format!("SNN per sample, steps 1 to {t}"));
    Grid::new("layers").striped(true).num_columns(6).spacing([10.0, 3.0]).show(ui, |ui| {
        ui.label(RichText::new("layer").small().weak());
        let heads = [
            ("rate", "Spikes per neuron per step"),
            ("fan-out", "Neurons that one spike reaches, mean; a spike is counted before any pooling"),
            ("operations", "SynOps of spikes, or MACs where the values are no spikes"),
            ("energy", "Operations times what one costs"),
            ("share", "Of the whole SNN up to the time cursor"),
        ];
        for (head, hint) in heads {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.label(RichText::new(head).small().weak()).on_hover_text(hint);
            });
        }
        ui.end_row();
        let macs = sight.operations.macs;
        let held = if constants.first_layer_once { 1 } else { t };
        let kept = [("analogue input", macs.first_layer * held as f64), ("between weights", macs.graded * t as f64)];
        for (name, macs) in kept.into_iter().filter(|(_, macs)| *macs > 0.0) {
            ui.label(RichText::new(name).small());
            cell(ui, "–".into());
            cell(ui, "–".into());
            cell(ui, format!("{} MACs", compact(macs)));
            cell(ui, joules(macs * constants.per_mac));
            cell(ui, percent(macs * constants.per_mac / whole));
            ui.end_row();
        }
        for (index, layer) in sight.operations.layers.iter().enumerate() {
            let name = sight.snapshot.report.layers.get(index).map_or("", |layer| &layer.name);
            let focused = index == sight.snapshot.focus.layer;
            let label = ui.selectable_label(focused, RichText::new(name).small());
            if label.on_hover_text(format!("{} neurons; click to look at them", layer.neurons)).clicked() {
                out.push(Message::FocusLayer(index));
            }
            let cost = layer.synops[t - 1] * constants.per_synop;
            cell(ui, number(layer.spikes[t - 1] / (layer.neurons.max(1) * t) as f64));
            cell(ui, number(layer.fan_out));
            cell(ui, format!("{} SynOps", compact(layer.synops[t - 1])));
            cell(ui, joules(cost));
            cell(ui, percent(cost / whole));
            ui.end_row();
        }
        ui.label(RichText::new("SNN").small().strong());
        cell(ui, number(rate(sight)));
        cell(ui, String::new());
        cell(ui, format!("{} SynOps", compact(sight.energy.synops[t - 1])));
        cell(ui, joules(sight.energy.snn_joules[t - 1]));
        cell(ui, percent(1.0));
        ui.end_row();
        ui.label(RichText::new("ANN").small().strong());
        cell(ui, String::new());
        cell(ui, String::new());
        cell(ui, format!("{} MACs", compact(sight.energy.ann_macs)));
        cell(ui, joules(sight.energy.ann_joules));
        cell(ui, percent(sight.energy.ann_joules / whole));
        ui.end_row();
    });
}

/// Spikes per neuron per step up to the time cursor.
fn rate(sight: &Sight<'_>) -> f64 {
    let layers = &sight.operations.layers;
    let spikes: f64 = layers.iter().map(|layer| layer.spikes[sight.t - 1]).sum();
    spikes / (layers.iter().map(|layer| layer.neurons).sum::<usize>() * sight.t).max(1) as f64
}

/// The sentence with the break-even firing rate.
fn verdict(sight: &Sight<'_>) -> String {
    let Energy { ann_joules, snn_joules, break_even_rate, rate, .. } = &sight.energy;
    let last = snn_joules.len();
    let whole = snn_joules[last - 1];
    let even = match *break_even_rate {
        even if even <= 0.0 => "No firing rate breaks even: the MACs alone cost as much as the ANN".to_owned(),
        even if even.is_infinite() => "At no cost per SynOp every firing rate is cheaper than the ANN".to_owned(),
        even if even > 1.0 => format!(
            "Even if every neuron fired at every step, {last} steps would cost less than the ANN (break-even at {} spikes per \
             neuron per step)",
            number(even)
        ),
        even => format!("{last} steps break even at {} spikes per neuron per step", number(even)),
    };
    let of_ann = match *ann_joules > 0.0 {
        true => format!(", {} of the ANN", percent(whole / ann_joules)),
        false => String::new(),
    };
    format!("{even}; this run has {} and costs {}{of_ann}.", number(*rate), joules(whole))
}

fn explain(sight: &Sight<'_>) -> String {
    let Sight { energy, constants, operations, t, .. } = sight;
    let first = format!(
        "The ANN needs {} multiply-accumulates a sample, {} at {} pJ each; after {t} steps the SNN has caused {} synaptic \
         operations at {} pJ each and costs {}.",
        compact(energy.ann_macs),
        joules(energy.ann_joules),
        pico(constants.per_mac),
        compact(energy.synops[t - 1]),
        pico(constants.per_synop),
        joules(energy.snn_joules[t - 1])
    );
    let times = if constants.first_layer_once { "once" } else { "at every step" };
    let graded = match operations.macs.graded > 0.0 {
        true => format!(
            ", and {} MACs at every step where weights follow weights with no neuron between",
            compact(operations.macs.graded)
        ),
        false => String::new(),
    };
    let second = format!(
        "That includes {} MACs for the weights that the analogue input feeds, computed {times}{graded}; a spike counts one \
         operation for every connection it meets, exact at borders and before any pooling.",
        compact(energy.first_layer_macs)
    );
    format!("{first} {second} {} Constants: {}.", verdict(sight), constants.name)
}

fn describe(sight: &Sight<'_>) -> String {
    let Sight { energy, t, .. } = sight;
    let even = match energy.break_even_step {
        Some(t) => format!("it reaches the ANN at t = {t}"),
        None => "it stays below the ANN throughout".into(),
    };
    format!(
        "SNN energy per sample over time-steps against the ANN's {}: {} at t = {t}; {even}. {}",
        joules(energy.ann_joules),
        joules(energy.snn_joules[t - 1]),
        verdict(sight)
    )
}

fn csv(sight: &Sight<'_>) -> String {
    let Sight { energy, operations, snapshot, .. } = sight;
    let names: String = snapshot.report.layers.iter().map(|layer| format!(",synops_{}", layer.name)).collect();
    let mut text = format!("t,snn_joules,ann_joules,synops{names}\n");
    for (i, (snn, synops)) in energy.snn_joules.iter().zip(&energy.synops).enumerate() {
        let layers: String = operations.layers.iter().map(|layer| format!(",{}", layer.synops[i])).collect();
        text += &format!("{},{snn:e},{:e},{synops}{layers}\n", i + 1, energy.ann_joules);
    }
    text
}

/// Joules as picojoules, for a person.
fn pico(joules: f64) -> String {
    parts::tick(joules * 1e12)
}

/// An energy with the prefix that leaves one to three digits before the point.
fn joules(value: f64) -> String {
    let units = [(1.0, "J"), (1e-3, "mJ"), (1e-6, "µJ"), (1e-9, "nJ")];
    let (unit, name) = units.into_iter().find(|(unit, _)| value.abs() >= *unit * 0.9995).unwrap_or((1e-12, "pJ"));
    format!("{} {name}", parts::tick(value / unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn energies_have_their_prefix() {
        let written = [0.0, 77e-15, 12.5e-12, 1.606e-3, 2.0, 999.9e-9].map(joules);
        assert_eq!(written, ["0 pJ", "0.077 pJ", "12.5 pJ", "1.61 mJ", "2 J", "1 µJ"]);
        assert_eq!([77e-15, 4.6e-12].map(pico), ["0.077", "4.6"]);
    }
}
