//! Controls of the threshold rule: its kind, percentile and balancing options.

use egui::{ComboBox, DragValue, Role, Slider, Ui, WidgetInfo};

use crate::convert::{BalancingOptions, ThresholdRule};
use crate::lab::Message;
use crate::ui::texts::recipe as texts;
use crate::ui::widgets::gesture::{end_gesture, percentile_from_slider, slider_from_percentile};
use crate::ui::widgets::number_field::{finite_number, framed, number_field};

/// Initial percentile of the slider if the previous rule was another one.
const DEFAULT_PERCENTILE: f64 = 99.9;

/// Draws the rule and its options.
pub fn show(ui: &mut Ui, rule: ThresholdRule, tight: bool, messages: &mut Vec<Message>) {
    ui.label(texts::THRESHOLD).on_hover_text(texts::THRESHOLD_HINT);
    let choices = [
        (ThresholdRule::Percentile(DEFAULT_PERCENTILE), texts::PERCENTILE, texts::PERCENTILE_HINT),
        (ThresholdRule::Max, texts::MAX, texts::MAX_HINT),
        (ThresholdRule::Learned, texts::LEARNED, texts::LEARNED_HINT),
        (ThresholdRule::Mse, texts::LEAST_MSE, texts::LEAST_MSE_HINT),
        (ThresholdRule::Balance(BalancingOptions::default()), texts::BALANCE, texts::BALANCE_HINT),
    ];
    let same = |a: &ThresholdRule| std::mem::discriminant(a) == std::mem::discriminant(&rule);
    let name = choices.iter().find(|(choice, ..)| same(choice)).map_or("", |(_, name, _)| name);
    let combo = ComboBox::from_id_salt("threshold rule").selected_text(name).width(84.0).show_ui(ui, |ui| {
        for (choice, name, hint) in choices {
            let chosen = same(&choice);
            if ui.selectable_label(chosen, name).on_hover_text(hint).clicked() && !chosen {
                messages.extend([Message::SetThreshold(choice), Message::EndGesture]);
            }
        }
    });
    combo.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, texts::RULE));
    match rule {
        ThresholdRule::Balance(balance) => balancing(ui, balance, messages),
        // In tight space, a slider that cannot be moved is left out first.
        ThresholdRule::Percentile(_) => percentile(ui, rule, messages),
        _ if !tight => percentile(ui, rule, messages),
        _ => {}
    }
}

/// Draws the number of batches, their size and the cap.
fn balancing(ui: &mut Ui, now: BalancingOptions, messages: &mut Vec<Message>) {
    let mut balance = now;
    let drag = |ui: &mut Ui, value: &mut usize, range, suffix: &str, hint: &str| {
        let drag = DragValue::new(value).range(range).suffix(suffix).update_while_editing(false);
        let response = number_field(ui, drag).on_hover_text(hint);
        response.drag_stopped() || response.changed() && !response.dragged()
    };
    let mut done = drag(ui, &mut balance.batches, 1..=5000, texts::BATCHES, texts::BATCHES_HINT);
    ui.label(texts::OF);
    done |= drag(ui, &mut balance.size, 1..=1024, "", texts::BATCH_HINT);
    let capped = ui.checkbox(&mut balance.cap, texts::CAP).on_hover_text(texts::CAP_HINT);
    if balance != now {
        messages.push(Message::SetThreshold(ThresholdRule::Balance(balance)));
    }
    if done || capped.changed() {
        messages.push(Message::EndGesture);
    }
}

fn percentile(ui: &mut Ui, rule: ThresholdRule, messages: &mut Vec<Message>) {
    let percentile = match rule {
        ThresholdRule::Percentile(p) => p,
        _ => 100.0,
    };
    let by_percentile = matches!(rule, ThresholdRule::Percentile(_));
    ui.add_enabled_ui(by_percentile, |ui| {
        let mut place = slider_from_percentile(percentile);
        let slider = Slider::new(&mut place, 0.0..=1.0)
            .custom_formatter(|place, _| format!("{} %", percentile_from_slider(place)))
            .custom_parser(|text| finite_number(text.trim().trim_end_matches('%')).map(slider_from_percentile))
            .smart_aim(false)
            .update_while_editing(false);
        let response = framed(ui, slider).on_hover_text(texts::SLIDER_HINT);
        response.widget_info(|| WidgetInfo::slider(true, percentile, texts::PERCENTILE_NAME));
        if response.changed() {
            messages.push(Message::SetThreshold(ThresholdRule::Percentile(percentile_from_slider(place))));
        }
        end_gesture(&response, messages);
    });
}
