//! Canvas of the draw pane, controlled by pointer or arrow keys.

use egui::{
    Align2, Color32, CursorIcon, EventFilter, FontId, Key, Pos2, Rect, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2,
};

use crate::data::digits::Drawing;
use crate::data::digits::drawing::CANVAS;
use crate::data::digits::render::SIDE;
use crate::lab::Message;
use crate::ui::texts::panes::draw as texts;
use crate::ui::theme::colors::ui_colors;

/// Distance that an arrow key moves the pen, in units of the canvas.
const KEY_STEP: f32 = 1.0;

/// State of the pen under keyboard control.
#[derive(Clone, Copy)]
struct Pen {
    at: [f32; 2],
    down: bool,
}

/// Draws the canvas, `side` points wide and high; its texts speak of digits or of pictures.
pub fn show(ui: &mut Ui, drawing: &Drawing, side: f32, digits: bool, messages: &mut Vec<Message>) {
    let (rect, response) = ui.allocate_exact_size(vec2(side, side), Sense::click_and_drag());
    let response = response.on_hover_cursor(CursorIcon::Crosshair);
    let unit = side / CANVAS;
    let point = |at: Pos2| [(at.x - rect.left()) / unit, (at.y - rect.top()) / unit];
    let mut next = None;
    if let Some(at) = response.interact_pointer_pos() {
        let mut drawn = drawing.clone();
        // A drag is recognized after the pointer has moved, so the stroke begins at the press position.
        let from = ui.input(|input| input.pointer.press_origin()).unwrap_or(at);
        if response.drag_started() || response.clicked() {
            drawn.begin_stroke(point(from));
            drawn.line_to(point(at));
            next = Some(drawn);
        } else if response.dragged() && drawn.line_to(point(at)) {
            next = Some(drawn);
        }
    }
    let pen = handle_keys(ui, &response, drawing, &mut next);
    if let Some(drawn) = next {
        messages.push(Message::SetDrawing(Box::new(drawn)));
    }
    if response.drag_stopped() || response.clicked() {
        messages.push(Message::EndGesture);
    }
    response.widget_info(|| {
        WidgetInfo::labeled(Role::Canvas, ui.is_enabled(), if digits { texts::CANVAS } else { texts::CANVAS_PICTURE })
    });
    paint(ui, drawing, rect, unit, response.has_focus().then_some(pen));
    if drawing.is_empty() {
        let font = FontId::proportional((rect.width() / 14.0).clamp(12.0, 20.0));
        let text = if digits { texts::HERE } else { texts::PICTURE_HERE };
        ui.painter().text(rect.center(), Align2::CENTER_CENTER, text, font, Color32::from_gray(150));
    }
    let hint = texts::CANVAS_HINT;
    response.ctx.accesskit_node_builder(response.id, |node| node.set_description(hint));
    // The hint is hidden as soon as the drawing has a stroke.
    if drawing.is_empty() {
        response.on_hover_text(hint);
    }
}

/// Arrow keys move the pen while the canvas has the focus; Space starts and ends a stroke.
fn handle_keys(ui: &Ui, response: &egui::Response, drawing: &Drawing, next: &mut Option<Drawing>) -> Pen {
    let id = response.id.with("pen");
    let mut pen = ui.data(|data| data.get_temp(id)).unwrap_or(Pen { at: [CANVAS / 2.0; 2], down: false });
    if !response.has_focus() || !ui.is_enabled() {
        return pen;
    }
    let filter = EventFilter { horizontal_arrows: true, vertical_arrows: true, ..EventFilter::default() };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
    let presses = |key| ui.input(|input| input.num_presses(key)) as f32;
    let step = [presses(Key::ArrowRight) - presses(Key::ArrowLeft), presses(Key::ArrowDown) - presses(Key::ArrowUp)];
    let mut drawn = drawing.clone();
    let mut changed = false;
    if presses(Key::Space) % 2.0 == 1.0 {
        pen.down = !pen.down;
        if pen.down {
            drawn.begin_stroke(pen.at);
            changed = true;
        }
    }
    if step != [0.0; 2] {
        pen.at = [0, 1].map(|k| (pen.at[k] + step[k] * KEY_STEP).clamp(0.0, CANVAS));
        changed |= pen.down && drawn.line_to(pen.at);
    }
    if changed {
        *next = Some(drawn);
    }
    ui.data_mut(|data| data.insert_temp(id, pen));
    pen
}

fn paint(ui: &Ui, drawing: &Drawing, rect: Rect, unit: f32, pen: Option<Pen>) {
    let painter = ui.painter_at(rect);
    let colors = ui_colors(ui);
    // White ink on black in both themes, which is the network input.
    painter.rect_filled(rect, 2.0, Color32::BLACK);
    for (i, level) in drawing.under.iter().flatten().enumerate().filter(|(_, level)| **level > 0) {
        let at = rect.min + vec2((i % SIDE) as f32, (i / SIDE) as f32) * unit;
        painter.rect_filled(Rect::from_min_size(at, vec2(unit, unit)), 0.0, Color32::from_gray(*level));
    }
    let place = |p: &[f32; 2]| pos2(rect.left() + p[0] * unit, rect.top() + p[1] * unit);
    let radius = drawing.pen * unit;
    for stroke in &drawing.strokes {
        let points: Vec<Pos2> = stroke.iter().map(place).collect();
        // Round ends and corners.
        points.iter().for_each(|at| _ = painter.circle_filled(*at, radius, Color32::WHITE));
        painter.line(points, Stroke::new(2.0 * radius, Color32::WHITE));
    }
    let edge = if pen.is_some() { colors.accent } else { colors.faint };
    painter.rect_stroke(rect, 2.0, Stroke::new(if pen.is_some() { 2.0 } else { 1.0 }, edge), egui::StrokeKind::Inside);
    if let Some(pen) = pen {
        let size = if pen.down { radius } else { radius + 3.0 };
        painter.circle_stroke(place(&pen.at), size, Stroke::new(1.5, colors.accent));
    }
}
