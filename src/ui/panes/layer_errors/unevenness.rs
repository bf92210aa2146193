//! Unevenness pane: neurons with wrong output despite correct mean input, by category and layer.

use egui::{Align2, Color32, CursorIcon, FontId, Rect, ScrollArea, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use crate::experiment::Snapshot;
use crate::lab::{Lab, Message};
use crate::measure::{Categories, LayerReport, NeuronRef};
use crate::ui::texts::error_panes::unevenness as texts;
use crate::ui::texts::format::format_percent;
use crate::ui::texts::shared;
use crate::ui::theme::colors::ui_colors;
use crate::ui::types::pane::Pane;
use crate::ui::widgets::pane_parts::PaneHeader;
use crate::ui::widgets::{pane_frame, pane_parts};

/// Draws the pane.
pub fn show(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    let Some(snapshot) = &lab.snapshot else {
        return pane_parts::empty(ui, shared::no_run(lab.run.is_some(), lab.job.is_some(), texts::EMPTY));
    };
    let layers = &snapshot.report.layers;
    let Some(focused) = layers.get(snapshot.focus.layer) else { return };
    let ids = [ui.scope_id().with("end to end"), ui.scope_id().with("wrong only")];
    let mut end_to_end: bool = ui.data(|data| data.get_temp(ids[0])).unwrap_or(false);
    let mut wrong_only: bool = ui.data(|data| data.get_temp(ids[1])).unwrap_or(false);
    let page = PaneHeader {
        of: Pane::Unevenness,
        title: texts::TITLE,
        explanation: explain(focused, snapshot.report.steps),
        description: describe(layers),
    };
    pane_parts::pane_ui(
        ui,
        &page,
        || csv(layers),
        |ui| {
            ui.horizontal_wrapped(|ui| {
                if !pane_frame::has_controls(ui) {
                    return;
                }
                ui.selectable_value(&mut end_to_end, false, texts::SAME_INPUT).on_hover_text(texts::SAME_INPUT_HINT);
                ui.selectable_value(&mut end_to_end, true, texts::END_TO_END).on_hover_text(texts::END_TO_END_HINT);
                ui.checkbox(&mut wrong_only, texts::WRONG_ONLY);
            });
            ui.data_mut(|data| {
                data.insert_temp(ids[0], end_to_end);
                data.insert_temp(ids[1], wrong_only);
            });
            let category_colors = category_colors(ui);
            legend(ui, snapshot, focused, &category_colors, messages);
            let rows = ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                for (index, layer) in layers.iter().enumerate() {
                    let categories = if end_to_end { &layer.end_to_end } else { &layer.same_input };
                    row(
                        ui,
                        layer,
                        categories,
                        wrong_only,
                        index == snapshot.focus.layer,
                        &category_colors,
                        &mut || {
                            messages.push(Message::FocusLayer(index));
                        },
                    );
                }
                ui.add_space(6.0);
                residual(ui, focused, end_to_end);
                ui.add_space(6.0);
                ui.small(texts::SOURCE);
            });
            pane_frame::remember_cut(ui, &rows);
        },
    );
}

/// C0 is gray; the four errors are from Okabe and Ito's color-blind-safe set.
fn category_colors(ui: &Ui) -> [Color32; 5] {
    let rgb = Color32::from_rgb;
    if ui.visuals().dark_mode {
        [Color32::from_gray(72), rgb(213, 94, 0), rgb(240, 175, 90), rgb(110, 190, 240), rgb(40, 110, 190)]
    } else {
        [Color32::from_gray(196), rgb(190, 80, 0), rgb(214, 140, 40), rgb(60, 150, 210), rgb(0, 80, 150)]
    }
}

