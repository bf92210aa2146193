//! Energy pane: energy of the run compared with the ANN, over time steps and by layer.

use data::PaneData;
pub mod data;
mod sentences;

use egui::{Align, DragValue, Grid, Layout, Response, RichText, ScrollArea, Ui};
use egui_plot::{GridMark, HLine, Line, LineStyle, Plot, Points, VLine};
use sentences::{describe, explain, joules, mac_words, of_ann, pico, rate, synop_words, uncounted, verdict};

use super::t_curve::plot::marks;
use crate::lab::{Lab, Message};
use crate::measure::energy::{EnergyConstants, energy};
use crate::ui::texts::format::{format_number, format_percent};
use crate::ui::texts::panes::energy as texts;
use crate::ui::texts::shared;
use crate::ui::theme::colors::{GRID, ui_colors};
use crate::ui::types::pane::Pane;
use crate::ui::widgets::number_field::number_field;
use crate::ui::widgets::pane_parts::PaneHeader;
use crate::ui::widgets::{legend, pane_frame, pane_parts, plot_description};

/// Minimum width for the table beside the plot, in points.
const TABLE_BESIDE_WIDTH: f32 = 760.0;
/// Minimum height for the table below the plot, in points.
const TABLE_BELOW_HEIGHT: f32 = 420.0;
/// Width of the table beside the plot, in points.
const TABLE_WIDTH: f32 = 420.0;

/// Widths of the table's columns after the layer name, in points.
const COLUMN_WIDTHS: [f32; 5] = [40.0, 44.0, 82.0, 56.0, 54.0];
/// The axis starts logarithmic if the ANN costs more than this many times the SNN's first step.
const LOG_AXIS_RATIO: f64 = 20.0;

/// Draws the pane.
pub fn show(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    let Some(snapshot) = &lab.snapshot else {
        return pane_parts::empty(ui, shared::no_run(lab.run.is_some(), lab.job.is_some(), texts::EMPTY));
    };
    let Some(operations) = &snapshot.figures.operations else { return pane_parts::loading(ui) };
    let constants = &lab.view.energy;
    let energy = energy(operations, constants);
    let t = snapshot.focus.steps.min(energy.snn_joules.len());
    if t == 0 {
        return pane_parts::empty(ui, texts::NO_LAYER);
    }
    let data = PaneData { snapshot, operations, constants, energy, t };
    let page =
        PaneHeader { of: Pane::Energy, title: texts::TITLE, explanation: explain(&data), description: describe(&data) };
    pane_parts::pane_ui(
        ui,
        &page,
        || csv(&data),
        |ui| {
            match pane_frame::has_controls(ui) {
                true => controls(ui, constants, messages),
                false => _ = ui.small(constants_line(constants)),
            }
            let words = [Some(verdict(&data)), uncounted(&data)].into_iter().flatten().collect::<Vec<_>>().join(" ");
            if pane_frame::has_sentences(ui) {
                ui.add(egui::Label::new(RichText::new(words).small()).wrap());
            }
            let colors = ui_colors(ui);
            let id = ui.scope_id().with("log axis");
            let layers_id = ui.scope_id().with("layers");
            let mut layers: bool = ui.data(|data| data.get_temp(layers_id)).unwrap_or(false);
            // In tight space, either the curve or the table: half of either is not readable.
            let little = ui.available_width() < TABLE_BESIDE_WIDTH && ui.available_height() < TABLE_BELOW_HEIGHT;
            let far = data.energy.ann_joules > LOG_AXIS_RATIO * data.energy.snn_joules[0];
            let mut log: bool = ui.data(|data| data.get_temp(id)).unwrap_or(far);
            ui.horizontal_wrapped(|ui| {
                if little && pane_frame::has_controls(ui) {
                    ui.selectable_value(&mut layers, false, texts::OVER_TIME);
                    ui.selectable_value(&mut layers, true, texts::BY_LAYER).on_hover_text(texts::BY_LAYER_HINT);
                    ui.data_mut(|data| data.insert_temp(layers_id, layers));
                    if layers {
                        return;
                    }
                }
                legend::lines(ui, &[(texts::AFTER_STEPS, colors.snn), (shared::ANN, colors.ann)]);
                if pane_frame::has_controls(ui) && ui.checkbox(&mut log, texts::LOG).changed() {
                    ui.data_mut(|data| data.insert_temp(id, log));
                }
            });
            let room = ui.available_size();
            if room.x >= TABLE_BESIDE_WIDTH {
                ui.horizontal_top(|ui| {
                    let size = egui::vec2(room.x - TABLE_WIDTH - 12.0, room.y);
                    ui.allocate_ui(size, |ui| plot(ui, &data, log, size.y, messages));
                    ui.vertical(|ui| {
                        ScrollArea::both().auto_shrink(false).show(ui, |ui| table(ui, &data, messages));
                    });
                });
            } else if little && layers {
                ScrollArea::both().auto_shrink(false).show(ui, |ui| table(ui, &data, messages));
            } else if little {
                plot(ui, &data, log, room.y, messages);
            } else {
                ScrollArea::both().auto_shrink(false).show(ui, |ui| {
                    plot(ui, &data, log, (room.y * 0.72).max(150.0), messages);
                    table(ui, &data, messages);
                });
            }
        },
    );
}

