//! Offset spikes pane: histogram of ψ, the spikes per neuron that differ from the expectation.
//!
//! A map shows where in the layer they are.

use egui::{ScrollArea, Ui};
use egui_plot::{AxisHints, Bar, BarChart, Plot};

use crate::experiment::Snapshot;
use crate::ground::numbers::signed;
use crate::lab::{Lab, Message};
use crate::measure::{LayerReport, NeuronRef};
use crate::ui::texts::error_panes::offset_spikes as texts;
use crate::ui::texts::format::format_percent;
use crate::ui::texts::shared;
use crate::ui::theme::colormap::Colormap;
use crate::ui::theme::colors::{GRID, ui_colors};
use crate::ui::types::pane::Pane;
use crate::ui::widgets::heat_map::{ChannelGrid, color_bar, frame_pixel, image_ui, pixel_under, texture};
use crate::ui::widgets::legend::Mark;
use crate::ui::widgets::pane_parts::PaneHeader;
use crate::ui::widgets::{legend, pane_parts, plot_description};

/// Draws the pane.
pub fn show(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    let Some(snapshot) = &lab.snapshot else {
        return pane_parts::empty(ui, shared::no_run(lab.run.is_some(), lab.job.is_some(), texts::EMPTY));
    };
    let Some(layer) = snapshot.report.layers.get(snapshot.focus.layer) else { return };
    let before = snapshot.uncorrected.as_ref().and_then(|report| report.layers.get(snapshot.focus.layer));
    let shares = shares(layer);
    let page = PaneHeader {
        of: Pane::OffsetSpikes,
        title: texts::TITLE,
        explanation: explain(layer, before, &shares, snapshot.report.steps),
        description: texts::description(
            &layer.name,
            &format_percent(shares[0]),
            &format_percent(shares[1]),
            &format_percent(shares[2]),
            &format_percent(shares[3]),
        ),
    };
    pane_parts::pane_ui(
        ui,
        &page,
        || csv(layer, before),
        |ui| {
            share_table(ui, layer, before, &shares);
            let wide = ui.available_width() > 560.0;
            let height = ui.available_height();
            if wide {
                ui.columns(2, |columns| {
                    histogram(&mut columns[0], layer, before, height - 34.0);
                    maps(&mut columns[1], snapshot, layer, before, height - 60.0, messages);
                });
            } else {
                ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                    histogram(ui, layer, before, (height * 0.62).max(150.0));
                    maps(ui, snapshot, layer, before, 200.0, messages);
                });
            }
        },
    );
}

/// Minimum width for the shares in one row, in points.
const SHARES_ROW_WIDTH: f32 = 440.0;

/// Draws the shares in a row, with those before the correction below.
fn share_table(ui: &mut Ui, layer: &LayerReport, before: Option<&LayerReport>, now: &[f64; 4]) {
    let cells = |ui: &mut Ui, name: &str, shares: &[f64; 4]| {
        ui.label(name);
        for (name, share) in ["ψ = 0", "|ψ| = 1", "|ψ| = 2", "|ψ| ≥ 3"].iter().zip(shares) {
            ui.small(format!("{name}: {}", format_percent(*share)));
        }
    };
    let rows: Vec<(&str, [f64; 4])> = std::iter::once((layer.name.as_str(), *now))
        .chain(before.map(|before| (texts::BEFORE, shares(before))))
        .collect();
    if ui.available_width() < SHARES_ROW_WIDTH {
        // Cells without room wrap to the next line.
        rows.iter().for_each(|(name, shares)| _ = ui.horizontal_wrapped(|ui| cells(ui, name, shares)));
        return;
    }
    egui::Grid::new("offset shares").spacing([14.0, 1.0]).show(ui, |ui| {
        for (name, shares) in &rows {
            cells(ui, name, shares);
            ui.end_row();
        }
    });
}

/// Shares of neurons × samples with |ψ| = 0, 1, 2, 3 and more.
fn shares(layer: &LayerReport) -> [f64; 4] {
    let mut shares = [0.0; 4];
    let total = layer.end_to_end.total().max(1) as f64;
    for (psi, &count) in &layer.offset_spikes {
        shares[psi.unsigned_abs().min(3) as usize] += count as f64 / total;
    }
    shares
}

