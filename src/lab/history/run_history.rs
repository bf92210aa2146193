//! Run history: settings, curves and mismatch of past runs, to compare and restore.
//!
//! Settings and curves are also saved for the next start ([`super::run_history_file`]). Recordings are not; the engine's cache
//! has those of the latest runs.

use super::undo;
use crate::experiment::run::Run;
use crate::experiment::settings::Settings;
use crate::measure::CurvePoint;
use crate::task::OutputKind;

/// Maximum number of past runs.
const MAX_PAST_RUNS: usize = 200;

/// A finished run.
#[derive(Clone, Debug)]
pub struct PastRun {
    /// Number from 1, continued over sessions.
    pub number: usize,
    pub settings: Settings,
    /// A name given by the user, or empty.
    pub name: String,
    /// Starred runs stay when others are removed.
    pub starred: bool,
    /// The change from the previous run, in a sentence; empty for the first run.
    pub changed: String,
    /// Accuracy and agreement after every step, `[T]`.
    pub curve: Vec<CurvePoint>,
    pub ann_accuracy: Option<f64>,
    /// Kind of the outputs, which names the agreement; `None`: classes.
    pub outputs: Option<OutputKind>,
    /// Name and mismatch (mean |φ − a| over mean a) of every spiking layer.
    pub mismatch: Vec<(String, f64)>,
    /// Duration of all stages, in seconds.
    pub seconds: f64,
    /// Whether the run is of an earlier session.
    pub earlier: bool,
    /// Whether the next run replaces this one, because a drag is in progress.
    pub(super) replaceable: bool,
}

/// Past runs, oldest first.
#[derive(Clone, Debug, Default)]
pub struct RunHistory {
    past: Vec<PastRun>,
    count: usize,
    /// Number of the run that the displayed one is compared with.
    pub compared: Option<usize>,
    /// Increases with every change.
    version: u64,
}

impl PastRun {
    /// Mean mismatch over the layers.
    pub fn mean_mismatch(&self) -> f64 {
        self.mismatch.iter().map(|(_, mismatch)| mismatch).sum::<f64>() / self.mismatch.len().max(1) as f64
    }
    /// Accuracy after all steps, or agreement with the ANN without labels.
    pub fn final_score(&self) -> f64 {
        self.curve.last().map_or(0.0, |point| point.accuracy.unwrap_or(point.agreement))
    }
}

impl RunHistory {
    /// Adds `run`; of the runs during a drag, only the last remains.
    pub fn add(&mut self, run: &Run, dragging: bool) {
        let replaced = self.past.pop_if(|last| last.replaceable);
        self.version += 1;
        let mismatch = run.report.layers.iter();
        let mismatch = mismatch.map(|l| (l.name.clone(), l.mean_abs_mismatch / l.mean_activation.max(1e-12))).collect();
        let (curve, ann_accuracy) = (run.report.curve.clone(), run.report.ann_accuracy);
        let outputs = run.output_agreement.as_ref().map(|agreement| agreement.of);
        if let Some(known) = self.past.iter_mut().find(|past| past.settings == run.settings) {
            // The files may have changed since.
            (known.curve, known.ann_accuracy, known.mismatch, known.earlier) = (curve, ann_accuracy, mismatch, false);
            known.outputs = outputs;
            return;
        }
        let number = match replaced {
            Some(past) => past.number,
            None => {
                self.count += 1;
                self.count
            }
        };
        let timings = run.seconds;
        let changed =
            self.past.last().map_or(String::new(), |last| undo::describe_change(&last.settings, &run.settings));
        self.past.push(PastRun {
            number,
            settings: run.settings.clone(),
            name: String::new(),
            starred: false,
            changed,
            curve,
            ann_accuracy,
            outputs,
            mismatch,
            seconds: timings.load + timings.calibrate + timings.ann + timings.snn + timings.measure,
            earlier: false,
            replaceable: dragging,
        });
        if self.past.len() > MAX_PAST_RUNS {
            let oldest = self.past.iter().position(|past| !past.starred).unwrap_or(0);
            self.past.remove(oldest);
        }
    }
    /// The drag has ended at `settings`: their run is no longer replaceable.
    pub fn settle(&mut self, settings: &Settings) {
        if let Some(last) = self.past.last_mut().filter(|last| last.settings == *settings) {
            last.replaceable = false;
            self.version += 1;
        }
    }
    /// Sets the run to compare with.
    pub fn compare(&mut self, number: Option<usize>) {
        self.compared = number;
        self.version += 1;
    }
    /// Version number, which increases with every change.
    pub fn version(&self) -> u64 {
        self.version
    }
    /// Inserts the runs of earlier sessions before those of this one, which are renumbered after them.
    pub fn take_over(&mut self, earlier: Vec<PastRun>, compared: Option<usize>) {
        let own_runs = std::mem::replace(&mut self.past, earlier);
        self.count = self.past.iter().map(|past| past.number).max().unwrap_or(0);
        for run in own_runs {
            match self.past.iter_mut().find(|past| past.settings == run.settings) {
                Some(known) => {
                    let (number, starred) = (known.number, known.starred);
                    let (name, changed) = (known.name.clone(), known.changed.clone());
                    *known = PastRun { number, starred, name, changed, ..run };
                }
                None => {
                    self.count += 1;
                    self.past.push(PastRun { number: self.count, ..run });
                }
            }
        }
        let excess = self.past.len().saturating_sub(MAX_PAST_RUNS);
        self.past.drain(..excess);
        self.compared = compared;
        self.version += 1;
    }
    /// Discards the runs of earlier sessions that have no star.
    pub fn forget_earlier(&mut self) {
        self.past.retain(|past| !past.earlier || past.starred);
        self.version += 1;
    }
    /// Names the run of this number; an empty name removes the name.
    pub fn set_name(&mut self, number: usize, name: String) {
        self.change(number, |past| past.name = name);
    }
    /// Stars the run of this number, or removes its star.
    pub fn set_starred(&mut self, number: usize, starred: bool) {
        self.change(number, |past| past.starred = starred);
    }
    fn change(&mut self, number: usize, change: impl FnOnce(&mut PastRun)) {
        if let Some(past) = self.past.iter_mut().find(|past| past.number == number) {
            change(past);
            self.version += 1;
        }
    }
    /// Removes the run of this number from the list.
    pub fn remove(&mut self, number: usize) {
        self.past.retain(|past| past.number != number);
        self.compared = self.compared.filter(|compared| *compared != number);
        self.version += 1;
    }
    /// The runs, oldest first.
    pub fn past(&self) -> &[PastRun] {
        &self.past
    }
    /// The run of this number.
    pub fn get(&self, number: usize) -> Option<&PastRun> {
        self.past.iter().find(|past| past.number == number)
    }
    /// The run of exactly these settings.
    pub fn of(&self, settings: &Settings) -> Option<&PastRun> {
        self.past.iter().find(|past| past.settings == *settings)
    }
}

