//! Helpers for panes: header, axes, time cursor line, empty state.
//!
//! It does not know the panes.

use egui::{Color32, Id, Popup, PopupCloseBehavior, Response, RichText, Role, Slider, Ui, WidgetInfo};
use egui_plot::{AxisHints, GridMark, HoverPosition, PlotPoint, PlotResponse, PlotUi, VLine};

use super::decimate::decimate;
use super::help;
use super::pane_frame::{PaneFrame, copy_wanted, csv_wanted, help_of};
use crate::convert::SpikingLayer;
use crate::lab::Message;
use crate::ui::texts::format::format_tick;
use crate::ui::texts::panes::pane_header as texts;
use crate::ui::types::pane::Pane;

/// Height of a horizontal axis with its name, in points.
pub const X_AXIS_HEIGHT: f32 = 40.0;
/// Least width of a vertical axis with its name, in points.
pub const Y_AXIS_WIDTH: f32 = 46.0;

/// Header of a pane.
pub struct PaneHeader {
    pub of: Pane,
    pub title: &'static str,
    /// Three sentences with the current numbers.
    pub explanation: String,
    /// What the plot shows, for screen readers.
    pub description: String,
}

/// Draws the header of a pane and `body` below it. `csv` is called only when the table is copied.
pub fn pane_ui(ui: &mut Ui, header: &PaneHeader, csv: impl FnOnce() -> String, body: impl FnOnce(&mut Ui)) {
    let frame = PaneFrame::current(ui.ctx());
    let mut copy = ui.data_mut(|data| data.remove_temp::<bool>(copy_wanted(header.of))).unwrap_or(false);
    if !matches!(frame, PaneFrame::InTabUntitled | PaneFrame::PlotOnly) {
        ui.horizontal_wrapped(|ui| {
            ui.strong(header.title);
            if frame == PaneFrame::Standalone {
                let help = ui.small_button("?");
                help.widget_info(|| WidgetInfo::labeled(Role::Button, true, texts::explain(header.title)));
                help_popup(help, header);
                let button = ui.small_button(texts::CSV).on_hover_text(texts::CSV_HINT);
                button.widget_info(|| WidgetInfo::labeled(Role::Button, true, texts::copy_csv(header.title)));
                copy |= button.clicked();
            }
        });
    }
    // In a tab, the "?" button is in the tab bar.
    let help = ui.data(|data| data.get_temp::<Id>(help_of(header.of))).and_then(|id| ui.ctx().read_response(id));
    if let Some(help) =
        help.filter(|_| matches!(frame, PaneFrame::InTab | PaneFrame::InTabUntitled | PaneFrame::PlotOnly))
    {
        help_popup(help, header);
    }
    let wanted = ui.data(|data| data.get_temp::<String>(csv_wanted())).is_some();
    if copy || wanted {
        let table = csv();
        if wanted {
            ui.data_mut(|data| data.insert_temp(csv_wanted(), table.clone()));
        }
        if copy {
            ui.ctx().copy_text(table);
        }
    }
    let drawn = ui.scope(body).response;
    drawn.widget_info(|| WidgetInfo::labeled(Role::Image, true, &header.description));
}

/// Opens the help popup of a pane from its "?" button.
fn help_popup(help: Response, header: &PaneHeader) {
    let help = help.on_hover_text(&header.explanation);
    Popup::menu(&help)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .layout(egui::Layout::top_down(egui::Align::Min))
        .show(|ui| help::pane_help_ui(ui, header.of, &header.explanation));
}

/// Begins the next line of a wrapping row if this one has less than `width` points left. Needed for groups of widgets,
/// because the row knows only the width of single widgets.
pub fn wrap_before(ui: &mut Ui, width: f32) {
    if ui.available_size_before_wrap().x < width {
        ui.end_row();
    }
}

/// Begins the next line of a wrapping row unless the buttons `names` fit on this one together.
pub fn keep_together(ui: &mut Ui, names: &[&str]) {
    let font = egui::TextStyle::Button.resolve(ui.style());
    let (padding, gap) = (2.0 * ui.spacing().button_padding.x, ui.spacing().item_spacing.x);
    let length = |name: &&str| ui.painter().layout_no_wrap((*name).to_owned(), font.clone(), Color32::WHITE).size().x;
    let width: f32 = names.iter().map(|name| length(name) + padding + gap).sum();
    wrap_before(ui, width - gap);
}

