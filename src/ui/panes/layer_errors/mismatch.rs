//! Mismatch pane: density of SNN over ANN activations, and feature maps of the layer in focus.

use egui::{Align2, Color32, ColorImage, FontId, Pos2, Rect, ScrollArea, Sense, Stroke, Ui, pos2, vec2};

use super::live_mismatch;
use crate::experiment::Snapshot;
use crate::lab::{Lab, Message};
use crate::measure::{Density, LayerReport, NeuronRef};
use crate::ui::texts::error_panes::mismatch as texts;
use crate::ui::texts::format::{format_number, format_percent};
use crate::ui::texts::shared;
use crate::ui::theme::colormap::Colormap;
use crate::ui::theme::colors::ui_colors;
use crate::ui::types::pane::Pane;
use crate::ui::widgets::heat_map::{ChannelGrid, color_bar, frame_pixel, image_ui, pixel_under, texture};
use crate::ui::widgets::pane_parts::PaneHeader;
use crate::ui::widgets::{pane_parts, plot_description};

/// Draws the pane.
pub fn show(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    let place = ui.max_rect();
    let Some(snapshot) = &lab.snapshot else {
        pane_parts::empty(ui, shared::no_run(lab.run.is_some(), lab.job.is_some(), texts::EMPTY));
        return live_mismatch::show(ui, lab, place);
    };
    let Some(layer) = snapshot.report.layers.get(snapshot.focus.layer) else { return };
    let r = layer.correlation.map_or(shared::NOT_DEFINED.into(), |r| format!("{r:.4}"));
    let page = PaneHeader {
        of: Pane::Mismatch,
        title: texts::TITLE,
        explanation: explain(layer, snapshot, &r),
        description: texts::description(&layer.name, &r, &format_number(layer.mean_abs_mismatch)),
    };
    pane_parts::pane_ui(
        ui,
        &page,
        || csv(snapshot),
        |ui| {
            ui.horizontal_wrapped(|ui| {
                ui.label(&layer.name);
                ui.small(texts::correlation(&r));
                ui.small(texts::mean_difference(&format_number(layer.mean_abs_mismatch)));
                let all = layer.same_input.total().max(1) as f64;
                ui.small(texts::both_silent(&format_percent(layer.density.silent as f64 / all)));
            });
            let room = ui.available_size();
            if room.x > 1.1 * room.y && room.x > 340.0 {
                ui.horizontal_top(|ui| {
                    let side = (room.y - 30.0).min(room.x * 0.5).max(120.0);
                    ui.allocate_ui(vec2(side + 34.0, room.y), |ui| density(ui, snapshot, layer, side));
                    ui.vertical(|ui| maps(ui, snapshot, room.y - 12.0, messages));
                });
            } else {
                ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                    density(ui, snapshot, layer, (room.x - 60.0).min(room.y * 0.62).max(120.0));
                    maps(ui, snapshot, 330.0, messages);
                });
            }
        },
    );
    live_mismatch::show(ui, lab, place);
}

/// Draws the density with its diagonal, as a square of `side` points.
fn density(ui: &mut Ui, snapshot: &Snapshot, layer: &LayerReport, side: f32) {
    let colors = ui_colors(ui);
    let density: &Density = &layer.density;
    let (whole, response) = ui.allocate_exact_size(vec2(side + 30.0, side + 28.0), Sense::hover());
    let rect = Rect::from_min_size(whole.min + vec2(30.0, 2.0), vec2(side, side - 6.0));
    let most = density.counts.iter().copied().max().unwrap_or(0).max(1) as f32;
    let colormap = Colormap::new(ui);
    let image = || {
        let mut image = ColorImage::filled([density.bins, density.bins], colormap.sequential(0.0));
        for (cell, &count) in density.counts.iter().enumerate() {
            let (row, column) = (cell / density.bins, cell % density.bins);
            let t = if count == 0 { 0.0 } else { 0.12 + 0.88 * (1.0 + count as f32).ln() / (1.0 + most).ln() };
            // Row 0 is at the bottom.
            image.pixels[(density.bins - 1 - row) * density.bins + column] = colormap.sequential(t);
        }
        image
    };
    plot_description::describe_plot(&response, texts::DENSITY, || {
        texts::density(
            &layer.name,
            &crate::ui::texts::format::format_tick(f64::from(density.extent)),
            &layer.correlation.map_or(shared::NOT_DEFINED.into(), |r| format!("{r:.4}")),
            &format_number(layer.mean_abs_mismatch),
        )
    });
    let handle = texture(ui, "density", (snapshot.id, colormap), image);
    let painter = ui.painter();
    painter.image(handle.id(), rect, Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0)), Color32::WHITE);
    painter.rect_stroke(rect, 0.0, Stroke::new(1.0, colors.faint), egui::StrokeKind::Outside);
    let place = |a: f32, phi: f32| {
        let (x, y) = (a / density.extent, phi / density.extent);
        pos2(rect.left() + x * rect.width(), rect.bottom() - y * rect.height())
    };
    painter.line_segment(
        [place(0.0, 0.0), place(density.extent, density.extent)],
        Stroke::new(1.0, colors.text.gamma_multiply(0.6)),
    );
    painter.line_segment([place(0.0, 1.0), place(density.extent, 1.0)], Stroke::new(1.0, colors.snn));
    painter.text(place(0.03, 1.02), Align2::LEFT_BOTTOM, texts::CEILING, FontId::proportional(10.0), colors.snn);
    let (font, weak) = (FontId::proportional(10.5), colors.weak);
    for (k, label) in [(0.0, "0"), (0.5, "½"), (1.0, "1"), (1.5, "1.5")] {
        // The last label does not overlap the maps beside it.
        let align = if k > 1.0 { Align2::RIGHT_TOP } else { Align2::CENTER_TOP };
        painter.text(place(k, 0.0) + vec2(0.0, 2.0), align, label, font.clone(), weak);
        painter.text(place(0.0, k) - vec2(4.0, 0.0), Align2::RIGHT_CENTER, label, font.clone(), weak);
    }
    let below = pos2(rect.center().x, rect.bottom() + 13.0);
    painter.text(below, Align2::CENTER_TOP, texts::ANN_AXIS, font.clone(), colors.ann);
    let galley = painter.layout_no_wrap(texts::SNN_AXIS.into(), font, colors.snn);
    let at = pos2(whole.left() - 1.0, rect.center().y + galley.size().x / 2.0);
    painter.add(egui::epaint::TextShape::new(at, galley, colors.snn).with_angle(-std::f32::consts::FRAC_PI_2));
    if let Some(at) = response.hover_pos().filter(|at| rect.contains(*at)) {
        let [x, y] = pixel_under(rect, [density.bins; 2], at);
        let row = density.bins - 1 - y;
        let count = density.counts[row * density.bins + x];
        let unit = density.extent / density.bins as f32;
        let text = texts::density_hover((x as f32 + 0.5) * unit, (row as f32 + 0.5) * unit, count);
        response.on_hover_text_at_pointer(text);
    }
}

