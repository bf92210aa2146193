//! Robustness pane: the sample in focus under attack, in both networks, and accuracy over ε.

mod curve;
mod event_frames;
mod grid;
mod pictures;

use egui::{Label, RichText, ScrollArea, Slider, Ui};

use self::event_frames::ShownFrames;
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
        return pane_parts::empty(ui, shared::no_run(lab.run.is_some(), lab.job.is_some(), texts::EMPTY));
    };
    let Some(result) = &snapshot.robustness else { return pane_parts::loading(ui) };
    let view = match result.as_ref() {
        Ok(view) => view,
        Err(reason) => {
            // Another choice may have no such reason.
            controls(ui, lab.view.attack, snapshot.run.samples.frames.is_some(), messages);
            return pane_parts::empty(ui, reason);
        }
    };
    let has_counts = view.has_counts();
    // Of an event recording the sentence about its counts stands above the pictures.
    let first = if has_counts { 4 } else { 3 };
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
                controls(ui, lab.view.attack, has_counts, messages);
            }
            let shown = ShownFrames::current(ui, snapshot, view.snn.frames);
            ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                if pane_frame::has_sentences(ui) {
                    for sentence in &words[..words.len().min(first)] {
                        ui.add(Label::new(RichText::new(sentence).small()).wrap());
                    }
                }
                pictures::show(ui, snapshot, view, shown);
                if let Some(measured) = &view.curve {
                    curve::show(ui, measured, view.of, has_counts);
                    grid::show(ui, measured, has_counts);
                }
                let rest = if pane_frame::has_sentences(ui) { words.get(first..).unwrap_or_default() } else { &[] };
                for sentence in rest {
                    ui.add(Label::new(RichText::new(sentence).small()).wrap());
                }
            });
        },
    );
}

/// Draws the choice of attack, ε, steps and gradient.
fn controls(ui: &mut Ui, now: AttackView, has_counts: bool, messages: &mut Vec<Message>) {
    let mut next = now;
    ui.horizontal_wrapped(|ui| {
        ui.label(texts::ATTACK);
        for (kind, word, hint) in texts::KINDS {
            ui.selectable_value(&mut next.kind, kind, word).on_hover_text(hint);
        }
        ui.spacing_mut().slider_width = 110.0;
        let (name, unit, largest, decimals) =
            if has_counts { (texts::EPS_COUNTS, 1.0, 1.0, 2) } else { (texts::EPS, 255.0, MAX_EPS, 1) };
        let mut eps = now.eps * unit;
        let slider = Slider::new(&mut eps, 0.0..=largest).fixed_decimals(decimals);
        if pane_parts::slider(ui, name, slider).changed() {
            next.eps = eps / unit;
        }
        if matches!(now.kind, AttackKind::Pgd | AttackKind::Rfgsm | AttackKind::Apgd) {
            pane_parts::slider(ui, texts::STEPS, Slider::new(&mut next.steps, 1..=100).logarithmic(true));
        }
    });
    ui.horizontal_wrapped(|ui| {
        ui.label(texts::GRADIENT);
        for (rule, word, hint) in texts::RULES {
            let is_chosen = next.rule == rule && !next.worst;
            if ui.selectable_label(is_chosen, word).on_hover_text(hint).clicked() {
                (next.rule, next.worst) = (rule, false);
            }
        }
        next.worst |= ui.selectable_label(next.worst, texts::WORST).on_hover_text(texts::WORST_HINT).clicked();
        ui.checkbox(&mut next.curve, texts::MEASURE).on_hover_text(texts::MEASURE_HINT);
        if has_counts {
            ShownFrames::choice(ui);
        }
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
    // Behind the answers, in falling order of weight.
    let mut said = Vec::new();
    if let Some(curve) = &view.curve {
        let networks = [shared::ANN, shared::SNN].into_iter().enumerate();
        let square: Vec<&str> = networks.filter(|(k, _)| curve.square_finds_more(*k)).map(|(_, name)| name).collect();
        if !square.is_empty() || curve.rules_find_more() {
            said.push(texts::masked(&square, curve.rules_find_more()));
        }
    }
    if let Some(whole) = view.snn.whole_counts {
        said.push(texts::whole_counts(whole));
    }
    if view.snn.rules.len() > 1 {
        let rules: Vec<(&str, bool)> = view.snn.rules.iter().map(|(rule, fooled)| (rule.as_str(), *fooled)).collect();
        said.push(texts::fooling(&rules, view.snn.answers[0] == view.label));
    }
    words.splice(3..3, said);
    words
}

/// Pixels with their changes and gradients, as CSV rows; of event recordings a network after the other, frame by frame.
fn csv(view: &RobustnessView) -> String {
    if view.has_counts() {
        let mut table = String::from("network,frame,value,image,attacked,gradient\n");
        for (who, side) in [(shared::ANN, &view.ann), (shared::SNN, &view.snn)] {
            let width = (side.image.len() / side.frames.max(1)).max(1);
            for (k, count) in side.image.iter().enumerate() {
                let (frame, value) = (k / width, k % width);
                table += &format!("{who},{frame},{value},{count},{},{}\n", side.adversarial[k], side.gradient[k]);
            }
        }
        return table;
    }
    let mut table = String::from("pixel,image,ann attacked,snn attacked,ann gradient,snn gradient\n");
    for (k, pixel) in view.ann.image.iter().enumerate() {
        let (ann, snn) = (&view.ann, &view.snn);
        table += &format!(
            "{k},{pixel},{},{},{},{}\n",
            ann.adversarial[k], snn.adversarial[k], ann.gradient[k], snn.gradient[k]
        );
    }
    table
}
