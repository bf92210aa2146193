//! Transfer pane: staircase φ(z) of one integrate-and-fire neuron over the ANN's activation.
//!
//! The neuron is that of the layer in focus, or a custom one.

pub mod staircase;

use std::sync::Arc;

use egui::{Slider, Ui};
use egui_plot::{FilledArea, HLine, Line, LineStyle, Plot, VLine};
use staircase::StaircaseNeuron;

use crate::convert::recipe::MAX_STEPS;
use crate::convert::{Reset, SpikingLayer, TieRule};
use crate::lab::{ControlGroup, Lab, Message};
use crate::network::Activation;
use crate::ui::texts::format::format_number;
use crate::ui::texts::neuron_panes::transfer as texts;
use crate::ui::texts::shared;
use crate::ui::theme::colors::GRID;
use crate::ui::types::pane::Pane;
use crate::ui::widgets::legend::Mark;
use crate::ui::widgets::pane_parts::PaneHeader;
use crate::ui::widgets::{legend, pane_frame, pane_parts, plot_description};

/// Left end of the axis, in units of θ.
const AXIS_FROM: f32 = -0.3;
/// Right end of the axis, in units of θ.
const AXIS_TO: f32 = 1.6;

/// UI state of the pane between frames.
#[derive(Clone)]
struct UiState {
    /// The custom neuron; `None` follows the layer.
    own: Option<StaircaseNeuron>,
    /// The curves drawn last.
    curves: Option<Arc<Curves>>,
}

/// The neuron's staircase and the ANN's activation at the same inputs, (z, value) each.
struct Curves {
    neuron: StaircaseNeuron,
    activation: Activation,
    snn: Vec<[f64; 2]>,
    ann: Vec<[f64; 2]>,
}

impl Curves {
    fn new(neuron: StaircaseNeuron, activation: Activation) -> Self {
        let unit = if neuron.theta > 0.0 { neuron.theta } else { 1.0 };
        let snn = neuron.stairs(AXIS_FROM * unit, AXIS_TO * unit);
        let ann = activation_line(activation, AXIS_FROM * unit, AXIS_TO * unit);
        Self { neuron, activation, snn, ann }
    }
}

/// Draws the pane.
pub fn show(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    let snapshot = lab.snapshot.as_deref();
    let layer = snapshot.and_then(|snapshot| Some((snapshot, snapshot.run.spiking.layers.get(snapshot.focus.layer)?)));
    let Some((snapshot, layer)) = layer else {
        return pane_parts::empty(ui, shared::no_run(lab.run.is_some(), lab.job.is_some(), texts::EMPTY));
    };
    let id = ui.scope_id().with("transfer pane");
    let mut ui_state = ui.data(|data| data.get_temp(id)).unwrap_or(UiState { own: None, curves: None });
    let followed = StaircaseNeuron {
        theta: layer.theta_of(snapshot.focus.neuron),
        ..StaircaseNeuron::from_layer(layer, snapshot.run.steps())
    };
    let neuron = ui_state.own.unwrap_or(followed);
    let known = ui_state.curves.take().filter(|c| c.neuron == neuron && c.activation == layer.activation);
    let curves = known.unwrap_or_else(|| Arc::new(Curves::new(neuron, layer.activation)));
    let words = explanation(layer, &neuron, ui_state.own.is_none());
    let page = PaneHeader { of: Pane::Transfer, title: texts::TITLE, description: words.clone(), explanation: words };
    pane_parts::pane_ui(
        ui,
        &page,
        || csv(&curves),
        |ui| {
            if pane_frame::has_controls(ui) {
                controls(ui, lab, layer, followed, &mut ui_state, messages);
            } else {
                ui.small(texts::line(&layer.name, neuron.theta, neuron.steps, neuron.v_init));
            }
            plot(ui, layer, &curves);
        },
    );
    ui_state.curves = Some(curves);
    ui.data_mut(|data| data.insert_temp(id, ui_state));
}

