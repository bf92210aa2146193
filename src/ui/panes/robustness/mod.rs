//! Robustness pane: the sample in focus under attack, in both networks, and accuracy over ε.

mod curve;
mod grid;
mod pictures;

use egui::{Label, RichText, ScrollArea, Slider, Ui};

use crate::attack::AttackKind;
use crate::experiment::Snapshot;
use crate::experiment::attacked::{AttackView, AttackedSide, RobustnessView};
use crate::lab::{Lab, Message};
use crate::ui::texts::panes::robustness as texts;
use crate::ui::texts::shared;
use crate::ui::types::pane::Pane;
use crate::ui::widgets::pane_parts::PaneHeader;
use crate::ui::widgets::{pane_frame, pane_parts};

/// The largest ε of the slider, in 255ths.
const MAX_EPS: f32 = 128.0;

/// Draws the pane.
pub fn show(ui: &mut Ui, lab: &Lab, messages: &mut Vec<Message>) {
    let Some(snapshot) = &lab.snapshot else {
        return pane_parts::empty(ui, shared::no_run(lab.job.is_some(), texts::EMPTY));
    };
    let Some(result) = &snapshot.robustness else { return pane_parts::loading(ui) };
    let view = match result.as_ref() {
        Ok(view) => view,
        Err(reason) => return pane_parts::empty(ui, reason),
    };
    let words = sentences(snapshot, view);
    let name = |class: usize| snapshot.run.class_name(class);
    let page = PaneHeader {
        of: Pane::Robustness,
        title: texts::TITLE,
        explanation: texts::explanation(&words.join(" ")),
        description: texts::description(
            texts::kind(view.of.kind),
            &name(view.ann.answers[1]),
            &name(view.snn.answers[1]),
        ),
    };
    pane_parts::pane_ui(
        ui,
        &page,
        || csv(view),
        |ui| {
            if pane_frame::has_controls(ui) {
                controls(ui, lab.view.attack, messages);
            }
            ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                if pane_frame::has_sentences(ui) {
                    for sentence in &words[..words.len().min(3)] {
                        ui.add(Label::new(RichText::new(sentence).small()).wrap());
                    }
                }
                pictures::show(ui, snapshot, view);
                if let Some(measured) = &view.curve {
                    curve::show(ui, measured, view.of);
                    grid::show(ui, measured);
                }
                let rest = if pane_frame::has_sentences(ui) { words.get(3..).unwrap_or_default() } else { &[] };
                for sentence in rest {
                    ui.add(Label::new(RichText::new(sentence).small()).wrap());
                }
            });
        },
    );
}

/// Draws the choice of attack, ε, steps and gradient.
fn controls(ui: &mut Ui, now: AttackView, messages: &mut Vec<Message>) {
    let mut next = now;
    ui.horizontal_wrapped(|ui| {
        ui.label(texts::ATTACK);
        for (kind, word, hint) in texts::KINDS {
            ui.selectable_value(&mut next.kind, kind, word).on_hover_text(hint);
        }
        ui.spacing_mut().slider_width = 110.0;
        let mut eps = now.eps * 255.0;
        let slider = Slider::new(&mut eps, 0.0..=MAX_EPS).fixed_decimals(1);
        if pane_parts::slider(ui, texts::EPS, slider).changed() {
            next.eps = eps / 255.0;
        }
        if matches!(now.kind, AttackKind::Pgd | AttackKind::Rfgsm | AttackKind::Apgd) {
            pane_parts::slider(ui, texts::STEPS, Slider::new(&mut next.steps, 1..=100).logarithmic(true));
        }
    });
    ui.horizontal_wrapped(|ui| {
        ui.label(texts::GRADIENT);
        for (rule, word, hint) in texts::RULES {
            ui.selectable_value(&mut next.rule, rule, word).on_hover_text(hint);
        }
        ui.checkbox(&mut next.curve, texts::MEASURE).on_hover_text(texts::MEASURE_HINT);
    });
    if next != now {
        messages.push(Message::SetAttack(next));
    }
}

/// The result in sentences: the answers of both networks, label, gradients, changed layers.
fn sentences(snapshot: &Snapshot, view: &RobustnessView) -> Vec<String> {
    let run = &snapshot.run;
    let name = |class: usize| run.class_name(class);
    let share = |of: &[f64], class: usize| match of.len() {
        // A single score has two probabilities.
        0 => 0.0,
        _ => of.get(class).copied().unwrap_or(0.0),
    };
    let answers = |who: &str, side: &AttackedSide| {
        let [before, after, beside] = side.answers;
        texts::answers(
            who,
            (&name(before), share(&side.before, before)),
            (&name(after), share(&side.after, after)),
            &name(beside),
        )
    };
    let gradient = |who: &str, side: &AttackedSide| {
        let density = side.l0 as f64 / side.gradient.len().max(1) as f64;
        texts::gradient(who, density, side.l1, side.gradient_l2, side.ratio, 3.0 * side.l0 as f64)
    };
    let layers: Vec<(&str, f64)> =
        run.spiking.layers.iter().zip(&view.changed).map(|(layer, share)| (layer.name.as_str(), *share)).collect();
    let mut words = vec![
        answers(shared::ANN, &view.ann),
        answers(shared::SNN, &view.snn),
        format!("{}; {}", texts::kind(view.of.kind), texts::label(&name(view.label), view.labeled)),
        gradient(shared::ANN, &view.ann),
        gradient(shared::SNN, &view.snn),
        texts::changed(&layers),
    ];
    if let Some(curve) = &view.curve {
        let networks = [shared::ANN, shared::SNN].into_iter().enumerate();
        let masked: Vec<&str> = networks.filter(|(k, _)| curve.is_masked(*k)).map(|(_, name)| name).collect();
        if !masked.is_empty() {
            words.insert(3, texts::masked(&masked));
        }
    }
    words
}

/// Pixels with their changes and gradients, as CSV rows.
fn csv(view: &RobustnessView) -> String {
    let mut table = String::from("pixel,image,ann attacked,snn attacked,ann gradient,snn gradient\n");
    for (k, pixel) in view.image.iter().enumerate() {
        let (ann, snn) = (&view.ann, &view.snn);
        table += &format!(
            "{k},{pixel},{},{},{},{}\n",
            ann.adversarial[k], snn.adversarial[k], ann.gradient[k], snn.gradient[k]
        );
    }
    table
}
