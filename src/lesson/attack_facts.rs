//! Facts of the *Robustness* pane: the attack on the sample in focus, and the answers under it.

use super::value::{ReadFact, Value};
use crate::experiment::attacked::{AttackedSide, RobustnessView};
use crate::lab::Lab;

/// Name, description and function of each.
pub(super) const FACTS: [(&str, &str, ReadFact); 7] = [
    ("attack.kind", "the attack of the Robustness pane", |lab, _| word(view(lab)?.of.kind.as_str())),
    (
        "attack.rule",
        "the gradient of the spiking network: rate, surrogate triangle, straight-through, ann or worst",
        |lab, _| word(view(lab)?.of.rule_word()),
    ),
    ("attack.eps", "largest change of a pixel in 255ths", |lab, _| {
        Some(Value::Number(f64::from(view(lab)?.of.eps) * 255.0))
    }),
    ("attack.ann", "prediction of the ANN for the attacked image", |lab, _| answer(lab, |view| &view.ann)),
    ("attack.snn", "prediction of the SNN for the attacked image", |lab, _| answer(lab, |view| &view.snn)),
    ("attack.ratio", "malice over chance, measured on the ANN", |lab, _| view(lab)?.ann.ratio.map(Value::Number)),
    ("attack.density", "pixels of the ANN's gradient that are not 0, %", |lab, _| {
        let ann = &view(lab)?.ann;
        Some(Value::Number(100.0 * ann.l0 as f64 / ann.gradient.len().max(1) as f64))
    }),
];

fn view(lab: &Lab) -> Option<&RobustnessView> {
    lab.snapshot.as_ref()?.robustness.as_ref()?.as_ref().as_ref().ok()
}

fn answer(lab: &Lab, side: impl Fn(&RobustnessView) -> &AttackedSide) -> Option<Value> {
    let [_, after, _] = side(view(lab)?).answers;
    word(&lab.snapshot.as_ref()?.run.class_name(after))
}

fn word(word: &str) -> Option<Value> {
    Some(Value::Word(word.to_owned()))
}
