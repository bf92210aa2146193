//! Small controls that the bars share: buttons with a spoken name, sliders whose drag is one step of undo, the percentile
//! slider. Knows no bar.

use std::ops::RangeInclusive;

use egui::{Response, Role, Ui, WidgetInfo};

use crate::lab::Message;

/// A button that shows only a sign; `name` is its tooltip and what a screen reader says.
pub fn sign_button(ui: &mut Ui, sign: &str, name: &str) -> Response {
    let response = ui.add(egui::Button::new(sign).min_size(egui::vec2(26.0, 22.0)));
    named(ui, response, Role::Button, name).on_hover_text(name)
}

/// Gives a widget the name that a screen reader says.
pub fn named(ui: &Ui, response: Response, role: Role, name: &str) -> Response {
    response.widget_info(|| WidgetInfo::labeled(role, ui.is_enabled(), name));
    response
}

/// Ends the gesture when a drag is over, or at once when the change was no drag.
pub fn end_gesture(response: &Response, out: &mut Vec<Message>) {
    if response.drag_stopped() || response.changed() && !response.dragged() {
        out.push(Message::EndGesture);
    }
}

/// The percentiles that are offered.
pub const PERCENTILES: RangeInclusive<f64> = 90.0..=100.0;

/// Where percentile `p` stands on its slider, 0 to 1: the nearer to 100, the finer, as thresholds want it.
pub fn place_of(p: f64) -> f64 {
    1.0 - ((100.0 - p).clamp(0.0, 10.0) / 10.0).cbrt()
}

/// The percentile at `place`, rounded to what a person can mean by it.
pub fn percentile_at(place: f64) -> f64 {
    let tail = 10.0 * (1.0 - place.clamp(0.0, 1.0)).powi(3);
    let digits = if tail > 1.0 {
        10.0
    } else if tail > 0.1 {
        100.0
    } else {
        1000.0
    };
    ((100.0 - tail) * digits).round() / digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_percentile_slider_keeps_what_a_person_would_say() {
        for p in [90.0, 95.0, 99.0, 99.5, 99.9, 99.99, 100.0] {
            assert!((percentile_at(place_of(p)) - p).abs() < 1e-9, "{p}");
        }
        assert!(place_of(99.9) > 0.7, "half of the slider is for the last per cent");
    }
}