/// A slider after its label, both on one line.
pub fn slider(ui: &mut Ui, name: &str, slider: Slider<'_>) -> Response {
    let font = egui::TextStyle::Body.resolve(ui.style());
    let spacing = ui.spacing();
    let (slide, gap, number) = (spacing.slider_width, spacing.item_spacing.x, spacing.interact_size.x);
    let width = ui.painter().layout_no_wrap(name.to_owned(), font, Color32::WHITE).size().x;
    wrap_before(ui, width + slide + number + 3.0 * gap);
    let label = ui.label(name);
    super::number_field::number_field(ui, slider).labelled_by(label.id)
}

/// Draws the empty state of a pane.
pub fn empty(ui: &mut Ui, text: &str) {
    // A justified layout would stretch the words of the text.
    let above = (ui.available_height() * 0.45).max(0.0);
    ui.vertical_centered(|ui| {
        ui.add_space(above);
        ui.label(RichText::new(text).weak());
    });
}

/// Draws the loading state, between a pane's first frame and its data.
pub fn loading(ui: &mut Ui) {
    empty(ui, texts::COUNTING);
}

/// The display name of a neuron, see [`SpikingLayer::neuron_label`].
pub fn neuron_name(layer: &SpikingLayer, neuron: usize) -> String {
    layer.neuron_label(neuron)
}

/// A horizontal axis with number spacing for small panes.
pub fn x_axis<'a>(label: &str) -> AxisHints<'a> {
    AxisHints::new_x().label(label).label_spacing(24.0..=44.0).formatter(|mark, _| format_tick(mark.value))
}

/// A vertical axis with number spacing for low plots.
pub fn y_axis<'a>(label: &str) -> AxisHints<'a> {
    let axis = AxisHints::new_y().label(label).label_spacing(12.0..=20.0);
    axis.formatter(|mark, _| format_tick(mark.value))
}

/// `name` of a vertical axis, or nothing where a plot in the rest of `ui` is lower than the name is long.
pub fn y_name<'a>(ui: &Ui, name: &'a str) -> &'a str {
    let font = egui::TextStyle::Body.resolve(ui.style());
    let length = ui.painter().layout_no_wrap(name.to_owned(), font, Color32::WHITE).size().x;
    if ui.available_height() - X_AXIS_HEIGHT >= length { name } else { "" }
}

/// The name of a horizontal axis that fits below a plot in the rest of `ui`: the long or the short one.
pub fn x_name<'a>(ui: &Ui, [long, short]: [&'a str; 2]) -> &'a str {
    let font = egui::TextStyle::Body.resolve(ui.style());
    let length = ui.painter().layout_no_wrap(long.to_owned(), font, Color32::WHITE).size().x;
    // The name is centered below the plot, beside which the vertical axis takes its room.
    if ui.available_width() - Y_AXIS_WIDTH >= length { long } else { short }
}

/// Marks between two ends of an axis: on round numbers, about `wanted` of them.
pub fn round_marks((low, high): (f64, f64), wanted: f64) -> Vec<GridMark> {
    let rough = (high - low) / wanted;
    if !(rough.is_finite() && rough > 0.0) {
        return Vec::new();
    }
    let power = 10f64.powf(rough.log10().floor());
    let step =
        [1.0, 2.0, 5.0, 10.0].into_iter().map(|k| k * power).find(|&step| 1.4 * step >= rough).unwrap_or(10.0 * power);
    let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
    // Avoids −0.
    (first..=last).map(|k| GridMark { value: k as f64 * step + 0.0, step_size: step }).collect()
}

/// Marks on an axis of steps between two ends, never between two steps.
pub fn step_marks(bounds: (f64, f64)) -> Vec<GridMark> {
    let marks = round_marks(bounds, 9.0);
    match marks.first().is_some_and(|mark| mark.step_size < 1.0) {
        true => round_marks(bounds, bounds.1 - bounds.0).into_iter().filter(|mark| mark.step_size >= 1.0).collect(),
        false => marks,
    }
}

