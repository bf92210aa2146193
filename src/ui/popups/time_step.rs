//! Time step of a NIR file in the network popup: its duration, where it is from, and a field to change it.

use egui::{DragValue, RichText, Ui};

use crate::experiment::PreparedNetwork;
use crate::lab::{Lab, Message};
use crate::ui::texts::popups::network_and_data as texts;
use crate::ui::theme::colors::ui_colors;
use crate::ui::widgets::number_field::number_field;

/// Draws the field if the network is a NIR file with neurons. The change applies when the edit ends.
pub fn show(ui: &mut Ui, lab: &Lab, network: &PreparedNetwork, messages: &mut Vec<Message>) {
    use crate::network::left_open::StepSource::{Assumed, Inverse};
    let Some(step) = network.time_step else { return };
    ui.separator();
    ui.horizontal_wrapped(|ui| {
        let label = ui.label(texts::TIME_STEP).on_hover_text(texts::TIME_STEP_HINT);
        let id = ui.scope_id().with("time step");
        let mut dt = ui.data(|data| data.get_temp::<f64>(id)).unwrap_or(step.dt);
        let field = DragValue::new(&mut dt)
            .range(f64::MIN_POSITIVE..=1e12)
            .speed(step.dt / 50.0)
            .custom_formatter(|dt, _| dt.to_string())
            .update_while_editing(false);
        let field = number_field(ui, field).on_hover_text(texts::TIME_STEP_HINT).labelled_by(label.id);
        if field.dragged() {
            ui.data_mut(|data| data.insert_temp(id, dt));
        } else {
            ui.data_mut(|data| data.remove::<f64>(id));
            if dt != step.dt {
                messages.push(Message::SetTimeStep(Some(dt)));
            }
        }
        let source = RichText::new(texts::time_step_source(step.source)).small();
        let is_guess = matches!(step.source, Inverse | Assumed);
        ui.label(if is_guess { source.color(ui_colors(ui).snn) } else { source.weak() });
        if lab.settings.dt.is_some() && ui.button(texts::TIME_STEP_OF_FILE).clicked() {
            messages.push(Message::SetTimeStep(None));
        }
    });
}
