//! Legend of a plot: each name beside the line, band or marker that it stands for.

use egui::{Color32, Pos2, Rect, Sense, Shape, Stroke, StrokeKind, Ui, pos2, vec2};

use super::pane_parts::wrap_before;
use crate::ui::texts::popups::glossary;

/// Width and height of a sample, in points.
const SIZE: [f32; 2] = [18.0, 10.0];
/// Gaps of an entry: behind its sample, its name and itself, in points.
const ENTRY_GAPS: f32 = 14.0;

/// How the plot draws what an entry names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    Line,
    Dashed,
    Dotted,
    /// A shaded area.
    Band,
    Bar,
    /// An outlined bar.
    HollowBar,
    Ring,
    Dot,
    Diamond,
    /// A triangle that points down.
    Triangle,
    /// A frame around a cell.
    Frame,
}

/// Draws a legend of lines, in a row above the plot that covers no data.
pub fn lines(ui: &mut Ui, entries: &[(&str, Color32)]) {
    show(ui, &entries.iter().map(|(name, color)| (*name, *color, Mark::Line)).collect::<Vec<_>>());
}

/// Draws a legend with the mark of each entry.
pub fn show(ui: &mut Ui, entries: &[(&str, Color32, Mark)]) {
    ui.horizontal_wrapped(|ui| {
        for (name, color, mark) in entries {
            ui.spacing_mut().item_spacing.x = 4.0;
            let font = egui::TextStyle::Small.resolve(ui.style());
            let word = ui.painter().layout_no_wrap((*name).to_owned(), font, *color).size().x;
            wrap_before(ui, SIZE[0] + 4.0 + word);
            sample(ui, *color, *mark);
            let word = ui.small(*name);
            if let Some(meaning) = glossary::definition(name) {
                word.on_hover_text(meaning);
            }
            ui.add_space(6.0);
        }
    });
}

/// Whether entries of these names fit on one line.
pub fn fits(ui: &Ui, names: &[&str]) -> bool {
    let font = egui::TextStyle::Small.resolve(ui.style());
    let word = |name: &&str| ui.painter().layout_no_wrap((*name).to_owned(), font.clone(), Color32::WHITE).size().x;
    let width: f32 = names.iter().map(|name| SIZE[0] + word(name) + ENTRY_GAPS).sum();
    width - ENTRY_GAPS / 2.0 <= ui.available_width()
}

/// Draws the mark alone.
pub fn sample(ui: &mut Ui, color: Color32, mark: Mark) {
    let (rect, _) = ui.allocate_exact_size(vec2(SIZE[0], SIZE[1]), Sense::hover());
    paint(ui, rect, color, mark);
}

fn paint(ui: &Ui, rect: Rect, color: Color32, mark: Mark) {
    let (painter, c) = (ui.painter(), rect.center());
    let ends = [rect.left_center(), rect.right_center()];
    let line = Stroke::new(2.0, color);
    match mark {
        Mark::Line => _ = painter.line_segment(ends, Stroke::new(2.5, color)),
        Mark::Dashed => painter.extend(Shape::dashed_line(&ends, line, 4.0, 3.0)),
        Mark::Dotted => {
            for k in 0..4 {
                painter.circle_filled(pos2(rect.left() + 2.0 + 4.6 * k as f32, c.y), 1.2, color);
            }
        }
        Mark::Band => _ = painter.rect_filled(rect, 1.0, color),
        Mark::Bar => _ = painter.rect_filled(Rect::from_center_size(c, vec2(8.0, SIZE[1])), 0.0, color),
        Mark::HollowBar => {
            let bar = Rect::from_center_size(c, vec2(8.0, SIZE[1]));
            painter.rect_stroke(bar, 0.0, Stroke::new(1.2, color), StrokeKind::Inside);
        }
        Mark::Frame => {
            painter.rect_stroke(Rect::from_center_size(c, vec2(9.0, 9.0)), 2.0, line, StrokeKind::Inside);
        }
        Mark::Ring => _ = painter.circle_stroke(c, 3.5, Stroke::new(1.5, color)),
        Mark::Dot => _ = painter.circle_filled(c, 3.0, color),
        Mark::Diamond => {
            polygon(ui, &[c + vec2(0.0, -5.0), c + vec2(5.0, 0.0), c + vec2(0.0, 5.0), c - vec2(5.0, 0.0)], color)
        }
        Mark::Triangle => polygon(ui, &[c + vec2(-4.5, -4.0), c + vec2(4.5, -4.0), c + vec2(0.0, 4.0)], color),
    }
}

fn polygon(ui: &Ui, corners: &[Pos2], color: Color32) {
    ui.painter().add(Shape::convex_polygon(corners.to_vec(), color, Stroke::NONE));
}
