//! Heat map of the sweep pane: a figure over two axes, each cell a control that opens its best row.

use egui::{
    Align2, Color32, Rect, Role, ScrollArea, Sense, Stroke, StrokeKind, TextStyle, Ui, Vec2, WidgetInfo, pos2, vec2,
};

use super::view::View;
use crate::lab::Message;
use crate::sweep::board::{BoardAxis, BoardRow};
use crate::ui::texts::panes::sweep as texts;
use crate::ui::theme::colormap::Colormap;
use crate::ui::widgets::heat_map::color_bar;

/// Smallest and largest width of a cell, and its height, in points.
const WIDTHS: std::ops::RangeInclusive<f32> = 46.0..=130.0;
const HEIGHT: f32 = 24.0;
/// Largest width of the names of the lines, in points.
const MAX_NAME_WIDTH: f32 = 170.0;
/// Letters of a column's name.
const MAX_LETTERS: usize = 18;

/// Draws the map.
pub fn show(ui: &mut Ui, view: &View<'_>, messages: &mut Vec<Message>) {
    let cells = view.cells();
    let means: Vec<Vec<Option<f64>>> =
        cells.iter().map(|line| line.iter().map(|rows| view.mean(rows)).collect()).collect();
    let known = || means.iter().flatten().flatten();
    let (low, high) =
        (known().fold(f64::INFINITY, |a, b| a.min(*b)), known().fold(f64::NEG_INFINITY, |a, b| a.max(*b)));
    if low > high {
        ui.weak(texts::NO_ROWS);
        return;
    }
    let colors = Colormap::new(ui);
    ui.horizontal_wrapped(|ui| {
        color_bar(ui, 120.0, &view.text(low), &view.text(high), |t| colors.sequential(t));
    });
    let (across, down) = (&view.board.axes[view.across], view.down.map(|down| &view.board.axes[down]));
    let font = TextStyle::Small.resolve(ui.style());
    let width_of = |text: &str| ui.painter().layout_no_wrap(text.to_owned(), font.clone(), Color32::WHITE).size().x;
    let name_width = down.map_or(0.0, |axis| {
        let widest = axis.values.iter().map(|value| width_of(&shortened(value))).fold(width_of(&axis.key), f32::max);
        (widest + 10.0).min(MAX_NAME_WIDTH)
    });
    let columns = across.values.len().max(1);
    let widest = across.values.iter().map(|value| width_of(&shortened(value)) + 8.0).fold(0.0, f32::max);
    let room = (ui.available_width() - name_width - 8.0) / columns as f32;
    let cell = vec2(room.clamp(widest.clamp(*WIDTHS.start(), *WIDTHS.end()), *WIDTHS.end()), HEIGHT);
    ScrollArea::both().id_salt("sweep map").auto_shrink([false, true]).show(ui, |ui| {
        let size = vec2(name_width + cell.x * columns as f32, 2.0 * HEIGHT + cell.y * cells.len() as f32);
        let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
        let origin = rect.min + vec2(name_width, 2.0 * HEIGHT);
        names(ui, rect, origin, cell, across, down);
        let scale = (high - low).max(f64::MIN_POSITIVE);
        for (y, line) in cells.iter().enumerate() {
            for (x, rows) in line.iter().enumerate() {
                let place = Rect::from_min_size(origin + vec2(x as f32 * cell.x, y as f32 * cell.y), cell).shrink(1.0);
                if ui.is_rect_visible(place) {
                    let at = place_text(view, x, y);
                    let value = means[y][x];
                    let color = value.map(|value| colors.sequential(((value - low) / scale) as f32));
                    one_cell(ui, view, place, &at, rows, value.zip(color), messages);
                }
            }
        }
    });
}

