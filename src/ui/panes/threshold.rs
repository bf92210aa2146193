//! The threshold of the layer in focus: what its activations are, what θ cuts off, and what each θ would cost. The line is
//! dragged; the run follows.

use egui::{CursorIcon, DragValue, Key, Ui};
use egui_plot::{
    Bar, BarChart, Line, LineStyle, MarkerShape, Plot, PlotPoint, PlotResponse, PlotUi, Points, Span, Text, VLine,
};

use super::parts::{self, Ink, Page, number, percent};
use crate::convert::SpikingLayer;
use crate::lab::{Lab, Message, Snapshot, ThresholdView};
use crate::measure::LayerReport;
use crate::measure::predict::Prediction;

/// How near to the line, in points, a drag takes hold of it.
const GRIP: f32 = 12.0;
/// θ may be dragged down to this share of the axis.
const LEAST: f32 = 1.0 / 200.0;
/// From this height on there is room for the costs under the histogram.
const BOTH_HEIGHT: f32 = 250.0;
/// How much of the axis an arrow key moves θ by.
const NUDGE: f32 = 1.0 / 200.0;

/// What the pane shows, put together once a frame.
struct Sight<'a> {
    layer: &'a SpikingLayer,
    view: &'a ThresholdView,
    report: &'a LayerReport,
    /// The threshold as it is wished for now: ahead of the run while the line is dragged.
    theta: f32,
    by_hand: bool,
    steps: usize,
    cost: Option<Prediction>,
    best: Option<Prediction>,
}

/// What is remembered between frames.
#[derive(Clone, Copy)]
struct Memory {
    log: bool,
    /// The right end of the axis when the drag began; it must not move under the hand.
    dragging: Option<f32>,
}

/// Draws the pane.
pub fn show(ui: &mut Ui, lab: &Lab, out: &mut Vec<Message>) {
    let sight = lab.snapshot.as_deref().and_then(|snapshot| sight(snapshot, lab));
    let Some(sight) = sight else {
        return parts::empty(ui, "The activations of a layer and its threshold appear when the first run is through.");
    };
    let id = ui.scope_id().with("threshold pane");
    let mut memory = ui.data(|data| data.get_temp(id)).unwrap_or(Memory { log: true, dragging: None });
    let words = explanation(&sight);
    let page = Page { title: "Threshold and what it costs", description: words.clone(), explanation: words };
    parts::page(
        ui,
        &page,
        || csv(sight.view),
        |ui| {
            controls(ui, &sight, &mut memory, out);
            let extent = memory.dragging.unwrap_or(sight.view.extent);
            let height = ui.available_height();
            // In little room the histogram stands alone: the minimum of the costs is still on its button.
            let both = height >= BOTH_HEIGHT;
            key(ui, both);
            let height = (ui.available_height() - ui.spacing().item_spacing.y).max(90.0);
            histogram(ui, &sight, extent, if both { height * 0.5 } else { height }, !both, &mut memory, out);
            if both {
                costs(ui, &sight, extent, height * 0.5, &mut memory, out);
            }
        },
    );
    ui.data_mut(|data| data.insert_temp(id, memory));
}

fn sight<'a>(snapshot: &'a Snapshot, lab: &Lab) -> Option<Sight<'a>> {
    let layer = snapshot.run.spiking.layers.get(snapshot.focus.layer)?;
    let report = snapshot.report.layers.get(snapshot.focus.layer)?;
    let view = &snapshot.threshold;
    let by_hand = lab.settings.recipe.by_hand.get(&layer.name).copied();
    let theta = by_hand.unwrap_or(view.theta);
    let cost = at(&view.predictions, theta);
    let best = view.predictions.iter().copied().min_by(|a, b| a.total().total_cmp(&b.total()));
    Some(Sight { layer, view, report, theta, by_hand: by_hand.is_some(), steps: snapshot.run.steps(), cost, best })
}

