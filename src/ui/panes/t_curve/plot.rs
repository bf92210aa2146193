//! Axes and reference curves shared by plots over time steps.

use egui_plot::{AxisHints, GridMark, Plot};

use crate::experiment::Run;
use crate::ground::numbers::percent;
use crate::lab::Lab;
use crate::lab::history::run_history::PastRun;
use crate::measure::CurvePoint;
use crate::ui::texts::shared;
use crate::ui::theme::colors::GRID;
use crate::ui::widgets::pane_parts;

/// The run to compare with; `None` if its network or data set differs, because then only the names of layers would
/// match.
pub(in crate::ui) fn compared(lab: &Lab) -> Option<&PastRun> {
    let other = lab.history.get(lab.history.compared?)?;
    let alike = |run: &Run| {
        let (own, theirs) = (&run.settings, &other.settings);
        own != theirs && (&own.model, &own.data) == (&theirs.model, &theirs.data)
    };
    lab.run.as_deref().is_none_or(alike).then_some(other)
}

/// A plot of shares over the steps 1 to `last`. A drag with the right button zooms into a box; a double click fits.
pub(in crate::ui) fn over_time<'a>(name: &str, y_label: &str, last: usize) -> Plot<'a> {
    let [first, last_x] = if last > 1 { [1.0, last as f64] } else { [0.5, 1.5] };
    shares(name, y_label, last).include_x(first).include_x(last_x)
}

/// The same without the ends of its time axis.
pub(super) fn shares<'a>(name: &str, y_label: &str, last: usize) -> Plot<'a> {
    Plot::new(name.to_owned())
        .grid_color(GRID)
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_axis_zoom_drag(false)
        .include_y(0.0)
        .include_y(1.0)
        .custom_x_axes(vec![AxisHints::new_x().label(shared::TIME_STEPS).label_spacing(egui::Rangef::new(22.0, 30.0))])
        .custom_y_axes(vec![percent_axis(y_label)])
        .x_grid_spacer(move |_| marks(last))
        .y_grid_spacer(|_| quarters())
}

/// A vertical axis of shares. Low plots keep its numbers.
fn percent_axis<'a>(label: &str) -> AxisHints<'a> {
    pane_parts::y_axis(label).min_thickness(pane_parts::Y_AXIS_WIDTH).formatter(|mark, _| percent(mark.value, 0))
}

/// Marks on an axis of shares.
pub(in crate::ui) fn quarters() -> Vec<GridMark> {
    (0..=4).map(|k| GridMark { value: f64::from(k) * 0.25, step_size: 0.25 }).collect()
}

/// Marks on the time axis: about eight, on round numbers, and never between steps.
pub(in crate::ui) fn marks(last: usize) -> Vec<GridMark> {
    let step = [1, 2, 4, 5, 8, 10, 16, 20, 32, 50, 64, 100, 128, 250, 256, 512]
        .into_iter()
        .find(|s| last / s <= 9)
        .unwrap_or(1000);
    (1..=last)
        .filter(|t| t % step == 0 || *t == 1)
        .map(|t| GridMark { value: t as f64, step_size: step as f64 })
        .collect()
}

/// Accuracy, or agreement with the ANN if there are no labels.
pub(super) fn share(point: &CurvePoint) -> f64 {
    point.accuracy.unwrap_or(point.agreement)
}