/// The vertical line at step `t` of the time cursor.
pub fn cursor_line(t: usize, color: Color32) -> VLine {
    VLine::new("time cursor", t as f64).color(color).width(1.5).allow_hover(false)
}

/// A drag along a plot over time moves the time cursor; a single click only if `click` is set.
pub fn drag_cursor<R>(plot: &PlotResponse<R>, shown: usize, last: usize, click: bool, messages: &mut Vec<Message>) {
    drag_cursor_on(plot, shown, last, click, |x| x, messages);
}

/// The same on an axis where `step` gives the step at a place.
pub fn drag_cursor_on<R>(
    plot: &PlotResponse<R>,
    shown: usize,
    last: usize,
    click: bool,
    step: impl Fn(f64) -> f64,
    messages: &mut Vec<Message>,
) {
    let response = &plot.response;
    if !(response.dragged_by(egui::PointerButton::Primary) || click && response.clicked()) {
        return;
    }
    // A double click shows the whole plot: the cursor goes back to where it was before the first of the two clicks.
    let before = response.id.with("cursor before click");
    if click && response.double_clicked() {
        if let Some(t) = response.ctx.data_mut(|data| data.remove_temp::<usize>(before)) {
            messages.push(Message::SetCursor((t < last).then_some(t)));
        }
        return;
    }
    if response.clicked() {
        response.ctx.data_mut(|data| data.insert_temp(before, shown));
    }
    if let Some(at) = response.interact_pointer_pos() {
        let t = step_at(step(plot.transform.value_from_position(at).x), last);
        if t != shown {
            messages.push(Message::SetCursor(Some(t)));
        }
    }
}

/// The step 1..=`last` nearest to `x` on an axis of steps.
pub fn step_at(x: f64, last: usize) -> usize {
    (x.round().max(1.0) as usize).min(last.max(1))
}

/// The pointer position on a plot.
pub fn position(at: &HoverPosition<'_>) -> PlotPoint {
    let (HoverPosition::NearDataPoint { position, .. } | HoverPosition::Elsewhere { position }) = at;
    *position
}

/// A curve over the steps, decimated to the pixels of `plot`.
pub fn shown(plot: &PlotUi<'_>, points: Vec<[f64; 2]>) -> Vec<[f64; 2]> {
    let bounds = plot.plot_bounds();
    decimate(&points, bounds.min()[0], bounds.max()[0], columns(plot))
}

/// Width of a plot in pixels, at least one.
pub fn columns(plot: &PlotUi<'_>) -> usize {
    (plot.transform().frame().width() as usize).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::{Reset, TieRule};
    use crate::network::Activation;

    #[test]
    fn neuron_names_contain_their_position() {
        let mut layer = SpikingLayer {
            node: 1,
            name: "act1".into(),
            shape: vec![4, 3, 5],
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
        assert_eq!(neuron_name(&layer, 15 + 7), "act1 · channel 1 · row 1, column 2");
        layer.shape = vec![60];
        assert_eq!(neuron_name(&layer, 22), "act1 · neuron 22");
    }

    #[test]
    fn axis_marks_are_round_and_steps_are_integers() {
        let values = |marks: Vec<GridMark>| marks.into_iter().map(|m| m.value).collect::<Vec<_>>();
        assert_eq!(values(round_marks((-0.5, 2.25), 4.0)), [-0.5, 0.0, 0.5, 1.0, 1.5, 2.0]);
        assert_eq!(values(round_marks((-4.1, 4.1), 4.0)), [-4.0, -2.0, 0.0, 2.0, 4.0]);
        assert!(values(round_marks((1.0, 1.0), 4.0)).is_empty());
        assert_eq!(values(step_marks((0.0, 16.5))), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0]);
        assert_eq!(values(step_marks((0.0, 4.5))), [0.0, 1.0, 2.0, 3.0, 4.0]);
    }

    #[test]
    fn pointer_beyond_the_axis_is_clamped_to_its_end() {
        assert_eq!([-3.0, 0.2, 4.6, 99.0, f64::NAN].map(|x| step_at(x, 32)), [1, 1, 5, 32, 1]);
    }
}
