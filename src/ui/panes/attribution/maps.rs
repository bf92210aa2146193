//! Maps of the attribution pane over their picture: a column for each method, the ANN above, the SNN below.

use egui::{Color32, ColorImage, Rect, RichText, Sense, Stroke, Ui, pos2, vec2};

use super::view::PaneView;
use crate::experiment::Run;
use crate::experiment::explained::{ShownMap, ShownPicture, Side};
use crate::explain::Method;
use crate::lab::document::attribution_desk::AttributionPage;
use crate::ui::texts::panes::attribution as texts;
use crate::ui::theme::colormap::Colormap;
use crate::ui::theme::colors::ui_colors;
use crate::ui::widgets::{heat_map, plot_description};

/// Largest and least side of a map, in points.
const MAX_SIDE: f32 = 170.0;
const MIN_SIDE: f32 = 84.0;
/// Height of the texts of a column beside its two maps, in points.
const TEXTS: f32 = 66.0;

/// Draws the picture and the maps, as many columns in a line as have room.
pub fn show(ui: &mut Ui, view: &PaneView<'_>, page: &AttributionPage, run: &Run) {
    let Some(picture) = &page.picture else { return };
    let methods = &view.lab.view.attribution.methods;
    let gap = ui.spacing().item_spacing.x;
    let columns = methods.len() + 1;
    let fits = |side: f32| ((ui.available_width() + gap) / (side + gap)).floor().max(1.0) as usize;
    let by_height = ((ui.available_height() - TEXTS) / 2.0).clamp(MIN_SIDE, MAX_SIDE);
    // Larger maps if they then still stand in one line.
    let by_width = (ui.available_width() + gap) / columns as f32 - gap;
    let side = if fits(MIN_SIDE) >= columns { by_height.min(by_width).max(MIN_SIDE) } else { MIN_SIDE };
    let in_line = fits(side);
    let mut place = 0;
    while place < columns {
        let end = (place + in_line).min(columns);
        ui.horizontal_top(|ui| {
            for column in place..end {
                ui.allocate_ui(vec2(side, 0.0), |ui| {
                    ui.vertical(|ui| {
                        ui.set_width(side);
                        ui.spacing_mut().item_spacing.y = 1.0;
                        match column.checked_sub(1).and_then(|k| methods.get(k)) {
                            None => picture_column(ui, view, picture, run, side),
                            Some(&method) => column_of(ui, view, page, picture, method, side),
                        }
                    });
                });
            }
        });
        place = end;
    }
}

/// The picture alone, with the pixels of a trigger framed.
fn picture_column(ui: &mut Ui, view: &PaneView<'_>, picture: &ShownPicture, run: &Run, side: f32) {
    let label = picture.label.map(|label| run.class_name(label));
    let trigger = view.lab.view.attribution.trojan.as_deref();
    let words = texts::picture(trigger, picture.index, picture.of, label.as_deref());
    small(ui, &words, None);
    let colors = picture.rgba.chunks_exact(4).map(|c| Color32::from_rgba_unmultiplied(c[0], c[1], c[2], c[3]));
    let make = || ColorImage::new([picture.width, picture.height], colors.collect());
    let texture = heat_map::texture(ui, "attribution-picture", &picture.rgba, make);
    let (rect, response) = heat_map::image_ui(ui, &texture, vec2(side, side));
    frame_mask(ui, rect, picture);
    plot_description::describe_plot(&response, &words, || words.clone());
}

/// The two maps of a method.
fn column_of(
    ui: &mut Ui,
    view: &PaneView<'_>,
    page: &AttributionPage,
    picture: &ShownPicture,
    method: Method,
    side: f32,
) {
    let name = texts::method(method);
    small(ui, name, None);
    let colors = ui_colors(ui);
    for (k, (who, of)) in view.sides().into_iter().enumerate() {
        let color = if k == 0 { colors.ann } else { colors.snn };
        // Until its own map is there, the nearest in time is shown, with its step.
        let shown = match page.map(of, method) {
            Some(map) => Some((of, map)),
            None if of != Side::ANN => {
                let near = page.nearest(method, view.steps).map(Side::snn);
                near.and_then(|near| Some((near, page.map(near, method)?)))
            }
            None => None,
        };
        let at = if of == Side::ANN { who.to_owned() } else { texts::at(view.steps) };
        let Some((shown_side, result)) = shown else {
            blank(ui, side, texts::WAITING);
            small(ui, &at, Some(color));
            continue;
        };
        match result.as_ref() {
            Err(reason) => blank(ui, side, reason),
            Ok(map) => overlay(ui, view, page, picture, (map, shown_side), (name, who), side),
        }
        let score = result.as_ref().as_ref().ok().map(|map| texts::score(map.scores.rank()));
        let words = match (shown_side == of, score) {
            (false, _) => texts::stale(shown_side.steps),
            (true, score) => format!("{at}  {}", score.unwrap_or_default()),
        };
        small(ui, &words, Some(color));
    }
}