/// Draws the names of the columns and lines.
fn names(ui: &Ui, rect: Rect, origin: egui::Pos2, cell: Vec2, across: &BoardAxis, down: Option<&BoardAxis>) {
    let font = TextStyle::Small.resolve(ui.style());
    let (strong, weak) = (ui.visuals().text_color(), ui.visuals().weak_text_color());
    let painter = ui.painter();
    painter.text(pos2(origin.x + 4.0, rect.top() + HEIGHT / 2.0), Align2::LEFT_CENTER, &across.key, font.clone(), weak);
    for (k, value) in across.values.iter().enumerate() {
        let at = pos2(origin.x + (k as f32 + 0.5) * cell.x, rect.top() + 1.5 * HEIGHT);
        let clip = Rect::from_center_size(at, vec2(cell.x - 2.0, HEIGHT)).intersect(ui.clip_rect());
        painter.with_clip_rect(clip).text(at, Align2::CENTER_CENTER, shortened(value), font.clone(), strong);
    }
    let Some(down) = down else { return };
    painter.text(pos2(rect.left(), rect.top() + 1.5 * HEIGHT), Align2::LEFT_CENTER, &down.key, font.clone(), weak);
    for (k, value) in down.values.iter().enumerate() {
        let at = pos2(rect.left(), origin.y + (k as f32 + 0.5) * cell.y);
        let clip = Rect::from_min_max(pos2(rect.left(), at.y - cell.y), pos2(origin.x - 2.0, at.y + cell.y));
        painter.with_clip_rect(clip.intersect(ui.clip_rect())).text(
            at,
            Align2::LEFT_CENTER,
            shortened(value),
            font.clone(),
            strong,
        );
    }
}

/// Draws one cell. `value` is the mean with its color.
fn one_cell(
    ui: &Ui,
    view: &View<'_>,
    place: Rect,
    at: &str,
    rows: &[&BoardRow],
    value: Option<(f64, Color32)>,
    messages: &mut Vec<Message>,
) {
    let words = value.map(|(value, _)| view.text(value));
    let named = texts::cell(at, words.as_deref(), rows.len());
    let Some((words, (_, color))) = words.zip(value) else {
        ui.painter().rect_stroke(
            place,
            2.0,
            Stroke::new(1.0, ui.visuals().weak_text_color().gamma_multiply(0.4)),
            StrokeKind::Inside,
        );
        ui.interact(place, ui.scope_id().with(at), Sense::hover()).on_hover_text(named);
        return;
    };
    let response = ui.interact(place, ui.scope_id().with(at), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &named));
    ui.painter().rect_filled(place, 2.0, color);
    let light = 0.3 * f32::from(color.r()) + 0.6 * f32::from(color.g()) + 0.1 * f32::from(color.b());
    let ink = if light > 125.0 { Color32::BLACK } else { Color32::WHITE };
    ui.painter().text(place.center(), Align2::CENTER_CENTER, words, TextStyle::Small.resolve(ui.style()), ink);
    if response.hovered() || response.has_focus() {
        ui.painter().rect_stroke(place, 2.0, Stroke::new(2.0, ui.visuals().text_color()), StrokeKind::Outside);
    }
    let Some(best) = view.best(rows.iter().copied()) else { return };
    let hint = format!("{named}\n{}", texts::opens(best.number, best.is_run, rows.len()));
    if response.on_hover_text(hint).clicked() {
        super::view::open(best, messages);
    }
}

/// The place of a cell in words.
fn place_text(view: &View<'_>, x: usize, y: usize) -> String {
    let axes = &view.board.axes;
    let across = format!("{} = {}", axes[view.across].key, axes[view.across].values[x]);
    match view.down {
        Some(down) => format!("{} = {}, {across}", axes[down].key, axes[down].values[y]),
        None => across,
    }
}

/// A value with its end, which tells files apart, where it is long.
pub fn shortened(value: &str) -> String {
    let letters = value.chars().count();
    if letters <= MAX_LETTERS {
        return value.to_owned();
    }
    let end: String = value.chars().skip(letters - MAX_LETTERS + 1).collect();
    format!("…{end}")
}
