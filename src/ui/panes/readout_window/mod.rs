//! Readout window pane: accuracy by first and last time step of the readout, and early exit.

mod early_exit;

use egui::{Align2, Color32, ColorImage, FontId, Pos2, Rect, ScrollArea, Sense, Stroke, StrokeKind, Ui, pos2, vec2};

use crate::experiment::Snapshot;
use crate::lab::{Lab, Message};
use crate::measure::readout::{EarlyExit, ReadoutReport, ReadoutWindows};
use crate::ui::texts::format::format_percent;
use crate::ui::texts::panes::readout_window as texts;
use crate::ui::texts::{output_agreement, shared};
use crate::ui::theme::colormap::Colormap;
use crate::ui::theme::colors::ui_colors;
use crate::ui::types::pane::Pane;
use crate::ui::widgets::heat_map::{color_bar, pixel_under, texture};
use crate::ui::widgets::legend::Mark;
use crate::ui::widgets::pane_parts::PaneHeader;
use crate::ui::widgets::{legend, pane_parts, plot_description};

/// Minimum width for the early exit beside the matrix, in points.
const BESIDE_WIDTH: f32 = 450.0;
/// Minimum width for the legend on one line, in points.
const LEGEND_WIDTH: f32 = 350.0;
/// Space for the numbers left of the matrix and below it, in points.
const MARGIN: [f32; 2] = [44.0, 34.0];

/// Draws the pane.
pub fn show(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    let Some(snapshot) = &lab.snapshot else {
        return pane_parts::empty(ui, shared::no_run(lab.run.is_some(), lab.job.is_some(), texts::EMPTY));
    };
    if snapshot.run.output_agreement.is_some() {
        return pane_parts::empty(ui, output_agreement::NO_CLASSES);
    }
    let Some(readout) = &snapshot.figures.readout else { return pane_parts::loading(ui) };
    let confidence = lab.view.exit_confidence;
    let exit = readout.exits.at(confidence);
    let page = PaneHeader {
        of: Pane::ReadoutWindow,
        title: texts::TITLE,
        explanation: explain(readout, &exit, confidence),
        description: describe(readout, &exit, confidence),
    };
    pane_parts::pane_ui(
        ui,
        &page,
        || csv(readout, &exit),
        |ui| {
            let room = ui.available_size();
            if room.x >= BESIDE_WIDTH {
                let width = (room.x * 0.5).min(room.y + 20.0).max(210.0);
                ui.horizontal_top(|ui| {
                    ui.allocate_ui(vec2(width, room.y), |ui| ui.vertical(|ui| matrix(ui, snapshot, readout, room.y)));
                    ui.add_space(10.0);
                    ui.vertical(|ui| early_exit::show(ui, readout, &exit, confidence, room.y, messages));
                });
            } else {
                ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                    matrix(ui, snapshot, readout, (room.y * 0.9).clamp(230.0, 460.0));
                    ui.add_space(8.0);
                    early_exit::show(ui, readout, &exit, confidence, 260.0, messages);
                });
            }
        },
    );
}

/// The quantity of the matrix: accuracy, or agreement with the ANN.
fn measured(readout: &ReadoutReport) -> &'static str {
    if readout.labeled { texts::ACCURACY } else { texts::AGREEMENT }
}