/// Draws the neuron's parameters. A change makes it a custom neuron.
fn controls(
    ui: &mut Ui,
    lab: &Lab,
    layer: &SpikingLayer,
    followed: StaircaseNeuron,
    ui_state: &mut UiState,
    messages: &mut Vec<Message>,
) {
    let mut neuron = ui_state.own.unwrap_or(followed);
    ui.horizontal_wrapped(|ui| {
        let mut follow = ui_state.own.is_none();
        let hint = texts::FOLLOW_HINT;
        if ui.checkbox(&mut follow, texts::follow(&layer.name)).on_hover_text(hint).changed() {
            ui_state.own = if follow { None } else { Some(followed) };
            neuron = followed;
        }
        let different = ui_state.own.is_some_and(|own| own != followed);
        let wanted = layer_messages(layer, &neuron, &followed);
        let locked = wanted.iter().filter_map(ControlGroup::of).any(|control| lab.is_locked(control));
        let apply = egui::Button::new(texts::APPLY);
        let hint = texts::APPLY_HINT;
        if ui.add_enabled(different && !locked, apply).on_hover_text(hint).clicked() {
            messages.extend(wanted);
            ui_state.own = None;
        }
        reset_and_tie(ui, &mut neuron);
    });
    ui.horizontal_wrapped(|ui| {
        let reach = if followed.theta > 0.0 { followed.theta } else { 1.0 };
        // All three sliders in one row, if possible.
        ui.spacing_mut().slider_width = (ui.available_width() / 3.0 - 100.0).clamp(40.0, 160.0);
        let theta = Slider::new(&mut neuron.theta, reach * 0.02..=reach * 3.0).max_decimals(3);
        let theta = theta.clamping(egui::SliderClamping::Edits);
        pane_parts::slider(ui, "θ", theta).on_hover_text(texts::THRESHOLD_HINT);
        let steps = Slider::new(&mut neuron.steps, 1..=MAX_STEPS).logarithmic(true);
        pane_parts::slider(ui, "T", steps).on_hover_text(texts::STEPS_HINT);
        let v_init = Slider::new(&mut neuron.v_init, 0.0..=1.0).max_decimals(2);
        pane_parts::slider(ui, "v(0)/θ", v_init).on_hover_text(texts::V_INIT_HINT);
    });
    if neuron != ui_state.own.unwrap_or(followed) {
        ui_state.own = Some(neuron);
    }
}

/// Draws the choices of reset and tie.
fn reset_and_tie(ui: &mut Ui, neuron: &mut StaircaseNeuron) {
    pane_parts::keep_together(ui, &[texts::SOFT_RESET, texts::HARD_RESET]);
    for (reset, word, hint) in [
        (Reset::Soft, texts::SOFT_RESET, texts::SOFT_RESET_HINT),
        (Reset::Hard, texts::HARD_RESET, texts::HARD_RESET_HINT),
    ] {
        ui.selectable_value(&mut neuron.reset, reset, word).on_hover_text(hint);
    }
    pane_parts::keep_together(ui, &["≥ θ", "> θ"]);
    for (tie, word, hint) in [(TieRule::Ge, "≥ θ", texts::TIE_FIRES_HINT), (TieRule::Gt, "> θ", texts::TIE_RESTS_HINT)]
    {
        ui.selectable_value(&mut neuron.tie, tie, word).on_hover_text(hint);
    }
}

/// Messages that give the layer's neurons the parameters of `neuron`.
fn layer_messages(layer: &SpikingLayer, neuron: &StaircaseNeuron, now: &StaircaseNeuron) -> Vec<Message> {
    let mut messages = Vec::new();
    if neuron.theta != now.theta {
        messages.push(Message::SetLayerThreshold { layer: layer.name.clone(), theta: Some(neuron.theta) });
    }
    if neuron.steps != now.steps {
        messages.push(Message::SetSteps(neuron.steps));
    }
    if neuron.v_init != now.v_init {
        messages.push(Message::SetVInit(neuron.v_init));
    }
    if neuron.reset != now.reset {
        messages.push(Message::SetReset(neuron.reset));
    }
    if neuron.tie != now.tie {
        messages.push(Message::SetTie(neuron.tie));
    }
    messages.push(Message::EndGesture);
    messages
}

/// The ANN's activation, with vertical risers if it has steps of its own.
fn activation_line(activation: Activation, from: f32, to: f32) -> Vec<[f64; 2]> {
    let mut inputs: Vec<f32> = vec![from, 0.0, to];
    match activation {
        Activation::Relu => {}
        Activation::Clip { lambda } => inputs.push(lambda),
        Activation::Qcfs { lambda, levels, shift } => {
            // Both sides of every riser, a millionth of the axis apart.
            let epsilon = (to - from) * 1e-6;
            let risers = (1..=levels).map(|k| lambda * (k as f32 - shift) / levels as f32);
            inputs.extend(risers.flat_map(|z| [z - epsilon, z + epsilon]));
        }
    }
    inputs.retain(|&z| (from..=to).contains(&z));
    inputs.sort_by(f32::total_cmp);
    inputs.into_iter().map(|z| [f64::from(z), f64::from(activation.apply(z))]).collect()
}

