//! Table of the race: figures of every recipe, sortable, each with its difference to the current one.

use egui::text::LayoutJob;
use egui::{Button, Grid, RichText, Role, ScrollArea, Shape, Stroke, Ui, WidgetInfo, vec2};

use super::data::{LaneState, RaceLine, RaceView, agreement_words};
use super::figures::{FIRST_FIGURE, LineFigures};
use crate::lab::Message;
use crate::ui::texts::panes::race as texts;
use crate::ui::widgets::{legend, pane_frame};

/// Minimum and maximum width of the text about a lane's changes, and width of all other columns, in points.
const CHANGES_WIDTH: std::ops::RangeInclusive<f32> = 130.0..=460.0;
const OTHER_WIDTH: f32 = 700.0;

/// Draws the table; the current recipe stays on top.
pub(super) fn show(
    ui: &mut Ui,
    lines: &[RaceLine<'_>],
    t: usize,
    free: bool,
    view: &mut RaceView,
    messages: &mut Vec<Message>,
) {
    let words = agreement_words(lines);
    let columns = texts::columns(words.short, words.hint);
    let changes = (ui.available_width() - OTHER_WIDTH).clamp(*CHANGES_WIDTH.start(), *CHANGES_WIDTH.end());
    let figures: Vec<Option<LineFigures>> = lines.iter().map(|line| line.figures(t)).collect();
    let base = figures.first().cloned().flatten();
    view.pointed = None;
    ScrollArea::horizontal().id_salt("race table").show(ui, |ui| {
        let grid = Grid::new("race").striped(true).num_columns(columns.len()).min_col_width(0.0).spacing([12.0, 4.0]);
        grid.show(ui, |ui| {
            for (column, (name, hint)) in columns.into_iter().enumerate() {
                header(ui, column, name, hint, view);
            }
            ui.end_row();
            for index in order(lines, &figures, view.sorted) {
                let top = ui.cursor().top();
                let (line, own) = (&lines[index], figures[index].as_ref());
                row(ui, line, own, base.as_ref(), (free, changes), view, messages);
                let across = egui::Rangef::new(top, ui.cursor().top());
                let pointer = ui.ctx().pointer_hover_pos().filter(|at| ui.clip_rect().contains(*at));
                if pointer.is_some_and(|at| across.contains(at.y)) {
                    view.pointed = Some(line.lane);
                }
            }
        });
    });
}

/// Draws the name of a column; a click sorts by its figures.
fn header(ui: &mut Ui, column: usize, name: &str, hint: &str, view: &mut RaceView) {
    let sortable = column >= FIRST_FIGURE && !name.is_empty() && name != texts::STEPS;
    if !sortable || !pane_frame::has_controls(ui) {
        ui.small(name).on_hover_text(hint);
        return;
    }
    let now = view.sorted.filter(|(sorted, _)| *sorted == column).map(|(_, falling)| falling);
    // Room for the arrow.
    let words = if now.is_some() { format!("{name}    ") } else { name.to_owned() };
    let button = ui.add(Button::new(RichText::new(words).small()).frame(false));
    if let Some(falling) = now {
        let (tip, base) = if falling { (3.0, -3.0) } else { (-3.0, 3.0) };
        let at = button.rect.right_center() - vec2(6.0, 0.0);
        let corners = [vec2(-3.5, base), vec2(3.5, base), vec2(0.0, tip)].map(|corner| at + corner);
        ui.painter().add(Shape::convex_polygon(corners.to_vec(), ui.visuals().text_color(), Stroke::NONE));
    }
    button.widget_info(|| WidgetInfo::labeled(Role::Button, true, texts::sort_by(name)));
    if button.on_hover_text(texts::sort_hint(hint)).clicked() {
        view.sorted = match now {
            None => Some((column, true)),
            Some(true) => Some((column, false)),
            Some(false) => None,
        };
    }
}

/// Indices of the lines: the current recipe, then the lanes sorted by the chosen column. Lanes without it come last.
fn order(lines: &[RaceLine<'_>], figures: &[Option<LineFigures>], sorted: Option<(usize, bool)>) -> Vec<usize> {
    let mut order: Vec<usize> = (0..lines.len()).collect();
    let Some((column, falling)) = sorted else { return order };
    let number = |index: usize| figures[index].as_ref().and_then(|figures| figures.number(column));
    order[1..].sort_by(|&a, &b| match (number(a), number(b)) {
        (Some(a), Some(b)) if falling => b.total_cmp(&a),
        (Some(a), Some(b)) => a.total_cmp(&b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    });
    order
}

fn row(
    ui: &mut Ui,
    line: &RaceLine<'_>,
    own: Option<&LineFigures>,
    base: Option<&LineFigures>,
    (free, changes): (bool, f32),
    view: &mut RaceView,
    messages: &mut Vec<Message>,
) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        if let (Some(lane), true) = (line.lane, pane_frame::has_controls(ui)) {
            let mut drawn = view.draws(line);
            let check = ui.checkbox(&mut drawn, "").on_hover_text(texts::DRAWN_HINT);
            check.widget_info(|| WidgetInfo::selected(Role::CheckBox, true, drawn, texts::drawn(line.name)));
            if check.changed() && !view.hidden.remove(&lane) {
                view.hidden.insert(lane);
            }
        }
        legend::sample(ui, line.color, line.mark());
    });
    let whole = line.recipe.description();
    match line.lane {
        None => _ = ui.strong(line.name).on_hover_text(whole),
        Some(index) => {
            let button = ui.add_enabled(free, Button::new(line.name));
            let button = button.on_hover_text(texts::row_hint(&line.changes, &whole));
            button.widget_info(|| WidgetInfo::labeled(Role::Button, free, texts::take_over(line.name)));
            if button.clicked() {
                messages.push(Message::AdoptLane(index));
            }
        }
    }
    changes_cell(ui, &line.changes, changes);
    match (&line.state, own) {
        (LaneState::Done { .. }, Some(own)) => {
            for (k, text) in own.texts().into_iter().enumerate() {
                let difference = base.filter(|_| line.lane.is_some());
                let difference = difference.and_then(|base| own.difference(base, FIRST_FIGURE + k));
                ui.horizontal(|ui| {
                    ui.spacing_mut().item_spacing.x = 4.0;
                    ui.label(text);
                    if let Some(difference) = difference {
                        ui.label(RichText::new(difference).small().weak()).on_hover_text(texts::DIFFERENCE);
                    }
                });
            }
        }
        (LaneState::Refused(reason), _) => {
            ui.colored_label(ui.visuals().error_fg_color, texts::REFUSED).on_hover_text(*reason);
            (0..6).for_each(|_| _ = ui.label(""));
        }
        _ => {
            ui.weak(texts::WAITING);
            (0..6).for_each(|_| _ = ui.label(""));
        }
    }
    match line.lane {
        Some(index) if pane_frame::has_controls(ui) => {
            let remove = ui.small_button("×").on_hover_text(texts::REMOVE_HINT);
            remove.widget_info(|| WidgetInfo::labeled(Role::Button, true, texts::remove(line.name)));
            if remove.clicked() {
                // The indices of the lanes behind it change.
                view.hidden =
                    view.hidden.iter().filter(|k| **k != index).map(|k| k - usize::from(*k > index)).collect();
                messages.push(Message::RemoveLane(index));
            }
        }
        _ => _ = ui.label(""),
    }
    ui.end_row();
}

/// A text cell that leaves room for the figures: at most two lines of `width` points, the full text as a tooltip.
fn changes_cell(ui: &mut Ui, words: &str, width: f32) {
    let style = ui.style().clone();
    let font = egui::TextStyle::Small.resolve(&style);
    let mut job = LayoutJob::simple(words.to_owned(), font, ui.visuals().weak_text_color(), width);
    job.wrap.max_rows = 2;
    ui.add(egui::Label::new(job)).on_hover_text(words);
}

impl RaceLine<'_> {
    fn figures(&self, t: usize) -> Option<LineFigures> {
        match self.state {
            LaneState::Done { run, report } => Some(LineFigures::new(run, report, t)),
            _ => None,
        }
    }
}
