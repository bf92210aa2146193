//! Pictures of the scenes pane: masks blended over the sample, boxes drawn over it, errors.

use egui::{Color32, ColorImage, Painter, Pos2, Rect, Stroke, StrokeKind, TextureHandle, Ui, pos2, vec2};

use super::data::{Found, PictureView, has_match};
use crate::data::samples::targets::VOID;
use crate::task::DetectedBox;
use crate::ui::theme::colors::UiColors;
use crate::ui::widgets::heat_map;

/// Colors of the classes after the first, which is the ground; then from the start. After Okabe and Ito (2008).
const CLASSES: [[u8; 3]; 7] =
    [[230, 159, 0], [86, 180, 233], [0, 158, 115], [240, 228, 66], [204, 121, 167], [213, 94, 0], [0, 114, 178]];
/// Part of the color of a mask in a blended pixel.
const BLEND: f32 = 0.6;
/// Brightness of the sample under errors.
const DIMMED: f32 = 0.45;

/// What is drawn over the sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::ui::panes) enum Layer {
    Ann,
    Snn,
    Target,
    Errors,
    Sample,
}

impl Layer {
    /// The name of its texture.
    fn texture_name(self) -> &'static str {
        match self {
            Self::Ann => "scene-ann",
            Self::Snn => "scene-snn",
            Self::Target => "scene-target",
            Self::Errors => "scene-errors",
            Self::Sample => "scene-sample",
        }
    }
    /// Index in the maps or boxes of a view.
    fn index(self) -> Option<usize> {
        match self {
            Self::Ann => Some(0),
            Self::Snn => Some(1),
            Self::Target => Some(2),
            Self::Errors | Self::Sample => None,
        }
    }
}

/// The color of class `class` of a mask; the ground has none.
pub(in crate::ui::panes) fn class_color(class: u8) -> Option<Color32> {
    match class {
        0 => None,
        VOID => Some(Color32::from_gray(128)),
        _ => {
            let [r, g, b] = CLASSES[(usize::from(class) - 1) % CLASSES.len()];
            Some(Color32::from_rgb(r, g, b))
        }
    }
}

/// The color of boxes of class `class`.
pub(in crate::ui::panes) fn box_color(class: usize) -> Color32 {
    let [r, g, b] = CLASSES[class % CLASSES.len()];
    Color32::from_rgb(r, g, b)
}

/// The texture of the sample with the map of `layer`; boxes are drawn by [`draw_boxes`].
pub(in crate::ui::panes) fn texture(
    ui: &Ui,
    view: &PictureView,
    key: (usize, usize, usize),
    layer: Layer,
    colors: &UiColors,
) -> TextureHandle {
    let dark = ui.visuals().dark_mode;
    heat_map::texture(ui, layer.texture_name(), (key, layer, dark), || image(view, layer, colors))
}

fn image(view: &PictureView, layer: Layer, colors: &UiColors) -> ColorImage {
    let [width, height] = view.size;
    let sample = |at: usize| {
        let rgba = view.rgba.get(at * 4..at * 4 + 3).unwrap_or(&[0; 3]);
        Color32::from_rgb(rgba[0], rgba[1], rgba[2])
    };
    let Found::Masks { maps, size, .. } = &view.found else {
        let dim = if layer == Layer::Errors { DIMMED } else { 1.0 };
        return ColorImage::new(view.size, (0..width * height).map(|at| dimmed(sample(at), dim)).collect());
    };
    // Masks have the size of the samples.
    let [mask_width, mask_height] = *size;
    let class = |of: usize, at: usize| {
        let (x, y) = (at % width * mask_width / width.max(1), at / width * mask_height / height.max(1));
        maps[of].get(y * mask_width + x).copied().unwrap_or(VOID)
    };
    let pixel = |at: usize| match layer.index() {
        Some(of) => class_color(class(of, at)).map_or(sample(at), |color| blend(sample(at), color, BLEND)),
        None if layer == Layer::Errors => {
            let target = class(2, at);
            let wrong = [0, 1].map(|of| target != VOID && class(of, at) != target);
            let color = match wrong {
                [true, true] => colors.parts[1],
                [true, false] => colors.ann,
                [false, true] => colors.snn,
                [false, false] => return dimmed(sample(at), DIMMED),
            };
            blend(sample(at), color, 0.85)
        }
        None => sample(at),
    };
    ColorImage::new(view.size, (0..width * height).map(pixel).collect())
}

fn blend(under: Color32, over: Color32, part: f32) -> Color32 {
    let mix = |a: u8, b: u8| (f32::from(a) * (1.0 - part) + f32::from(b) * part).round() as u8;
    Color32::from_rgb(mix(under.r(), over.r()), mix(under.g(), over.g()), mix(under.b(), over.b()))
}

fn dimmed(color: Color32, part: f32) -> Color32 {
    // Gray, so that colors stand for errors alone.
    let gray = (f32::from(color.r()) * 0.3 + f32::from(color.g()) * 0.59 + f32::from(color.b()) * 0.11) * part;
    if part < 1.0 { Color32::from_gray(gray.round() as u8) } else { color }
}

/// Draws a texture in `rect`.
pub(in crate::ui::panes) fn draw_texture(painter: &Painter, texture: &TextureHandle, rect: Rect) {
    painter.image(texture.id(), rect, Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0)), Color32::WHITE);
}

/// Draws the boxes of `layer` over the picture in `rect`, in `color`, else in the colors of their classes.
pub(in crate::ui::panes) fn draw_boxes(
    painter: &Painter,
    rect: Rect,
    view: &PictureView,
    layer: Layer,
    color: Option<Color32>,
    width: f32,
) {
    let Found::Boxes { boxes } = &view.found else { return };
    let Some(of) = layer.index() else { return };
    boxes[of].iter().for_each(|found| draw_box(painter, rect, found, color.unwrap_or(box_color(found.class)), width));
}

/// Draws the boxes that have no partner: of the target those that are missed, of a network those that are false.
pub(super) fn draw_box_errors(painter: &Painter, rect: Rect, view: &PictureView, colors: &UiColors) {
    let Found::Boxes { boxes: [ann, snn, target] } = &view.found else { return };
    target.iter().for_each(|found| {
        let missed = [ann, snn].map(|of| !has_match(found, of));
        let color = match missed {
            [true, true] => colors.parts[1],
            [true, false] => colors.ann,
            [false, true] => colors.snn,
            [false, false] => return draw_box(painter, rect, found, colors.weak, 1.0),
        };
        draw_box(painter, rect, found, color, 3.0);
    });
    for (of, color) in [(ann, colors.ann), (snn, colors.snn)] {
        of.iter()
            .filter(|found| !has_match(found, target))
            .for_each(|found| draw_box(painter, rect, found, color, 1.5));
    }
}

fn draw_box(painter: &Painter, rect: Rect, found: &DetectedBox, color: Color32, width: f32) {
    let place = |x: f32, y: f32| rect.min + vec2(x * rect.width(), y * rect.height());
    let drawn = Rect::from_min_max(place(found.left, found.top), place(found.right, found.bottom));
    painter.rect_stroke(drawn, 1.0, Stroke::new(width, color), StrokeKind::Middle);
}