fn histogram(ui: &mut Ui, layer: &LayerReport, before: Option<&LayerReport>, height: f32) {
    let colors = ui_colors(ui);
    let total = layer.end_to_end.total().max(1) as f64;
    // Counts fall by powers of ten on both sides, so the axis is the logarithm of the share.
    let floor = -6.0;
    let bar = |(&psi, &count): (&i32, &u64)| {
        let color = match psi {
            0 => colors.weak,
            p if p < 0 => colors.snn,
            _ => colors.ann,
        };
        Bar::new(f64::from(psi), (count as f64 / total).log10().max(floor) - floor).width(0.86).fill(color)
    };
    let bars: Vec<Bar> = layer.offset_spikes.iter().map(bar).collect();
    // Hollow bars show the shares before the correction.
    let outline = ui.visuals().strong_text_color().gamma_multiply(0.7);
    let hollow = |pair: (&i32, &u64)| {
        bar(pair).width(0.98).fill(egui::Color32::TRANSPARENT).stroke(egui::Stroke::new(1.2, outline))
    };
    let ghosts: Vec<Bar> = before.map(|b| b.offset_spikes.iter().map(hollow).collect()).unwrap_or_default();
    let mut entries = vec![(texts::TOO_OFTEN, colors.snn, Mark::Bar), (texts::TOO_RARELY, colors.ann, Mark::Bar)];
    if before.is_some() {
        entries.push((texts::OUTLINE, outline, Mark::HollowBar));
    }
    legend::show(ui, &entries);
    let all = layer.offset_spikes.keys().chain(before.iter().flat_map(|b| b.offset_spikes.keys()));
    let reach = all.map(|psi| psi.abs()).max().unwrap_or(1).max(3);
    // The longest label that has room below the bars.
    let label = match ui.available_width() {
        room if room > 480.0 => texts::AXIS,
        room if room > 300.0 => texts::AXIS_SHORT,
        _ => texts::AXIS_SHORTEST,
    };
    let shown = Plot::new("offset spikes")
        .grid_color(GRID)
        .height(height.max(110.0))
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .include_x(-f64::from(reach) - 0.6)
        .include_x(f64::from(reach) + 0.6)
        .include_y(0.0)
        .include_y(-floor)
        .custom_x_axes(vec![
            // The labels are short, so their spacing may be small.
            AxisHints::new_x()
                .label(label)
                .formatter(|mark, _| signed(mark.value.trunc(), 0))
                .label_spacing(egui::Rangef::new(18.0, 26.0)),
        ])
        .x_grid_spacer(move |_| {
            let step = (reach as usize / 6).max(1);
            let marks = (-reach..=reach).filter(|psi| psi % step as i32 == 0);
            marks.map(|psi| egui_plot::GridMark { value: f64::from(psi), step_size: step as f64 }).collect()
        })
        .custom_y_axes(vec![
            AxisHints::new_y()
                .label(texts::SHARE)
                .min_thickness(52.0)
                .label_spacing(egui::Rangef::new(11.0, 18.0))
                .formatter(move |mark, _| match (mark.value + floor) as i32 {
                    0 => "100 %".into(),
                    -1 => "10 %".into(),
                    -2 => "1 %".into(),
                    -3 => "0.1 %".into(),
                    -4 => "0.01 %".into(),
                    -5 => "0.001 %".into(),
                    _ => "0.0001 %".into(),
                }),
        ])
        .y_grid_spacer(move |_| {
            // Every second power where a number would have no room.
            let step = if height < 150.0 { 2 } else { 1 };
            let marks = (0..=6).filter(|k| k % step == 0);
            marks.map(|k| egui_plot::GridMark { value: f64::from(k), step_size: f64::from(step) }).collect()
        })
        .label_formatter(|at| {
            let psi = pane_parts::position(at).x.round() as i32;
            let count = layer.offset_spikes.get(&psi).copied().unwrap_or(0);
            let was = before.map(|b| b.offset_spikes.get(&psi).copied().unwrap_or(0));
            if count == 0 && was.unwrap_or(0) == 0 {
                return None;
            }
            let was = was.map_or(String::new(), |was| texts::hover_before(&format_percent(was as f64 / total)));
            Some(texts::hover(psi, count, &format_percent(count as f64 / total), &was))
        })
        .show(ui, |plot| {
            plot.bar_chart(BarChart::new("ψ", bars).allow_hover(false));
            if !ghosts.is_empty() {
                plot.bar_chart(BarChart::new("before correction", ghosts).allow_hover(false));
            }
        });
    plot_description::describe_plot(&shown.response, texts::HISTOGRAM, || {
        let bar = |(psi, count): (&i32, &u64)| format!("ψ = {psi}: {}", format_percent(*count as f64 / total));
        let bars = |layer: &LayerReport| layer.offset_spikes.iter().map(bar).collect::<Vec<_>>().join(", ");
        let was = before.map_or(String::new(), |before| texts::bars_before(&bars(before)));
        texts::histogram(&layer.name, &bars(layer), &was)
    });
}

