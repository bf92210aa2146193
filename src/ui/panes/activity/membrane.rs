//! Membrane pane: potential of single neurons over time, with charge, threshold, spike and reset.
//!
//! It shows the neuron in focus and the pinned neurons.

use egui::Ui;
use egui_plot::{Bar, BarChart, HLine, HoverPosition, Line, MarkerShape, Plot, Points};

use crate::convert::{SpikingLayer, expected_spikes_of};
use crate::experiment::{Run, Snapshot};
use crate::lab::{Lab, Message};
use crate::measure::NeuronRef;
use crate::simulate::membrane_trace::MembraneTrace;
use crate::ui::texts::format::{format_number, format_tick};
use crate::ui::texts::neuron_panes::membrane as texts;
use crate::ui::texts::shared;
use crate::ui::theme::colors::{GRID, PlotColors};
use crate::ui::types::pane::Pane;
use crate::ui::widgets::decimate::decimate;
use crate::ui::widgets::legend::Mark;
use crate::ui::widgets::pane_parts::{PaneHeader, neuron_name};
use crate::ui::widgets::shared_axis::SharedAxis;
use crate::ui::widgets::{legend, pane_frame, pane_parts, plot_description};

/// Minimum height of a membrane plot, in points, and of the only one.
const MIN_HEIGHT: f32 = 70.0;
const MIN_HEIGHT_ALONE: f32 = 56.0;
/// Height of the input current plot below it, in points.
const CURRENT_HEIGHT: f32 = 74.0;
/// Maximum number of steps for which every point of the membrane has a marker.
const MARKED_STEPS: usize = 64;
/// Minimum width of the vertical axes, in points.
const MIN_AXIS_WIDTH: f32 = 46.0;

/// One neuron of the pane.
struct TraceRow<'a> {
    at: NeuronRef,
    layer: &'a SpikingLayer,
    trace: &'a MembraneTrace,
    pinned: bool,
    /// Expected spikes at the end: from the ANN's pre-activation, and from the neuron's own mean input.
    expected: [u32; 2],
}

/// Draws the pane.
pub fn show(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    let Some(snapshot) = &lab.snapshot else {
        return pane_parts::empty(ui, shared::no_run(lab.run.is_some(), lab.job.is_some(), texts::EMPTY));
    };
    let rows = trace_rows(snapshot, &lab.view.pinned);
    let Some(focused) = rows.first() else { return };
    let run = &snapshot.run;
    let cursor = lab.cursor().min(run.steps());
    let page = PaneHeader {
        of: Pane::Membrane,
        title: texts::TITLE,
        explanation: explanation(run, focused),
        description: format!("{} {}", explanation(run, focused), sentence(focused, cursor)),
    };
    pane_parts::pane_ui(
        ui,
        &page,
        || csv(&snapshot.run, &rows),
        |ui| {
            legend_row(ui, run.steps());
            let gap = ui.spacing().item_spacing.y;
            let each = ui.available_height() / rows.len() as f32 - gap;
            let axis = SharedAxis::new(ui, "membrane", MIN_AXIS_WIDTH);
            let plots_shown = egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                for row in &rows {
                    ui.push_id(row.at, |ui| {
                        let top = ui.cursor().top();
                        row_header(ui, run, row, cursor, messages);
                        let left = each - (ui.cursor().top() - top) - CURRENT_HEIGHT - gap;
                        let least = if rows.len() == 1 { MIN_HEIGHT_ALONE } else { MIN_HEIGHT };
                        plots(ui, row, cursor, left.max(least), &axis, messages);
                    });
                }
            });
            pane_frame::remember_cut(ui, &plots_shown);
            axis.finish();
        },
    );
}

/// The neuron in focus, then the other pinned neurons.
fn trace_rows<'a>(snapshot: &'a Snapshot, pinned: &[NeuronRef]) -> Vec<TraceRow<'a>> {
    let run = &snapshot.run;
    let focus = &snapshot.focus;
    let here = NeuronRef { layer: focus.layer, sample: focus.sample, neuron: focus.neuron };
    let others = snapshot.pinned.iter().filter(|(pin, _)| *pin != here && pinned.contains(pin));
    let all = std::iter::once((here, &snapshot.trace)).chain(others.map(|(at, trace)| (*at, trace)));
    let row = |(at, trace): (NeuronRef, &'a MembraneTrace)| {
        let layer = run.spiking.layers.get(at.layer)?;
        let index = at.sample * layer.neurons() + at.neuron;
        let z = *run.ann.pre_activations.get(at.layer)?.get(index)?;
        // A run restored from the history without its final state has no mean inputs.
        let recorded = run.recording.layers.get(at.layer)?.mean_input_of(layer, at.sample, at.neuron);
        let own = recorded.unwrap_or_else(|| trace.current.iter().sum::<f32>() / run.steps() as f32);
        let expected = [z, own].map(|input| expected_spikes_of(layer, at.neuron, input, run.steps()));
        Some(TraceRow { at, layer, trace, pinned: pinned.contains(&at), expected })
    };
    all.filter_map(row).collect()
}