/// Both lines at the inputs of either: (z, a, b). The error between them is shaded.
fn merge_lines(a: &[[f64; 2]], b: &[[f64; 2]]) -> [Vec<f64>; 3] {
    let mut inputs: Vec<f64> = a.iter().chain(b).map(|point| point[0]).collect();
    inputs.sort_by(f64::total_cmp);
    inputs.dedup();
    let at = |line: &[[f64; 2]]| inputs.iter().map(|&z| interpolate(line, z)).collect();
    let (a, b) = (at(a), at(b));
    [inputs, a, b]
}

/// The height of a polyline at `z`; its ends continue horizontally.
fn interpolate(line: &[[f64; 2]], z: f64) -> f64 {
    let above = line.partition_point(|point| point[0] < z);
    match (above.checked_sub(1).and_then(|low| line.get(low)), line.get(above)) {
        (Some(low), Some(high)) => low[1] + (high[1] - low[1]) * (z - low[0]) / (high[0] - low[0]),
        (None, Some(end)) | (Some(end), None) => end[1],
        (None, None) => 0.0,
    }
}

fn plot(ui: &mut Ui, layer: &SpikingLayer, curves: &Curves) {
    let plot_colors = crate::ui::theme::colors::plot_colors(ui);
    let neuron = curves.neuron;
    let [inputs, ann, snn] = merge_lines(&curves.ann, &curves.snn);
    let (low, high): (Vec<f64>, Vec<f64>) = ann.iter().zip(&snn).map(|(a, b)| (a.min(*b), a.max(*b))).unzip();
    let (of_ann, of_snn) = (texts::of_ann(&curves.activation.describe()), texts::of_snn(neuron.steps));
    let mut entries =
        vec![(of_snn.as_str(), plot_colors.snn, Mark::Line), (of_ann.as_str(), plot_colors.ann, Mark::Line)];
    if !matches!(curves.activation, Activation::Relu) {
        entries.push(("ReLU", plot_colors.ghost, Mark::Dotted));
    }
    entries.extend([
        (texts::DIFFERENCE, plot_colors.clipping.gamma_multiply(0.5), Mark::Band),
        (shared::THRESHOLD, plot_colors.theta, Mark::Dashed),
    ]);
    legend::show(ui, &entries);
    let y_name = pane_parts::y_name(ui, texts::ANSWER);
    let x_name = pane_parts::x_name(ui, [texts::INPUT_AXIS, texts::INPUT_AXIS_SHORT]);
    let height = ui.available_height() - pane_parts::X_AXIS_HEIGHT;
    let shown = Plot::new("transfer")
        .grid_color(GRID)
        .allow_drag(false)
        .allow_boxed_zoom(false)
        .custom_x_axes(vec![pane_parts::x_axis(x_name)])
        .custom_y_axes(vec![pane_parts::y_axis(y_name).min_thickness(pane_parts::Y_AXIS_WIDTH)])
        .y_grid_spacer(move |input| pane_parts::round_marks(input.bounds, f64::from(height / 30.0).clamp(3.0, 8.0)))
        .label_formatter(|at| {
            let z = pane_parts::position(at).x as f32;
            let (ann, snn) = (layer.activation.apply(z), neuron.activation(z));
            Some(texts::hover(
                &format_number(f64::from(z)),
                &format_number(f64::from(ann)),
                &format_number(f64::from(snn)),
                neuron.count(z),
                neuron.steps,
                &format_number(f64::from(snn - ann)),
            ))
        })
        .show(ui, |plot| {
            plot.hline(HLine::new("zero", 0.0).color(plot_colors.grid).width(1.0).allow_hover(false));
            if neuron.theta > 0.0 {
                let line = VLine::new("threshold θ", neuron.theta).color(plot_colors.theta).width(1.5);
                plot.vline(line.style(LineStyle::dashed_dense()).allow_hover(false));
            }
            let area = FilledArea::new("difference", &inputs, &low, &high);
            plot.add(area.fill_color(plot_colors.clipping.gamma_multiply(0.25)).allow_hover(false));
            if !matches!(curves.activation, Activation::Relu) {
                let relu = vec![
                    [f64::from(AXIS_FROM) * axis_unit(&neuron), 0.0],
                    [0.0, 0.0],
                    [f64::from(AXIS_TO) * axis_unit(&neuron); 2],
                ];
                plot.line(
                    Line::new("ReLU", relu)
                        .color(plot_colors.ghost)
                        .style(LineStyle::dotted_dense())
                        .width(1.5)
                        .allow_hover(false),
                );
            }
            plot.line(
                Line::new("ANN", curves.ann.clone())
                    .allow_band(false)
                    .color(plot_colors.ann)
                    .width(2.0)
                    .allow_hover(false),
            );
            plot.line(
                Line::new("SNN", curves.snn.clone())
                    .allow_band(false)
                    .color(plot_colors.snn)
                    .width(2.0)
                    .allow_hover(false),
            );
        });
    plot_description::describe_plot(&shown.response, texts::CURVES, || {
        let inputs = [0.0, 0.25, 0.5, 0.75, 1.0, 1.25].map(|k| k * axis_unit(&neuron) as f32);
        let one = |z: f32| {
            let words = [z, layer.activation.apply(z), neuron.activation(z)].map(|v| format_number(f64::from(v)));
            texts::answers(&words[0], &words[1], &words[2])
        };
        texts::curves(&of_ann, &of_snn, &inputs.map(one).join(". "))
    });
}

