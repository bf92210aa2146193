//! Boxes pane: detections of ANN and SNN over the sample image, at the time cursor.

use egui::{Color32, ColorImage, Pos2, Rect, RichText, Stroke, StrokeKind, TextureHandle, Ui, pos2, vec2};

use crate::convert::Fix;
use crate::data::thumbnail_rgba;
use crate::experiment::Run;
use crate::ground::numbers::percent;
use crate::lab::{Lab, Message};
use crate::task::{DetectedBox, Detector, output_agreement};
use crate::ui::texts::format::format_percent;
use crate::ui::texts::output_agreement::NOTHING_YET;
use crate::ui::texts::panes::boxes as texts;
use crate::ui::texts::shared;
use crate::ui::theme::colors::ui_colors;
use crate::ui::types::pane::Pane;
use crate::ui::widgets::pane_parts::PaneHeader;
use crate::ui::widgets::{pane_parts, plot_description};

/// Draws the pane.
pub fn show(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    let Some(run) = &lab.run else {
        return pane_parts::empty(ui, shared::no_run(lab.run.is_some(), lab.job.is_some(), texts::EMPTY));
    };
    let (sample, t) = (lab.focused_sample(run), lab.cursor().min(run.steps()));
    let Some([ann, snn]) = run.boxes(sample, t) else {
        let classes = texts::NO_BOXES;
        return pane_parts::empty(
            ui,
            &Detector::unsupported_reason(&run.network.original).unwrap_or_else(|| classes.into()),
        );
    };
    let found = format!("{}; {}", sentence(shared::ANN, &ann), sentence(&texts::snn_at(t), &snn));
    let overlap = agreement(&ann, &snn);
    let overlap = overlap.map_or(String::new(), |share| texts::overlap(&format_percent(f64::from(share))));
    let page = PaneHeader {
        of: Pane::Boxes,
        title: texts::TITLE,
        explanation: texts::explanation(&found, &overlap),
        description: texts::description(ann.len(), snn.len()),
    };
    pane_parts::pane_ui(
        ui,
        &page,
        || csv(&ann, &snn),
        |ui| {
            let colors = ui_colors(ui);
            ui.horizontal_wrapped(|ui| {
                ui.label(RichText::new(sentence(shared::ANN, &ann)).color(colors.ann));
                ui.label(RichText::new(sentence(&texts::snn_at(t), &snn)).color(colors.snn));
            });
            if let Some(steps) = more_steps(run, sample, t) {
                ui.horizontal_wrapped(|ui| {
                    ui.small(NOTHING_YET);
                    if ui.small_button(Fix::Steps(steps).label()).clicked() {
                        messages.extend([Message::SetSteps(steps), Message::EndGesture]);
                    }
                });
            }
            image_with_boxes(ui, run, sample, &[(&ann, colors.ann, 3.5), (&snn, colors.snn, 1.5)]);
        },
    );
}

/// Draws the sample as large as possible, with boxes over it.
fn image_with_boxes(ui: &mut Ui, run: &Run, sample: usize, boxes: &[(&Vec<DetectedBox>, Color32, f32)]) {
    let room = ui.available_size();
    let texture = sample_texture(ui, run, sample);
    let size = texture.size_vec2();
    let scale = (room.x / size.x).min(room.y / size.y).max(0.1);
    let (rect, response) = ui.allocate_exact_size(size * scale, egui::Sense::hover());
    plot_description::describe_plot(&response, texts::BOXES, || {
        let one = |found: &DetectedBox| {
            let [left, right, top, bottom] =
                [found.left, found.right, found.top, found.bottom].map(|share| percent(f64::from(share), 0));
            texts::place(found.score * 100.0, &left, &right, &top, &bottom)
        };
        let all = |boxes: &[DetectedBox]| match boxes {
            [] => texts::NONE.to_owned(),
            _ => boxes.iter().map(one).collect::<Vec<_>>().join("; "),
        };
        let named =
            [shared::ANN, shared::SNN].iter().zip(boxes).map(|(name, (boxes, ..))| format!("{name}: {}.", all(boxes)));
        named.collect::<Vec<_>>().join(" ")
    });
    let painter = ui.painter_at(rect);
    let whole = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
    painter.image(texture.id(), rect, whole, Color32::WHITE);
    for (boxes, color, width) in boxes {
        for found in *boxes {
            let place = |x: f32, y: f32| rect.min + vec2(x * rect.width(), y * rect.height());
            let drawn = Rect::from_min_max(place(found.left, found.top), place(found.right, found.bottom));
            painter.rect_stroke(drawn, 1.0, Stroke::new(*width, *color), StrokeKind::Middle);
        }
    }
}

/// The T to try if the SNN finds none of the boxes that the ANN finds in `sample` after `t` steps.
fn more_steps(run: &Run, sample: usize, t: usize) -> Option<usize> {
    let agreement = run.output_agreement.as_ref()?;
    let missing = agreement.ann_boxes(sample) > 0 && agreement.at(t, sample).same == 0;
    missing.then(|| output_agreement::next_steps(run.steps())).flatten()
}

/// The boxes as CSV rows.
fn csv(ann: &[DetectedBox], snn: &[DetectedBox]) -> String {
    let mut table = String::from("network,class,score,left,top,right,bottom\n");
    for (name, boxes) in [("ANN", ann), ("SNN", snn)] {
        for b in boxes {
            table.push_str(&format!("{name},{},{},{},{},{},{}\n", b.class, b.score, b.left, b.top, b.right, b.bottom));
        }
    }
    table
}

fn sentence(who: &str, boxes: &[DetectedBox]) -> String {
    match boxes {
        [] => texts::nothing(who),
        [one] => texts::one(who, one.score * 100.0),
        [surest, ..] => texts::several(who, boxes.len(), surest.score * 100.0),
    }
}

/// Overlap (IoU) of the most confident boxes of both networks.
fn agreement(ann: &[DetectedBox], snn: &[DetectedBox]) -> Option<f32> {
    Some(ann.first()?.iou(snn.first()?))
}

/// The sample as a texture, kept while it is drawn.
fn sample_texture(ui: &Ui, run: &Run, sample: usize) -> TextureHandle {
    let key = (std::sync::Arc::as_ptr(&run.samples) as usize, run.sample_index(sample));
    let id = egui::Id::unique("boxes picture");
    let known = ui.data(|data| data.get_temp::<((usize, usize), TextureHandle)>(id));
    if let Some((_, texture)) = known.filter(|(known, _)| *known == key) {
        return texture;
    }
    let (width, height, rgba) = thumbnail_rgba(&run.samples, run.sample_index(sample));
    let image = ColorImage::from_rgba_unmultiplied([width, height], &rgba);
    let texture = ui.ctx().load_texture("boxes", image, egui::TextureOptions::LINEAR);
    ui.data_mut(|data| data.insert_temp(id, (key, texture.clone())));
    texture
}
