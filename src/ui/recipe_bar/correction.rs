//! The correction of single neurons: none, SRP or COS, and how many steps it may spend.

use egui::{ComboBox, DragValue, Role, Ui, WidgetInfo};

use crate::convert::method::{MAX_PASSES, MAX_PRESTEPS};
use crate::convert::{Correction, CosRule, SrpRule};
use crate::lab::Message;

/// Draws the choice and what belongs to it.
pub fn show(ui: &mut Ui, now: Correction, out: &mut Vec<Message>) {
    let hint = "What is done about single neurons, for each sample: silence those that fire too much after some pre-steps \
                (SRP), or shift v(0) by what removes or adds a spike (COS)";
    ui.label("Correction").on_hover_text(hint);
    let steps = now.presteps().max(1);
    let steps = if now == Correction::None { 4 } else { steps };
    let choices = [
        (Correction::None, "none", "Neurons start alike and none is silenced"),
        (
            Correction::Srp { steps, rule: SrpRule::Code },
            "SRP",
            "Silence neurons with a negative residual potential after τ pre-steps (Hao et al., AAAI 2023)",
        ),
        (
            Correction::Cos { steps, passes: 1, rule: CosRule::Guarded },
            "COS",
            "Shift v(0) so that one spike of the first ρ steps goes or comes (Hao et al., ICLR 2023)",
        ),
    ];
    let same = |other: &Correction| std::mem::discriminant(other) == std::mem::discriminant(&now);
    let name = choices.iter().find(|(choice, ..)| same(choice)).map_or("", |(_, name, _)| name);
    let combo = ComboBox::from_id_salt("correction").selected_text(name).width(56.0).show_ui(ui, |ui| {
        for (choice, name, hint) in choices {
            if ui.selectable_label(same(&choice), name).on_hover_text(hint).clicked() && !same(&choice) {
                out.extend([Message::SetCorrection(choice), Message::EndGesture]);
            }
        }
    });
    combo.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, "Correction"));
    let mut next = now;
    let done = match &mut next {
        Correction::None => false,
        Correction::Srp { steps, rule } => {
            let done = number(ui, steps, 1..=MAX_PRESTEPS, "τ ", "Pre-steps of the whole network, before T");
            let mut code = *rule == SrpRule::Code;
            let hint =
                "Silence at v(τ) ≤ 0.001 θ as the authors' program does; otherwise at v(τ) < 0 as the theory says";
            let box_ = ui.checkbox(&mut code, "≤ 0.001 θ").on_hover_text(hint);
            *rule = if code { SrpRule::Code } else { SrpRule::Theory };
            done || box_.changed()
        }
        Correction::Cos { steps, passes, rule } => {
            let mut done = number(ui, steps, 1..=MAX_PRESTEPS, "ρ ", "Steps that the shift is found on");
            done |= number(ui, passes, 1..=MAX_PASSES, "passes ", "Each pass moves at most one spike of a neuron");
            let rules = [
                (CosRule::Guarded, "guarded", "v(ρ) of each pass; neurons that fire at every step are left alone"),
                (
                    CosRule::Published,
                    "published",
                    "The same, and neurons that fire at every step are shifted by 1001 θ",
                ),
                (
                    CosRule::Exact,
                    "exact",
                    "v(ρ) less the shift so far: passes stop at the target instead of going past it",
                ),
            ];
            let now = rules.iter().find(|(r, ..)| r == rule).map_or("", |(_, name, _)| name);
            let combo = ComboBox::from_id_salt("cos rule").selected_text(now).width(72.0).show_ui(ui, |ui| {
                for (choice, name, hint) in rules {
                    done |= ui.selectable_value(rule, choice, name).on_hover_text(hint).clicked();
                }
            });
            combo.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, "COS rule"));
            done
        }
    };
    if next != now {
        out.push(Message::SetCorrection(next));
    }
    if done {
        out.push(Message::EndGesture);
    }
}

/// A whole number to drag; tells whether the change is over.
fn number(ui: &mut Ui, value: &mut usize, range: std::ops::RangeInclusive<usize>, name: &str, hint: &str) -> bool {
    let drag = DragValue::new(value).range(range).speed(0.1).prefix(name).update_while_editing(false);
    let response = ui.add(drag).on_hover_text(hint);
    response.drag_stopped() || response.changed() && !response.dragged()
}
