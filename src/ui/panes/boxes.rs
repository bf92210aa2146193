//! What a detector finds in the sample in focus: the boxes of the ANN and of the SNN at the time cursor, over the picture.

use egui::{Color32, ColorImage, Pos2, Rect, RichText, Stroke, StrokeKind, TextureHandle, Ui, pos2, vec2};

use super::super::tones::tones;
use crate::data::thumbnail_rgba;
use crate::lab::{Lab, Message, Run};
use crate::measure::Found;

/// Draws the pane.
pub fn show(ui: &mut Ui, lab: &Lab, _out: &mut Vec<Message>) {
    let Some(run) = &lab.run else {
        ui.weak("Boxes appear after the first run.");
        return;
    };
    let (sample, t) = (lab.view.sample.min(run.ann.samples.saturating_sub(1)), lab.cursor().min(run.steps()));
    let Some([ann, snn]) = run.boxes(sample, t) else {
        ui.weak("This network gives class scores and no boxes. Open a detector (scores and boxes as two outputs) to see them here.");
        return;
    };
    let tones = tones(ui);
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(sentence("ANN", &ann)).color(tones.ann));
        ui.label(RichText::new(sentence(&format!("SNN at t = {t}"), &snn)).color(tones.snn));
        if let Some(overlap) = agreement(&ann, &snn) {
            ui.weak(format!("the surest two overlap by {:.0} %", overlap * 100.0));
        }
    });
    let room = ui.available_size();
    let texture = picture(ui, run, sample);
    let size = texture.size_vec2();
    let scale = (room.x / size.x).min(room.y / size.y).max(0.1);
    let (rect, response) = ui.allocate_exact_size(size * scale, egui::Sense::hover());
    let name = format!("Picture with {} boxes of the ANN and {} of the SNN", ann.len(), snn.len());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, &name));
    let painter = ui.painter_at(rect);
    let whole = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
    painter.image(texture.id(), rect, whole, Color32::WHITE);
    for (boxes, colour, width) in [(&ann, tones.ann, 3.5), (&snn, tones.snn, 1.5)] {
        for found in boxes {
            let place = |x: f32, y: f32| rect.min + vec2(x * rect.width(), y * rect.height());
            let drawn = Rect::from_min_max(place(found.left, found.top), place(found.right, found.bottom));
            painter.rect_stroke(drawn, 1.0, Stroke::new(width, colour), StrokeKind::Middle);
        }
    }
}

fn sentence(who: &str, boxes: &[Found]) -> String {
    match boxes {
        [] => format!("{who}: nothing found"),
        [one] => format!("{who}: one box, {:.1} % sure", one.score * 100.0),
        [surest, ..] => format!("{who}: {} boxes, the surest {:.1} %", boxes.len(), surest.score * 100.0),
    }
}

/// By how much the surest boxes of both overlap.
fn agreement(ann: &[Found], snn: &[Found]) -> Option<f32> {
    Some(ann.first()?.overlap(snn.first()?))
}

/// The sample as a texture, kept as long as it is looked at.
fn picture(ui: &Ui, run: &Run, sample: usize) -> TextureHandle {
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
