//! Texts of a frame with their places, as they are painted.

use egui::epaint::{Shape, TextShape};
use egui_kittest::Harness;

/// Every text of the last frame and the visible part of its place.
pub fn texts<State>(harness: &Harness<'_, State>) -> Vec<(String, egui::Rect)> {
    fn collect(shape: &Shape, clip: egui::Rect, all: &mut Vec<(String, egui::Rect)>) {
        match shape {
            Shape::Text(TextShape { galley, pos, .. }) => {
                all.push((galley.job.text.clone(), galley.rect.translate(pos.to_vec2()).intersect(clip)));
            }
            Shape::Vec(shapes) => shapes.iter().for_each(|shape| collect(shape, clip, all)),
            _ => {}
        }
    }
    let mut all = Vec::new();
    harness.output().shapes.iter().for_each(|clipped| collect(&clipped.shape, clipped.clip_rect, &mut all));
    all.retain(|(text, rect)| !text.trim().is_empty() && rect.is_positive());
    all
}
