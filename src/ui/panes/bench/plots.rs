//! Plots of the neuron bench: draggable input arrows, and the membrane potential below them.

use egui::{CursorIcon, Ui};
use egui_plot::{HLine, Line, MarkerShape, Plot, PlotPoints, Points};

use crate::measure::neuron_bench::{BenchTrace, NeuronBench};
use crate::ui::texts::neuron_panes::bench as texts;
use crate::ui::texts::shared;
use crate::ui::theme::colors::GRID;
use crate::ui::widgets::legend::Mark;
use crate::ui::widgets::shared_axis::SharedAxis;
use crate::ui::widgets::{legend, pane_parts, plot_description};

/// Below this total height, in points, both plots share the axis of the lower one.
const SHARED_AXIS_HEIGHT: f32 = 280.0;
/// Minimum width of the vertical axes, in points.
const MIN_AXIS_WIDTH: f32 = 46.0;

/// Draws both plots over the same axis, with the step `playing` marked. Drags change `next`.
pub fn show(ui: &mut Ui, bench: &NeuronBench, outcome: &BenchTrace, playing: Option<usize>, next: &mut NeuronBench) {
    let plot_colors = crate::ui::theme::colors::plot_colors(ui);
    legend::show(
        ui,
        &[
            (texts::INPUT, plot_colors.ann, Mark::Bar),
            (texts::POTENTIAL, plot_colors.snn, Mark::Line),
            (shared::THRESHOLD, plot_colors.theta, Mark::Line),
            (texts::SPIKE, plot_colors.spike, Mark::Triangle),
        ],
    );
    let height = (ui.available_height() - 8.0).max(140.0);
    let shared = height < SHARED_AXIS_HEIGHT;
    let axis = SharedAxis::new(ui, "bench", MIN_AXIS_WIDTH);
    input(ui, bench, outcome, height * if shared { 0.36 } else { 0.4 }, !shared, &axis, next);
    membrane(ui, bench, outcome, playing, height * if shared { 0.64 } else { 0.6 }, &axis);
    axis.finish();
}

/// A plot over the steps, `height` points high with the horizontal axis, which is shown if `steps_below`.
fn plot<'a>(
    name: &'a str,
    label: &str,
    steps: usize,
    (height, steps_below): (f32, bool),
    axis: &'a SharedAxis,
) -> Plot<'a> {
    let frame = height - if steps_below { pane_parts::X_AXIS_HEIGHT } else { 0.0 };
    Plot::new(name)
        .grid_color(GRID)
        .height(height)
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .include_x(0.0)
        .include_x(steps as f64 + 0.5)
        .include_y(0.0)
        .x_grid_spacer(move |input| {
            // No mark in the margin after the last step.
            pane_parts::step_marks(input.bounds).into_iter().filter(|mark| mark.value <= steps as f64).collect()
        })
        .y_grid_spacer(move |input| pane_parts::round_marks(input.bounds, f64::from(height / 30.0).clamp(3.0, 8.0)))
        .custom_x_axes(vec![pane_parts::x_axis(shared::TIME_STEPS)])
        .custom_y_axes(vec![axis.hints(label, frame, crate::ui::texts::format::format_tick)])
}

fn input(
    ui: &mut Ui,
    bench: &NeuronBench,
    outcome: &BenchTrace,
    height: f32,
    steps_below: bool,
    axis: &SharedAxis,
    next: &mut NeuronBench,
) {
    let color = crate::ui::theme::colors::plot_colors(ui).ann;
    let steps = bench.input.len();
    let reach = outcome.current.iter().fold(bench.theta, |reach, i| reach.max(i.abs())) * 1.15;
    let id = ui.scope_id().with("arrow in hand");
    let dragged: Option<usize> = ui.data(|data| data.get_temp(id));
    let shown = plot("bench input", texts::CURRENT, steps, (height, steps_below), axis)
        .show_axes([steps_below, true])
        .include_y(-f64::from(reach))
        .include_y(f64::from(reach))
        .label_formatter(|at| {
            let t = pane_parts::step_at(pane_parts::position(at).x, steps);
            Some(texts::hover_input(t, outcome.current[t - 1]))
        })
        .show(ui, |plot| {
            for (k, &current) in outcome.current.iter().enumerate() {
                let x = (k + 1) as f64;
                let y = f64::from(current);
                let wide = if dragged == Some(k) { 4.0 } else { 2.5 };
                let shaft = Line::new("input", vec![[x, 0.0], [x, y]]).allow_band(false).color(color).width(wide);
                plot.line(shaft.allow_hover(false));
                let shape = match current {
                    0.0 => MarkerShape::Circle,
                    up if up > 0.0 => MarkerShape::Up,
                    _ => MarkerShape::Down,
                };
                let tip = Points::new("input", vec![[x, y]]).shape(shape).radius(2.0 + wide).color(color);
                plot.points(tip.allow_hover(false));
            }
            plot.hline(HLine::new("zero", 0.0).color(color.gamma_multiply(0.5)).width(1.0).allow_hover(false));
        });
    axis.measure(&shown);
    plot_description::describe_plot(&shown.response, texts::INPUTS, || {
        let arrow = |(k, current): (usize, &f32)| {
            shared::at_step(&crate::ui::texts::format::format_tick(f64::from(*current)), k + 1)
        };
        let arrows: Vec<String> = outcome.current.iter().enumerate().map(arrow).collect();
        texts::arrows(steps, &arrows.join(", "))
    });
    let response = shown.response.on_hover_cursor(CursorIcon::Grab);
    let at = response.interact_pointer_pos().map(|at| shown.transform.value_from_position(at));
    let Some(at) = at.filter(|_| response.dragged()) else {
        ui.data_mut(|data| data.remove::<usize>(id));
        return;
    };
    let under = pane_parts::step_at(at.x, steps) - 1;
    // The arrow at the press position, independent of later movement.
    let origin = ui.input(|input| input.pointer.press_origin()).map(|at| shown.transform.value_from_position(at));
    let dragged = dragged.unwrap_or_else(|| origin.map_or(under, |origin| pane_parts::step_at(origin.x, steps) - 1));
    if ui.input(|input| input.modifiers.shift) {
        if let Some(slot) = next.input.get_mut(dragged) {
            // Drags snap to a tenth of a threshold.
            let snap_step = f64::from(bench.theta) / 10.0;
            let size = if bench.weight == 0.0 { 0.0 } else { at.y / f64::from(bench.weight) };
            *slot = ((size / snap_step).round() * snap_step) as f32;
        }
        ui.data_mut(|data| data.insert_temp(id, dragged));
    } else {
        next.move_input(dragged, under);
        ui.data_mut(|data| data.insert_temp(id, under));
    }
}

