//! Controls of the spike correction: none, SRP or COS, and its number of steps.

use egui::{ComboBox, DragValue, Role, Ui, WidgetInfo};

use crate::convert::recipe_options::{MAX_PASSES, MAX_PRESTEPS};
use crate::convert::{Correction, CosRule, SrpRule};
use crate::lab::Message;
use crate::ui::texts::recipe as texts;
use crate::ui::widgets::number_field::number_field;

/// Draws the choice and its options.
pub fn show(ui: &mut Ui, now: Correction, messages: &mut Vec<Message>) {
    let hint = texts::CORRECTION_HINT;
    ui.label(texts::CORRECTION).on_hover_text(hint);
    let steps = now.presteps().max(1);
    let steps = if now == Correction::None { 4 } else { steps };
    let choices = [
        (Correction::None, texts::NO_CORRECTION, texts::NO_CORRECTION_HINT),
        (Correction::Srp { steps, rule: SrpRule::Code }, texts::SRP, texts::SRP_HINT),
        (Correction::Cos { steps, passes: 1, rule: CosRule::KeepSaturated }, texts::COS, texts::COS_HINT),
    ];
    let same = |other: &Correction| std::mem::discriminant(other) == std::mem::discriminant(&now);
    let name = choices.iter().find(|(choice, ..)| same(choice)).map_or("", |(_, name, _)| name);
    let combo = ComboBox::from_id_salt("correction").selected_text(name).width(56.0).show_ui(ui, |ui| {
        for (choice, name, hint) in choices {
            if ui.selectable_label(same(&choice), name).on_hover_text(hint).clicked() && !same(&choice) {
                messages.extend([Message::SetCorrection(choice), Message::EndGesture]);
            }
        }
    });
    combo.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, texts::CORRECTION));
    let mut next = now;
    let done = match &mut next {
        Correction::None => false,
        Correction::Srp { steps, rule } => {
            let done = number(ui, steps, 1..=MAX_PRESTEPS, "τ ", texts::PRESTEPS_HINT);
            let mut code = *rule == SrpRule::Code;
            let hint = texts::SRP_RULE_HINT;
            let box_ = ui.checkbox(&mut code, "≤ 0.001 θ").on_hover_text(hint);
            *rule = if code { SrpRule::Code } else { SrpRule::Theory };
            done || box_.changed()
        }
        Correction::Cos { steps, passes, rule } => {
            let mut done = number(ui, steps, 1..=MAX_PRESTEPS, "ρ ", texts::COS_STEPS_HINT);
            done |= number(ui, passes, 1..=MAX_PASSES, texts::PASSES, texts::PASSES_HINT);
            let rules = [
                (CosRule::KeepSaturated, texts::GUARDED, texts::GUARDED_HINT),
                (CosRule::Published, texts::PUBLISHED, texts::PUBLISHED_HINT),
                (CosRule::Exact, texts::EXACT, texts::EXACT_HINT),
            ];
            let now = rules.iter().find(|(r, ..)| r == rule).map_or("", |(_, name, _)| name);
            let combo = ComboBox::from_id_salt("cos rule").selected_text(now).width(72.0).show_ui(ui, |ui| {
                for (choice, name, hint) in rules {
                    done |= ui.selectable_value(rule, choice, name).on_hover_text(hint).clicked();
                }
            });
            combo.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, texts::COS_RULE));
            done
        }
    };
    if next != now {
        messages.push(Message::SetCorrection(next));
    }
    if done {
        messages.push(Message::EndGesture);
    }
}

/// A drag field for an integer. Returns whether the change is complete.
fn number(ui: &mut Ui, value: &mut usize, range: std::ops::RangeInclusive<usize>, name: &str, hint: &str) -> bool {
    let drag = DragValue::new(value).range(range).speed(0.1).prefix(name).update_while_editing(false);
    let response = number_field(ui, drag).on_hover_text(hint);
    response.drag_stopped() || response.changed() && !response.dragged()
}
