//! Lab facts that lessons can query by name, such as `accuracy.snn` and `bench.count`.
//!
//! Every fact is a number or a word that is also on the screen. Fractions are in percent, energies in nanojoules.

use super::value::ReadFact;
pub use super::value::Value;
use super::{attack_facts, explained_facts};
use crate::convert::{Reset, TieRule, expected_spikes};
use crate::experiment::{Run, Snapshot};
use crate::lab::Lab;
use crate::measure::accuracy_curve::steps_needed;
use crate::measure::energy::{Energy, energy, operations};
use crate::measure::neuron_bench::BenchTrace;
use crate::measure::{CurvePoint, LayerReport, Ledger};

/// All facts: name, description and function.
pub const FACTS: [(&str, &str, ReadFact); 66] = [
    ("T", "time-steps of the run", |lab, _| run(lab).map(|run| count(run.steps()))),
    ("t", "the time cursor", |lab, _| Some(count(lab.cursor()))),
    ("v-init", "v(0) as a fraction of θ", |lab, _| number(lab.settings.recipe.v_init)),
    ("threshold", "the threshold rule", |lab, _| word(lab.settings.recipe.threshold)),
    ("percentile", "the percentile of that rule", |lab, _| match lab.settings.recipe.threshold {
        crate::convert::ThresholdRule::Percentile(p) => Some(Value::Number(p)),
        _ => None,
    }),
    ("correction", "the correction: none, srp or cos", |lab, _| {
        // The parameters of the correction are facts of their own.
        word(lab.settings.recipe.correction.to_string().split(':').next().unwrap_or_default())
    }),
    ("neuron", "the neuron model", |lab, _| word(lab.settings.recipe.neuron)),
    ("reset", "the reset: soft or hard", |lab, _| word(reset(lab.settings.recipe.reset))),
    ("network", "the network", |lab, _| word(&lab.settings.model)),
    ("data", "the data", |lab, _| word(&lab.settings.data)),
    ("presteps", "steps before the first that counts", |lab, _| Some(count(lab.settings.recipe.correction.presteps()))),
    ("samples", "samples of the run", |lab, _| run(lab).map(|run| count(run.recording.samples))),
    ("accuracy.ann", "samples that the ANN classifies correctly, %", |lab, _| percent(run(lab)?.report.ann_accuracy?)),
    (
        "accuracy.snn",
        "samples that the SNN classifies correctly at the time cursor, %; with @n after n steps",
        |lab, at| percent(point(lab, at)?.accuracy?),
    ),
    ("agreement", "samples with the same prediction of SNN and ANN, %; with @n after n steps", |lab, at| {
        percent(point(lab, at)?.agreement)
    }),
    ("score.ann", "mIoU or mAP of the ANN on scenes, %", |lab, _| percent(run(lab)?.scene.as_ref()?.ann_score()?)),
    ("score.snn", "mIoU or mAP of the SNN at the time cursor, %; with @n after n steps", |lab, at| {
        let run = run(lab)?;
        percent(run.scene.as_ref()?.snn_score(at.unwrap_or(lab.cursor()).clamp(1, run.steps()))?)
    }),
    ("steps-needed", "the first t from which on the SNN stays within one point of the ANN", |lab, _| {
        let report = &run(lab)?.report;
        steps_needed(&report.curve, report.ann_accuracy?).map(count)
    }),
    ("layer", "the layer in focus, counted from 1", |lab, _| snapshot(lab).map(|s| count(s.focus.layer + 1))),
    ("layers", "spiking layers", |lab, _| run(lab).map(|run| count(run.spiking.layers.len()))),
    ("layer.name", "the layer's name", |lab, _| layer(lab).and_then(|l| word(&l.name))),
    ("layer.theta", "the layer's largest threshold", |lab, _| {
        layer(lab).and_then(|l| number(l.theta.iter().copied().fold(0.0, f32::max)))
    }),
    ("layer.rate", "the layer's mean spikes per neuron and step", |lab, _| layer(lab).map(|l| Value::Number(l.rate))),
    ("layer.spikes", "the layer's spikes over all samples", |lab, _| {
        layer(lab).map(|l| Value::Number(l.spikes as f64))
    }),
    (
        "layer.wrong",
        "neurons whose spike count differs from the expected spikes of their own mean input, %",
        |lab, _| {
            let categories = layer(lab)?.same_input;
            percent(1.0 - categories.c0 as f64 / categories.total().max(1) as f64)
        },
    ),
    ("layer.too-many", "neurons with more spikes than their own mean input gives, %", |lab, _| {
        let categories = layer(lab)?.same_input;
        percent((categories.c1 + categories.c2) as f64 / categories.total().max(1) as f64)
    }),
    ("ledger.carried-in", "propagated error, % of the layer's mean activation", |lab, _| part(lab, |l| l.propagated)),
    ("ledger.clipping", "error of clipping, % of the layer's mean activation", |lab, _| part(lab, |l| l.clipping)),
    ("ledger.quantisation", "error of quantization, % of the layer's mean activation", |lab, _| {
        part(lab, |l| l.quantization)
    }),
    ("ledger.unevenness", "error of unevenness, % of the layer's mean activation", |lab, _| {
        part(lab, |l| l.unevenness)
    }),
    ("ledger.pooling", "error of max pooling, % of the layer's mean activation", |lab, _| part(lab, |l| l.pooling)),
    ("ledger.total", "all five errors together, % of the layer's mean activation", |lab, _| part(lab, |l| l.total)),
    ("focus.count", "spikes of the neuron in focus", |lab, _| {
        snapshot(lab).map(|s| Value::Number(f64::from(s.trace.sent.iter().sum::<i32>())))
    }),
    ("focus.due", "expected spikes of its own mean input", |lab, _| {
        let s = snapshot(lab)?;
        let spiking = s.run.spiking.layers.get(s.focus.layer)?;
        let mean = s.trace.current.iter().sum::<f32>() / s.trace.current.len().max(1) as f32;
        let amplitude = spiking.neuron.amplitude(s.trace.theta);
        Some(count(
            expected_spikes(mean, amplitude, s.trace.current.len(), spiking.neuron.max_spikes_per_step(), 0.5) as usize
        ))
    }),
    ("sample", "the sample in focus, counted from 1", |lab, _| snapshot(lab).map(|s| count(s.focus.sample + 1))),
    ("sample.label", "the label of the sample in focus", |lab, _| {
        let s = snapshot(lab)?;
        word(s.run.class_name(usize::from(*s.run.labels.get(s.focus.sample)?)))
    }),
    ("sample.ann", "prediction of the ANN", |lab, _| {
        let s = snapshot(lab)?;
        let ann = (s.focus.sample < s.run.ann.samples).then(|| s.run.ann.prediction(s.focus.sample));
        word(s.run.class_name(ann?))
    }),
    ("sample.snn", "prediction of the SNN at the time cursor", |lab, _| {
        let s = snapshot(lab)?;
        word(s.run.class_name(s.report.predictions.at(s.focus.steps, s.focus.sample)))
    }),
    ("map.method", "the first method of the attribution maps", |lab, _| explained_facts::method(lab)),
    (
        "map.score.ann",
        "score of its map of the ANN: correlation with the trigger where there is one, else insertion − deletion",
        |lab, _| explained_facts::score(lab, false),
    ),
    ("map.score.snn", "the same of the SNN at the time cursor", |lab, _| explained_facts::score(lab, true)),
    ("map.agreement", "correlation of its maps of ANN and SNN", |lab, _| explained_facts::agreement(lab)),
    ("map.answer.ann", "answer of the ANN for the explained picture", |lab, _| explained_facts::answered(lab, false)),
    ("map.answer.snn", "answer of the SNN at the time cursor for it", |lab, _| explained_facts::answered(lab, true)),
    ("map.target", "the output that is explained in the ANN", |lab, _| explained_facts::target(lab)),
    ("trojan", "the trojan whose pictures are explained, or none", |lab, _| explained_facts::trojan(lab)),
    ("trojan.target", "the class that the trojan leads to", |lab, _| explained_facts::trojan_target(lab)),
    ("trojan.success.ann", "pictures with the trigger that the ANN takes for that class, %", |lab, _| {
        explained_facts::success_of_ann(lab)
    }),
    ("trojan.success.snn", "the same of the SNN at the time cursor, %; with @n after n steps", |lab, at| {
        explained_facts::success_of_snn(lab, at)
    }),
    ("trojan.appears", "the first t at which the SNN has half of the ANN's success", |lab, _| {
        explained_facts::appears(lab)
    }),
    ("energy.ann", "energy of the ANN for one sample, nJ", |lab, _| Some(nanojoules(energy_of_run(lab)?.ann_joules))),
    ("energy.snn", "energy of the SNN up to the time cursor, nJ; with @n after n steps", |lab, at| {
        energy_of_run(lab)?.snn_joules.get(at.unwrap_or(lab.cursor()).checked_sub(1)?).map(|joules| nanojoules(*joules))
    }),
    ("energy.break-even", "the first step after which the SNN has cost as much as the ANN", |lab, _| {
        energy_of_run(lab)?.break_even_step.map(count)
    }),
    ("drawing.strokes", "strokes on the canvas", |lab, _| lab.drawing().map(|drawing| count(drawing.strokes.len()))),
    ("bench.T", "steps on the bench", |lab, _| Some(count(lab.view.bench.input.len()))),
    ("bench.theta", "θ on the bench", |lab, _| number(lab.view.bench.theta)),
    ("bench.v-init", "v(0) on the bench as a fraction of θ", |lab, _| number(lab.view.bench.v_init)),
    ("bench.weight", "the weight on the bench", |lab, _| number(lab.view.bench.weight)),
    ("bench.sum", "all input on the bench, in θ", |lab, _| {
        let bench = &lab.view.bench;
        number(bench.input.iter().sum::<f32>() * bench.weight / bench.theta.max(f32::MIN_POSITIVE))
    }),
    ("bench.count", "spikes that came on the bench", |lab, _| Some(Value::Number(f64::from(bench(lab).count())))),
    ("bench.due", "expected spikes on the bench", |lab, _| Some(Value::Number(f64::from(bench(lab).expected)))),
    ("bench.first-spike", "the step of the first spike on the bench", |lab, _| {
        bench(lab).emitted.iter().position(|sent| *sent > 0).map(|at| count(at + 1))
    }),
    ("bench.left", "potential left on the bench at the end, in θ", |lab, _| {
        let trace = bench(lab);
        let last = trace.after_reset.last().copied().unwrap_or(trace.initial);
        number(last / lab.view.bench.theta.max(f32::MIN_POSITIVE))
    }),
    ("bench.source", "whose neuron lies on the bench: own, or a neuron of the network", |lab, _| {
        let source = &lab.view.bench.source;
        word(if source.is_empty() { "own" } else { source })
    }),
    ("bench.reset", "the reset on the bench: soft or hard", |lab, _| word(reset(lab.view.bench.reset))),
    ("bench.tie", "what fires on the bench at θ exactly: ≥ or >", |lab, _| {
        word(if lab.view.bench.tie == TieRule::Ge { "≥" } else { ">" })
    }),
];

