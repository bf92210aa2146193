//! Draw pane: a digit drawn on a canvas runs through ANN and SNN while the user draws.
//!
//! Beside the canvas are the class probabilities, or the class maps or boxes of a network that gives those.

mod answers;
mod canvas;
mod class_bars;

use egui::{Button, ColorImage, Event, Slider, TextureOptions, Ui, ViewportCommand, vec2};

use self::answers::Answers;
use crate::data::digits::Drawing;
use crate::data::digits::drawing::PEN_WIDTHS;
use crate::data::digits::render::SIDE;
use crate::lab::{ControlGroup, Lab, Message};
use crate::ui::texts::panes::draw as texts;
use crate::ui::texts::shared;
use crate::ui::types::pane::Pane;
use crate::ui::widgets::pane_parts::PaneHeader;
use crate::ui::widgets::{pane_frame, pane_parts};

/// Minimum width for probabilities beside the canvas, in points.
const BESIDE_WIDTH: f32 = 290.0;
/// Maximum and minimum side of the canvas, in points.
const MAX_SIDE: f32 = 420.0;
const MIN_SIDE: f32 = 120.0;
/// Side of the network input preview, in points.
const PREVIEW_SIDE: f32 = 42.0;

/// Draws the pane.
pub fn show(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    let answers = Answers::new(ui, lab);
    let nothing = || shared::no_run(lab.run.is_some(), lab.job.is_some(), texts::EMPTY).to_owned();
    let words = answers.as_ref().map_or_else(nothing, Answers::sentence);
    let digits = knows_digits(lab);
    let page = PaneHeader {
        of: Pane::Draw,
        title: if digits { texts::TITLE } else { texts::TITLE_PICTURE },
        description: words.clone(),
        explanation: texts::explanation(&words),
    };
    let csv = || answers.as_ref().map(Answers::csv).unwrap_or_default();
    pane_parts::pane_ui(ui, &page, csv, |ui| {
        let drawing = lab.drawing().unwrap_or_default();
        let free = !lab.is_locked(ControlGroup::Drawing);
        ui.add_enabled_ui(free, |ui| {
            pasted(ui, messages);
            if pane_frame::has_controls(ui) {
                tools(ui, lab, &drawing, messages);
            }
        });
        let room = ui.available_size();
        if room.x >= BESIDE_WIDTH {
            ui.horizontal_top(|ui| {
                // The size does not depend on the drawing, so the canvas stays under the pen.
                let side = (room.x * 0.55).min(room.y).clamp(MIN_SIDE, MAX_SIDE);
                ui.add_enabled_ui(free, |ui| canvas::show(ui, &drawing, side, digits, messages));
                ui.vertical(|ui| {
                    egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                        let seen = |ui: &mut Ui| seen_and_words(ui, lab, &drawing, answers.as_ref(), &words);
                        answers_ui(ui, answers.as_ref(), room.y, &words, seen);
                    });
                });
            });
        } else {
            egui::ScrollArea::vertical().show(ui, |ui| {
                let side = room.x.min(room.y * 0.6).clamp(MIN_SIDE, MAX_SIDE);
                ui.add_enabled_ui(free, |ui| canvas::show(ui, &drawing, side, digits, messages));
                answers_ui(ui, answers.as_ref(), 0.0, &words, |ui| {
                    seen_and_words(ui, lab, &drawing, answers.as_ref(), &words)
                });
            });
        }
    });
}

/// Draws the answers in `height` points, and the sentence `text` by `words`: above bars, if all of them fit below it; below
/// pictures, which need the room.
fn answers_ui(ui: &mut Ui, answers: Option<&Answers>, height: f32, text: &str, words: impl Fn(&mut Ui)) {
    let sentence = sentence_height(ui, text);
    let answers_first = answers
        .is_some_and(|answers| answers.are_pictures() || !answers.fit_below(ui, sentence, height) && height > 0.0);
    if !answers_first {
        words(ui);
    }
    let rest = height - (ui.cursor().top() - ui.max_rect().top());
    answers.into_iter().for_each(|answers| answers.show(ui, rest));
    if answers_first {
        words(ui);
    }
}

/// Height of the sentence beside the network's input, in points.
fn sentence_height(ui: &Ui, text: &str) -> f32 {
    let font = egui::TextStyle::Body.resolve(ui.style());
    let spacing = ui.spacing().item_spacing;
    let width = ui.available_width() - PREVIEW_SIDE - spacing.x;
    let text = ui.painter().layout(text.to_owned(), font, egui::Color32::WHITE, width);
    text.size().y.max(PREVIEW_SIDE) + spacing.y
}

/// Draws `words` beside the network's input, unless pictures show that.
fn seen_and_words(ui: &mut Ui, lab: &Lab, drawing: &Drawing, answers: Option<&Answers>, words: &str) {
    ui.horizontal_top(|ui| {
        if !answers.is_some_and(Answers::are_pictures) {
            input_preview(ui, lab, drawing);
        }
        ui.add(egui::Label::new(words).wrap());
    });
}

