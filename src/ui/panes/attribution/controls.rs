//! Controls of the attribution pane: methods, target, trigger, sign, opacity, gradient, and progress with a stop.

use egui::{ComboBox, ProgressBar, Response, Role, Slider, Ui, WidgetInfo};

use crate::experiment::Run;
use crate::experiment::explained::{AttributionChoice, TargetChoice};
use crate::explain::Method;
use crate::lab::{Lab, Message};
use crate::ui::texts::panes::attribution as texts;
use crate::ui::widgets::pane_parts;

/// Classes that are listed as targets.
const MAX_CLASSES: usize = 1000;

/// Draws the controls.
pub fn show(ui: &mut Ui, lab: &Lab, run: &Run, messages: &mut Vec<Message>) {
    let now = &lab.view.attribution;
    let mut next = now.clone();
    ui.horizontal_wrapped(|ui| {
        methods(ui, &mut next);
        let class = |class: usize| run.class_name(class);
        let names = |choice: TargetChoice| texts::target(choice, class);
        pane_parts::wrap_before(ui, 150.0);
        ui.label(texts::TARGET);
        let combo = ComboBox::from_id_salt("attribution target").width(84.0).selected_text(names(next.target));
        let shown = combo.show_ui(ui, |ui| {
            let classes = run.network.original.classes().min(MAX_CLASSES);
            let choices = [TargetChoice::Answer, TargetChoice::Label].into_iter();
            for choice in choices.chain((0..classes).map(TargetChoice::Output)) {
                ui.selectable_value(&mut next.target, choice, names(choice));
            }
        });
        named(&shown.response.on_hover_text(texts::TARGET_HINT), texts::TARGET);
        if let Some(plan) = &lab.attribution.plan {
            pane_parts::wrap_before(ui, 150.0);
            ui.label(texts::TRIGGER);
            let name = next.trojan.as_deref().unwrap_or(texts::NO_TRIGGER).to_owned();
            let combo = ComboBox::from_id_salt("attribution trigger").width(84.0).selected_text(name);
            let shown = combo.show_ui(ui, |ui| {
                ui.selectable_value(&mut next.trojan, None, texts::NO_TRIGGER);
                for trojan in &plan.trojans {
                    ui.selectable_value(&mut next.trojan, Some(trojan.name.clone()), &trojan.name);
                }
            });
            named(&shown.response.on_hover_text(texts::TRIGGER_HINT), texts::TRIGGER);
        }
        pane_parts::wrap_before(ui, 150.0);
        ui.label(texts::SIGN);
        for (sign, word, hint) in texts::SIGNS {
            ui.selectable_value(&mut next.sign, sign, word).on_hover_text(hint);
        }
        ui.spacing_mut().slider_width = 60.0;
        pane_parts::slider(ui, texts::OPACITY, Slider::new(&mut next.opacity, 0.0..=1.0).fixed_decimals(1));
        pane_parts::wrap_before(ui, 190.0);
        ui.label(texts::GRADIENT);
        for (rule, word, hint) in texts::RULES {
            ui.selectable_value(&mut next.rule, rule, word).on_hover_text(hint);
        }
        if let Some((stage, fraction)) = lab.attribution.progress {
            pane_parts::wrap_before(ui, 190.0);
            let bar = ProgressBar::new(fraction.clamp(0.0, 1.0)).desired_width(130.0).text(texts::progress(stage));
            ui.add(bar);
            if ui.small_button(texts::STOP).on_hover_text(texts::STOP_HINT).clicked() {
                messages.push(Message::StopMaps);
            }
        }
    });
    if next != *now {
        messages.push(Message::SetAttribution(Box::new(next)));
    }
}

/// The menu of methods, which stays open while some are chosen.
fn methods(ui: &mut Ui, next: &mut AttributionChoice) {
    let title = texts::methods(next.methods.len());
    let config =
        egui::containers::menu::MenuConfig::new().close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside);
    let (button, _) = egui::containers::menu::MenuButton::new(&title).config(config).ui(ui, |ui| {
        ui.horizontal(|ui| {
            if ui.button(texts::USUAL).clicked() {
                next.methods = AttributionChoice::default().methods;
            }
            if ui.button(texts::ALL).clicked() {
                next.methods = Method::all().collect();
            }
        });
        for method in Method::all() {
            let mut on = next.methods.contains(&method);
            if ui.checkbox(&mut on, texts::method(method)).changed() {
                match on {
                    true => next.methods.push(method),
                    false => next.methods.retain(|known| *known != method),
                }
            }
        }
        // The order is that of the list, whatever was chosen first.
        next.methods.sort_by_key(|method| Method::all().position(|known| known == *method));
    });
    button.on_hover_text(texts::METHODS_HINT);
}

fn named(response: &Response, name: &'static str) {
    response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, name));
}
