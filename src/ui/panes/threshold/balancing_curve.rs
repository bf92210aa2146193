//! Balancing curve: mean θ of every layer after each batch of threshold balancing, live.

use egui::Ui;
use egui_plot::{Line, Plot, PlotPoints};

use crate::lab::{Lab, Message};
use crate::ui::texts::neuron_panes::threshold as texts;
use crate::ui::theme::colors::{GRID, ui_colors};
use crate::ui::widgets::{pane_parts, plot_description};

/// The curve so far: `[batches][layers]` and the total number of batches.
pub struct BalancingCurve<'a> {
    pub history: &'a [Vec<f32>],
    pub batches: usize,
    /// Balancing is still in progress.
    pub live: bool,
}

/// The balancing in progress, or that of the run on the screen.
pub fn current(lab: &Lab) -> Option<BalancingCurve<'_>> {
    if let Some(job) = lab.job.as_ref().filter(|job| !job.balancing_history.is_empty()) {
        return Some(BalancingCurve { history: &job.balancing_history, batches: job.batches, live: true });
    }
    let balanced = lab.run.as_ref()?.balanced.as_ref()?;
    Some(BalancingCurve { history: &balanced.history, batches: balanced.history.len(), live: false })
}

/// Draws the curve; a click focuses the layer with the nearest line.
pub fn show(ui: &mut Ui, lab: &Lab, curve: &BalancingCurve<'_>, height: f32, messages: &mut Vec<Message>) {
    let colors = ui_colors(ui);
    let layers = curve.history.first().map_or(0, Vec::len);
    let focus = lab.view.layer;
    let name = |layer: usize| {
        let known = lab.run.as_ref().and_then(|run| run.spiking.layers.get(layer));
        known.map_or_else(|| texts::layer(layer), |layer| layer.name.clone())
    };
    let done = curve.history.len();
    let state = if curve.live { texts::batch(done, curve.batches) } else { texts::batches(done) };
    ui.small(texts::rising(&state));
    let top: Vec<f32> = (0..layers)
        .map(|layer| curve.history.iter().map(|batch| batch[layer]).fold(f32::MIN_POSITIVE, f32::max))
        .collect();
    let plot = Plot::new("rising thresholds")
        .grid_color(GRID)
        .height(height.max(90.0))
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .include_x(0.0)
        .include_x(curve.batches as f64)
        .include_y(0.0)
        .include_y(1.0)
        .custom_x_axes(vec![pane_parts::x_axis(texts::BATCHES)])
        .y_axis_label(texts::RISE_AXIS)
        .y_axis_min_width(46.0)
        .label_formatter(|at| {
            let batch = pane_parts::step_at(pane_parts::position(at).x, done);
            let theta = curve.history.get(batch - 1)?.get(focus)?;
            Some(texts::hover_rise(batch, &name(focus), &crate::ui::texts::format::format_number(f64::from(*theta))))
        });
    let shown = plot.show(ui, |plot| {
        for layer in (0..layers).filter(|l| *l != focus).chain((focus < layers).then_some(focus)) {
            let theta = curve.history.iter().map(|batch| f64::from(batch[layer] / top[layer]));
            let points = std::iter::once(0.0).chain(theta).enumerate().map(|(k, y)| [k as f64, y]);
            let points: PlotPoints<'_> = points.collect::<Vec<_>>().into();
            let (color, width) = if layer == focus { (colors.snn, 2.4) } else { (colors.weak, 1.0) };
            plot.line(Line::new(name(layer), points).color(color).width(width).allow_hover(false));
        }
    });
    plot_description::describe_plot(&shown.response, texts::RISING, || {
        let one = |layer: usize| {
            let theta = |batch: Option<&Vec<f32>>| batch.map_or(0.0, |batch| f64::from(batch[layer]));
            format!("{} {}", name(layer), crate::ui::texts::format::format_number(theta(curve.history.last())))
        };
        texts::risen(&state, &(0..layers).map(one).collect::<Vec<_>>().join(", "))
    });
    let at = shown.response.interact_pointer_pos().filter(|_| shown.response.clicked());
    if let Some(at) = at.map(|at| shown.transform.value_from_position(at)) {
        let batch = pane_parts::step_at(at.x, done) - 1;
        let away = |layer: &usize| (f64::from(curve.history[batch][*layer] / top[*layer]) - at.y).abs();
        if let Some(nearest) = (0..layers).min_by(|a, b| away(a).total_cmp(&away(b))) {
            messages.push(Message::FocusLayer(nearest));
        }
    }
}