/// The constants as one line, for frames without controls.
fn constants_line(constants: &EnergyConstants) -> String {
    let (synop, mac) = (pico(constants.per_synop), pico(constants.per_mac));
    texts::priced(&constants.name, &synop, &mac)
}

/// Draws the choice of constants, custom values, and how often the first layer is counted.
fn controls(ui: &mut Ui, constants: &EnergyConstants, messages: &mut Vec<Message>) {
    ui.horizontal_wrapped(|ui| {
        for preset in EnergyConstants::PRESETS {
            let hint = texts::preset(&pico(preset.per_synop), &pico(preset.per_mac));
            if ui.selectable_label(constants.name == preset.name, &*preset.name).on_hover_text(hint).clicked() {
                messages.push(Message::SetEnergy(EnergyConstants {
                    first_layer_once: constants.first_layer_once,
                    ..preset
                }));
            }
        }
        let own = |per_synop, per_mac| EnergyConstants::own(per_synop, per_mac, constants.first_layer_once);
        let hint = texts::OWN_HINT;
        if ui.selectable_label(constants.name == "own", texts::OWN).on_hover_text(hint).clicked() {
            messages.push(Message::SetEnergy(own(constants.per_synop, constants.per_mac)));
        }
        let (mut synop, mut mac) = (constants.per_synop * 1e12, constants.per_mac * 1e12);
        let mut field = |value: &mut f64, prefix: &str, hint: &str| {
            let speed = (*value * 0.01).max(1e-3);
            let field = DragValue::new(value).prefix(prefix).suffix(" pJ").range(0.0..=1e6).speed(speed);
            let field = field.max_decimals(4).update_while_editing(false);
            number_field(ui, field).on_hover_text(hint).changed()
        };
        let a = field(&mut synop, texts::SYNOP, texts::SYNOP_HINT);
        let b = field(&mut mac, texts::MAC, texts::MAC_HINT);
        if a || b {
            messages.push(Message::SetEnergy(own(synop * 1e-12, mac * 1e-12)));
        }
        // Keeps name and choices on one line.
        pane_parts::wrap_before(ui, 230.0);
        ui.label(texts::FIRST_LAYER).on_hover_text(texts::FIRST_LAYER_HINT);
        for (once, name) in [(true, texts::ONCE), (false, texts::EVERY_STEP)] {
            if ui.radio(constants.first_layer_once == once, name).clicked() {
                messages.push(Message::SetEnergy(EnergyConstants { first_layer_once: once, ..constants.clone() }));
            }
        }
    });
}

