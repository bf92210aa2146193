//! Colors of the theme by meaning (ANN, SNN, the five errors), for dark and light mode.

use egui::{Color32, Context, FontId, TextStyle, Theme, Ui};

/// Zoom factor of projector mode.
const PROJECTOR: f32 = 1.4;

/// Colors by meaning. Colors that appear side by side also differ in lightness, so that they are distinguishable with
/// any kind of color vision (tested below).
pub struct UiColors {
    pub ann: Color32,
    pub snn: Color32,
    /// Propagated, clipping, quantization, unevenness, pooling.
    pub parts: [Color32; 5],
    pub error: Color32,
    pub accent: Color32,
    pub faint: Color32,
    pub weak: Color32,
    pub text: Color32,
}

/// The colors of the current theme.
pub fn ui_colors(ui: &Ui) -> UiColors {
    let visuals = ui.visuals();
    let pick = |dark: [u8; 3], light: [u8; 3]| {
        let [r, g, b] = if visuals.dark_mode { dark } else { light };
        Color32::from_rgb(r, g, b)
    };
    UiColors {
        ann: pick([92, 164, 246], [22, 96, 180]),
        snn: pick([245, 150, 62], [190, 88, 0]),
        parts: [
            pick([104, 108, 124], [164, 168, 180]),
            pick([222, 130, 184], [150, 40, 110]),
            pick([20, 172, 128], [0, 150, 110]),
            pick([232, 194, 70], [206, 158, 12]),
            pick([130, 205, 245], [10, 70, 130]),
        ],
        error: visuals.error_fg_color,
        accent: pick([64, 150, 200], [30, 120, 180]),
        faint: visuals.widgets.noninteractive.bg_stroke.color,
        weak: visuals.weak_text_color(),
        text: visuals.text_color(),
    }
}

/// Large text and thick lines for a projector, or the usual size. The user's own zoom stays until `projector` changes.
pub fn set_projector_zoom(ctx: &Context, projector: bool) {
    let id = egui::Id::unique("projector");
    let was = ctx.data(|data| data.get_temp::<bool>(id).unwrap_or_default());
    if was != projector {
        ctx.data_mut(|data| data.insert_temp(id, projector));
        ctx.set_zoom_factor(if projector { PROJECTOR } else { 1.0 });
    }
}

/// Draws a frame around a lesson's target, below all windows and menus.
pub fn highlight(ui: &Ui, rect: egui::Rect) {
    let color = ui_colors(ui).parts[3];
    ui.painter().with_clip_rect(rect).rect_stroke(rect, 3.0, egui::Stroke::new(3.0, color), egui::StrokeKind::Inside);
}

/// Draws a ring around the widget with keyboard focus.
pub fn paint_focus_ring(ctx: &Context) {
    let focused = ctx.memory(|memory| memory.focused()).and_then(|id| ctx.read_response(id));
    let Some(response) = focused.filter(|response| response.rect.is_positive()) else { return };
    let dark = ctx.global_style().visuals.dark_mode;
    let [r, g, b] = if dark { [64, 150, 200] } else { [30, 120, 180] };
    let painter = ctx.layer_painter(response.layer_id);
    let ring = response.rect.intersect(painter.clip_rect()).expand(1.0);
    painter.rect_stroke(ring, 3.0, egui::Stroke::new(1.5, Color32::from_rgb(r, g, b)), egui::StrokeKind::Outside);
}

/// Applies the dark or the light theme.
pub fn apply_theme(ctx: &Context, dark: bool) {
    let prepared = egui::Id::unique("looks prepared");
    if !ctx.data(|data| data.get_temp::<bool>(prepared).unwrap_or_default()) {
        ctx.data_mut(|data| data.insert_temp(prepared, true));
        ctx.all_styles_mut(|style| {
            style.text_styles.insert(TextStyle::Small, FontId::proportional(11.0));
            style.visuals.weak_text_alpha = 0.75;
            // An expanding scroll bar covers no contents.
            style.spacing.scroll.floating_allocated_width = 8.0;
            // What scrolls shows it without the pointer over it.
            style.spacing.scroll.floating_width = 4.0;
            style.spacing.scroll.dormant_background_opacity = 0.25;
            style.spacing.scroll.dormant_handle_opacity = 0.6;
        });
        ctx.style_mut_of(Theme::Dark, |style| {
            style.visuals.override_text_color = None;
            style.visuals.error_fg_color = Color32::from_rgb(255, 118, 108);
            style.visuals.widgets.noninteractive.fg_stroke.color = Color32::from_gray(205);
        });
        ctx.style_mut_of(Theme::Light, |style| {
            style.visuals.widgets.noninteractive.fg_stroke.color = Color32::from_gray(40);
            style.visuals.extreme_bg_color = Color32::from_gray(232);
            style.visuals.faint_bg_color = Color32::from_gray(252);
        });
    }
    ctx.set_theme(if dark { Theme::Dark } else { Theme::Light });
}

/// Colors of plots, the same in all panes. The error colors are from Okabe and Ito's color-blind-safe set.
pub struct PlotColors {
    pub ann: Color32,
    pub snn: Color32,
    /// The threshold line.
    pub theta: Color32,
    /// The time cursor.
    pub cursor: Color32,
    pub clipping: Color32,
    pub quantization: Color32,
    /// Clipping and quantization together.
    pub total: Color32,
    pub grid: Color32,
    pub current: Color32,
    pub spike: Color32,
    /// Reference lines for comparison.
    pub ghost: Color32,
}

/// Colors of OFF and ON events: far apart in lightness, and for every kind of color vision.
pub fn event_colors(ui: &Ui) -> [Color32; 2] {
    match ui.visuals().dark_mode {
        true => [Color32::from_rgb(140, 110, 240), Color32::from_rgb(250, 220, 90)],
        false => [Color32::from_rgb(88, 52, 178), Color32::from_rgb(214, 150, 0)],
    }
}

/// Color of grid lines at their strongest, on any background: weaker than every mark.
pub const GRID: Color32 = Color32::from_gray(112);

/// The plot colors for the background of `ui`.
pub fn plot_colors(ui: &Ui) -> PlotColors {
    let visuals = ui.visuals();
    let pick = |dark: [u8; 3], light: [u8; 3]| {
        let [r, g, b] = if visuals.dark_mode { dark } else { light };
        Color32::from_rgb(r, g, b)
    };
    let snn = pick([240, 150, 50], [200, 95, 0]);
    PlotColors {
        ann: pick([86, 160, 240], [0, 100, 180]),
        snn,
        theta: pick([240, 228, 66], [150, 120, 0]),
        cursor: pick([200, 200, 200], [70, 70, 70]),
        clipping: pick([222, 130, 184], [150, 40, 110]),
        quantization: pick([20, 172, 128], [0, 150, 110]),
        total: visuals.strong_text_color(),
        grid: pick([110, 110, 110], [160, 160, 160]),
        current: pick([150, 150, 150], [100, 100, 100]),
        spike: snn,
        ghost: pick([150, 150, 150], [110, 110, 110]),
    }
}

#[cfg(test)]
mod tests;