/// Draws the matrix with its marks and its color bar, in `height` points.
fn matrix(ui: &mut Ui, snapshot: &Snapshot, readout: &ReadoutReport, height: f32) {
    let matrix = &readout.start_by_end;
    let (colors, plot_colors) = (ui_colors(ui), crate::ui::theme::colors::plot_colors(ui));
    let (low, high) = range(matrix);
    let top = ui.cursor().top();
    let (estimate, best) = (readout.delay.start, matrix.best_at_end());
    let marks = [
        (texts::estimated(estimate, &share(readout.delay_accuracy)), colors.ann),
        (best.map_or(String::new(), |(at, value)| texts::best_at_end(at, &share(value))), colors.snn),
    ];
    let entries: Vec<_> = marks.iter().map(|(text, color)| (text.as_str(), *color, Mark::Frame)).collect();
    // One line per entry if both do not fit on one.
    entries
        .chunks(if ui.available_width() < LEGEND_WIDTH { 1 } else { 2 })
        .for_each(|entries| legend::show(ui, entries));
    let colormap = Colormap::new(ui);
    ui.horizontal(|ui| {
        ui.small(measured(readout));
        color_bar(ui, 90.0, &share(low), &share(high), |t| colormap.sequential(t));
    });
    let room = height - (ui.cursor().top() - top) - MARGIN[1] - 4.0;
    let side = room.min(ui.available_width() - MARGIN[0] - 8.0).max(90.0);
    let (whole, response) = ui.allocate_exact_size(vec2(side + MARGIN[0] + 8.0, side + MARGIN[1]), Sense::hover());
    let rect = Rect::from_min_size(whole.min + vec2(MARGIN[0], 2.0), vec2(side, side));
    let n = matrix.bounds.len().saturating_sub(1).max(1);
    let image = || {
        let mut image = ColorImage::filled([n, n], Color32::TRANSPARENT);
        for (end, start) in (1..=n).flat_map(|end| (0..end).map(move |start| (end, start))) {
            if let Some(value) = matrix.get(start, end) {
                // The longest runs are at the top.
                image.pixels[(n - end) * n + start] = colormap.sequential((value - low) / (high - low));
            }
        }
        image
    };
    let handle = texture(ui, "start by end", (snapshot.id, colormap), image);
    let painter = ui.painter();
    painter.image(handle.id(), rect, Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0)), Color32::WHITE);
    painter.rect_stroke(rect, 0.0, Stroke::new(1.0, colors.faint), StrokeKind::Outside);
    let unit = side / n as f32;
    let cell = |start: usize, end: usize| {
        Rect::from_min_size(rect.min + vec2(start as f32, (n - end) as f32) * unit, vec2(unit, unit))
    };
    plot_description::describe_plot(&response, texts::MAP, || {
        let best = best.map_or(String::new(), |(at, value)| texts::best_from(at, &share(value)));
        let plain = matrix.get(0, n).unwrap_or(0.0);
        texts::map(
            measured(readout),
            &share(low),
            &share(high),
            &share(plain),
            &share(readout.delay_accuracy),
            estimate,
            &best,
        )
    });
    axes(ui, matrix, rect, unit);
    let column = |start: usize| matrix.bounds[..n].partition_point(|&bound| bound <= start).saturating_sub(1);
    let at_end = [(Some(estimate), colors.ann, 1.5), (best.map(|best| best.0), colors.snn, 3.5)];
    for (start, color, room) in at_end {
        let Some(start) = start else { continue };
        let place = cell(column(start), n).expand(room);
        ui.painter().rect_stroke(place, 2.0, Stroke::new(4.0, ui.visuals().panel_fill), StrokeKind::Middle);
        ui.painter().rect_stroke(place, 2.0, Stroke::new(2.0, color), StrokeKind::Middle);
    }
    // The run up to the time cursor is the row of its last step.
    let end = matrix.bounds.partition_point(|&bound| bound < snapshot.focus.steps).clamp(1, n);
    if end < n {
        let row = cell(0, end).union(cell(end - 1, end));
        ui.painter().rect_stroke(row.expand(1.0), 0.0, Stroke::new(1.0, plot_colors.cursor), StrokeKind::Outside);
    }
    if let Some(at) = response.hover_pos().filter(|at| rect.contains(*at)) {
        let [x, y] = pixel_under(rect, [n, n], at);
        if let Some(value) = matrix.get(x, n - y) {
            let (start, end) = (matrix.bounds[x], matrix.bounds[n - y]);
            let steps = end - start;
            response.on_hover_text_at_pointer(texts::hover(
                start + 1,
                end,
                steps,
                matrix.steps,
                measured(readout),
                &share(value),
            ));
        } else {
            response.on_hover_text_at_pointer(texts::BEFORE_END);
        }
    }
}