/// Draws the SNN curve, the ANN line and their intersection.
fn plot(ui: &mut Ui, data: &PaneData<'_>, log: bool, height: f32, messages: &mut Vec<Message>) {
    let (colors, plot_colors) = (ui_colors(ui), crate::ui::theme::colors::plot_colors(ui));
    let energy = &data.energy;
    let last = energy.snn_joules.len();
    let all = energy.snn_joules.iter().copied().chain([energy.ann_joules]).filter(|joules| *joules > 0.0);
    let (least, most) = all.fold((f64::INFINITY, 0.0), |(least, most), v| (v.min(least), v.max(most)));
    let log = log && most > 0.0;
    let place = move |joules: f64| if log { joules.max(least).log10() } else { joules };
    // Rounds down to a power of ten, with a small margin at the top.
    let (bottom, top) = if log { (least.log10().floor(), most.log10() + 0.15) } else { (0.0, most * 1.1) };
    let mut plot = Plot::new("energy")
        .grid_color(GRID)
        .height((height - 6.0).max(110.0))
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .include_x(if last > 1 { 1.0 } else { 0.5 })
        .include_x(if last > 1 { last as f64 } else { 1.5 })
        .include_y(bottom)
        .include_y(top)
        .custom_x_axes(vec![pane_parts::x_axis(shared::TIME_STEPS)])
        .x_grid_spacer(move |_| marks(last))
        .y_axis_label(texts::ENERGY)
        .y_axis_formatter(move |mark, _| joules(if log { 10f64.powf(mark.value) } else { mark.value }))
        .y_axis_min_width(62.0)
        .label_formatter(|at| {
            let t = pane_parts::step_at(pane_parts::position(at).x, last);
            let snn = energy.snn_joules.get(t - 1)?;
            let synops = energy.synops.get(t - 1)?;
            let of_ann = of_ann(snn / energy.ann_joules.max(f64::MIN_POSITIVE));
            Some(format!("t = {t}\n{}, {of_ann}\n{}", joules(*snn), synop_words(*synops)))
        });
    if log {
        let powers =
            move || (bottom as i32..=top.floor() as i32).map(|k| GridMark { value: f64::from(k), step_size: 1.0 });
        plot = plot.y_grid_spacer(move |_| powers().collect());
    }
    let shown = plot.show(ui, |plot| {
        plot.hline(HLine::new("ANN", place(energy.ann_joules)).color(colors.ann).width(1.8).allow_hover(false));
        let point = |(i, joules): (usize, &f64)| [(i + 1) as f64, place(*joules)];
        let points: Vec<[f64; 2]> = energy.snn_joules.iter().enumerate().map(point).collect();
        let points = pane_parts::shown(plot, points);
        let one = points.clone();
        plot.line(Line::new("SNN", points).color(colors.snn).width(2.2).allow_hover(false));
        if let Some(t) = energy.break_even_step {
            let mark = VLine::new("break-even", t as f64).color(colors.snn.gamma_multiply(0.6));
            plot.vline(mark.style(LineStyle::dotted_dense()).width(1.5).allow_hover(false));
            let at = egui_plot::PlotPoint::new(t as f64, bottom + (top - bottom) * 0.06);
            let text = RichText::new(texts::break_even(t)).small().color(colors.snn);
            let anchor = if 2 * t > last { egui::Align2::RIGHT_CENTER } else { egui::Align2::LEFT_CENTER };
            plot.text(egui_plot::Text::new("break-even", at, text).anchor(anchor).allow_hover(false));
        }
        plot.vline(pane_parts::cursor_line(data.t, plot_colors.cursor));
        // A line of one point is invisible; over the lines through it.
        if last == 1 {
            plot.points(Points::new("one step", one).radius(4.0).color(colors.snn).allow_hover(false));
        }
    });
    plot_description::describe_plot(&shown.response, texts::CURVE, || {
        let point = |(i, joules): (usize, &f64)| [(i + 1) as f64, *joules];
        let points: Vec<[f64; 2]> = energy.snn_joules.iter().enumerate().map(point).collect();
        let course = plot_description::describe_curve(&points, |[t, y]| shared::at_step(&joules(y), t));
        let even = energy.break_even_step.map_or(texts::NO_BREAK_EVEN.into(), texts::break_even_at);
        texts::curve(&course, &joules(energy.ann_joules), &even)
    });
    pane_parts::drag_cursor(&shown, data.t, last, true, messages);
}