/// Differences of `to` from `from`, each as a short text: "T 8 instead of 16", "θ max instead of θ learned".
pub fn differences(from: &Settings, to: &Settings) -> Vec<String> {
    let (a, b) = (&from.recipe, &to.recipe);
    let mut texts = Vec::new();
    if a.steps != b.steps {
        texts.push(format!("T {} instead of {}", b.steps, a.steps));
    }
    // Both lists name the same settings in the same order.
    let pairs = b.differences_from(a).into_iter().zip(a.differences_from(b));
    texts.extend(pairs.map(|(new, old)| if new == old { new } else { format!("{new} instead of {old}") }));
    // Network, data and the rest, in the words of undo; the recipe is covered above.
    let rest = undo::describe_change(&Settings { recipe: b.clone(), ..from.clone() }, to);
    texts.extend((!rest.is_empty()).then_some(rest));
    texts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::{Lab, Message};

    #[test]
    fn a_drag_leaves_one_run_and_restoring_a_run_adds_none() {
        let settings = Settings { samples: 0..4, calibrate: 0..16, ..Settings::demo() };
        let mut lab = Lab::open(settings).unwrap();
        for steps in [12, 10, 8] {
            lab.update([Message::SetSteps(steps)]);
            lab.wait_until_idle();
        }
        lab.update([Message::EndGesture]);
        let past = lab.history.past();
        assert_eq!(past.iter().map(|p| (p.number, p.settings.recipe.steps)).collect::<Vec<_>>(), [(1, 16), (2, 8)]);
        assert_eq!(past[1].changed, "T 16 to 8");
        lab.update([Message::RestoreRun(1)]);
        lab.wait_until_idle();
        assert_eq!(lab.run.as_ref().unwrap().steps(), 16);
        assert_eq!(lab.history.past().len(), 2);
        assert_eq!(lab.undo_sentence().unwrap(), "T 8 to 16", "going back is a step of undo");
        lab.update([Message::SetVInit(0.25), Message::EndGesture]);
        lab.wait_until_idle();
        assert_eq!(lab.history.past().len(), 3);
        let (first, last) = (&lab.history.past()[0].settings, &lab.history.past()[2].settings);
        assert_eq!(differences(first, last), ["v(0) 0.25 θ instead of v(0) 0.5 θ"]);
        let other = Settings { samples: 0..9, ..Settings::default() };
        assert!(differences(first, &other).last().unwrap().contains("samples to 0..9"));
        lab.update([Message::OpenModel("builtin:digits-mlp".into())]);
        lab.wait_until_idle();
        lab.update([Message::SetSteps(4), Message::EndGesture]);
        lab.wait_until_idle();
        let steps = lab.history.past().iter().map(|p| (p.number, p.settings.recipe.steps));
        assert_eq!(steps.collect::<Vec<_>>(), [(1, 16), (2, 8), (3, 16), (4, 16), (5, 4)], "opening is no drag");
    }
}