/// Draws numbers and labels beside the matrix.
fn axes(ui: &Ui, matrix: &ReadoutWindows, rect: Rect, unit: f32) {
    let (painter, weak, font) = (ui.painter(), ui_colors(ui).weak, FontId::proportional(10.5));
    let n = matrix.bounds.len() - 1;
    let every = n.div_ceil(((rect.width() / 30.0) as usize).max(1)).max(1);
    for k in (0..n).filter(|k| k % every == 0) {
        let x = rect.left() + (k as f32 + 0.5) * unit;
        painter.text(
            pos2(x, rect.bottom() + 2.0),
            Align2::CENTER_TOP,
            matrix.bounds[k].to_string(),
            font.clone(),
            weak,
        );
    }
    // Counted from the top, so that T always has its number.
    for end in (1..=n).filter(|end| (n - end).is_multiple_of(every)) {
        let y = rect.top() + ((n - end) as f32 + 0.5) * unit;
        painter.text(
            pos2(rect.left() - 7.0, y),
            Align2::RIGHT_CENTER,
            matrix.bounds[end].to_string(),
            font.clone(),
            weak,
        );
    }
    let below = pos2(rect.center().x, rect.bottom() + 16.0);
    painter.text(below, Align2::CENTER_TOP, texts::START_AXIS, font.clone(), weak);
    let galley = painter.layout_no_wrap(texts::END_AXIS.into(), font, weak);
    let at = pos2(rect.left() - MARGIN[0] + 2.0, rect.center().y + galley.size().x / 2.0);
    painter.add(egui::epaint::TextShape::new(at, galley, weak).with_angle(-std::f32::consts::FRAC_PI_2));
}

/// The accuracies at the ends of the color bar, never equal.
fn range(matrix: &ReadoutWindows) -> (f32, f32) {
    let low = matrix.accuracy.iter().copied().fold(1.0, f32::min);
    let high = matrix.accuracy.iter().copied().fold(0.0, f32::max);
    if high - low >= 0.01 { (low, high) } else { ((high - 0.01).max(0.0), high.max(0.01)) }
}

fn share(value: f32) -> String {
    format_percent(f64::from(value))
}

fn explain(readout: &ReadoutReport, exit: &EarlyExit, confidence: f32) -> String {
    let (matrix, delay) = (&readout.start_by_end, &readout.delay);
    let ends = matrix.bounds.len().saturating_sub(1);
    let plain = matrix.get(0, ends).unwrap_or(0.0);
    let best = matrix.best_at_end().map_or(String::new(), |(start, value)| texts::best_start(start, &share(value)));
    let estimate = if delay.start == delay.estimate {
        format!("{}", delay.estimate)
    } else {
        texts::taken_back(delay.estimate, delay.start)
    };
    let starts = texts::starts(matrix.steps, &share(plain), &estimate, &share(readout.delay_accuracy), &best);
    let early = texts::early(confidence, exit.mean_steps, &format_percent(exit.accuracy.unwrap_or(exit.agreement)));
    [texts::cells(measured(readout)), starts, early].join(" ")
}

fn describe(readout: &ReadoutReport, exit: &EarlyExit, confidence: f32) -> String {
    texts::description(measured(readout), readout.start_by_end.steps, &explain(readout, exit, confidence))
}

fn csv(readout: &ReadoutReport, exit: &EarlyExit) -> String {
    let matrix = &readout.start_by_end;
    let name = if readout.labeled { "accuracy" } else { "agreement" };
    let mut text = format!("start,end,{name}\n");
    for (e, end) in matrix.bounds.iter().enumerate() {
        for (s, start) in matrix.bounds[..e].iter().enumerate() {
            text += &format!("{start},{end},{}\n", matrix.get(s, e).unwrap_or(0.0));
        }
    }
    text += "\nexit_step,samples\n";
    for (i, samples) in exit.histogram.iter().enumerate() {
        text += &format!("{},{samples}\n", i + 1);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn color_bar_ends_are_never_equal() {
        let matrix = |accuracy: &[f32]| ReadoutWindows { steps: 2, bounds: vec![0, 1, 2], accuracy: accuracy.to_vec() };
        assert_eq!(range(&matrix(&[0.2, 0.5, 0.9])), (0.2, 0.9));
        for flat in [0.0, 0.5, 1.0] {
            let (low, high) = range(&matrix(&[flat; 3]));
            assert!(low < high && (0.0..=1.0).contains(&low));
        }
    }
}
