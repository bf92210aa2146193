//! Pareto front of the sweep pane: the best score at each cost, and a list of the rows on it.

use egui::{ScrollArea, Ui};
use egui_plot::{GridMark, Line, MarkerShape, Plot, PlotResponse, Points};

use super::view::{Cost, View};
use crate::ground::numbers::percent;
use crate::lab::Message;
use crate::sweep::board::BoardRow;
use crate::ui::texts::format::format_tick;
use crate::ui::texts::panes::sweep as texts;
use crate::ui::theme::colors::{GRID, ui_colors};
use crate::ui::widgets::{pane_parts, plot_description};

/// Costs that differ by more than this factor are on a logarithmic scale.
const LOGARITHMIC: f64 = 20.0;
/// Distance within which a click finds a point, in points of the screen.
const REACH: f32 = 14.0;
/// Least height of the plot, in points.
const MIN_HEIGHT: f32 = 130.0;

/// Draws the front.
pub fn show(ui: &mut Ui, view: &View<'_>, messages: &mut Vec<Message>) {
    let point = |row: &'_ BoardRow| Some([view.cost_of(row)?, view.value(row)?]);
    let rows: Vec<(&BoardRow, [f64; 2])> = view.rows().filter_map(|row| Some((row, point(row)?))).collect();
    if rows.is_empty() {
        ui.weak(texts::NO_COST);
        return;
    }
    let costs = || rows.iter().map(|(_, [cost, _])| *cost);
    let (least, most) = (costs().fold(f64::INFINITY, f64::min), costs().fold(f64::NEG_INFINITY, f64::max));
    let is_log = least > 0.0 && most / least > LOGARITHMIC;
    let scaled = |cost: f64| if is_log { cost.log10() } else { cost };
    let front = view.front();
    let colors = ui_colors(ui);
    let is_steps = view.cost == Cost::Steps;
    let is_share = super::view::figure_text(view.figure, 0.5).contains('%');
    let height = (ui.available_height() * 0.62).max(MIN_HEIGHT);
    let label = match view.cost {
        Cost::Steps => texts::COST_STEPS,
        Cost::SynOps => texts::COST_SYNOPS,
        Cost::Energy => texts::COST_ENERGY,
    };
    let shown = Plot::new("sweep front")
        .grid_color(GRID)
        .height(height)
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .custom_x_axes(vec![pane_parts::x_axis(label).formatter(move |mark, _| {
            let cost = if is_log { 10f64.powf(mark.value) } else { mark.value };
            if cost.abs() < 1e-3 || cost >= 1e4 {
                crate::ui::texts::format::format_si(cost)
            } else {
                format_tick((cost * 100.0).round() / 100.0)
            }
        })])
        .x_grid_spacer(move |input| {
            if is_log { log_marks(input.bounds, is_steps) } else { pane_parts::round_marks(input.bounds, 8.0) }
        })
        .y_axis_label(view.figure.to_owned())
        .y_axis_formatter(move |mark, _| if is_share { percent(mark.value, 0) } else { format_tick(mark.value) })
        .y_axis_min_width(46.0)
        .show(ui, |plot| {
            let all: Vec<[f64; 2]> = rows.iter().map(|(_, [cost, score])| [scaled(*cost), *score]).collect();
            plot.points(Points::new("rows", all).radius(2.6).color(colors.weak).allow_hover(false));
            let best: Vec<[f64; 2]> = front.iter().map(|(cost, score, _)| [scaled(*cost), *score]).collect();
            let line = Line::new("front", best.clone()).color(colors.snn).width(1.8).allow_hover(false);
            plot.line(line);
            let marks = Points::new("front", best).shape(MarkerShape::Circle).radius(4.5).color(colors.snn);
            plot.points(marks.allow_hover(false));
        });
    plot_description::describe_plot(&shown.response, texts::FRONT, || {
        let one = |(cost, score, row): &(f64, f64, &BoardRow)| {
            texts::on_front(&view.text(*score), &view.cost_text(*cost), &view.place(row))
        };
        front.iter().map(one).collect::<Vec<_>>().join("; ")
    });
    if let Some((row, [cost, score])) = under_pointer(&shown, &rows, &scaled) {
        let words = texts::point(row.number, &view.text(score), &view.cost_text(cost), &view.place(row));
        let hint = format!("{words}\n{}", texts::opens(row.number, row.is_run, 1));
        if shown.response.on_hover_text_at_pointer(hint).clicked() {
            super::view::open(row, messages);
        }
    }
    ui.small(texts::FRONT_LIST);
    ScrollArea::vertical().id_salt("front list").auto_shrink([false, true]).show(ui, |ui| {
        for (cost, score, row) in &front {
            let words = texts::on_front(&view.text(*score), &view.cost_text(*cost), &view.place(row));
            let button = ui.add(egui::Button::new(egui::RichText::new(words).small()).truncate());
            if button.on_hover_text(texts::opens(row.number, row.is_run, 1)).clicked() {
                super::view::open(row, messages);
            }
        }
    });
}

/// Marks on a logarithmic axis: powers of two for steps, else powers of ten, with 2 and 5 where there is room.
fn log_marks((low, high): (f64, f64), is_steps: bool) -> Vec<GridMark> {
    let (base, parts): (f64, &[f64]) = match (is_steps, high - low > 2.5) {
        (true, _) => (2.0, &[1.0]),
        (false, true) => (10.0, &[1.0]),
        (false, false) => (10.0, &[1.0, 2.0, 5.0]),
    };
    let power = |end: f64| (end / base.log10()).floor() as i32;
    let marks = (power(low)..=power(high)).flat_map(|k| parts.iter().map(move |part| (part * base.powi(k)).log10()));
    marks.filter(|mark| (low..=high).contains(mark)).map(|value| GridMark { value, step_size: base.log10() }).collect()
}

/// The row whose point is nearest to the pointer, within reach.
fn under_pointer<'a>(
    shown: &PlotResponse<()>,
    rows: &[(&'a BoardRow, [f64; 2])],
    scaled: &dyn Fn(f64) -> f64,
) -> Option<(&'a BoardRow, [f64; 2])> {
    let pointer = shown.response.hover_pos().or(shown.response.interact_pointer_pos())?;
    let distance = |[cost, score]: [f64; 2]| {
        let at = shown.transform.position_from_point(&egui_plot::PlotPoint::new(scaled(cost), score));
        at.distance(pointer)
    };
    let nearest = rows.iter().min_by(|a, b| distance(a.1).total_cmp(&distance(b.1)))?;
    (distance(nearest.1) <= REACH).then_some(*nearest)
}