/// Draws the category colors with their names; a click focuses a neuron of that category.
fn legend(
    ui: &mut Ui,
    snapshot: &Snapshot,
    layer: &LayerReport,
    category_colors: &[Color32; 5],
    messages: &mut Vec<Message>,
) {
    ui.horizontal_wrapped(|ui| {
        for (k, &color) in category_colors.iter().enumerate().skip(1) {
            // In the sample in focus if possible, otherwise in another sample.
            let here = snapshot.categories.after(k, snapshot.focus.neuron);
            let at = |neuron| NeuronRef { layer: snapshot.focus.layer, sample: snapshot.focus.sample, neuron };
            let example = here.map(at).or(layer.examples[k]);
            let words = format!("C{k} {}", texts::NAMES[k]);
            // Swatch and text stay together when the row wraps.
            let font = egui::TextStyle::Button.resolve(ui.style());
            let width = ui.painter().layout_no_wrap(words.clone(), font, color).size().x;
            pane_parts::wrap_before(
                ui,
                10.0 + width + 2.0 * ui.spacing().button_padding.x + ui.spacing().item_spacing.x,
            );
            let button = ui
                .horizontal(|ui| {
                    let (swatch, _) = ui.allocate_exact_size(vec2(10.0, 10.0), Sense::hover());
                    ui.painter().rect_filled(swatch, 2.0, color);
                    ui.add_enabled(example.is_some(), egui::Button::new(words).small())
                })
                .inner;
            let name = example.map(|e| pane_parts::neuron_name(&snapshot.run.spiking.layers[e.layer], e.neuron));
            let sample = snapshot.run.sample_index(snapshot.focus.sample);
            let hover = match (name, snapshot.categories.neurons(k).len()) {
                (None, _) => texts::NO_SUCH_NEURON.into(),
                (Some(name), 0) => texts::none_here(sample, &name),
                (Some(name), n) => texts::some_here(n, sample, &name),
            };
            if button.on_hover_text(hover).clicked()
                && let Some(example) = example
            {
                messages.push(Message::FocusNeuron(example));
            }
        }
        if let Some((kind, place)) = snapshot.categories.position(snapshot.focus.neuron) {
            let (all, sample) =
                (snapshot.categories.neurons(kind).len(), snapshot.run.sample_index(snapshot.focus.sample));
            ui.small(texts::in_focus(kind, place + 1, all, sample));
        }
    });
}

fn row(
    ui: &mut Ui,
    layer: &LayerReport,
    categories: &Categories,
    wrong_only: bool,
    focused: bool,
    category_colors: &[Color32; 5],
    focus: &mut dyn FnMut(),
) {
    let colors = ui_colors(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 26.0), Sense::click());
    let painter = ui.painter_at(rect);
    if focused {
        painter.rect_filled(rect, 3.0, colors.accent.gamma_multiply(0.18));
    } else if response.hovered() {
        painter.rect_filled(rect, 3.0, ui.visuals().faint_bg_color);
    }
    let name = Rect::from_min_max(rect.min, pos2(rect.left() + 96.0, rect.bottom()));
    let at = name.left_center() + vec2(4.0, 0.0);
    ui.painter_at(name.shrink2(vec2(2.0, 0.0))).text(
        at,
        Align2::LEFT_CENTER,
        &layer.name,
        FontId::proportional(12.0),
        colors.text,
    );
    let bar =
        Rect::from_min_max(pos2(rect.left() + 100.0, rect.top() + 5.0), pos2(rect.right() - 96.0, rect.bottom() - 5.0));
    let counts = categories.as_array();
    let total = categories.total().max(1);
    let wrong = total - counts[0].min(total);
    let (first, whole) = if wrong_only { (1, wrong.max(1)) } else { (0, total) };
    let mut x = bar.left();
    for k in first..5 {
        let width = bar.width() * counts[k] as f32 / whole as f32;
        painter.rect_filled(
            Rect::from_min_max(pos2(x, bar.top()), pos2(x + width, bar.bottom())),
            0.0,
            category_colors[k],
        );
        x += width;
    }
    painter.rect_stroke(bar, 1.0, Stroke::new(1.0, colors.faint), egui::StrokeKind::Outside);
    let text = texts::wrong(&format_percent(wrong as f64 / total as f64));
    painter.text(
        rect.right_center() - vec2(4.0, 0.0),
        Align2::RIGHT_CENTER,
        text,
        FontId::proportional(11.5),
        colors.text,
    );
    let lines = (0..5).map(|k| {
        format!("C{k} {}: {} ({})\n", texts::NAMES[k], counts[k], format_percent(counts[k] as f64 / total as f64))
    });
    let hover = texts::hover(&layer.name, &lines.collect::<String>(), total);
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, texts::row(&layer.name)));
    response.ctx.accesskit_node_builder(response.id, |node| node.set_description(hover.clone()));
    if response.on_hover_cursor(CursorIcon::PointingHand).on_hover_text(hover).clicked() {
        focus();
    }
}