/// All facts, with those of attacks.
fn all() -> impl Iterator<Item = &'static (&'static str, &'static str, ReadFact)> {
    FACTS.iter().chain(&attack_facts::FACTS)
}

/// The value of the fact `name`; `None` while the lab does not have it: before the first run, without labels.
pub fn fact(lab: &Lab, name: &str) -> Option<Value> {
    let (name, at) = split(name);
    all().find(|(known, ..)| *known == name).and_then(|(_, _, read)| read(lab, at))
}

/// The description of the fact `name`.
pub fn described(name: &str) -> Option<String> {
    let (plain, at) = split(name);
    let words = all().find(|(known, ..)| *known == plain)?.1;
    let (words, _) = words.split_once("; with @n").unwrap_or((words, ""));
    Some(match at {
        Some(n) => format!(
            "{} after {n} steps",
            words.trim_end_matches(" at the time cursor, %").trim_end_matches(" up to the time cursor, nJ")
        ),
        None => words.to_owned(),
    })
}

/// Whether `name` is the name of a fact.
pub fn known(name: &str) -> bool {
    let (plain, at) = split(name);
    let timed = ["accuracy.snn", "agreement", "score.snn", "energy.snn", "trojan.success.snn"];
    all().any(|(known, ..)| *known == plain) && (at.is_none_or(|n| n > 0 && timed.contains(&plain)))
}

