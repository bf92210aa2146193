//! Gesture helpers for the bars: end of a drag as one undo step, and percentile slider scale.
//!
//! It does not know the bars.

use egui::Response;

use crate::lab::Message;

/// Ends the gesture at the end of a drag, or at once if the change was no drag.
pub fn end_gesture(response: &Response, messages: &mut Vec<Message>) {
    if response.drag_stopped() || response.changed() && !response.dragged() {
        messages.push(Message::EndGesture);
    }
}

/// Slider position of percentile `p`, 0 to 1. The scale is finer near 100, where thresholds are sensitive.
pub fn slider_from_percentile(p: f64) -> f64 {
    1.0 - ((100.0 - p).clamp(0.0, 10.0) / 10.0).cbrt()
}

/// The percentile at slider position `place`, rounded to the precision of the slider.
pub fn percentile_from_slider(place: f64) -> f64 {
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
    fn percentile_slider_round_trips_usual_values() {
        for p in [90.0, 95.0, 99.0, 99.5, 99.9, 99.99, 100.0] {
            assert!((percentile_from_slider(slider_from_percentile(p)) - p).abs() < 1e-9, "{p}");
        }
        assert!(slider_from_percentile(99.9) > 0.7, "half of the slider is for the last per cent");
    }
}
