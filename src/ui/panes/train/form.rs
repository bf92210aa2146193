//! Controls of the train pane: data, network, neurons, regularizer, adversarial images, length.

use egui::{ComboBox, DragValue, Response, Role, Ui, WidgetInfo};

use crate::attack::snn::Surrogate;
use crate::lab::training::{AdversarialKind, TrainedKind, TrainingPlan};
use crate::lab::{Lab, Message};
use crate::ui::texts::panes::train as texts;
use crate::ui::widgets::number_field::NumberWidget;
use crate::ui::widgets::pane_parts::wrap_before;

/// Room for a name with what follows it, in points: both stay on one line.
const NAMED: f32 = 130.0;

/// Draws the controls, each of which changes the plan of the view.
pub fn show(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    let now = &lab.view.training;
    let mut next = now.clone();
    ui.horizontal_wrapped(|ui| {
        data(ui, &lab.settings.data, &mut next);
        wrap_before(ui, NAMED);
        ui.label(texts::ARCHITECTURE);
        for (name, hint) in texts::ARCHITECTURES {
            ui.selectable_value(&mut next.architecture, name.to_owned(), name).on_hover_text(hint);
        }
        wrap_before(ui, NAMED);
        ui.label(texts::KIND);
        for (kind, name, hint) in texts::KINDS {
            ui.selectable_value(&mut next.kind, kind, name).on_hover_text(hint);
        }
    });
    if next.kind == TrainedKind::Snn {
        ui.horizontal_wrapped(|ui| neurons(ui, &mut next));
    }
    ui.horizontal_wrapped(|ui| robustness(ui, &mut next));
    ui.horizontal_wrapped(|ui| {
        number(ui, texts::EPOCHS, texts::EPOCHS_HINT, DragValue::new(&mut next.epochs).range(1..=1000));
        let rate = DragValue::new(&mut next.learning_rate).range(1e-5..=0.1).speed(1e-4).max_decimals(5);
        number(ui, texts::RATE, texts::RATE_HINT, rate);
        number(ui, texts::PATIENCE, texts::PATIENCE_HINT, DragValue::new(&mut next.patience).range(0..=1000));
        number(ui, texts::SEED, texts::SEED_HINT, DragValue::new(&mut next.seed));
    });
    if next != *now {
        messages.push(Message::SetTraining(Box::new(next)));
    }
}

/// The training samples: those of the program, and the data of the run.
fn data(ui: &mut Ui, of_run: &str, next: &mut TrainingPlan) {
    ui.label(texts::DATA);
    let combo = ComboBox::from_id_salt("training data").selected_text(&next.data).width(170.0).show_ui(ui, |ui| {
        for name in texts::BUILTIN {
            ui.selectable_value(&mut next.data, name.to_owned(), name);
        }
        ui.selectable_value(&mut next.data, of_run.to_owned(), texts::of_run(of_run));
    });
    combo.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, texts::DATA_NAME));
}

/// T, the neurons and the slope of a spike.
fn neurons(ui: &mut Ui, next: &mut TrainingPlan) {
    number(ui, texts::STEPS, texts::STEPS_HINT, DragValue::new(&mut next.steps).range(1..=64));
    let decay = DragValue::new(&mut next.decay).range(0.05..=1.0).speed(0.01).max_decimals(2);
    number(ui, texts::DECAY, texts::DECAY_HINT, decay);
    for (hard, name, hint) in [(true, texts::HARD, texts::HARD_HINT), (false, texts::SOFT, texts::SOFT_HINT)] {
        ui.selectable_value(&mut next.hard_reset, hard, name).on_hover_text(hint);
    }
    wrap_before(ui, NAMED);
    ui.label(texts::SURROGATE);
    for (surrogate, name) in [
        (Surrogate::Triangle, texts::TRIANGLE),
        (Surrogate::Sigmoid, texts::SIGMOID),
        (Surrogate::Arctan, texts::ARCTAN),
    ] {
        ui.selectable_value(&mut next.surrogate, surrogate, name).on_hover_text(texts::SURROGATE_HINT);
    }
}

/// The regularizer and adversarial images.
fn robustness(ui: &mut Ui, next: &mut TrainingPlan) {
    let weight = DragValue::new(&mut next.sparse_gradient).range(0.0..=10.0).speed(0.0005).max_decimals(4);
    number(ui, texts::SPARSE, texts::SPARSE_HINT, weight);
    if next.sparse_gradient != 0.0 {
        ui.checkbox(&mut next.sparse_l1, texts::L1).on_hover_text(texts::L1_HINT);
    }
    wrap_before(ui, NAMED);
    ui.label(texts::ADVERSARIAL);
    for (kind, name, hint) in texts::ADVERSARIALS {
        ui.selectable_value(&mut next.adversarial, kind, name).on_hover_text(hint);
    }
    if next.adversarial != AdversarialKind::None {
        let mut eps = next.eps * 255.0;
        let drag = DragValue::new(&mut eps).range(0.0..=255.0).speed(0.5).max_decimals(1);
        if number(ui, texts::EPS, texts::EPS_HINT, drag).changed() {
            next.eps = eps / 255.0;
        }
    }
    if next.adversarial == AdversarialKind::Pgd {
        let drag = DragValue::new(&mut next.adversarial_steps).range(1..=100);
        number(ui, texts::PGD_STEPS, texts::PGD_STEPS_HINT, drag);
    }
}

/// A number after its name, both on one line.
fn number(ui: &mut Ui, name: &str, hint: &str, drag: DragValue<'_>) -> Response {
    wrap_before(ui, NAMED);
    let label = ui.label(name);
    ui.add(drag.finite()).labelled_by(label.id).on_hover_text(hint)
}