/// One map over the gray picture.
fn overlay(
    ui: &mut Ui,
    view: &PaneView<'_>,
    page: &AttributionPage,
    picture: &ShownPicture,
    (map, of): (&ShownMap, Side),
    (name, who): (&str, &str),
    side: f32,
) {
    let choice = &view.lab.view.attribution;
    let colormap = Colormap::new(ui);
    // The time it took tells maps apart, and so does its place while it is kept.
    let known = (std::ptr::from_ref(map).addr(), map.seconds.to_bits(), of, page.key.sample);
    let key = (known, choice.sign, choice.opacity.to_bits(), colormap);
    let make = || {
        let largest = map.map.iter().fold(0.0f32, |most, value| most.max(value.abs()));
        let scale = if largest > 0.0 { 1.0 / largest } else { 0.0 };
        let pixel = |k: usize| {
            let [r, g, b] = [0, 1, 2].map(|c| f32::from(picture.rgba.get(4 * k + c).copied().unwrap_or(0)));
            let gray = 0.3 * r + 0.59 * g + 0.11 * b;
            let value = choice.sign.part(map.map.get(k).copied().unwrap_or(0.0) * scale);
            let color = match map.method.is_signed() {
                true => colormap.diverging(value),
                false => colormap.sequential(value),
            };
            let mix = |part: u8| {
                (gray + (f32::from(part) - gray) * choice.opacity.clamp(0.0, 1.0)).round().clamp(0.0, 255.0) as u8
            };
            Color32::from_rgb(mix(color.r()), mix(color.g()), mix(color.b()))
        };
        ColorImage::new([picture.width, picture.height], (0..picture.width * picture.height).map(pixel).collect())
    };
    let texture = heat_map::texture(ui, &format!("attribution-{name}-{who}"), key, make);
    let (rect, response) = heat_map::image_ui(ui, &texture, vec2(side, side));
    frame_mask(ui, rect, picture);
    let words = texts::map_of(name, who);
    plot_description::describe_plot(&response, &words, || words.clone());
    if let Some(at) = response.hover_pos() {
        let [x, y] = heat_map::pixel_under(rect, [picture.width, picture.height], at);
        let value = map.map.get(y * picture.width + x).copied().unwrap_or(0.0);
        response.on_hover_text(texts::hover(name, who, value, &texts::seconds(map.seconds)));
    }
}

/// A square with a text in place of a map.
fn blank(ui: &mut Ui, side: f32, text: &str) {
    let (rect, response) = ui.allocate_exact_size(vec2(side, side), Sense::hover());
    let visuals = ui.visuals();
    ui.painter().rect_filled(rect, 0.0, visuals.faint_bg_color);
    let galley = ui.painter().layout(
        text.to_owned(),
        egui::TextStyle::Small.resolve(ui.style()),
        visuals.weak_text_color(),
        side - 6.0,
    );
    // A text without room is cut at its end, not at its beginning.
    let place = (rect.center() - galley.size() / 2.0).max(rect.min + vec2(3.0, 3.0));
    ui.painter().with_clip_rect(rect).galley(place, galley, visuals.weak_text_color());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, text));
    response.on_hover_text(text);
}

/// Lines around the pixels of a trigger.
fn frame_mask(ui: &Ui, rect: Rect, picture: &ShownPicture) {
    let Some(mask) = picture.mask.as_ref().filter(|mask| mask.contains(&0.0)) else { return };
    let (width, height) = (picture.width, picture.height);
    let inside = |x: usize, y: usize| x < width && y < height && mask.get(y * width + x).is_some_and(|&m| m > 0.0);
    let cell = vec2(rect.width() / width as f32, rect.height() / height as f32);
    let at = |x: usize, y: usize| pos2(rect.left() + x as f32 * cell.x, rect.top() + y as f32 * cell.y);
    let stroke = Stroke::new(1.2, ui_colors(ui).accent);
    for (y, x) in (0..=height).flat_map(|y| (0..=width).map(move |x| (y, x))) {
        let here = inside(x, y);
        if here != (x > 0 && inside(x - 1, y)) {
            ui.painter().line_segment([at(x, y), at(x, y + 1)], stroke);
        }
        if here != (y > 0 && inside(x, y - 1)) {
            ui.painter().line_segment([at(x, y), at(x + 1, y)], stroke);
        }
    }
}

fn small(ui: &mut Ui, text: &str, color: Option<Color32>) {
    let text = RichText::new(text).small();
    let text = color.map_or_else(|| text.clone(), |color| text.clone().color(color));
    ui.add(egui::Label::new(text).truncate());
}
