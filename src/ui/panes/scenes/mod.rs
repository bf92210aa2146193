//! Scenes pane: masks or boxes of ANN, SNN and target at the time cursor, and the score over time.

pub mod boxes;
mod curve;
pub(super) mod data;
pub(super) mod pictures;

use std::sync::Arc;

use egui::{Rect, Response, Sense, Stroke, Ui, pos2, vec2};

use self::curve::ScoreCurve;
use self::data::{Found, PictureView};
use self::pictures::{Layer, draw_box_errors, draw_boxes, draw_texture, texture};
use crate::experiment::Run;
use crate::lab::{Lab, Message};
use crate::measure::neuron_behind::neuron_behind;
use crate::ui::texts::format::format_percent;
use crate::ui::texts::panes::scenes as texts;
use crate::ui::texts::shared;
use crate::ui::theme::colors::{UiColors, ui_colors};
use crate::ui::types::pane::Pane;
use crate::ui::widgets::legend::Mark;
use crate::ui::widgets::pane_parts::PaneHeader;
use crate::ui::widgets::{legend, pane_frame, pane_parts, plot_description};

/// The part of the height that the curve takes, where there is room for it.
const CURVE_PART: f32 = 0.36;
/// Least height of pane and curve, in points.
const MIN_HEIGHT: f32 = 220.0;
const MIN_CURVE: f32 = 90.0;

/// How the pictures lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Arrangement {
    #[default]
    SideBySide,
    Overlaid,
    Wipe,
    Errors,
}

/// The drawn picture: run, sample and step.
type Key = (usize, usize, usize);

/// Draws the pane.
pub fn show(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    let Some(run) = &lab.run else {
        return pane_parts::empty(ui, shared::no_run(lab.run.is_some(), lab.job.is_some(), texts::EMPTY));
    };
    let (sample, t) = (lab.view.sample.min(run.ann.samples.saturating_sub(1)), lab.cursor().clamp(1, run.steps()));
    let scene = run.scene.as_deref().and_then(|scene| Some((scene, data::view(ui, run, sample, t)?)));
    let Some((scene, view)) = scene else {
        return pane_parts::empty(ui, texts::NO_SCENES);
    };
    let curve = ScoreCurve::of(scene);
    let written = |score: Option<f64>| score.map_or(texts::UNSCORED.to_owned(), format_percent);
    let now = texts::now(curve.name, t, &written(curve.ann), &written(curve.at(t)));
    let page = PaneHeader {
        of: Pane::Scenes,
        title: texts::TITLE,
        explanation: texts::explanation(&now, run.ann.samples),
        description: texts::description(&now),
    };
    let csv = || {
        let ann = curve.ann.map_or(String::new(), |ann| ann.to_string());
        let rows = curve.points.iter().map(|[t, score]| format!("{t},{score},{ann}\n"));
        format!("t,snn,ann\n{}", rows.collect::<String>())
    };
    pane_parts::pane_ui(ui, &page, csv, |ui| {
        let colors = ui_colors(ui);
        let arrangement = arrangement_ui(ui);
        legend_ui(ui, &view, arrangement, &colors);
        let own = match &view.found {
            Found::Masks { scores: [ann, snn], .. } => texts::of_picture(&written(*ann), &written(*snn)),
            Found::Boxes { .. } => String::new(),
        };
        ui.small(format!("{now}{own}"));
        if pane_frame::has_sentences(ui) {
            ui.small(texts::CLICK);
        }
        let room = ui.available_size();
        let curve_height = if room.y > MIN_HEIGHT { (room.y * CURVE_PART).max(MIN_CURVE) } else { 0.0 };
        let key = (Arc::as_ptr(run).addr(), sample, t);
        let height = (room.y - curve_height - 6.0).max(40.0);
        let clicked = pictures_ui(ui, &view, key, arrangement, vec2(room.x, height), &colors);
        if let Some(at) = clicked {
            focus_behind(run, sample, t, data::middle_of_box(&view, at), messages);
        }
        if curve_height > 0.0 {
            curve::show(ui, lab, run, &curve, messages);
        }
    });
}

