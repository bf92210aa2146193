//! Recording pane: the events of the sample in focus over time, beside the frames the network is given.

pub(super) mod picture;
mod rates;
mod scrub;

use egui::{DragValue, Role, Slider, Ui, WidgetInfo, vec2};

use self::picture::{CAPTION, EventPicture};
use self::scrub::{MS, Scrub};
use crate::experiment::snapshot::RecordingView;
use crate::lab::{Lab, Message};
use crate::ui::texts::format::{format_number, format_percent};
use crate::ui::texts::panes::recording as texts;
use crate::ui::theme::colors::event_colors;
use crate::ui::types::pane::Pane;
use crate::ui::widgets::legend::Mark;
use crate::ui::widgets::number_field::NumberWidget;
use crate::ui::widgets::pane_parts::PaneHeader;
use crate::ui::widgets::{legend, pane_frame, pane_parts};

/// Height of the rates, in points, and the part of the pane's height that they take at least.
const RATES_HEIGHT: f32 = 96.0;
const RATES_PART: f32 = 0.3;

/// Draws the pane.
pub fn show(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    let Some(snapshot) = &lab.snapshot else {
        return pane_parts::empty(ui, texts::EMPTY);
    };
    let run = &snapshot.run;
    let Some(frames) = &run.samples.frames else { return pane_parts::empty(ui, texts::NO_EVENTS) };
    let Some(result) = &snapshot.recording else { return pane_parts::loading(ui) };
    let view = match result.as_ref() {
        Ok(view) => view,
        Err(reason) => return pane_parts::empty(ui, reason),
    };
    let sample = run.sample_index(snapshot.focus.sample);
    let cursor = lab.cursor().clamp(1, run.steps());
    let mut scrub = Scrub::current(ui, sample, cursor, frames.count, &view.info);
    let before = scrub;
    let window = scrub.window_of(&view.info);
    let [off, on] = view.count(window.clone());
    let frame = EventPicture::of_frame(&run.samples, sample, scrub.frame());
    let thinned = if view.every > 1 { texts::kept(view.every) } else { String::new() };
    let now = texts::now(&texts::in_window(on, off), &thinned, &texts::in_frame(frame.events()));
    let info = &view.info;
    let share = info.on as f64 / info.events.max(1) as f64;
    let span = format_number(info.span as f64 / MS);
    let page = PaneHeader {
        of: Pane::Recording,
        title: texts::TITLE,
        explanation: texts::explanation(&info.name, info.events, &format_percent(share), &span, info.sensor, &now),
        description: texts::description(&info.name, &now),
    };
    pane_parts::pane_ui(
        ui,
        &page,
        || csv(view),
        |ui| {
            if pane_frame::has_controls(ui) {
                controls(ui, lab, view, &mut scrub, messages);
            }
            let [off, on] = event_colors(ui);
            let mut entries = vec![(texts::ON, on, Mark::Bar), (texts::OFF, off, Mark::Bar)];
            if frame.is_sum() {
                entries.push((texts::SUM, ui.visuals().text_color(), Mark::Bar));
            }
            legend::show(ui, &entries);
            if pane_frame::has_sentences(ui) {
                ui.small(now);
            }
            let room = ui.available_size();
            let rates_height = RATES_HEIGHT.max(room.y * RATES_PART).min(room.y * 0.5);
            let height = (room.y - rates_height - ui.spacing().item_spacing.y).max(CAPTION + 24.0);
            ui.allocate_ui(vec2(room.x, height), |ui| {
                let edge = |ns: u64| format_number(ns as f64 / MS);
                let events = EventPicture::of_events(view.picture(window.clone()), info.sensor);
                let captions = [
                    texts::window(&edge(window.start), &edge(window.end)),
                    texts::frame(scrub.frame() + 1, frames.count, cursor),
                ];
                picture::side_by_side(ui, [&events, &frame], &captions, vec2(room.x, height));
            });
            rates::show(ui, view, &mut scrub, rates_height);
        },
    );
    let step = if scrub.time == before.time { cursor } else { scrub.step(run.steps()) };
    if step != cursor {
        messages.push(Message::SetCursor(Some(step)));
    }
    scrub.at_step(step).keep(ui);
}

/// Draws recording, time and window.
fn controls(ui: &mut Ui, lab: &Lab, view: &RecordingView, scrub: &mut Scrub, messages: &mut Vec<Message>) {
    let span = view.info.span as f64 / MS;
    ui.horizontal_wrapped(|ui| {
        let count = lab.snapshot.as_ref().map_or(0, |snapshot| snapshot.run.recording.samples);
        let focus = lab.view.sample.min(count.saturating_sub(1));
        for (word, name, next) in [
            (texts::PREVIOUS, texts::PREVIOUS_NAME, focus.checked_sub(1)),
            (texts::NEXT, texts::NEXT_NAME, Some(focus + 1).filter(|&next| next < count)),
        ] {
            let button = ui.add_enabled(next.is_some(), egui::Button::new(word).small()).on_hover_text(name);
            button.widget_info(|| WidgetInfo::labeled(Role::Button, next.is_some(), name));
            if let Some(next) = next.filter(|_| button.clicked()) {
                messages.push(Message::FocusSample(next));
            }
        }
        ui.label(texts::recording(scrub.sample, &view.info.name));
    });
    ui.horizontal_wrapped(|ui| {
        let mut time = scrub.time / MS;
        ui.spacing_mut().slider_width = (ui.available_width() * 0.3).clamp(60.0, 260.0);
        let label = ui.label(texts::TIME);
        let slider = Slider::new(&mut time, 0.0..=span).suffix(texts::MILLISECONDS).max_decimals(2);
        if ui.add(slider.finite()).labelled_by(label.id).on_hover_text(texts::TIME_HINT).changed() {
            scrub.scrub_to(time * MS);
        }
        let mut window = scrub.window / MS;
        let label = ui.label(texts::WINDOW);
        let field = DragValue::new(&mut window)
            .range(span / 1e5..=span.max(1e-6))
            .speed(scrub.window / MS / 100.0)
            .max_decimals(3)
            .suffix(texts::MILLISECONDS);
        if ui.add(field.finite()).labelled_by(label.id).on_hover_text(texts::WINDOW_HINT).changed() {
            scrub.window = window * MS;
        }
        let is_frame = (scrub.window - view.info.frame).abs() < 1.0;
        if ui.selectable_label(is_frame, texts::ONE_FRAME).on_hover_text(texts::ONE_FRAME_HINT).clicked() {
            scrub.window = view.info.frame.max(1.0);
        }
    });
}

/// Rates of ON and OFF events over time.
fn csv(view: &RecordingView) -> String {
    let [off, on] = view.rates();
    let rows = off.iter().zip(&on).map(|([ms, off], [_, on])| format!("{ms},{on},{off}\n"));
    format!("ms,on_per_ms,off_per_ms\n{}", rows.collect::<String>())
}