/// Draws the energy per layer, up to the time cursor.
fn table(ui: &mut Ui, data: &PaneData<'_>, messages: &mut Vec<Message>) {
    let PaneData { snapshot, operations, constants, energy, t } = data;
    let whole = energy.snn_joules[t - 1].max(f64::MIN_POSITIVE);
    ui.small(texts::table(*t));
    Grid::new("layers").striped(true).num_columns(6).spacing([8.0, 3.0]).show(ui, |ui| {
        ui.label(RichText::new(texts::LAYER).small().weak());
        for ((head, hint), width) in texts::COLUMNS.into_iter().zip(COLUMN_WIDTHS) {
            cell(ui, width, RichText::new(head).weak()).on_hover_text(hint);
        }
        ui.end_row();
        let first_layer_steps = if constants.first_layer_once { 1 } else { *t };
        let macs = operations.macs;
        let mac_rows =
            [(texts::ANALOG, macs.first_layer * first_layer_steps as f64), (texts::BETWEEN, macs.graded * *t as f64)];
        for (name, macs) in mac_rows.into_iter().filter(|(_, macs)| *macs > 0.0) {
            ui.label(RichText::new(name).small());
            let cost = macs * constants.per_mac;
            cells(ui, ["–".into(), "–".into(), mac_words(macs), joules(cost), format_percent(cost / whole)]);
        }
        for (index, layer) in operations.layers.iter().enumerate() {
            let name = snapshot.report.layers.get(index).map_or("", |layer| &layer.name);
            let label = ui.selectable_label(index == snapshot.focus.layer, RichText::new(name).small());
            if label.on_hover_text(texts::neurons(layer.neurons)).clicked() {
                messages.push(Message::FocusLayer(index));
            }
            let rate = layer.spikes[t - 1] / (layer.neurons.max(1) * t) as f64;
            let (synops, cost) = (layer.synops[t - 1], layer.synops[t - 1] * constants.per_synop);
            let words = [
                format_number(rate),
                format_number(layer.fan_out),
                synop_words(synops),
                joules(cost),
                format_percent(cost / whole),
            ];
            cells(ui, words);
        }
        ui.label(RichText::new(shared::SNN).small().strong());
        let synops = synop_words(energy.synops[t - 1]);
        cells(ui, [format_number(rate(data)), String::new(), synops, joules(whole), format_percent(1.0)]);
        ui.label(RichText::new(shared::ANN).small().strong());
        let times = format!("{} ×", crate::ui::texts::format::format_tick(energy.ann_joules / whole));
        cells(ui, [String::new(), String::new(), mac_words(energy.ann_macs), joules(energy.ann_joules), times]);
    });
}

/// Draws a row of numbers below the column headers.
fn cells(ui: &mut Ui, numbers: [String; 5]) {
    for (text, width) in numbers.into_iter().zip(COLUMN_WIDTHS) {
        cell(ui, width, RichText::new(text));
    }
    ui.end_row();
}

fn cell(ui: &mut Ui, width: f32, text: RichText) -> Response {
    let size = egui::vec2(width, ui.spacing().interact_size.y);
    ui.allocate_ui_with_layout(size, Layout::right_to_left(Align::Center), |ui| ui.label(text.small())).inner
}

fn csv(data: &PaneData<'_>) -> String {
    let PaneData { energy, operations, snapshot, .. } = data;
    let names: String = snapshot.report.layers.iter().map(|layer| format!(",synops_{}", layer.name)).collect();
    let mut text = format!("t,snn_joules,ann_joules,synops{names}\n");
    for (i, (snn, synops)) in energy.snn_joules.iter().zip(&energy.synops).enumerate() {
        let layers: String = operations.layers.iter().map(|layer| format!(",{}", layer.synops[i])).collect();
        text += &format!("{},{snn:e},{:e},{synops}{layers}\n", i + 1, energy.ann_joules);
    }
    text
}
