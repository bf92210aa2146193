//! Plots of the threshold pane: activation histogram with θ, and predicted error over θ.
//!
//! Both share one axis of activations.

use egui::Ui;
use egui_plot::{Bar, BarChart, Line, LineStyle, MarkerShape, Plot, PlotPoint, PlotUi, Points, Span, Text, VLine};

use super::data::{PaneData, UiState, at, drag};
use crate::convert::threshold_error::ThresholdError;
use crate::lab::Message;
use crate::ui::texts::format::{format_number, format_percent};
use crate::ui::texts::neuron_panes::threshold as texts;
use crate::ui::theme::colors::{GRID, PlotColors};
use crate::ui::widgets::shared_axis::SharedAxis;
use crate::ui::widgets::{pane_parts, plot_description};

/// Space below the logarithm of 1, so that bins with a single activation have a bar.
const LOG_FOOT: f64 = 0.3;

/// Draws the activations, with θ as a draggable line and the clipped part shaded.
pub(super) fn histogram(
    ui: &mut Ui,
    data: &PaneData<'_>,
    extent: f32,
    (height, alone): (f32, bool),
    axis: &SharedAxis,
    ui_state: &mut UiState,
    messages: &mut Vec<Message>,
) {
    let plot_colors = crate::ui::theme::colors::plot_colors(ui);
    let log = ui_state.log;
    let bars = bars(data, extent, log, &plot_colors);
    let top = bars.iter().map(|bar| bar.value + bar.base_offset.unwrap_or(0.0)).fold(0.5, f64::max) * 1.25;
    let base = if log { -LOG_FOOT } else { 0.0 };
    let view = data.view;
    let plot = axes("activations", ui, extent)
        .height(height)
        .include_y(base)
        .include_y(top)
        .show_axes([alone, true])
        .custom_x_axes(vec![pane_parts::x_axis(texts::AXIS)])
        .custom_y_axes(vec![axis.hints(
            texts::ACTIVATIONS,
            height - if alone { pane_parts::X_AXIS_HEIGHT } else { 0.0 },
            move |count| {
                if log { format_power_of_ten(count) } else { crate::ui::texts::format::format_tick(count) }
            },
        )])
        .label_formatter(|at| {
            let x = pane_parts::position(at).x;
            let bin = (x / f64::from(view.extent) * view.histogram.len() as f64).floor();
            let count = view.histogram.get(bin as usize).filter(|_| bin >= 0.0)?;
            let low = bin * f64::from(view.extent) / view.histogram.len() as f64;
            let high = low + f64::from(view.extent) / view.histogram.len() as f64;
            Some(texts::bin(*count, &format_number(low), &format_number(high)))
        })
        .show(ui, |plot| {
            plot.span(
                Span::new("", data.theta as f64..=f64::from(extent) * 2.0)
                    .fill(plot_colors.clipping.gamma_multiply(0.12))
                    .border_width(0.0),
            );
            plot.bar_chart(BarChart::new("activations", bars).color(plot_colors.ann).allow_hover(false));
            reference_lines(plot, data, &plot_colors, top, top - base);
            threshold_line(plot, data, &plot_colors);
        });
    axis.measure(&plot);
    plot_description::describe_plot(&plot.response, texts::HISTOGRAM, || {
        let all = view.histogram.iter().sum::<u64>();
        let clipped = data.cost.map_or(String::new(), |cost| texts::which_clips(&format_percent(cost.clipped)));
        let marks = view.marks.iter().map(|(name, theta)| format!("{name} {}", format_number(f64::from(*theta))));
        texts::histogram(
            all,
            &format_number(f64::from(view.extent)),
            &format_percent(view.zeros),
            &format_number(f64::from(data.theta)),
            &clipped,
            &marks.collect::<Vec<_>>().join(", "),
        )
    });
    drag(ui, &plot, data, extent, ui_state, messages);
}

/// One bar per non-empty bin; bins above θ have the color of clipping.
fn bars(data: &PaneData<'_>, extent: f32, log: bool, plot_colors: &PlotColors) -> Vec<Bar> {
    let width = f64::from(data.view.extent) / data.view.histogram.len().max(1) as f64;
    let bar = |(k, &count): (usize, &u64)| {
        let x = (k as f64 + 0.5) * width;
        let height = if log { (count as f64).log10() + LOG_FOOT } else { count as f64 };
        let color = if x > f64::from(data.theta) { plot_colors.clipping } else { plot_colors.ann };
        let bar = Bar::new(x, height).width(width).fill(color).stroke((0.0, color));
        if log { bar.base_offset(-LOG_FOOT) } else { bar }
    };
    let shown = data.view.histogram.iter().enumerate().filter(|(_, count)| **count > 0).map(bar);
    shown.filter(|bar| bar.argument <= f64::from(extent)).collect()
}

/// Formats a count as a power of ten; values between powers have no label.
pub(super) fn format_power_of_ten(exponent: f64) -> String {
    match exponent {
        e if e < 0.0 || (e - e.round()).abs() > 1e-6 => String::new(),
        e if e < 4.0 => format!("{:.0}", 10f64.powf(e)),
        e => format!("1e{e:.0}"),
    }
}