/// Unit of the axis: θ, or 1 for a neuron without a threshold.
fn axis_unit(neuron: &StaircaseNeuron) -> f64 {
    if neuron.theta > 0.0 { f64::from(neuron.theta) } else { 1.0 }
}

fn explanation(layer: &SpikingLayer, neuron: &StaircaseNeuron, followed: bool) -> String {
    let whose = if followed { texts::neuron_of(&layer.name) } else { texts::OWN.to_owned() };
    if neuron.theta <= 0.0 {
        return texts::never_active(&whose);
    }
    let (theta, steps, p) = (f64::from(neuron.theta), neuron.steps, f64::from(neuron.v_init));
    let step = theta / steps as f64;
    let reset = match neuron.reset {
        Reset::Soft => {
            // OPI (Bu et al., AAAI 2022): E[e²] = (θ/T)²((p − ½)² + 1/12) for z uniform in (0, θ).
            let square = step * step * ((p - 0.5).powi(2) + 1.0 / 12.0);
            texts::soft_reset(&format_number(square))
        }
        Reset::Hard => texts::HARD_RESET_LOSS.to_owned(),
    };
    texts::explanation(&whose, steps, steps + 1, &format_number(step), &format_number(theta), &format_number(p), &reset)
}

fn csv(curves: &Curves) -> String {
    let [inputs, ann, snn] = merge_lines(&curves.ann, &curves.snn);
    let mut text = String::from("z,ann,snn\n");
    for ((z, ann), snn) in inputs.iter().zip(&ann).zip(&snn) {
        text += &format!("{z},{ann},{snn}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shaded_error_is_the_distance_between_the_lines() {
        let [inputs, a, b] = merge_lines(&[[0.0, 0.0], [2.0, 2.0]], &[[0.0, 1.0], [1.0, 1.0], [2.0, 0.0]]);
        assert_eq!((inputs, a, b), (vec![0.0, 1.0, 2.0], vec![0.0, 1.0, 2.0], vec![1.0, 1.0, 0.0]));
    }

    #[test]
    fn qcfs_line_has_risers_where_the_formula_steps() {
        let qcfs = Activation::Qcfs { lambda: 1.0, levels: 4, shift: 0.5 };
        let stairs = activation_line(qcfs, -0.3, 1.6);
        assert!(stairs.windows(2).all(|pair| pair[0][1] <= pair[1][1]));
        for z in [0.1, 0.2, 0.4, 0.7, 1.2f32] {
            assert!((interpolate(&stairs, f64::from(z)) - f64::from(qcfs.apply(z))).abs() < 1e-6, "{z}");
        }
    }

    #[test]
    fn only_changed_parameters_emit_messages() {
        let now = StaircaseNeuron {
            theta: 1.0,
            steps: 8,
            v_init: 0.5,
            shift: 0.0,
            kind: Default::default(),
            reset: Reset::Soft,
            tie: TieRule::Ge,
        };
        let layer = SpikingLayer {
            node: 1,
            name: "act".into(),
            shape: vec![2],
            theta: vec![1.0],
            activation: Activation::Relu,
            neuron: Default::default(),
            v_init: 0.5,
            v_init_values: None,
            bias: Vec::new(),
            bias_shift: 0.0,
            reset: Reset::Soft,
            tie: TieRule::Ge,
        };
        let wanted = StaircaseNeuron { steps: 16, ..now };
        assert_eq!(layer_messages(&layer, &wanted, &now), [Message::SetSteps(16), Message::EndGesture]);
    }
}