/// Focuses on the neuron behind the place `at`.
fn focus_behind(run: &Run, sample: usize, t: usize, at: [f32; 2], messages: &mut Vec<Message>) {
    let network = run.network.program.network();
    let found = neuron_behind(network, &run.run_data(&[]), sample, t, at);
    messages.extend(found.map(Message::FocusNeuron));
}

/// The choice of the arrangement, kept between frames.
fn arrangement_ui(ui: &mut Ui) -> Arrangement {
    let id = egui::Id::unique("arrangement of scenes");
    let mut now = ui.data(|data| data.get_temp::<Arrangement>(id)).unwrap_or_default();
    ui.horizontal_wrapped(|ui| {
        for (choice, word, hint) in [
            (Arrangement::SideBySide, texts::SIDE_BY_SIDE, texts::SIDE_BY_SIDE_HINT),
            (Arrangement::Overlaid, texts::OVERLAID, texts::OVERLAID_HINT),
            (Arrangement::Wipe, texts::WIPE, texts::WIPE_HINT),
            (Arrangement::Errors, texts::ERRORS, texts::ERRORS_HINT),
        ] {
            if ui.selectable_label(now == choice, word).on_hover_text(hint).clicked() {
                now = choice;
            }
        }
    });
    ui.data_mut(|data| data.insert_temp(id, now));
    now
}

fn legend_ui(ui: &mut Ui, view: &PictureView, arrangement: Arrangement, colors: &UiColors) {
    let is_boxes = matches!(view.found, Found::Boxes { .. });
    let mark = if is_boxes { Mark::Frame } else { Mark::Bar };
    let mut entries = vec![
        (shared::ANN, colors.ann, Mark::Line),
        (shared::SNN, colors.snn, Mark::Line),
        (texts::BAND, colors.ann.gamma_multiply(0.35), Mark::Band),
    ];
    match arrangement {
        Arrangement::SideBySide | Arrangement::Wipe => {}
        Arrangement::Overlaid if is_boxes => entries.push((texts::TARGET, colors.weak, Mark::Frame)),
        Arrangement::Overlaid | Arrangement::Errors => entries.extend([
            (texts::ONLY_ANN, colors.ann, mark),
            (texts::ONLY_SNN, colors.snn, mark),
            (texts::BOTH_WRONG, colors.parts[1], mark),
        ]),
    }
    legend::show(ui, &entries);
}

/// Draws the pictures in `room`; the place of a click, in fractions of a picture.
fn pictures_ui(
    ui: &mut Ui,
    view: &PictureView,
    key: Key,
    arrangement: Arrangement,
    room: egui::Vec2,
    colors: &UiColors,
) -> Option<[f32; 2]> {
    let columns: &[(&str, Layer)] = match arrangement {
        Arrangement::SideBySide => {
            &[(shared::ANN, Layer::Ann), (shared::SNN, Layer::Snn), (texts::TARGET, Layer::Target)]
        }
        Arrangement::Overlaid => &[("", Layer::Sample)],
        Arrangement::Wipe => &[("", Layer::Ann)],
        Arrangement::Errors => &[("", Layer::Errors)],
    };
    let count = columns.len() as f32;
    let caption = if columns.len() > 1 { 16.0 } else { 0.0 };
    let gap = 6.0;
    let [width, height] = view.size.map(|side| side.max(1) as f32);
    let scale = ((room.x - gap * (count - 1.0)) / count / width).min((room.y - caption) / height).max(0.1);
    let size = vec2(width * scale, height * scale);
    let whole = vec2((size.x + gap) * count - gap, size.y + caption);
    let sense = if arrangement == Arrangement::Wipe { Sense::click_and_drag() } else { Sense::click() };
    let (rect, response) = ui.allocate_exact_size(whole, sense);
    describe(&response, view);
    let painter = ui.painter_at(rect);
    let mut clicked = None;
    for (k, (name, layer)) in columns.iter().enumerate() {
        let corner = rect.min + vec2(k as f32 * (size.x + gap), caption);
        let own = Rect::from_min_size(corner, size);
        if !name.is_empty() {
            let font = egui::TextStyle::Small.resolve(ui.style());
            painter.text(pos2(own.left(), rect.top()), egui::Align2::LEFT_TOP, name, font, colors.text);
        }
        match arrangement {
            Arrangement::SideBySide => {
                draw_texture(&painter, &texture(ui, view, key, *layer, colors), own);
                draw_boxes(&painter, own, view, *layer, None, 2.0);
            }
            Arrangement::Overlaid => overlaid(ui, &painter, view, key, own, colors),
            Arrangement::Wipe => wipe(ui, &painter, view, key, own, &response, colors),
            Arrangement::Errors => {
                draw_texture(&painter, &texture(ui, view, key, Layer::Errors, colors), own);
                draw_box_errors(&painter, own, view, colors);
            }
        }
        if let Some(at) = response.interact_pointer_pos().filter(|at| response.clicked() && own.contains(*at)) {
            let at = (at - own.min) / own.size();
            clicked = Some([at.x, at.y]);
        }
    }
    clicked
}