/// Draws the map of the layer and, below it, the map before the correction in the same colors.
fn maps(
    ui: &mut Ui,
    snapshot: &Snapshot,
    layer: &LayerReport,
    before: Option<&LayerReport>,
    height: f32,
    messages: &mut Vec<Message>,
) {
    let all = layer.offset_map.iter().chain(before.iter().flat_map(|b| &b.offset_map));
    let reach = all.fold(0.05_f32, |reach, psi| reach.max(psi.abs()));
    let colormap = Colormap::new(ui);
    ui.horizontal(|ui| {
        ui.small(texts::MEAN);
        color_bar(ui, 70.0, &format!("{:+.2}", -reach), &format!("{reach:+.2}"), |t| colormap.diverging(1.0 - 2.0 * t));
    });
    let Some(before) = before else {
        return map(ui, snapshot, layer, reach, "offset map", height, messages);
    };
    let half = (height / 2.0 - 18.0).max(60.0);
    map(ui, snapshot, layer, reach, "offset map", half, messages);
    ui.small(texts::BEFORE);
    map(ui, snapshot, before, reach, "offset map before", half, messages);
}

fn map(
    ui: &mut Ui,
    snapshot: &Snapshot,
    layer: &LayerReport,
    reach: f32,
    name: &str,
    height: f32,
    messages: &mut Vec<Message>,
) {
    let room = egui::vec2(ui.available_width(), height.max(60.0));
    let grid = ChannelGrid::new(&layer.shape, room);
    let background = ui.visuals().panel_fill;
    let key = (snapshot.id, grid, background);
    // Too many spikes are orange, the color of the SNN; too few are blue.
    let colormap = Colormap::new(ui);
    let image = || grid.image(&layer.offset_map, background, |psi| colormap.diverging(-psi / reach));
    let handle = texture(ui, name, key, image);
    let (rect, response) = image_ui(ui, &handle, room);
    let own = std::ptr::eq(layer, &snapshot.report.layers[snapshot.focus.layer]);
    plot_description::describe_plot(&response, if own { texts::MAP } else { texts::MAP_BEFORE }, || {
        let (low, high) = layer.offset_map.iter().fold((0.0f32, 0.0f32), |(low, high), v| (low.min(*v), high.max(*v)));
        let here = layer.offset_map[snapshot.focus.neuron];
        texts::map(&layer.name, low, high, here)
    });
    let focused = grid.pixel(snapshot.focus.neuron);
    frame_pixel(ui, rect, grid.size(), focused, ui.visuals().strong_text_color());
    let under = response.hover_pos().and_then(|at| grid.index(pixel_under(rect, grid.size(), at)));
    if let Some(neuron) = under {
        let name = pane_parts::neuron_name(&snapshot.run.spiking.layers[snapshot.focus.layer], neuron);
        let text = texts::neuron(&name, layer.offset_map[neuron]);
        if response.on_hover_text_at_pointer(text).clicked() {
            messages.push(Message::FocusNeuron(NeuronRef {
                layer: snapshot.focus.layer,
                sample: snapshot.focus.sample,
                neuron,
            }));
        }
    }
}

fn csv(layer: &LayerReport, before: Option<&LayerReport>) -> String {
    let mut text = String::from("psi,neurons_x_samples,before_correction\n");
    let was = |psi: &i32| before.map(|b| b.offset_spikes.get(psi).copied().unwrap_or(0));
    let all = layer.offset_spikes.keys().chain(before.iter().flat_map(|b| b.offset_spikes.keys()));
    for psi in all.collect::<std::collections::BTreeSet<_>>() {
        let now = layer.offset_spikes.get(psi).copied().unwrap_or(0);
        text += &format!("{psi},{now},{}\n", was(psi).map_or(String::new(), |n| n.to_string()));
    }
    text
}

fn explain(layer: &LayerReport, before: Option<&LayerReport>, shares: &[f64; 4], t: usize) -> String {
    let mended = before.map_or(String::new(), |before| {
        let exact = |layer: &LayerReport| layer.end_to_end.c0 as f64 / layer.end_to_end.total().max(1) as f64;
        texts::exact_before(&format_percent(exact(before)))
    });
    let (many, few) = layer.offset_spikes.iter().fold((0u64, 0u64), |(many, few), (psi, count)| match psi {
        p if *p < 0 => (many + count, few),
        p if *p > 0 => (many, few + count),
        _ => (many, few),
    });
    let total = layer.end_to_end.total().max(1) as f64;
    texts::explanation(
        t,
        &layer.name,
        &format_percent(shares[0]),
        &format_percent(many as f64 / total),
        &format_percent(few as f64 / total),
        &mended,
    )
}