/// The prediction at `theta`, linear between the two nearest.
fn at(predictions: &[Prediction], theta: f32) -> Option<Prediction> {
    let above = predictions.partition_point(|p| p.theta < theta);
    let (Some(high), Some(low)) =
        (predictions.get(above).or(predictions.last()), predictions.get(above.saturating_sub(1)))
    else {
        return None;
    };
    let span = f64::from(high.theta - low.theta);
    let share = if span > 0.0 { (f64::from(theta - low.theta) / span).clamp(0.0, 1.0) } else { 0.0 };
    let mix = |a: f64, b: f64| a + (b - a) * share;
    Some(Prediction {
        theta,
        clipping: mix(low.clipping, high.clipping),
        quantization: mix(low.quantization, high.quantization),
        clipped: mix(low.clipped, high.clipped),
    })
}

/// θ as a number, back to the rule, and the figures that belong to it.
fn controls(ui: &mut Ui, sight: &Sight<'_>, memory: &mut Memory, out: &mut Vec<Message>) {
    ui.horizontal_wrapped(|ui| {
        ui.strong(&sight.layer.name);
        let mut theta = sight.theta;
        let extent = sight.view.extent;
        let field = DragValue::new(&mut theta).speed(extent / 400.0).range(extent * LEAST..=f32::MAX).prefix("θ ");
        let field = ui.add(field.max_decimals(5)).on_hover_text("The threshold of this layer, in units of activation");
        if field.changed() {
            set(sight, theta, out);
        }
        if field.drag_stopped() || field.lost_focus() {
            out.push(Message::EndGesture);
        }
        let back = egui::Button::new("Back to the rule");
        let hint = "Let the threshold rule choose this layer's θ again";
        if ui.add_enabled(sight.by_hand, back).on_hover_text(hint).clicked() {
            out.push(Message::SetLayerThreshold { layer: sight.layer.name.clone(), theta: None });
            out.push(Message::EndGesture);
        }
        if let Some(best) = sight.best {
            let hint = "Where the predicted error is least, with inputs that arrive evenly";
            if ui.button(format!("Take the minimum, {}", number(f64::from(best.theta)))).on_hover_text(hint).clicked() {
                set(sight, best.theta, out);
                out.push(Message::EndGesture);
            }
        }
        ui.checkbox(&mut memory.log, "Log counts");
    });
    ui.add(egui::Label::new(figures(sight).join(" · ")).wrap());
}

/// The figures at θ, each a few words.
fn figures(sight: &Sight<'_>) -> Vec<String> {
    let mut figures = vec![format!("step θ/T = {}", number(f64::from(sight.theta) / sight.steps as f64))];
    if let Some(cost) = sight.cost {
        figures.push(format!("clipped {}", percent(cost.clipped)));
        figures.push(format!("predicted mean squared error {}", number(cost.total())));
    }
    let measured = &sight.report.ledger;
    figures.push(format!(
        "measured mean error: clipping {}, quantisation {}",
        number(measured.clipping),
        number(measured.quantization)
    ));
    figures.push(format!("{} of the activations are zero", percent(sight.view.zeros)));
    if let [_, _, ..] = sight.layer.theta[..] {
        let live = sight.layer.theta.iter().copied().filter(|&theta| theta > 0.0);
        let low = live.clone().fold(f32::INFINITY, f32::min);
        let dead = sight.layer.theta.len() - live.count();
        let dead = if dead > 0 { format!(", {dead} never active") } else { String::new() };
        figures.push(format!(
            "{} thresholds, one per channel, {} to {}{dead}; dragging sets one for all",
            sight.layer.theta.len(),
            number(f64::from(low)),
            number(f64::from(sight.view.theta))
        ));
    }
    figures
}

fn set(sight: &Sight<'_>, theta: f32, out: &mut Vec<Message>) {
    if theta.is_finite() && theta > 0.0 && theta != sight.theta {
        out.push(Message::SetLayerThreshold { layer: sight.layer.name.clone(), theta: Some(theta) });
    }
}

/// What the colours mean.
fn key(ui: &mut Ui, costs: bool) {
    let ink = parts::ink(ui);
    let activations =
        [("activations", ink.ann), ("clipped, and what clipping costs", ink.clipping), ("threshold θ", ink.theta)];
    let both = [("quantisation", ink.quantization), ("both errors, diamond: least", ink.total)];
    parts::legend(ui, &activations.into_iter().chain(both.into_iter().filter(|_| costs)).collect::<Vec<_>>());
}