impl TraceRow<'_> {
    /// Net output of the first `steps` steps, in multiples of the amplitude.
    fn count(&self, steps: usize) -> usize {
        self.trace.fired.iter().take(steps).sum::<i32>().max(0) as usize
    }
    fn last_potential(&self) -> f32 {
        self.trace.after_reset.last().copied().unwrap_or(self.trace.initial)
    }
}

/// Draws the legend.
fn legend_row(ui: &mut Ui, steps: usize) {
    let plot_colors = crate::ui::theme::colors::plot_colors(ui);
    let mut entries = vec![(texts::PATH, plot_colors.snn, Mark::Line)];
    if steps <= MARKED_STEPS {
        entries.push((texts::BEFORE_RESET, plot_colors.snn, Mark::Ring));
        entries.push((texts::AFTER_RESET, plot_colors.snn, Mark::Dot));
    }
    entries.extend([
        (texts::SPIKE, plot_colors.spike, Mark::Triangle),
        (shared::THRESHOLD, plot_colors.theta, Mark::Line),
        (texts::INPUT, plot_colors.current, Mark::Bar),
    ]);
    legend::show(ui, &entries);
}

/// Draws name, counts and the pin button.
fn row_header(ui: &mut Ui, run: &Run, row: &TraceRow<'_>, cursor: usize, messages: &mut Vec<Message>) {
    ui.horizontal_wrapped(|ui| {
        ui.strong(neuron_name(row.layer, row.at.neuron));
        ui.weak(texts::sample(run.sample_index(row.at.sample)));
        let (word, message, hint) = match row.pinned {
            true => (texts::UNPIN, Message::Unpin(row.at), texts::UNPIN_HINT),
            false => (texts::PIN, Message::Pin(row.at), texts::PIN_HINT),
        };
        if pane_frame::has_controls(ui) && ui.small_button(word).on_hover_text(hint).clicked() {
            messages.push(message);
        }
    });
    if pane_frame::has_sentences(ui) {
        ui.add(egui::Label::new(sentence(row, cursor)).wrap());
    }
}

/// The counts as a sentence.
fn sentence(row: &TraceRow<'_>, cursor: usize) -> String {
    let steps = row.trace.spikes.len();
    let until = if cursor < steps { texts::until(row.count(cursor), cursor) } else { String::new() };
    let silenced = if row.trace.silenced { texts::SILENCED } else { "" };
    texts::counts(
        silenced,
        &until,
        row.count(steps),
        steps,
        row.expected,
        &format_number(f64::from(row.last_potential())),
    )
}