fn membrane(
    ui: &mut Ui,
    bench: &NeuronBench,
    outcome: &BenchTrace,
    playing: Option<usize>,
    height: f32,
    axis: &SharedAxis,
) {
    let plot_colors = crate::ui::theme::colors::plot_colors(ui);
    let steps = bench.input.len();
    // Up to the charged potential, then straight down to the potential after reset.
    let mut path = vec![[0.0, f64::from(outcome.initial)]];
    for (k, (m, v)) in outcome.before_reset.iter().zip(&outcome.after_reset).enumerate() {
        let x = (k + 1) as f64;
        path.extend([[x, f64::from(*m)], [x, f64::from(*v)]]);
    }
    let charged: Vec<[f64; 2]> =
        outcome.before_reset.iter().enumerate().map(|(k, m)| [(k + 1) as f64, f64::from(*m)]).collect();
    let top = outcome.before_reset.iter().copied().fold(bench.theta.max(outcome.initial), f32::max);
    let low = outcome.after_reset.iter().copied().fold(0.0, f32::min);
    let above = f64::from(top + 0.14 * (top - low));
    let fired = |positive: bool| -> Vec<[f64; 2]> {
        let spikes = outcome.emitted.iter().enumerate().filter(|(_, n)| if positive { **n > 0 } else { **n < 0 });
        spikes.map(|(k, _)| [charged[k][0], above]).collect()
    };
    let shown = plot("bench membrane", texts::POTENTIAL, steps, (height, true), axis)
        .include_y(above + 0.1 * f64::from(top - low))
        .label_formatter(|at| {
            let t = pane_parts::step_at(pane_parts::position(at).x, steps);
            let (m, v, n) = (outcome.before_reset[t - 1], outcome.after_reset[t - 1], outcome.emitted[t - 1]);
            Some(texts::hover(t, m, v, n))
        })
        .show(ui, |plot| {
            if let Some(t) = playing.filter(|t| *t <= steps) {
                plot.vline(pane_parts::cursor_line(t, plot_colors.cursor));
            }
            plot.hline(HLine::new("θ", f64::from(bench.theta)).color(plot_colors.theta).width(1.5).allow_hover(false));
            plot.line(
                Line::new("potential", PlotPoints::from(path))
                    .allow_band(false)
                    .color(plot_colors.snn)
                    .width(1.8)
                    .allow_hover(false),
            );
            plot.points(
                Points::new("m", charged.clone()).radius(3.0).filled(false).color(plot_colors.snn).allow_hover(false),
            );
            for (positive, shape) in [(true, MarkerShape::Down), (false, MarkerShape::Up)] {
                let spikes = Points::new("spike", fired(positive)).shape(shape).radius(4.5).color(plot_colors.spike);
                plot.points(spikes.allow_hover(false));
            }
        });
    axis.measure(&shown);
    plot_description::describe_plot(&shown.response, texts::POTENTIAL_NAME, || {
        let sent = outcome.emitted.iter().enumerate().filter(|(_, n)| **n != 0);
        let spikes: Vec<String> = sent.map(|(k, n)| texts::sent_at(*n, k + 1)).collect();
        let spikes = if spikes.is_empty() { texts::NO_SPIKES.to_owned() } else { spikes.join(", ") };
        let course = plot_description::describe_curve(&charged, |[t, m]| {
            shared::at_step(&crate::ui::texts::format::format_number(m), t)
        });
        let [theta, start] =
            [bench.theta, outcome.initial].map(|v| crate::ui::texts::format::format_number(f64::from(v)));
        texts::potential(&start, &theta, &course, &spikes)
    });
}