/// Both networks and the target in one picture.
fn overlaid(ui: &Ui, painter: &egui::Painter, view: &PictureView, key: Key, rect: Rect, colors: &UiColors) {
    match view.found {
        Found::Masks { .. } => {
            // The target's classes, with what differs from them over it.
            draw_texture(painter, &texture(ui, view, key, Layer::Target, colors), rect);
            let errors = texture(ui, view, key, Layer::Errors, colors);
            let tint = egui::Color32::from_white_alpha(150);
            painter.image(errors.id(), rect, Rect::from_min_max(egui::Pos2::ZERO, pos2(1.0, 1.0)), tint);
        }
        Found::Boxes { .. } => {
            draw_texture(painter, &texture(ui, view, key, Layer::Sample, colors), rect);
            draw_boxes(painter, rect, view, Layer::Target, Some(colors.weak), 1.0);
            draw_boxes(painter, rect, view, Layer::Ann, Some(colors.ann), 3.5);
            draw_boxes(painter, rect, view, Layer::Snn, Some(colors.snn), 1.5);
        }
    }
}

/// The ANN to the left of a line that can be dragged, the SNN to the right.
fn wipe(
    ui: &Ui,
    painter: &egui::Painter,
    view: &PictureView,
    key: Key,
    rect: Rect,
    response: &Response,
    colors: &UiColors,
) {
    let id = egui::Id::unique("wipe of scenes");
    let mut part = ui.data(|data| data.get_temp::<f32>(id)).unwrap_or(0.5);
    if let Some(at) = response.interact_pointer_pos().filter(|_| response.dragged()) {
        part = ((at.x - rect.left()) / rect.width()).clamp(0.0, 1.0);
        ui.data_mut(|data| data.insert_temp(id, part));
    }
    let x = rect.left() + part * rect.width();
    let sides = [
        (Layer::Ann, Rect::from_min_max(rect.min, pos2(x, rect.bottom()))),
        (Layer::Snn, Rect::from_min_max(pos2(x, rect.top()), rect.max)),
    ];
    for (layer, side) in sides {
        let painter = painter.with_clip_rect(side.intersect(painter.clip_rect()));
        draw_texture(&painter, &texture(ui, view, key, layer, colors), rect);
        draw_boxes(&painter, rect, view, layer, None, 2.0);
    }
    painter.vline(x, rect.y_range(), Stroke::new(2.0, colors.text));
}

fn describe(response: &Response, view: &PictureView) {
    plot_description::describe_plot(response, texts::PICTURES, || match (&view.found, view.pixel_shares()) {
        (Found::Boxes { boxes: [ann, snn, target] }, _) => texts::drawn_boxes(ann.len(), snn.len(), target.len()),
        (_, Some([ann, snn])) => texts::drawn_masks(&format_percent(ann), &format_percent(snn)),
        _ => String::new(),
    });
}