/// Whether the classes are the ten digits: by their names or, without names, ten classes of gray images.
fn knows_digits(lab: &Lab) -> bool {
    let Some(run) = &lab.run else { return true };
    let is_digit = |class: usize| run.class_name(class) == class.to_string();
    let is_gray = run.network.original.input_shape().first().is_none_or(|&channels| channels != 3);
    run.output_agreement.is_none() && run.network.original.class_count() == 10 && is_gray && (0..10).all(is_digit)
}

/// Draws the network input.
fn input_preview(ui: &mut Ui, lab: &Lab, drawing: &Drawing) {
    if lab.drawing().is_none() {
        return;
    }
    let levels: Vec<u8> = drawing.rasterize().iter().map(|v| *v as u8).collect();
    let image = ColorImage::from_gray([SIDE, SIDE], &levels);
    let id = ui.scope_id().with("seen");
    // One texture per pane, replaced when the drawing changes.
    let known = ui.data(|data| data.get_temp::<(egui::TextureHandle, String)>(id));
    let texture = match known {
        Some((texture, of)) if of == lab.settings.data => texture,
        _ => {
            let texture = ui.ctx().load_texture("drawing", image, TextureOptions::NEAREST);
            ui.data_mut(|data| data.insert_temp(id, (texture.clone(), lab.settings.data.clone())));
            texture
        }
    };
    let image = egui::Image::new(&texture).fit_to_exact_size(vec2(PREVIEW_SIDE, PREVIEW_SIDE));
    let image = ui.add(image.alt_text(texts::SEEN));
    image.on_hover_text(texts::SEEN);
}

/// Draws pen width, undo, clear, paste, and the button back to the data.
fn tools(ui: &mut Ui, lab: &Lab, drawing: &Drawing, messages: &mut Vec<Message>) {
    ui.horizontal_wrapped(|ui| {
        let change = |next: Drawing, messages: &mut Vec<Message>| {
            messages.extend([Message::SetDrawing(Box::new(next)), Message::EndGesture]);
        };
        ui.spacing_mut().slider_width = 70.0;
        let mut pen = drawing.pen;
        let slider = pane_parts::slider(ui, texts::PEN, Slider::new(&mut pen, PEN_WIDTHS).fixed_decimals(1));
        let slider = slider.on_hover_text(texts::PEN_HINT);
        if slider.changed() {
            messages.push(Message::SetDrawing(Box::new(Drawing { pen, ..drawing.clone() })));
        }
        if slider.drag_stopped() || slider.changed() && !slider.dragged() {
            messages.push(Message::EndGesture);
        }
        let last = Button::new(texts::UNDO_STROKE);
        if ui.add_enabled(!drawing.strokes.is_empty(), last).on_hover_text(texts::UNDO_STROKE_HINT).clicked() {
            let mut next = drawing.clone();
            next.strokes.pop();
            change(next, messages);
        }
        if ui.add_enabled(!drawing.is_empty(), Button::new(texts::CLEAR)).clicked() {
            change(Drawing { pen: drawing.pen, ..Drawing::default() }, messages);
        }
        let paste = texts::PASTE_HINT;
        if ui.button(texts::PASTE).on_hover_text(paste).clicked() {
            ui.ctx().send_viewport_cmd(ViewportCommand::RequestPaste);
        }
        // The button keeps its place: a change would move the canvas under the pen.
        let back = ui.add_enabled(lab.shows_drawing(), Button::new(texts::BACK));
        if back.on_hover_text(texts::BACK_HINT).clicked() {
            messages.push(Message::LeaveDrawing);
        }
        let mut keep = lab.view.keep_drawing;
        let hint = texts::KEEP_HINT;
        let keep_box = egui::Checkbox::new(&mut keep, texts::KEEP);
        if ui.add_enabled(lab.shows_drawing(), keep_box).on_hover_text(hint).changed() {
            messages.push(Message::KeepDrawing(keep));
        }
    });
}

/// Pastes an image from the clipboard onto the canvas.
fn pasted(ui: &Ui, messages: &mut Vec<Message>) {
    if !ui.is_enabled() {
        return;
    }
    let image = ui.input(|input| {
        input.events.iter().find_map(|event| match event {
            Event::PasteImage(image) => Some(image.clone()),
            _ => None,
        })
    });
    let Some(image) = image else { return };
    let [width, height] = image.size.map(|side| side as u32);
    let gray = image.pixels.iter().map(|pixel| {
        // Transparent pixels count as white paper.
        let alpha = f32::from(pixel.a()) / 255.0;
        let light = 0.299 * f32::from(pixel.r()) + 0.587 * f32::from(pixel.g()) + 0.114 * f32::from(pixel.b());
        (light + 255.0 * (1.0 - alpha)).clamp(0.0, 255.0) as u8
    });
    let gray = image::GrayImage::from_raw(width, height, gray.collect()).unwrap_or_default();
    match Drawing::from_picture(&gray) {
        Ok(drawing) => messages.extend([Message::SetDrawing(Box::new(drawing)), Message::EndGesture]),
        Err(error) => messages.push(Message::Notify(crate::lab::Notification {
            level: crate::lab::NotificationLevel::Error,
            text: error.to_string(),
        })),
    }
}
