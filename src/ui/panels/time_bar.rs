//! Time bar: the time cursor, dragged to scrub every pane through the recorded run.
//!
//! The track shows the accuracy over time as a faint curve.

use egui::{Color32, Pos2, Rect, Response, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};

use crate::ground::numbers::percent;
use crate::lab::{ControlGroup, Lab, Message};
use crate::measure::CurvePoint;
use crate::ui::texts::{bars as texts, output_agreement, shared};
use crate::ui::theme::colors::ui_colors;
use crate::ui::theme::icons::{Icon, icon_button};

const HEIGHT: f32 = 34.0;

/// Draws the bar, with the accuracy over time if `shows_curve`.
pub fn show(ui: &mut Ui, lab: &Lab, shows_curve: bool, messages: &mut Vec<Message>) {
    let (at, steps) = (lab.cursor(), lab.steps());
    ui.add_enabled_ui(lab.run.is_some() && !lab.is_locked(ControlGroup::Time), |ui| {
        ui.horizontal(|ui| {
            ui.set_height(HEIGHT);
            ui.spacing_mut().item_spacing.x = 4.0;
            if icon_button(ui, Icon::Back, texts::STEP_BACK).clicked() {
                messages.push(Message::StepCursor(-1));
            }
            let (sign, name, message) = if lab.view.playing {
                (Icon::Pause, texts::PAUSE, Message::Pause)
            } else {
                (Icon::Play, texts::PLAY, Message::Play)
            };
            if icon_button(ui, sign, name).clicked() {
                messages.push(message);
            }
            if icon_button(ui, Icon::Forward, texts::STEP_FORWARD).clicked() {
                messages.push(Message::StepCursor(1));
            }
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let mut follows = lab.view.cursor.is_none();
                if ui.checkbox(&mut follows, texts::FOLLOW).on_hover_text(texts::FOLLOW_HINT).changed() {
                    messages.push(Message::SetCursor((!follows).then_some(at)));
                }
                ui.add_space(10.0);
                let readout = egui::RichText::new(format!("t = {at} / {steps}")).monospace().strong();
                ui.allocate_ui_with_layout(
                    vec2(104.0, HEIGHT),
                    egui::Layout::right_to_left(egui::Align::Center),
                    |ui| ui.label(readout),
                );
                track(ui, lab, shows_curve, messages);
            });
        });
    });
}

/// Draws the track with the cursor in it.
fn track(ui: &mut Ui, lab: &Lab, shows_curve: bool, messages: &mut Vec<Message>) {
    let (at, steps) = (lab.cursor(), lab.steps());
    let size = vec2((ui.available_width() - 8.0).max(80.0), HEIGHT - 4.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click_and_drag());
    let inner = rect.shrink2(vec2(10.0, 3.0));
    let response = response.on_hover_cursor(egui::CursorIcon::ResizeHorizontal);
    if let Some(pointer) = response.interact_pointer_pos() {
        let share = ((pointer.x - inner.left()) / inner.width()).clamp(0.0, 1.0);
        let wanted = 1 + (share * (steps - 1) as f32).round() as usize;
        if wanted != at || lab.view.cursor.is_none() {
            messages.push(Message::SetCursor(Some(wanted)));
        }
    }
    handle_keys(ui, &response, messages);
    response.widget_info(|| WidgetInfo::slider(ui.is_enabled(), at as f64, texts::TIME_CURSOR));
    let response = named_value(ui, response);
    let colors = ui_colors(ui);
    let painter = ui.painter_at(rect);
    let focus = if response.has_focus() { colors.accent } else { colors.faint };
    painter.rect(rect, 3.0, ui.visuals().extreme_bg_color, Stroke::new(1.0, focus), egui::StrokeKind::Inside);
    let x_of = |t: usize| inner.left() + inner.width() * (t.saturating_sub(1) as f32 / (steps - 1).max(1) as f32);
    if let Some(curve) = lab.curve().filter(|_| shows_curve) {
        if let Some(ann) = curve.ann {
            let y = inner.bottom() - inner.height() * ann as f32;
            painter.hline(inner.x_range(), y, Stroke::new(1.0, colors.ann.gamma_multiply(0.6)));
        }
        sparkline(&painter, inner, curve.points, x_of, colors.snn);
    }
    let played = Rect::from_min_max(rect.left_top(), pos2(x_of(at), rect.bottom()));
    painter.rect_filled(played.shrink(1.0), 2.0, colors.accent.gamma_multiply(0.16));
    let x = x_of(at);
    painter.vline(x, rect.shrink(1.0).y_range(), Stroke::new(2.0, colors.text));
    let head = vec![pos2(x - 6.0, rect.top() + 1.0), pos2(x + 6.0, rect.top() + 1.0), pos2(x, rect.top() + 8.0)];
    painter.add(Shape::convex_polygon(head, colors.text, Stroke::NONE));
    if shows_curve {
        hover(lab, &response, inner);
    }
}

/// Arrow keys move the cursor while the track has the focus, as do screen reader actions.
fn handle_keys(ui: &Ui, response: &Response, messages: &mut Vec<Message>) {
    use egui::accesskit::Action;
    let asked = |action| ui.input(|input| input.num_accesskit_action_requests(response.id, action)) as i32;
    let mut by = asked(Action::Increment) - asked(Action::Decrement);
    if response.has_focus() {
        let filter = egui::EventFilter { horizontal_arrows: true, ..Default::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
        let pressed = |key| ui.input(|input| input.num_presses(key)) as i32;
        by += pressed(egui::Key::ArrowRight) - pressed(egui::Key::ArrowLeft);
    }
    if by != 0 {
        messages.push(Message::StepCursor(by));
    }
}

fn named_value(ui: &Ui, response: Response) -> Response {
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.add_action(egui::accesskit::Action::Increment);
        node.add_action(egui::accesskit::Action::Decrement);
    });
    response
}

/// Draws accuracy over t, or agreement if there are no labels.
fn sparkline(painter: &egui::Painter, inner: Rect, curve: &[CurvePoint], x_of: impl Fn(usize) -> f32, color: Color32) {
    let y_of = |share: f64| inner.bottom() - inner.height() * share as f32;
    let points: Vec<Pos2> =
        curve.iter().map(|point| pos2(x_of(point.t), y_of(point.accuracy.unwrap_or(point.agreement)))).collect();
    if points.len() > 1 {
        painter.line(points, Stroke::new(1.5, color.gamma_multiply(0.8)));
    }
}

fn hover(lab: &Lab, response: &Response, inner: Rect) {
    let (Some(pointer), Some(run)) = (response.hover_pos(), &lab.run) else { return };
    let share = ((pointer.x - inner.left()) / inner.width()).clamp(0.0, 1.0);
    let index = (share * (lab.steps() - 1) as f32).round() as usize;
    if let Some((curve, point)) = lab.curve().and_then(|curve| Some((curve, curve.points.get(index)?))) {
        let samples = curve.samples;
        let right = point.accuracy.map_or(String::new(), |share| texts::right(&shared::share_of(share, samples)));
        let (words, share) = match &run.output_agreement {
            Some(agreement) => {
                (output_agreement::agreement_labels(Some(agreement.of)).short, percent(point.agreement, 1))
            }
            None => (texts::AGREES_ON, shared::share_of(point.agreement, samples)),
        };
        response.show_tooltip_text(texts::at_time(point.t, &right, words, &share));
    }
}
