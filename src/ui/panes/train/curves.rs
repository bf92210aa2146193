//! Curves of the train pane over the epochs: the loss, and accuracy beside the density of the gradient.

use egui::{Color32, Ui};
use egui_plot::{Line, MarkerShape, Plot, Points};

use crate::ground::numbers::percent;
use crate::lab::training::{Epoch, Training};
use crate::ui::texts::panes::train as texts;
use crate::ui::theme::colors::ui_colors;
use crate::ui::widgets::legend::Mark;
use crate::ui::widgets::{legend, pane_parts, plot_description};

/// Least height of a plot, in points.
const HEIGHT: f32 = 120.0;
/// Width from which the plots stand side by side, in points.
const BESIDE: f32 = 420.0;

/// A curve: name, color, points `[epoch, value]`.
type Curve<'a> = (&'a str, Color32, Vec<[f64; 2]>);

/// Draws both plots, once something is trained.
pub fn show(ui: &mut Ui, training: Option<&Training>) {
    let Some(training) = training else { return };
    let (epochs, last) = (training.epochs.as_slice(), training.plan.epochs);
    let colors = ui_colors(ui);
    let of = |value: &dyn Fn(&Epoch) -> Option<f32>| -> Vec<[f64; 2]> {
        epochs.iter().filter_map(|epoch| Some([epoch.number as f64, f64::from(value(epoch)?)])).collect()
    };
    let loss = [(texts::LOSS, colors.parts[1], of(&|epoch| Some(epoch.loss)))];
    let shares = [
        (texts::ACCURACY, colors.weak, of(&|epoch| epoch.accuracy)),
        (texts::HELD_OUT, colors.snn, of(&|epoch| Some(epoch.held_out))),
        (texts::DENSITY, colors.accent, of(&|epoch| epoch.gradient.map(|gradient| gradient.density))),
    ];
    let beside = ui.available_width() >= BESIDE;
    let width = if beside { ui.available_width() / 2.0 - 8.0 } else { ui.available_width() };
    let height = ((ui.available_height() - 30.0) / if beside { 1.0 } else { 2.0 }).clamp(HEIGHT, 260.0);
    let one = |ui: &mut Ui, name: &str, curves: &[Curve<'_>], share: bool| {
        ui.vertical(|ui| {
            ui.set_width(width);
            plot(ui, name, curves, (height, last), share);
        });
    };
    let both = |ui: &mut Ui| {
        one(ui, texts::LOSS_PLOT, &loss, false);
        one(ui, texts::SHARES_PLOT, &shares, true);
    };
    if beside {
        ui.horizontal_top(both);
    } else {
        both(ui);
    }
}

fn plot(ui: &mut Ui, name: &str, curves: &[Curve<'_>], (height, last): (f32, usize), share: bool) {
    let entries: Vec<_> = curves.iter().map(|(name, color, _)| (*name, *color, Mark::Line)).collect();
    legend::show(ui, &entries);
    let axis = pane_parts::y_axis("").min_thickness(40.0);
    let mut plot = Plot::new(name.to_owned())
        .height(height)
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .include_x(1.0)
        .include_x(last.max(2) as f64)
        .include_y(0.0)
        .custom_x_axes(vec![pane_parts::x_axis(texts::EPOCH_AXIS)])
        .x_grid_spacer(|input| pane_parts::step_marks(input.bounds))
        .custom_y_axes(vec![if share { axis.formatter(|mark, _| percent(mark.value, 0)) } else { axis }]);
    // Without a point the axis would be that of nothing, half of it below 0.
    if share || curves.iter().all(|(_, _, points)| points.is_empty()) {
        plot = plot.include_y(1.0);
    }
    let shown = plot.show(ui, |plot| {
        for (name, color, points) in curves {
            plot.line(Line::new((*name).to_owned(), points.clone()).color(*color).width(2.0).allow_hover(false));
            let dots = Points::new((*name).to_owned(), points.clone()).shape(MarkerShape::Circle).radius(2.5);
            plot.points(dots.color(*color).allow_hover(false));
        }
    });
    plot_description::describe_plot(&shown.response, name, || {
        let say = |(name, _, points): &Curve<'_>| {
            let curve = plot_description::describe_curve(points, |[epoch, value]| texts::at_epoch(epoch, value, share));
            format!("{name}: {curve}")
        };
        curves.iter().map(say).collect::<Vec<_>>().join("; ")
    });
}