/// Draws ANN, SNN and their difference for the sample in focus.
fn maps(ui: &mut Ui, snapshot: &Snapshot, height: f32, messages: &mut Vec<Message>) {
    let maps = &snapshot.maps;
    let top = maps.ann.iter().chain(&maps.snn).copied().fold(1e-6, f32::max);
    let reach = maps.difference.iter().fold(1e-6_f32, |reach, d| reach.max(d.abs()));
    let room = vec2(ui.available_width().max(80.0), ((height - 66.0) / 3.0).max(46.0));
    let grid = ChannelGrid::new(&maps.shape, room);
    let background = ui.visuals().panel_fill;
    let (key, colormap) = (snapshot.id, Colormap::new(ui));
    let sides: [(&str, &[f32], Color32); 3] = [
        (texts::ANN_VALUES, &maps.ann, ui_colors(ui).ann),
        (texts::SNN_VALUES, &maps.snn, ui_colors(ui).snn),
        ("φ − a", &maps.difference, ui.visuals().text_color()),
    ];
    for (k, (name, values, color)) in sides.into_iter().enumerate() {
        ui.horizontal(|ui| {
            ui.colored_label(color, egui::RichText::new(name).small());
            match k {
                2 => color_bar(ui, 56.0, &format_number(f64::from(-reach)), &format_number(f64::from(reach)), |t| {
                    colormap.diverging(2.0 * t - 1.0)
                }),
                _ => color_bar(ui, 56.0, "0", &format_number(f64::from(top)), |t| colormap.sequential(t)),
            }
        });
        let image = || {
            let shade = |v: f32| if k == 2 { colormap.diverging(v / reach) } else { colormap.sequential(v / top) };
            grid.image(values, background, shade)
        };
        let handle = texture(ui, ["map ann", "map snn", "map difference"][k], (key, grid, background), image);
        let (rect, response) = image_ui(ui, &handle, room);
        let layer = &snapshot.run.spiking.layers[snapshot.focus.layer];
        plot_description::describe_plot(&response, [texts::ANN_MAP, texts::SNN_MAP, texts::DIFFERENCE_MAP][k], || {
            let (low, high) =
                values.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), v| (low.min(*v), high.max(*v)));
            let (low, high) = (format_number(f64::from(low)), format_number(f64::from(high)));
            let here = format_number(f64::from(values[snapshot.focus.neuron]));
            let sample = snapshot.run.sample_index(snapshot.focus.sample);
            texts::map(name, &layer.name, sample, &low, &high, &here)
        });
        frame_pixel(ui, rect, grid.size(), grid.pixel(snapshot.focus.neuron), ui.visuals().strong_text_color());
        let under = response.hover_pos().and_then(|at| grid.index(pixel_under(rect, grid.size(), at)));
        let Some(neuron) = under else { continue };
        let text = texts::neuron(
            &pane_parts::neuron_name(layer, neuron),
            &format_number(f64::from(maps.ann[neuron])),
            &format_number(f64::from(maps.snn[neuron])),
            maps.counts[neuron],
            maps.offset[neuron],
        );
        if response.on_hover_text_at_pointer(text).clicked() {
            let (layer, sample) = (snapshot.focus.layer, snapshot.focus.sample);
            messages.push(Message::FocusNeuron(NeuronRef { layer, sample, neuron }));
        }
    }
}

fn csv(snapshot: &Snapshot) -> String {
    let maps = &snapshot.maps;
    let row = |k: usize| format!("{k},{},{},{},{}\n", maps.ann[k], maps.snn[k], maps.counts[k], maps.offset[k]);
    format!("neuron,ann,snn,spikes,psi\n{}", (0..maps.ann.len()).map(row).collect::<String>())
}

fn explain(layer: &LayerReport, snapshot: &Snapshot, r: &str) -> String {
    texts::explanation(
        &layer.name,
        snapshot.report.steps,
        r,
        &format_number(layer.mean_abs_mismatch),
        &format_number(layer.mean_activation),
        snapshot.run.sample_index(snapshot.focus.sample),
    )
}