/// Draws membrane and input current of one neuron over the same axis.
fn plots(ui: &mut Ui, row: &TraceRow<'_>, cursor: usize, height: f32, axis: &SharedAxis, messages: &mut Vec<Message>) {
    let plot_colors = crate::ui::theme::colors::plot_colors(ui);
    let steps = row.trace.spikes.len();
    let link = ui.scope_id().with("steps");
    let base = |id: &str| {
        Plot::new(id)
            .grid_color(GRID)
            .link_axis(link, [true, false])
            .allow_drag(false)
            .allow_boxed_zoom(false)
            .include_x(0.0)
            .include_x(steps as f64 + 0.5)
            .x_grid_spacer(|input| pane_parts::step_marks(input.bounds))
    };
    let hover = |at: &HoverPosition<'_>| Some(describe_step(row, hovered(at)));
    let membrane = base("membrane")
        .height(height)
        .custom_y_axes(vec![axis.hints(texts::POTENTIAL, height, format_tick)])
        .y_grid_spacer(move |input| pane_parts::round_marks(input.bounds, f64::from(height / 30.0).clamp(3.0, 8.0)))
        .label_formatter(hover)
        .show_axes([false, true])
        .show(ui, |plot| {
            let bounds = plot.plot_bounds();
            let columns = pane_parts::columns(plot);
            let cut = |points: &[[f64; 2]]| decimate(points, bounds.min()[0], bounds.max()[0], columns);
            draw_membrane(plot, row, &plot_colors, steps <= MARKED_STEPS, cut);
            plot.vline(pane_parts::cursor_line(cursor, plot_colors.cursor));
        });
    axis.measure(&membrane);
    let name = neuron_name(row.layer, row.at.neuron);
    plot_description::describe_plot(&membrane.response, &texts::potential_of(&name), || {
        let course = plot_description::describe_curve(&potentials_after_reset(row.trace), |[t, v]| {
            shared::at_step(&format_number(v), t)
        });
        let fired = row.trace.spikes.iter().enumerate().filter(|(_, spike)| **spike);
        let fired: Vec<String> = fired.map(|(t, _)| (t + 1).to_string()).collect();
        let fired = if fired.is_empty() { texts::NEVER.into() } else { texts::fired_at(&fired.join(", ")) };
        texts::potential(&course, &format_number(f64::from(row.trace.theta)), &fired)
    });
    pane_parts::drag_cursor(&membrane, cursor, steps, true, messages);
    let current = base("current")
        .height(CURRENT_HEIGHT)
        .custom_y_axes(vec![axis.hints("I(t)", CURRENT_HEIGHT - pane_parts::X_AXIS_HEIGHT, format_tick)])
        .y_grid_spacer(|input| pane_parts::round_marks(input.bounds, 3.0))
        .custom_x_axes(vec![pane_parts::x_axis(shared::TIME_STEP)])
        .include_y(1.25 * f64::from(row.trace.current.iter().copied().fold(0.0, f32::max)))
        .label_formatter(hover)
        .show(ui, |plot| {
            let bounds = plot.plot_bounds();
            let columns = pane_parts::columns(plot);
            let points: Vec<[f64; 2]> = series(1, &row.trace.current);
            plot.hline(HLine::new("zero", 0.0).color(plot_colors.cursor).width(1.0).allow_hover(false));
            if steps <= MARKED_STEPS {
                let bar = |&[t, current]: &[f64; 2]| Bar::new(t, current).width(0.12).fill(plot_colors.current);
                let bars = BarChart::new("input current I(t)", points.iter().map(bar).collect());
                plot.bar_chart(bars.color(plot_colors.current).allow_hover(false));
            } else {
                let shown = decimate(&points, bounds.min()[0], bounds.max()[0], columns);
                plot.points(Points::new("input current I(t)", shown).stems(0.0).radius(1.0).color(plot_colors.current));
            }
            plot.vline(pane_parts::cursor_line(cursor, plot_colors.cursor));
        });
    axis.measure(&current);
    plot_description::describe_plot(&current.response, &texts::current_of(&name), || {
        let course = plot_description::describe_curve(&series(1, &row.trace.current), |[t, i]| {
            shared::at_step(&format_number(i), t)
        });
        let sum: f32 = row.trace.current.iter().sum();
        texts::current(&course, &format_number(f64::from(sum) / steps.max(1) as f64))
    });
    pane_parts::drag_cursor(&current, cursor, steps, true, messages);
}

/// Draws the line from reset to charge to reset, the threshold, and the spikes above it.
fn draw_membrane(
    plot: &mut egui_plot::PlotUi<'_>,
    row: &TraceRow<'_>,
    plot_colors: &PlotColors,
    marked: bool,
    cut: impl Fn(&[[f64; 2]]) -> Vec<[f64; 2]>,
) {
    let trace = row.trace;
    plot.hline(HLine::new("zero", 0.0).color(plot_colors.grid).width(1.0).allow_hover(false));
    plot.line(
        Line::new("membrane v(t)", cut(&potential_line(trace)))
            .allow_band(false)
            .color(plot_colors.snn)
            .width(1.5)
            .allow_hover(false),
    );
    if trace.theta > 0.0 {
        let name = texts::threshold(&format_number(f64::from(trace.theta)));
        plot.hline(
            HLine::new("threshold", trace.theta).name(name).color(plot_colors.theta).width(1.5).allow_hover(false),
        );
    }
    if marked {
        let before = Points::new("m(t) before reset", series(1, &trace.before_reset));
        plot.points(before.color(plot_colors.snn).radius(2.5).filled(false));
        let after = Points::new("v(t) after reset", potentials_after_reset(trace));
        plot.points(after.color(plot_colors.snn).radius(2.5));
    }
    let top = trace.before_reset.iter().copied().fold(trace.theta.max(trace.initial), f32::max);
    let low = trace.after_reset.iter().copied().fold(0.0, f32::min);
    let above = f64::from(top + 0.12 * (top - low).max(f32::MIN_POSITIVE));
    let fired = trace.spikes.iter().enumerate().filter(|(_, spike)| **spike);
    let fired: Vec<[f64; 2]> = fired.map(|(t, _)| [t as f64 + 1.0, above]).collect();
    plot.points(
        Points::new("spike", cut(&fired))
            .shape(MarkerShape::Down)
            .radius(4.0)
            .color(plot_colors.spike)
            .allow_hover(false),
    );
}

