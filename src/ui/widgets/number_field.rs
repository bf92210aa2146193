//! Numbers that can be edited: a frame around them tells them from text.

use egui::{Response, Stroke, Ui, Widget};

/// Adds a drag field, or a slider with its number, with a visible frame around the number.
pub fn number_field(ui: &mut Ui, widget: impl Widget) -> Response {
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
