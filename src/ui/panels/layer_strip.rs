//! Layer strip: one card per spiking layer, with threshold, firing rate and error parts.
//!
//! A click focuses a layer.

use egui::{
    Align, Color32, Layout, Rect, RichText, Role, ScrollArea, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};

use super::divergence;
use crate::error::format_shape;
use crate::experiment::Run;
use crate::lab::{Lab, Message};
use crate::measure::{LayerReport, LedgerReference};
use crate::ui::texts::format::{format_si, format_theta, layer_kind, reference_label};
use crate::ui::texts::{layers as texts, shared};
use crate::ui::theme::colors::ui_colors;
use crate::ui::widgets::ledger_unit;

const CARD_HEIGHT: f32 = 58.0;
/// Draws the strip.
pub fn show(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    ui.horizontal(|ui| {
        ui.strong(texts::LAYERS);
        if let Some(run) = &lab.run {
            let network = &run.network.original;
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let text = texts::parameters(&format_si(network.parameter_count() as f64));
                ui.add(egui::Label::new(RichText::new(text).small().weak()).truncate());
            });
        }
    });
    let Some(run) = &lab.run else {
        ui.weak(shared::no_run(lab.run.is_some(), lab.job.is_some(), texts::EMPTY));
        return;
    };
    let snapshot = lab.snapshot.as_deref().filter(|s| std::sync::Arc::ptr_eq(&s.run, run));
    let report = snapshot.map_or(&run.report, |s| &s.report);
    legend(ui);
    ui.add_space(2.0);
    ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
        end_label(ui, &texts::input(&format_shape(run.network.original.input_shape())));
        let reference = lab.view.reference;
        let scale = report
            .layers
            .iter()
            .map(|layer| magnitude(layer, reference) * ledger_unit::scale(ui.ctx(), layer))
            .fold(f64::MIN_POSITIVE, f64::max);
        for (index, layer) in report.layers.iter().enumerate() {
            connector(ui);
            card(ui, lab, run, index, layer, scale, messages);
        }
        connector(ui);
        end_label(ui, &texts::answers(run.network.original.classes()));
    });
}

/// Sum of the absolute values of the five error parts.
fn magnitude(layer: &LayerReport, reference: LedgerReference) -> f64 {
    layer.ledger_against(reference).parts().iter().map(|part| part.abs()).sum()
}

fn legend(ui: &mut Ui) {
    let colors = ui_colors(ui);
    ui.spacing_mut().interact_size.y = 13.0;
    egui::Grid::new("legend").num_columns(2).spacing([10.0, 0.0]).show(ui, |ui| {
        for (index, (name, color)) in texts::PARTS.iter().zip(colors.parts).enumerate() {
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = 4.0;
                let (rect, _) = ui.allocate_exact_size(vec2(8.0, 8.0), Sense::hover());
                ui.painter().rect_filled(rect, 1.0, color);
                ui.label(RichText::new(*name).small().weak());
            });
            if index % 2 == 1 {
                ui.end_row();
            }
        }
    });
    divergence::legend_ui(ui);
}

/// Draws a small label for the part before the first or after the last layer.
fn end_label(ui: &mut Ui, text: &str) {
    ui.horizontal(|ui| {
        ui.add_space(6.0);
        ui.label(RichText::new(text).small().weak());
    });
}

/// Draws the line between two cards.
fn connector(ui: &mut Ui) {
    let spacing = ui.spacing().item_spacing.y;
    ui.spacing_mut().item_spacing.y = 0.0;
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 5.0), Sense::hover());
    let color = ui_colors(ui).faint;
    ui.painter().vline(rect.left() + 14.0, rect.y_range(), Stroke::new(1.5, color));
    ui.spacing_mut().item_spacing.y = spacing;
}

fn card(ui: &mut Ui, lab: &Lab, run: &Run, index: usize, layer: &LayerReport, scale: f64, messages: &mut Vec<Message>) {
    let spacing = std::mem::replace(&mut ui.spacing_mut().item_spacing.y, 0.0);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), CARD_HEIGHT), Sense::click());
    ui.spacing_mut().item_spacing.y = spacing;
    let focused = lab.view.layer == index;
    response.widget_info(|| {
        let name = texts::layer(&layer.name);
        WidgetInfo::selected(Role::ListBoxOption, ui.is_enabled(), focused, name)
    });
    if focused {
        // Shown if the focus changed elsewhere.
        let id = ui.scope_id().with("layer in focus");
        if ui.data(|data| data.get_temp::<usize>(id)) != Some(index) {
            ui.data_mut(|data| data.insert_temp(id, index));
            ui.scroll_to_rect(rect, None);
        }
    }
    if response.clicked() {
        messages.push(Message::FocusLayer(index));
    }
    if ui.is_rect_visible(rect) {
        let hot = response.hovered() || response.has_focus();
        let unit = ledger_unit::scale(ui.ctx(), layer);
        let parts = layer.ledger_against(lab.view.reference).parts().map(|part| part.abs() * unit / scale);
        paint_card(ui, rect, run, layer, parts, focused, hot);
    }
    let first = lab.snapshot.as_ref().filter(|s| std::ptr::eq(&*s.run, run));
    if first.is_some_and(|s| s.divergence.is_some_and(|d| d.neuron.layer == index)) {
        divergence::mark_ui(ui, rect);
    }
    response.on_hover_ui(|ui| {
        tooltip(ui, layer, lab.view.reference);
        if run.settings.recipe.manual_thresholds.contains_key(&layer.name) {
            ui.weak(texts::BY_HAND);
        }
        if let Some(snapshot) = first {
            ui.weak(divergence::share(snapshot, index));
        }
    });
}