/// `values` at steps `first`, `first + 1`, …
fn series(first: usize, values: &[f32]) -> Vec<[f64; 2]> {
    values.iter().enumerate().map(|(k, &value)| [(first + k) as f64, f64::from(value)]).collect()
}

/// v(0), v(1), … v(T).
fn potentials_after_reset(trace: &MembraneTrace) -> Vec<[f64; 2]> {
    let mut potentials_after_reset = vec![[0.0, f64::from(trace.initial)]];
    potentials_after_reset.extend(series(1, &trace.after_reset));
    potentials_after_reset
}

/// The potential as a line: charged over each step to m(t), then reset to v(t) within the same step.
fn potential_line(trace: &MembraneTrace) -> Vec<[f64; 2]> {
    let mut path = vec![[0.0, f64::from(trace.initial)]];
    for (t, (&before, &after)) in trace.before_reset.iter().zip(&trace.after_reset).enumerate() {
        let t = t as f64 + 1.0;
        path.push([t, f64::from(before)]);
        if after != before {
            path.push([t, f64::from(after)]);
        }
    }
    path
}

fn hovered(at: &HoverPosition<'_>) -> f64 {
    match at {
        HoverPosition::NearDataPoint { position, .. } | HoverPosition::Elsewhere { position } => position.x,
    }
}

/// Describes the step nearest to `x`.
fn describe_step(row: &TraceRow<'_>, x: f64) -> String {
    let trace = row.trace;
    if x < 0.5 {
        return format!("t = 0\nv(0) = {}", format_number(f64::from(trace.initial)));
    }
    let t = pane_parts::step_at(x, trace.spikes.len());
    let at = |values: &[f32]| values.get(t - 1).map_or_else(String::new, |&value| format_number(f64::from(value)));
    let spike = if trace.spikes.get(t - 1) == Some(&true) { texts::SPIKE } else { texts::NO_SPIKE };
    texts::hover(t, spike, &at(&trace.current), &at(&trace.before_reset), &at(&trace.after_reset), row.count(t))
}

fn explanation(run: &Run, row: &TraceRow<'_>) -> String {
    let name = neuron_name(row.layer, row.at.neuron);
    let steps = run.steps();
    let theta = format_number(f64::from(row.trace.theta));
    if row.trace.theta <= 0.0 {
        return texts::never_active(&name, steps, &format_number(f64::from(row.last_potential())));
    }
    let reset = match row.layer.reset {
        crate::convert::Reset::Soft => texts::SOFT_RESET,
        crate::convert::Reset::Hard => texts::HARD_RESET,
    };
    let total = row.count(steps);
    let [ann, _] = row.expected;
    let verdict = match total as i64 - i64::from(ann) {
        0 => texts::AS_ASKED.to_owned(),
        more @ 1.. => texts::more(more),
        fewer => texts::fewer(-fewer),
    };
    texts::explanation(&name, &format_number(f64::from(row.trace.initial)), &theta, reset, steps, total, &verdict)
}

/// CSV with one row per neuron and step. Samples and positions are named as in the pane.
fn csv(run: &Run, rows: &[TraceRow<'_>]) -> String {
    let mut text = String::from("layer,sample,neuron,place,t,input,before_reset,after_reset,spike\n");
    for row in rows {
        let trace = row.trace;
        let trace_steps = trace.current.iter().zip(&trace.before_reset).zip(&trace.after_reset).zip(&trace.spikes);
        for (t, (((current, before), after), spike)) in trace_steps.enumerate() {
            let at = row.at;
            let name = &row.layer.name;
            text += &format!(
                "{name},{},{},\"{}\",{},{current},{before},{after},{}\n",
                run.sample_index(at.sample),
                at.neuron,
                row.layer.neuron_label(at.neuron),
                t + 1,
                u8::from(*spike)
            );
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn membrane_line_crosses_threshold_before_reset() {
        let trace = MembraneTrace {
            theta: 1.0,
            initial: 0.5,
            current: vec![0.75, -0.5],
            before_reset: vec![1.25, -0.25],
            after_reset: vec![0.25, -0.25],
            spikes: vec![true, false],
            fired: vec![1, 0],
            sent: vec![1, 0],
            silenced: false,
        };
        assert_eq!(potential_line(&trace), [[0.0, 0.5], [1.0, 1.25], [1.0, 0.25], [2.0, -0.25]]);
        assert_eq!(potentials_after_reset(&trace), [[0.0, 0.5], [1.0, 0.25], [2.0, -0.25]]);
    }
}