/// The activations, with θ as a line to be dragged and what it cuts off shaded.
fn histogram(
    ui: &mut Ui,
    sight: &Sight<'_>,
    extent: f32,
    height: f32,
    alone: bool,
    memory: &mut Memory,
    out: &mut Vec<Message>,
) {
    let ink = parts::ink(ui);
    let log = memory.log;
    let bars = bars(sight, extent, log, &ink);
    let top = bars.iter().map(|bar| bar.value + bar.base_offset.unwrap_or(0.0)).fold(0.5, f64::max) * 1.25;
    let base = if log { -LOG_FOOT } else { 0.0 };
    let view = sight.view;
    let plot = axes("activations", ui, extent)
        .height(height)
        .include_y(base)
        .include_y(top)
        .show_axes([alone, true])
        .custom_x_axes(vec![parts::x_axis("activation, threshold θ")])
        .y_axis_label("activations")
        .y_axis_formatter(move |mark, _| if log { power(mark.value) } else { parts::tick(mark.value) })
        .label_formatter(|at| {
            let x = parts::position(at).x;
            let bin = (x / f64::from(view.extent) * view.histogram.len() as f64).floor();
            let count = view.histogram.get(bin as usize).filter(|_| bin >= 0.0)?;
            let low = bin * f64::from(view.extent) / view.histogram.len() as f64;
            let high = low + f64::from(view.extent) / view.histogram.len() as f64;
            Some(format!("{count} activations\nof {} to {}", number(low), number(high)))
        })
        .show(ui, |plot| {
            plot.span(
                Span::new("", sight.theta as f64..=f64::from(extent) * 2.0)
                    .fill(ink.clipping.gamma_multiply(0.12))
                    .border_width(0.0),
            );
            plot.bar_chart(BarChart::new("activations", bars).color(ink.ann).allow_hover(false));
            ghosts(plot, sight, &ink, top, top - base);
            threshold_line(plot, sight, &ink);
        });
    drag(ui, &plot, sight, extent, memory, out);
}

/// Room under the logarithm of 1, so that single activations have a bar.
const LOG_FOOT: f64 = 0.3;

/// One bar per bin that holds anything, those above θ in the colour of clipping.
fn bars(sight: &Sight<'_>, extent: f32, log: bool, ink: &Ink) -> Vec<Bar> {
    let width = f64::from(sight.view.extent) / sight.view.histogram.len().max(1) as f64;
    let bar = |(k, &count): (usize, &u64)| {
        let x = (k as f64 + 0.5) * width;
        let height = if log { (count as f64).log10() + LOG_FOOT } else { count as f64 };
        let colour = if x > f64::from(sight.theta) { ink.clipping } else { ink.ann };
        let bar = Bar::new(x, height).width(width).fill(colour).stroke((0.0, colour));
        if log { bar.base_offset(-LOG_FOOT) } else { bar }
    };
    let shown = sight.view.histogram.iter().enumerate().filter(|(_, count)| **count > 0).map(bar);
    shown.filter(|bar| bar.argument <= f64::from(extent)).collect()
}

/// A count as the power of ten that it is; nothing between the powers.
fn power(exponent: f64) -> String {
    match exponent {
        e if e < 0.0 || (e - e.round()).abs() > 1e-6 => String::new(),
        e if e < 4.0 => format!("{:.0}", 10f64.powf(e)),
        e => format!("1e{e:.0}"),
    }
}

