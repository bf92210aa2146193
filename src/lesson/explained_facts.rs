//! Facts about attribution maps and trojans, as the panes show them.

use super::value::Value;
use crate::experiment::explained::{ShownAnswer, ShownMap, Side};
use crate::explain::scores::correlation;
use crate::lab::Lab;
use crate::trojan::live::SuccessCurve;

/// The ANN, or the spiking network at the time cursor.
fn side(lab: &Lab, spiking: bool) -> Side {
    if spiking { Side::snn(lab.explained_step()) } else { Side::ANN }
}

/// The map of the first method of the *Attribution* pane.
fn map(lab: &Lab, spiking: bool) -> Option<&ShownMap> {
    let method = *lab.view.attribution.methods.first()?;
    lab.attribution_page()?.map(side(lab, spiking), method)?.as_ref().as_ref().ok()
}

fn answer(lab: &Lab, spiking: bool) -> Option<ShownAnswer> {
    lab.attribution_page()?.answer(side(lab, spiking))
}

fn curve(lab: &Lab) -> Option<&SuccessCurve> {
    lab.attribution.curve(lab.view.attribution.trojan.as_deref()?).map(AsRef::as_ref)
}

/// The word of the first method.
pub fn method(lab: &Lab) -> Option<Value> {
    lab.view.attribution.methods.first().map(|method| Value::Word(method.word().to_owned()))
}

/// What its map is ranked by.
pub fn score(lab: &Lab, spiking: bool) -> Option<Value> {
    map(lab, spiking).map(|map| map.scores.rank()).filter(|rank| rank.is_finite()).map(Value::Number)
}

/// The correlation of its maps of both networks.
pub fn agreement(lab: &Lab) -> Option<Value> {
    let (ann, snn) = map(lab, false).zip(map(lab, true))?;
    Some(Value::Number(correlation(&ann.map, &snn.map)))
}

/// The answer for the explained picture.
pub fn answered(lab: &Lab, spiking: bool) -> Option<Value> {
    let name = lab.finished.as_ref()?.class_name(answer(lab, spiking)?.answer);
    Some(Value::Word(name))
}

/// The output that is explained, in the ANN.
pub fn target(lab: &Lab) -> Option<Value> {
    let name = lab.finished.as_ref()?.class_name(answer(lab, false)?.target);
    Some(Value::Word(name))
}

/// The trojan whose pictures are explained.
pub fn trojan(lab: &Lab) -> Option<Value> {
    Some(Value::Word(lab.view.attribution.trojan.clone().unwrap_or_else(|| "none".to_owned())))
}

/// The class that it leads to.
pub fn trojan_target(lab: &Lab) -> Option<Value> {
    Some(Value::Word(lab.finished.as_ref()?.class_name(curve(lab)?.target)))
}

/// Its success in the ANN, %.
pub fn success_of_ann(lab: &Lab) -> Option<Value> {
    curve(lab).map(|curve| Value::Number(100.0 * curve.ann))
}

/// Its success in the spiking network after `at` steps, or at the time cursor, %.
pub fn success_of_snn(lab: &Lab, at: Option<usize>) -> Option<Value> {
    let share = curve(lab)?.snn.get(at.unwrap_or(lab.cursor()).checked_sub(1)?)?;
    Some(Value::Number(100.0 * share))
}

/// The first step at which it appears.
pub fn appears(lab: &Lab) -> Option<Value> {
    curve(lab)?.appears().map(|t| Value::Number(t as f64))
}
