//! Where the thresholds come from: the rule and its number.

use egui::{ComboBox, DragValue, Role, Slider, Ui, WidgetInfo};

use super::end_gesture;
use crate::convert::{Balance, ThresholdRule};
use crate::lab::Message;
use crate::ui::controls::{percentile_at, place_of};

/// The percentile that the slider starts from when the rule was another.
const DEFAULT_PERCENTILE: f64 = 99.9;

/// Draws the rule and what belongs to it.
pub fn show(ui: &mut Ui, rule: ThresholdRule, tight: bool, out: &mut Vec<Message>) {
    let hint = "Where the thresholds come from: a percentile of the activations on the calibration samples, their maximum, \
                the clipping value that the network learned, the value with the least squared error at this T, or \
                balancing batch by batch";
    ui.label("Threshold").on_hover_text(hint);
    let choices = [
        (ThresholdRule::Percentile(DEFAULT_PERCENTILE), "percentile", "Robust norm: a percentile of the activations"),
        (ThresholdRule::Max, "max", "Max-norm: the largest activation"),
        (ThresholdRule::Learned, "learned", "The λ of clip and QCFS activations"),
        (ThresholdRule::Mse, "least MSE", "Least squared error of the staircase of T levels"),
        (
            ThresholdRule::Balance(Balance::default()),
            "balance",
            "Local threshold balancing: thresholds rise from 0 with the activations above them",
        ),
    ];
    let same = |a: &ThresholdRule| std::mem::discriminant(a) == std::mem::discriminant(&rule);
    let name = choices.iter().find(|(choice, ..)| same(choice)).map_or("", |(_, name, _)| name);
    let combo = ComboBox::from_id_salt("threshold rule").selected_text(name).width(84.0).show_ui(ui, |ui| {
        for (choice, name, hint) in choices {
            let chosen = same(&choice);
            if ui.selectable_label(chosen, name).on_hover_text(hint).clicked() && !chosen {
                out.extend([Message::SetThreshold(choice), Message::EndGesture]);
            }
        }
    });
    combo.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, "Threshold rule"));
    match rule {
        ThresholdRule::Balance(balance) => balancing(ui, balance, out),
        // A slider that cannot be moved is the first to make room.
        ThresholdRule::Percentile(_) => percentile(ui, rule, hint, out),
        _ if !tight => percentile(ui, rule, hint, out),
        _ => {}
    }
}

/// Batches, their size and the cap.
fn balancing(ui: &mut Ui, now: Balance, out: &mut Vec<Message>) {
    let mut balance = now;
    let drag = |ui: &mut Ui, value: &mut usize, range, suffix: &str, hint: &str| {
        let drag = DragValue::new(value).range(range).suffix(suffix).update_while_editing(false);
        let response = ui.add(drag).on_hover_text(hint);
        response.drag_stopped() || response.changed() && !response.dragged()
    };
    let mut done = drag(ui, &mut balance.batches, 1..=5000, " batches", "Updates of the thresholds");
    ui.label("of");
    done |= drag(ui, &mut balance.size, 1..=1024, "", "Calibration samples in a batch");
    let capped = ui.checkbox(&mut balance.cap, "cap").on_hover_text("Never above the largest activation seen so far");
    if balance != now {
        out.push(Message::SetThreshold(ThresholdRule::Balance(balance)));
    }
    if done || capped.changed() {
        out.push(Message::EndGesture);
    }
}

fn percentile(ui: &mut Ui, rule: ThresholdRule, hint: &str, out: &mut Vec<Message>) {
    let percentile = match rule {
        ThresholdRule::Percentile(p) => p,
        _ => 100.0,
    };
    let by_percentile = matches!(rule, ThresholdRule::Percentile(_));
    ui.add_enabled_ui(by_percentile, |ui| {
        let mut place = place_of(percentile);
        let slider = Slider::new(&mut place, 0.0..=1.0)
            .custom_formatter(|place, _| format!("{} %", percentile_at(place)))
            .custom_parser(|text| text.trim().trim_end_matches('%').trim().parse().ok().map(place_of))
            .smart_aim(false)
            .update_while_editing(false);
        let response = ui.add(slider).on_hover_text(hint);
        response.widget_info(|| WidgetInfo::slider(true, percentile, "Threshold percentile"));
        if response.changed() {
            out.push(Message::SetThreshold(ThresholdRule::Percentile(percentile_at(place))));
        }
        end_gesture(&response, out);
    });
}