/// Thresholds worth knowing, as thin dashed lines with their names one below the other.
fn ghosts(plot: &mut PlotUi<'_>, sight: &Sight<'_>, ink: &Ink, top: f64, span: f64) {
    for (k, (name, theta)) in sight.view.marks.iter().enumerate() {
        let line = VLine::new(format!("mark {name}"), *theta).color(ink.ghost).width(1.0);
        plot.vline(line.style(LineStyle::dashed_dense()).allow_hover(false).name(""));
        let right = *theta > sight.view.extent * 0.8;
        let (anchor, pad) = if right { (egui::Align2::RIGHT_TOP, " ") } else { (egui::Align2::LEFT_TOP, " ") };
        let at = PlotPoint::new(*theta, top - span * 0.07 * k as f64);
        let words = format!("{pad}{name}{pad}");
        plot.text(
            Text::new(format!("name {name}"), at, words).anchor(anchor).color(ink.total).name("").allow_hover(false),
        );
    }
}

fn threshold_line(plot: &mut PlotUi<'_>, sight: &Sight<'_>, ink: &Ink) {
    plot.vline(VLine::new("threshold θ", sight.theta).color(ink.theta).width(2.5).allow_hover(false));
}

/// The predicted error against θ, on the same axis.
fn costs(ui: &mut Ui, sight: &Sight<'_>, extent: f32, height: f32, memory: &mut Memory, out: &mut Vec<Message>) {
    let ink = parts::ink(ui);
    let predictions = &sight.view.predictions;
    let roof = roof(sight);
    let curve = |part: fn(&Prediction) -> f64| -> Vec<[f64; 2]> {
        let near = predictions.iter().filter(|p| p.theta <= extent);
        near.map(|p| [f64::from(p.theta), part(p)]).collect()
    };
    let plot = axes("costs", ui, extent)
        .height(height)
        .y_axis_label("predicted error²")
        .custom_x_axes(vec![parts::x_axis("activation, threshold θ")])
        .y_axis_formatter(|mark, _| parts::tick(mark.value))
        .label_formatter(|position| {
            let cost = at(predictions, parts::position(position).x as f32)?;
            Some(format!(
                "θ = {}\nclipping {}\nquantisation {}\ntotal {}\nclipped {}",
                number(f64::from(cost.theta)),
                number(cost.clipping),
                number(cost.quantization),
                number(cost.total()),
                percent(cost.clipped)
            ))
        })
        .show(ui, |plot| {
            plot.set_plot_bounds_y(0.0..=roof);
            plot.line(Line::new("clipping", curve(|p| p.clipping)).color(ink.clipping).width(1.5).allow_hover(false));
            let quantization = Line::new("quantisation", curve(|p| p.quantization));
            plot.line(quantization.color(ink.quantization).width(1.5).allow_hover(false));
            plot.line(Line::new("both", curve(Prediction::total)).color(ink.total).width(2.0).allow_hover(false));
            if let Some(best) = sight.best {
                let point = vec![[f64::from(best.theta), best.total()]];
                let point = Points::new("minimum", point).shape(MarkerShape::Diamond).radius(5.0);
                plot.points(point.color(ink.total).allow_hover(false));
            }
            threshold_line(plot, sight, &ink);
        });
    drag(ui, &plot, sight, extent, memory, out);
}

/// The top of the cost axis: the valley fills it, whatever tiny thresholds would cost.
fn roof(sight: &Sight<'_>) -> f64 {
    let least = sight.best.map_or(0.0, |best| best.total());
    let now = sight.cost.map_or(0.0, |cost| cost.total());
    (6.0 * least).max(1.25 * now).max(f64::from(f32::MIN_POSITIVE))
}

/// A plot over activations; both of the pane's are alike.
fn axes<'a>(name: &str, ui: &Ui, extent: f32) -> Plot<'a> {
    Plot::new(name)
        .link_axis(ui.scope_id().with("activation axis"), [true, false])
        .allow_drag(false)
        .allow_boxed_zoom(false)
        .allow_zoom([true, false])
        .allow_scroll(false)
        .include_x(0.0)
        .include_x(extent)
        .set_margin_fraction(egui::Vec2::ZERO)
        .y_axis_min_width(72.0)
}