/// Splits `accuracy.snn@8` into the name `accuracy.snn` and the step 8.
fn split(name: &str) -> (&str, Option<usize>) {
    match name.split_once('@').map(|(plain, at)| (plain, at.parse())) {
        Some((plain, Ok(at))) => (plain, Some(at)),
        _ => (name, None),
    }
}

fn run(lab: &Lab) -> Option<&Run> {
    lab.run.as_deref().filter(|run| run.preview_of.is_none())
}
fn snapshot(lab: &Lab) -> Option<&Snapshot> {
    lab.snapshot.as_deref().filter(|snapshot| !snapshot.is_preview())
}
fn layer(lab: &Lab) -> Option<&LayerReport> {
    let s = snapshot(lab)?;
    s.report.layers.get(s.focus.layer)
}
fn point(lab: &Lab, at: Option<usize>) -> Option<&CurvePoint> {
    run(lab)?.report.curve.get(at.unwrap_or(lab.cursor()).checked_sub(1)?)
}
fn part(lab: &Lab, of: fn(&Ledger) -> f64) -> Option<Value> {
    let layer = layer(lab)?;
    percent(of(&layer.ledger_against(lab.view.reference)) / layer.mean_activation.max(1e-12))
}
fn energy_of_run(lab: &Lab) -> Option<Energy> {
    let s = snapshot(lab)?;
    if let Some(known) = &s.figures.operations {
        return Some(energy(known, &lab.view.energy));
    }
    // The snapshot counts operations only while an energy pane is visible; otherwise they are counted here.
    let (network, model) = (s.run.network.program.network(), &s.run.network);
    Some(energy(&operations(network, &model.fan_outs, &s.run.recording), &lab.view.energy))
}
fn bench(lab: &Lab) -> BenchTrace {
    lab.view.bench.run()
}
fn reset(reset: Reset) -> &'static str {
    match reset {
        Reset::Soft => "soft",
        Reset::Hard => "hard",
    }
}
fn count(n: usize) -> Value {
    Value::Number(n as f64)
}
fn number(n: f32) -> Option<Value> {
    Some(Value::Number(f64::from(n)))
}
fn percent(percent: f64) -> Option<Value> {
    Some(Value::Number(percent * 100.0))
}
fn nanojoules(joules: f64) -> Value {
    Value::Number(joules * 1e9)
}
fn word(word: impl std::fmt::Display) -> Option<Value> {
    Some(Value::Word(word.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_identified_by_name_and_optional_step() {
        assert!(known("bench.count") && known("accuracy.snn@8"));
        assert!(!known("bench.counts") && !known("bench.count@8") && !known("accuracy.snn@0"));
        let lab = Lab::default();
        assert_eq!(fact(&lab, "bench.count"), Some(Value::Number(4.0)));
        assert_eq!(fact(&lab, "accuracy.snn"), None, "nothing has run yet");
    }

    #[test]
    fn numbers_are_rounded_for_display() {
        let written = [4.0, 72.25, 0.258, 0.00123, -0.0, 4.5].map(|n| Value::Number(n).to_string());
        assert_eq!(written, ["4", "72.2", "0.26", "0.0012", "0", "4.5"]);
        assert!(Value::Number(0.1 + 0.2).same(&Value::Number(0.3)));
    }

    #[test]
    fn documentation_lists_every_fact() {
        let text = include_str!("../../docs/lessons.md");
        for (name, what, _) in all() {
            assert!(text.contains(&format!("| `{name}` | {what}")), "docs/lessons.md lacks `{name}`: {what}");
        }
    }
}
