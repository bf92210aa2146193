//! Plots of the initial-potential pane: mean error and mean squared error over v(0)/θ.

use egui::Ui;
use egui_plot::{HLine, Line, LineStyle, MarkerShape, Plot, Points, VLine};

use super::data::{PaneData, drag};
use crate::lab::Message;
use crate::measure::InitialPotentialErrors;
use crate::measure::initial_potential::{Errors, Expected};
use crate::ui::texts::format::{format_number, format_tick};
use crate::ui::texts::neuron_panes::initial_potential as texts;
use crate::ui::theme::colors::{GRID, PlotColors};
use crate::ui::widgets::shared_axis::SharedAxis;
use crate::ui::widgets::{pane_parts, plot_description};

/// One of the two errors: its accessor and its labels.
#[derive(Clone, Copy)]
pub(super) struct ErrorCurve {
    id: &'static str,
    name: &'static str,
    axis: &'static str,
    of: fn(Errors) -> f64,
}

pub(super) const MEAN: ErrorCurve =
    ErrorCurve { id: "mean", name: texts::MEAN_PLOT, axis: texts::MEAN_ERROR, of: |errors| errors.mean };
pub(super) const SQUARE: ErrorCurve =
    ErrorCurve { id: "square", name: texts::SQUARE_PLOT, axis: texts::SQUARE_ERROR, of: |errors| errors.square };

/// Draws one error over v(0)/θ, with a line at the recipe's v(0).
pub(super) fn plot(
    ui: &mut Ui,
    data: &PaneData<'_>,
    error_curve: ErrorCurve,
    size: [f32; 2],
    axis: &SharedAxis,
    dragging: &mut bool,
    messages: &mut Vec<Message>,
) {
    let plot_colors = crate::ui::theme::colors::plot_colors(ui);
    let view = data.view;
    let plot = Plot::new(error_curve.id)
        .grid_color(GRID)
        .width(size[0])
        .height(size[1])
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .include_x(0.0)
        .include_x(1.0)
        .include_y(0.0)
        .custom_x_axes(vec![pane_parts::x_axis("p = v(0)/θ")])
        .custom_y_axes(vec![axis.hints(error_curve.axis, size[1] - pane_parts::X_AXIS_HEIGHT, format_tick)])
        .y_grid_spacer(|input| pane_parts::round_marks(input.bounds, 4.0))
        .label_formatter(|at| hover(view, error_curve, pane_parts::position(at).x))
        .show(ui, |plot| {
            plot.hline(HLine::new("zero", 0.0).name("").color(plot_colors.grid).width(1.0).allow_hover(false));
            let curve = |of: fn(&Expected) -> Errors| -> Vec<[f64; 2]> {
                view.curve.iter().map(|point| [point.p, (error_curve.of)(of(point))]).collect()
            };
            let theory = Line::new("theory", curve(|point| point.theory)).color(plot_colors.total).width(1.5);
            plot.line(theory.style(LineStyle::dashed_dense()).allow_hover(false));
            let replayed: Vec<[f64; 2]> =
                view.replayed.iter().map(|(p, errors)| [*p, (error_curve.of)(*errors)]).collect();
            plot.line(Line::new("as it came", replayed).color(plot_colors.snn).width(1.5).allow_hover(false));
            let measured = Line::new("calibration", curve(|point| point.measured)).color(plot_colors.ann).width(2.0);
            plot.line(measured.allow_hover(false));
            marks(plot, view, error_curve, &plot_colors);
            plot.vline(VLine::new("v(0)", data.p).color(plot_colors.theta).width(2.5).allow_hover(false));
        });
    axis.measure(&plot);
    plot_description::describe_plot(&plot.response, error_curve.name, || {
        let points: Vec<[f64; 2]> =
            view.curve.iter().map(|point| [point.p, (error_curve.of)(point.measured)]).collect();
        let course = plot_description::describe_curve(&points, |[p, error]| texts::at_p(&format_number(error), p));
        let run = view.run.map_or(String::new(), |run| texts::run_has(&format_number((error_curve.of)(run))));
        texts::curve(&course, data.p, &run)
    });
    drag(ui, &plot, data, dragging, messages);
}

/// Draws the minima as diamonds and the run's own error as a ring.
fn marks(
    plot: &mut egui_plot::PlotUi<'_>,
    view: &InitialPotentialErrors,
    error_curve: ErrorCurve,
    plot_colors: &PlotColors,
) {
    let diamond = |name, at, color| {
        Points::new(name, vec![at]).shape(MarkerShape::Diamond).radius(6.0).color(color).allow_hover(false)
    };
    if let Some(best) = view.best().and_then(|p| view.at(p)) {
        plot.points(diamond("least", [best.p, (error_curve.of)(best.measured)], plot_colors.ann));
    }
    if let Some(best) = view.best_replayed()
        && let Some((p, errors)) = view.replayed.iter().find(|(p, _)| *p == best)
    {
        plot.points(diamond("least-replayed", [*p, (error_curve.of)(*errors)], plot_colors.snn));
    }
    if let Some(run) = view.run {
        let point =
            Points::new("run", vec![[view.p, (error_curve.of)(run)]]).filled(false).radius(8.0).color(plot_colors.snn);
        plot.points(point.allow_hover(false));
    }
}

/// The tooltip at the pointer.
fn hover(view: &InitialPotentialErrors, error_curve: ErrorCurve, p: f64) -> Option<String> {
    let point = view.at(p)?;
    let of = |errors| format_number((error_curve.of)(errors));
    let replayed = view.replayed.iter().min_by(|a, b| (a.0 - p).abs().total_cmp(&(b.0 - p).abs()));
    let replayed = replayed.map_or_else(String::new, |(p, errors)| texts::hover_replayed(&of(*errors), *p));
    Some(texts::hover(point.p, error_curve.axis, &of(point.theory), &of(point.measured), &replayed))
}
