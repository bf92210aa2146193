//! Plot of the robustness pane: accuracy of both networks over ε, under noise, attacks and Square.

use egui::Ui;
use egui_plot::{GridMark, Line, LineStyle, Plot, VLine};

use crate::experiment::attacked::{AttackView, RobustnessCurve};
use crate::ground::numbers::percent;
use crate::ui::texts::panes::robustness as texts;
use crate::ui::texts::shared;
use crate::ui::theme::colors::ui_colors;
use crate::ui::widgets::{legend, pane_parts, plot_description};

const HEIGHT: f32 = 190.0;

/// Draws the plot; ε is on a scale on which it doubles, with 0 at its left end.
pub fn show(ui: &mut Ui, curve: &RobustnessCurve, of: AttackView, has_counts: bool) {
    let colors = ui_colors(ui);
    // Of *worst* it is the attack itself.
    let has_worst = !curve.worst.is_empty() && !of.worst;
    legend::lines(ui, &[(shared::ANN, colors.ann), (shared::SNN, colors.snn)]);
    ui.small(format!("{}; {}", texts::kind(of.kind), texts::measured(curve.samples, has_worst)));
    let last = curve.eps.len().saturating_sub(1);
    let points = |values: &[f64]| values.iter().enumerate().map(|(k, v)| [k as f64, *v]).collect::<Vec<[f64; 2]>>();
    let all = curve.eps.clone();
    let radius = move |k: f64| all.get(k.round().max(0.0) as usize).copied().unwrap_or(0.0);
    let mark = radius.clone();
    let axis = if has_counts { texts::CURVE_AXIS_COUNTS } else { texts::CURVE_AXIS };
    let shown = Plot::new(texts::CURVE)
        .height(HEIGHT)
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .include_x(0.0)
        .include_x(last as f64)
        .include_y(0.0)
        .include_y(1.0)
        .custom_x_axes(vec![pane_parts::x_axis(axis).formatter(move |at, _| texts::radius(mark(at.value), has_counts))])
        .x_grid_spacer(move |_| (0..=last).map(|k| GridMark { value: k as f64, step_size: 1.0 }).collect())
        .y_axis_label(texts::ACCURACY)
        .y_axis_formatter(|mark, _| percent(mark.value, 0))
        .y_axis_min_width(46.0)
        .show(ui, |plot| {
            for (network, color) in [(0, colors.ann), (1, colors.snn)] {
                let line = |name: &str, values: &[f64], width: f32| {
                    Line::new(name.to_owned(), points(values)).color(color).width(width).allow_hover(false)
                };
                plot.line(line("noise", &curve.noise[network], 1.0));
                plot.line(line("attack", &curve.attack[network], 2.4));
                plot.line(line("square", &curve.square[network], 1.6).style(LineStyle::dotted_dense()));
            }
            if has_worst {
                let worst = Line::new("worst", points(&curve.worst)).color(colors.snn).width(1.6);
                plot.line(worst.style(LineStyle::dashed_loose()).allow_hover(false));
            }
            // The scale is logarithmic from the first radius on.
            let first = curve.eps.get(1).copied().unwrap_or(1.0);
            let at = f64::from(of.eps / first);
            let place = if at < 0.5 { 0.0 } else { (at.log2() + 1.0).clamp(0.0, last as f64) };
            plot.vline(VLine::new("ε", place).color(colors.weak).width(1.0).allow_hover(false));
        });
    plot_description::describe_plot(&shown.response, texts::CURVE, || {
        let one = |who: &str, values: &[f64]| {
            plot_description::describe_curve(&points(values), |[k, v]| texts::at_eps(radius(k), has_counts, who, v))
        };
        format!("{} {}", one(shared::ANN, &curve.attack[0]), one(shared::SNN, &curve.attack[1]))
    });
}