/// Draws what the residual potential reveals: wrong neurons that the condition detects, and those it misses.
fn residual(ui: &mut Ui, layer: &LayerReport, end_to_end: bool) {
    let residual = if end_to_end { &layer.residual_end_to_end } else { &layer.residual };
    ui.horizontal_wrapped(|ui| {
        ui.strong(texts::RESIDUAL);
        ui.small(&layer.name);
    });
    let categories = if end_to_end { layer.end_to_end } else { layer.same_input };
    let wrong = categories.total() - categories.as_array()[0];
    let compared = [residual.over, residual.under].iter().map(|found| found.hits + found.missed).sum::<u64>();
    let silenced = layer.silenced;
    if wrong > 0 && compared == 0 && silenced.rightly + silenced.wrongly == 0 {
        ui.small(texts::UNKNOWN_POTENTIAL);
        return;
    }
    egui::Grid::new("residual").striped(true).spacing([14.0, 3.0]).show(ui, |ui| {
        for (name, hint) in [
            (texts::CONDITION, texts::CONDITION_HINT),
            (texts::CAUGHT, texts::CAUGHT_HINT),
            (texts::MISSED, texts::MISSED_HINT),
            (texts::FALSE_ALARMS, texts::FALSE_ALARMS_HINT),
        ] {
            ui.small(name).on_hover_text(hint);
        }
        ui.end_row();
        let rows = [(texts::TOO_MANY, residual.over), (texts::TOO_FEW, residual.under)];
        for (name, condition) in rows {
            ui.label(name);
            let wrong = condition.hits + condition.missed;
            let share = |n: u64| match wrong {
                0 => texts::NONE.into(),
                _ => format!("{n} ({})", format_percent(n as f64 / wrong as f64)),
            };
            ui.label(share(condition.hits));
            ui.label(share(condition.missed));
            ui.label(condition.false_alarm.to_string());
            ui.end_row();
        }
    });
    if silenced.rightly + silenced.wrongly > 0 {
        ui.small(texts::silenced(silenced.rightly, silenced.wrongly));
    }
}

fn csv(layers: &[LayerReport]) -> String {
    let mut text = String::from("layer,comparison,C0,C1,C2,C3,C4,over_caught,over_missed,under_caught,under_missed\n");
    for layer in layers {
        let kinds = [
            ("same_input", layer.same_input, layer.residual),
            ("end_to_end", layer.end_to_end, layer.residual_end_to_end),
        ];
        for (name, categories, residual) in kinds {
            let [a, b, c, d, e] = categories.as_array();
            let (over, under) = (residual.over, residual.under);
            let found = format!("{},{},{},{}", over.hits, over.missed, under.hits, under.missed);
            text += &format!("{},{name},{a},{b},{c},{d},{e},{found}\n", layer.name);
        }
    }
    text
}

fn explain(layer: &LayerReport, t: usize) -> String {
    let total = layer.same_input.total().max(1) as f64;
    let share = |k: usize| format_percent(layer.same_input.as_array()[k] as f64 / total);
    texts::explanation(t, &layer.name, &share(0), &share(1), &share(2), &share(3), &share(4))
}

fn describe(layers: &[LayerReport]) -> String {
    let one = |layer: &LayerReport| {
        let total = layer.same_input.total().max(1) as f64;
        texts::layer_as_due(&layer.name, &format_percent(layer.same_input.c0 as f64 / total))
    };
    texts::description(&layers.iter().map(one).collect::<Vec<_>>().join(", "))
}