/// Takes hold of the line, moves it and lets go of it; arrow keys move it where the plot has the focus.
fn drag(ui: &Ui, plot: &PlotResponse<()>, sight: &Sight<'_>, extent: f32, memory: &mut Memory, out: &mut Vec<Message>) {
    let response = &plot.response;
    let line = plot.transform.position_from_point_x(f64::from(sight.theta));
    let near = |at: egui::Pos2| (at.x - line).abs() <= GRIP;
    if memory.dragging.is_some() || response.hover_pos().is_some_and(near) {
        ui.set_cursor_icon(CursorIcon::ResizeHorizontal);
    }
    if response.drag_started() && ui.input(|input| input.pointer.press_origin()).is_some_and(near) {
        memory.dragging = Some(extent);
    }
    if memory.dragging.is_some()
        && response.dragged()
        && let Some(at) = response.interact_pointer_pos()
    {
        set(sight, dragged_to(plot.transform.value_from_position(at).x, extent), out);
    }
    if response.drag_stopped() && memory.dragging.take().is_some() {
        out.push(Message::EndGesture);
    }
    if response.clicked() {
        response.request_focus();
    }
    if response.has_focus() {
        let filter = egui::EventFilter { horizontal_arrows: true, ..Default::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
        let by = ui.input(|input| {
            f64::from(input.num_presses(Key::ArrowRight) as f32) - f64::from(input.num_presses(Key::ArrowLeft) as f32)
        });
        if by != 0.0 {
            set(sight, dragged_to(f64::from(sight.theta + extent * NUDGE * by as f32), extent), out);
            out.push(Message::EndGesture);
        }
    }
}

/// The threshold for a line that was dragged to `x`: on the axis, and above zero.
fn dragged_to(x: f64, extent: f32) -> f32 {
    (x as f32).clamp(extent * LEAST, extent)
}

fn explanation(sight: &Sight<'_>) -> String {
    let theta = number(f64::from(sight.theta));
    if sight.theta <= 0.0 {
        return format!(
            "No neuron of {} was ever active on the calibration samples. Without a threshold it never fires. Set θ by hand \
             or calibrate on other samples.",
            sight.layer.name
        );
    }
    let clipped = sight.cost.map_or_else(String::new, |cost| percent(cost.clipped));
    let best = sight.best.map_or_else(String::new, |best| {
        format!(
            " The predicted error is least at θ = {}, where both together cost {}.",
            number(f64::from(best.theta)),
            number(best.total())
        )
    });
    format!(
        "θ = {theta} is the largest activation that {} can answer with; {clipped} of the calibration activations lie above \
         and are clipped. Below it the answer is a multiple of θ/T = {}: a lower θ makes finer steps but clips more.{best}",
        sight.layer.name,
        number(f64::from(sight.theta) / sight.steps as f64)
    )
}

/// The histogram, then the costs.
fn csv(view: &ThresholdView) -> String {
    let mut text = String::from("from,to,activations\n");
    let width = view.extent / view.histogram.len().max(1) as f32;
    for (k, count) in view.histogram.iter().enumerate() {
        text += &format!("{},{},{count}\n", k as f32 * width, (k + 1) as f32 * width);
    }
    text += "\ntheta,clipping,quantization,total,clipped\n";
    for p in &view.predictions {
        text += &format!("{},{},{},{},{}\n", p.theta, p.clipping, p.quantization, p.total(), p.clipped);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dragged_line_stays_on_the_axis_and_above_zero() {
        assert_eq!([0.5, -1.0, 9.0].map(|x| dragged_to(x, 2.0)), [0.5, 0.01, 2.0]);
    }

    #[test]
    fn costs_between_two_predictions_lie_between_them() {
        let of = |theta: f32, clipping: f64| Prediction { theta, clipping, quantization: 0.0, clipped: clipping };
        let predictions = [of(1.0, 4.0), of(2.0, 2.0)];
        let clipping = |theta| at(&predictions, theta).map(|p| p.clipping);
        assert_eq!([0.5, 1.0, 1.5, 2.0, 3.0].map(clipping), [4.0, 4.0, 3.0, 2.0, 2.0].map(Some));
        assert_eq!(at(&[], 1.0), None);
    }

    #[test]
    fn logarithmic_axes_name_whole_powers_only() {
        assert_eq!([-0.3, 0.0, 0.5, 2.0, 5.0].map(power), ["", "1", "", "100", "1e5"]);
    }
}
