//! Numbers that can be edited: a frame around them tells them from text, and what is no number leaves them alone.

use egui::{DragValue, Response, Slider, Stroke, Ui, Widget};

/// A widget with a number that can be typed.
pub trait NumberWidget: Widget {
    /// The same widget where typed text that is no finite number changes nothing.
    fn finite(self) -> Self;
}

impl NumberWidget for DragValue<'_> {
    fn finite(self) -> Self {
        self.custom_parser(finite_number)
    }
}

impl NumberWidget for Slider<'_> {
    fn finite(self) -> Self {
        self.custom_parser(finite_number)
    }
}

/// The number that `text` is. `nan` and `inf` are none, which egui would clamp to the end of the range.
pub fn finite_number(text: &str) -> Option<f64> {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).map(|c| if c == '−' { '-' } else { c }).collect();
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Adds a drag field, or a slider with its number, with a visible frame around the number.
pub fn number_field(ui: &mut Ui, widget: impl NumberWidget) -> Response {
    framed(ui, widget.finite())
}

/// The same for a widget that parses typed text itself.
pub fn framed(ui: &mut Ui, widget: impl Widget) -> Response {
    // Not a scope, which would not wrap to the next line.
    let before = ui.visuals().widgets.inactive;
    let (fill, frame) = (ui.visuals().extreme_bg_color, ui.visuals().widgets.noninteractive.bg_stroke.color);
    let inactive = &mut ui.visuals_mut().widgets.inactive;
    (inactive.weak_bg_fill, inactive.bg_stroke) = (fill, Stroke::new(1.0, frame));
    let response = ui.add(widget);
    ui.visuals_mut().widgets.inactive = before;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_finite_numbers_are_numbers() {
        let numbers = ["16", " 1 000.5 ", "−2", "1e3"].map(finite_number);
        assert_eq!(numbers, [Some(16.0), Some(1000.5), Some(-2.0), Some(1000.0)]);
        for text in ["nan", "NaN", "inf", "-infinity", "1e999", "drei", ""] {
            assert_eq!(finite_number(text), None, "{text}");
        }
    }

    #[test]
    fn number_has_a_frame_and_the_next_widget_keeps_its_own() {
        let context = egui::Context::default();
        let mut output = context.run_ui(egui::RawInput::default(), |ui| {
            let before = ui.visuals().widgets.inactive;
            number_field(ui, egui::DragValue::new(&mut 5.0));
            assert_eq!(ui.visuals().widgets.inactive, before);
        });
        let frame = context.global_style().visuals.widgets.noninteractive.bg_stroke.color;
        let framed = output.shapes.iter().any(|shape| {
            matches!(&shape.shape, egui::Shape::Rect(rect) if rect.stroke.width == 1.0 && rect.stroke.color == frame)
        });
        output.textures_delta.clear();
        assert!(framed, "{:?}", output.shapes);
    }
}
