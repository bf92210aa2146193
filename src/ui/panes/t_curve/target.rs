//! Target of the T-curve: how close to the ANN, from which step on, and a button for that T.

use egui::{ComboBox, DragValue, Role, Ui, WidgetInfo};

use super::plot::share;
use crate::lab::{ControlGroup, Lab, Message};
use crate::measure::CurvePoint;
use crate::measure::wilson::wilson_95;
use crate::ui::texts::format::format_percent;
use crate::ui::texts::panes::t_curve as texts;
use crate::ui::widgets::number_field::number_field;
use crate::ui::widgets::pane_frame;
use crate::ui::widgets::pane_parts::wrap_before;

/// A share that the SNN is to keep from some step on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Target {
    /// A part of the ANN's accuracy, in percent.
    OfAnn(f64),
    /// At most this many percentage points below the ANN.
    Within(f64),
}

impl Default for Target {
    fn default() -> Self {
        Self::Within(1.0)
    }
}

impl Target {
    /// The share to keep, if the ANN has `ann`.
    pub(super) fn goal(self, ann: f64) -> f64 {
        match self {
            Self::OfAnn(percent) => ann * percent / 100.0,
            Self::Within(points) => ann - points / 100.0,
        }
    }

    /// The target in words.
    pub(super) fn words(self) -> String {
        match self {
            Self::OfAnn(percent) => texts::of_ann(percent),
            Self::Within(points) => texts::within(points),
        }
    }
}

/// The first t from which on the curve stays at `goal` or above; `None` if it never does.
pub(super) fn reached(curve: &[CurvePoint], goal: f64) -> Option<usize> {
    let below = |point: &CurvePoint| share(point) < goal - 1e-9;
    let first = curve.iter().rposition(below).map_or(0, |last| last + 1);
    curve.get(first).map(|point| point.t)
}

/// Draws the choice of the target, what it takes in words, and the button.
pub(super) fn row(
    ui: &mut Ui,
    lab: &Lab,
    target: &mut Target,
    found: Option<usize>,
    (curve, samples): (&[CurvePoint], usize),
    messages: &mut Vec<Message>,
) {
    ui.horizontal_wrapped(|ui| {
        if pane_frame::has_controls(ui) {
            choice(ui, target);
        } else {
            ui.small(target.words());
        }
        let words = match found.and_then(|t| curve.iter().find(|point| point.t == t)) {
            Some(point) => {
                let share = share(point);
                let (low, high) = wilson_95(share, samples);
                texts::from_step(point.t, &format_percent(share), &format_percent(low), &format_percent(high), samples)
            }
            None => texts::NEVER_REACHED.to_owned(),
        };
        // On a line of its own rather than broken in the middle.
        let font = egui::TextStyle::Small.resolve(ui.style());
        let width = ui.painter().layout_no_wrap(words.clone(), font, egui::Color32::WHITE).size().x;
        wrap_before(ui, width);
        ui.small(words).on_hover_text(texts::UNCERTAIN);
        if let Some(t) = found.filter(|_| pane_frame::has_controls(ui)) {
            let free = t != lab.settings.recipe.steps && !lab.is_locked(ControlGroup::Steps);
            let button = ui.add_enabled(free, egui::Button::new(texts::USE_T).small());
            if button.on_hover_text(texts::use_t_hint(t)).clicked() {
                messages.extend([Message::SetSteps(t), Message::EndGesture]);
            }
        }
    });
}

fn choice(ui: &mut Ui, target: &mut Target) {
    let of_ann = matches!(target, Target::OfAnn(_));
    let name = if of_ann { texts::TARGET_OF_ANN } else { texts::TARGET_WITHIN };
    let combo = ComboBox::from_id_salt("target").selected_text(name).width(96.0).show_ui(ui, |ui| {
        if ui.selectable_label(of_ann, texts::TARGET_OF_ANN).clicked() {
            *target = Target::OfAnn(99.0);
        }
        if ui.selectable_label(!of_ann, texts::TARGET_WITHIN).clicked() {
            *target = Target::Within(0.5);
        }
    });
    combo.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, texts::TARGET));
    let value = match target {
        Target::OfAnn(percent) => number_field(ui, DragValue::new(percent).range(1.0..=100.0).speed(0.1).suffix(" %")),
        Target::Within(points) => {
            let unit = texts::points(*points);
            number_field(ui, DragValue::new(points).range(0.0..=50.0).speed(0.05).max_decimals(2).suffix(unit))
        }
    };
    value.widget_info(|| WidgetInfo::labeled(Role::SpinButton, true, texts::TARGET_VALUE));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn target_is_reached_where_the_curve_stays_at_it() {
        let curve = |values: &[f64]| -> Vec<CurvePoint> {
            let point = |(i, &a): (usize, &f64)| CurvePoint { t: i + 1, accuracy: Some(a), agreement: a };
            values.iter().enumerate().map(point).collect()
        };
        let values = curve(&[0.2, 0.95, 0.5, 0.95, 0.96]);
        assert_eq!(reached(&values, Target::Within(1.0).goal(0.96)), Some(4));
        assert_eq!(reached(&values, Target::OfAnn(100.0).goal(0.96)), Some(5));
        assert_eq!(reached(&values, 0.97), None);
        assert_eq!(reached(&curve(&[0.96]), 0.9), Some(1));
    }
}