/// Draws a card. `parts`: absolute values of the four error parts as fractions of the bar.
fn paint_card(ui: &Ui, rect: Rect, run: &Run, layer: &LayerReport, parts: [f64; 5], focused: bool, hot: bool) {
    let colors = ui_colors(ui);
    let visuals = ui.visuals();
    let fill = if focused { colors.accent.gamma_multiply(0.22) } else { visuals.faint_bg_color };
    let stroke = if focused {
        Stroke::new(1.5, colors.accent)
    } else {
        Stroke::new(1.0, if hot { colors.weak } else { colors.faint })
    };
    let painter = ui.painter_at(rect);
    painter.rect(rect, 4.0, fill, stroke, StrokeKind::Inside);
    let inner = rect.shrink2(vec2(8.0, 5.0));
    let body = egui::TextStyle::Body.resolve(ui.style());
    let small = egui::TextStyle::Small.resolve(ui.style());
    let theta = format_theta(&layer.theta);
    // A manual threshold: the rule for all layers does not change this one.
    let by_hand = run.settings.recipe.manual_thresholds.contains_key(&layer.name);
    let theta = if by_hand { texts::by_hand(&theta) } else { theta };
    let theta = painter.layout_no_wrap(theta, small.clone(), colors.text);
    let room = inner.width() - theta.size().x - 8.0;
    truncated_text(ui, inner.left_top(), room, &layer.name, body, colors.text);
    painter.galley(pos2(inner.right() - theta.size().x, inner.top() + 2.0), theta, colors.text);
    let rate = texts::rate(layer.rate);
    let rate = painter.layout_no_wrap(rate, small.clone(), colors.weak);
    let kind = format!("{} {}", layer_kind(run, layer.node), format_shape(&layer.shape));
    truncated_text(
        ui,
        inner.left_top() + vec2(0.0, 18.0),
        inner.width() - rate.size().x - 8.0,
        &kind,
        small,
        colors.weak,
    );
    painter.galley(pos2(inner.right() - rate.size().x, inner.top() + 18.0), rate, colors.weak);
    let bar = Rect::from_min_max(pos2(inner.left(), inner.bottom() - 8.0), inner.right_bottom());
    painter.rect_filled(bar, 2.0, visuals.extreme_bg_color);
    let mut x = bar.left();
    for (part, color) in parts.into_iter().zip(colors.parts) {
        let width = bar.width() * part as f32;
        painter.rect_filled(Rect::from_min_size(pos2(x, bar.top()), vec2(width, bar.height())), 0.0, color);
        x += width;
    }
}

/// Draws one line of text, truncated with an ellipsis.
fn truncated_text(ui: &Ui, at: egui::Pos2, width: f32, words: &str, font: egui::FontId, color: Color32) {
    let mut job = egui::text::LayoutJob::simple_singleline(words.to_owned(), font, color);
    job.wrap = egui::text::TextWrapping::truncate_at_width(width.max(20.0));
    let galley = ui.painter().layout_job(job);
    ui.painter().galley(at, galley, color);
}

fn tooltip(ui: &mut Ui, layer: &LayerReport, reference: LedgerReference) {
    let ledger = layer.ledger_against(reference);
    let against = reference_label(layer, reference);
    ui.strong(&layer.name);
    egui::Grid::new("parts").num_columns(2).show(ui, |ui| {
        for (name, part) in texts::PARTS.iter().zip(ledger.parts()) {
            ui.label(*name);
            ui.monospace(ledger_unit::format(ui.ctx(), layer, part));
            ui.end_row();
        }
        ui.label(texts::together(against));
        ui.monospace(ledger_unit::format(ui.ctx(), layer, ledger.total));
        ui.end_row();
    });
    ui.weak(if ledger_unit::is_relative(ui.ctx()) { texts::MEANS_RELATIVE } else { texts::MEANS });
}
