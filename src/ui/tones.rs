//! Shim until the theme arrives.
use egui::{Color32, Ui};
pub struct Tones {
    pub ann: Color32,
    pub snn: Color32,
    pub parts: [Color32; 4],
    pub error: Color32,
    pub accent: Color32,
    pub faint: Color32,
    pub weak: Color32,
    pub text: Color32,
}
pub fn tones(ui: &Ui) -> Tones {
    let v = ui.visuals();
    Tones {
        ann: Color32::from_rgb(86, 156, 240),
        snn: Color32::from_rgb(240, 140, 50),
        parts: [
            Color32::from_rgb(120, 120, 140),
            Color32::from_rgb(204, 121, 167),
            Color32::from_rgb(0, 158, 115),
            Color32::from_rgb(230, 190, 60),
        ],
        error: v.error_fg_color,
        accent: v.selection.bg_fill,
        faint: v.widgets.noninteractive.bg_stroke.color,
        weak: v.weak_text_color(),
        text: v.text_color(),
    }
}