/// Draws reference thresholds as thin dashed lines, with their names one below the other.
fn reference_lines(plot: &mut PlotUi<'_>, data: &PaneData<'_>, plot_colors: &PlotColors, top: f64, span: f64) {
    for (k, (name, theta)) in data.view.marks.iter().enumerate() {
        let line = VLine::new(format!("mark {name}"), *theta).color(plot_colors.ghost).width(1.0);
        plot.vline(line.style(LineStyle::dashed_dense()).allow_hover(false).name(""));
        let right = *theta > data.view.extent * 0.8;
        let (anchor, pad) = if right { (egui::Align2::RIGHT_TOP, " ") } else { (egui::Align2::LEFT_TOP, " ") };
        let at = PlotPoint::new(*theta, top - span * 0.07 * k as f64);
        let words = format!("{pad}{name}{pad}");
        plot.text(
            Text::new(format!("name {name}"), at, words)
                .anchor(anchor)
                .color(plot_colors.total)
                .name("")
                .allow_hover(false),
        );
    }
}

fn threshold_line(plot: &mut PlotUi<'_>, data: &PaneData<'_>, plot_colors: &PlotColors) {
    plot.vline(VLine::new("threshold θ", data.theta).color(plot_colors.theta).width(2.5).allow_hover(false));
}

/// Draws the predicted error over θ, on the same axis.
pub(super) fn costs(
    ui: &mut Ui,
    data: &PaneData<'_>,
    extent: f32,
    height: f32,
    axis: &SharedAxis,
    ui_state: &mut UiState,
    messages: &mut Vec<Message>,
) {
    let plot_colors = crate::ui::theme::colors::plot_colors(ui);
    let predictions = &data.view.predictions;
    let cost_axis_max = cost_axis_max(data);
    let curve = |part: fn(&ThresholdError) -> f64| -> Vec<[f64; 2]> {
        let near = predictions.iter().filter(|p| p.theta <= extent);
        near.map(|p| [f64::from(p.theta), part(p)]).collect()
    };
    let plot = axes("costs", ui, extent)
        .height(height)
        .custom_x_axes(vec![pane_parts::x_axis(texts::AXIS)])
        .custom_y_axes(vec![axis.hints(
            texts::ERROR_AXIS,
            height - pane_parts::X_AXIS_HEIGHT,
            crate::ui::texts::format::format_tick,
        )])
        .label_formatter(|position| {
            let cost = at(predictions, pane_parts::position(position).x as f32)?;
            Some(texts::hover(
                &format_number(f64::from(cost.theta)),
                &format_number(cost.clipping),
                &format_number(cost.quantization),
                &format_number(cost.total()),
                &format_percent(cost.clipped),
            ))
        })
        .show(ui, |plot| {
            plot.set_plot_bounds_y(0.0..=cost_axis_max);
            plot.line(
                Line::new("clipping", curve(|p| p.clipping)).color(plot_colors.clipping).width(1.5).allow_hover(false),
            );
            let quantization = Line::new("quantization", curve(|p| p.quantization));
            plot.line(quantization.color(plot_colors.quantization).width(1.5).allow_hover(false));
            plot.line(
                Line::new("both", curve(ThresholdError::total)).color(plot_colors.total).width(2.0).allow_hover(false),
            );
            if let Some(best) = data.best {
                let point = vec![[f64::from(best.theta), best.total()]];
                let point = Points::new("minimum", point).shape(MarkerShape::Diamond).radius(5.0);
                plot.points(point.color(plot_colors.total).allow_hover(false));
            }
            threshold_line(plot, data, &plot_colors);
        });
    axis.measure(&plot);
    plot_description::describe_plot(&plot.response, texts::COSTS, || {
        let course = plot_description::describe_curve(&curve(ThresholdError::total), |[theta, e]| {
            texts::error_at(&format_number(e), &format_number(theta))
        });
        let best = data.best.map_or(String::new(), |best| {
            texts::least_at(&format_number(f64::from(best.theta)), &format_number(best.total()))
        });
        texts::costs(&course, &best)
    });
    drag(ui, &plot, data, extent, ui_state, messages);
}

/// Top of the error axis: the minimum region fills it, independent of the errors of very small thresholds.
fn cost_axis_max(data: &PaneData<'_>) -> f64 {
    let least = data.best.map_or(0.0, |best| best.total());
    let now = data.cost.map_or(0.0, |cost| cost.total());
    // A network with a clipping activation has no error at its own threshold. The errors near it then set the scale.
    let mut totals: Vec<f64> = data.view.predictions.iter().map(ThresholdError::total).collect();
    totals.sort_by(f64::total_cmp);
    let near = totals.get(totals.len() / 5).copied().unwrap_or(0.0);
    (6.0 * least).max(1.25 * now).max(near).max(f64::from(f32::MIN_POSITIVE))
}

/// A plot over activations, with the settings that both plots share.
fn axes<'a>(name: &str, ui: &Ui, extent: f32) -> Plot<'a> {
    Plot::new(name)
        .grid_color(GRID)
        .link_axis(ui.scope_id().with("activation axis"), [true, false])
        .allow_drag(false)
        .allow_boxed_zoom(false)
        .allow_zoom([true, false])
        .allow_scroll(false)
        .include_x(0.0)
        .include_x(extent)
        .set_margin_fraction(egui::Vec2::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithmic_axis_labels_only_powers_of_ten() {
        assert_eq!([-0.3, 0.0, 0.5, 2.0, 5.0].map(format_power_of_ten), ["", "1", "", "100", "1e5"]);
    }
}
