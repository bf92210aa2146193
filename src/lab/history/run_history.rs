//! Past runs: what was set, what came of it, and the way back. Curves are kept, also for the next start
//! (`kept_runs.rs`), recordings are not; the cache of the engine has those of the last runs.

use super::undo;
use crate::experiment::run::Run;
use crate::experiment::settings::Settings;
use crate::measure::CurvePoint;

/// Runs that are remembered.
const LIMIT: usize = 200;

/// A finished run.
#[derive(Clone, Debug)]
pub struct PastRun {
    /// Counted from 1, on from start to start.
    pub number: usize,
    pub settings: Settings,
    /// What was changed against the run before, in words; empty for the first.
    pub changed: String,
    /// Accuracy and agreement after every step.
    pub curve: Vec<CurvePoint>,
    pub ann_accuracy: Option<f64>,
    /// Every spiking layer with its mismatch.
    pub mismatch: Vec<(String, f64)>,
    /// How long it took.
    pub seconds: f64,
    /// It is of an earlier start.
    pub earlier: bool,
    /// A drag goes on: the next run takes its place.
    pub(super) replaceable: bool,
}

/// The runs, oldest first.
#[derive(Clone, Debug, Default)]
pub struct RunHistory {
    past: Vec<PastRun>,
    made: usize,
    /// The number of the run that the one on the screen is compared with.
    pub compared: Option<usize>,
    /// Grows with every change.
    version: u64,
}

impl PastRun {
    /// Mean of the layers' mismatch.
    pub fn mean_mismatch(&self) -> f64 {
        self.mismatch.iter().map(|(_, mismatch)| mismatch).sum::<f64>() / self.mismatch.len().max(1) as f64
    }
    /// Accuracy after all steps, or agreement with the ANN where there are no labels.
    pub fn final_score(&self) -> f64 {
        self.curve.last().map_or(0.0, |point| point.accuracy.unwrap_or(point.agreement))
    }
}

impl RunHistory {
    /// Remembers `run`; of the runs that a drag makes on its way only the last stays.
    pub fn add(&mut self, run: &Run, dragging: bool) {
        let replaced = self.past.pop_if(|last| last.replaceable);
        self.version += 1;
        let mismatch = run.report.layers.iter();
        let mismatch = mismatch.map(|l| (l.name.clone(), l.mean_abs_mismatch / l.mean_activation.max(1e-12))).collect();
        let (curve, ann_accuracy) = (run.report.curve.clone(), run.report.ann_accuracy);
        if let Some(known) = self.past.iter_mut().find(|past| past.settings == run.settings) {
            // Files may have changed since.
            (known.curve, known.ann_accuracy, known.mismatch, known.earlier) = (curve, ann_accuracy, mismatch, false);
            return;
        }
        let number = match replaced {
            Some(past) => past.number,
            None => {
                self.made += 1;
                self.made
            }
        };
        let took = run.seconds;
        let changed = self.past.last().map_or(String::new(), |last| undo::sentence(&last.settings, &run.settings));
        self.past.push(PastRun {
            number,
            settings: run.settings.clone(),
            changed,
            curve,
            ann_accuracy,
            mismatch,
            seconds: took.load + took.calibrate + took.ann + took.snn + took.measure,
            earlier: false,
            replaceable: dragging,
        });
        if self.past.len() > LIMIT {
            self.past.remove(0);
        }
    }
    /// The drag is over at `settings`: their run stays.
    pub fn settle(&mut self, settings: &Settings) {
        if let Some(last) = self.past.last_mut().filter(|last| last.settings == *settings) {
            last.replaceable = false;
            self.version += 1;
        }
    }
    /// The run to compare with from now on.
    pub fn compare(&mut self, number: Option<usize>) {
        self.compared = number;
        self.version += 1;
    }
    /// Grows with every change.
    pub fn version(&self) -> u64 {
        self.version
    }
    /// Puts the runs of earlier starts before those of this one, which are counted on from them.
    pub fn take_over(&mut self, earlier: Vec<PastRun>, compared: Option<usize>) {
        let own = std::mem::replace(&mut self.past, earlier);
        self.made = self.past.iter().map(|past| past.number).max().unwrap_or(0);
        for run in own {
            match self.past.iter_mut().find(|past| past.settings == run.settings) {
                Some(known) => *known = PastRun { number: known.number, changed: known.changed.clone(), ..run },
                None => {
                    self.made += 1;
                    self.past.push(PastRun { number: self.made, ..run });
                }
            }
        }
        let excess = self.past.len().saturating_sub(LIMIT);
        self.past.drain(..excess);
        self.compared = compared;
        self.version += 1;
    }
    /// Forgets the runs of earlier starts.
    pub fn forget_earlier(&mut self) {
        self.past.retain(|past| !past.earlier);
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

/// What is other in `to` than in `from`, each in a few words: "T 8 instead of 16", "θ max instead of θ learned".
pub fn differences(from: &Settings, to: &Settings) -> Vec<String> {
    let (a, b) = (&from.recipe, &to.recipe);
    let mut words = Vec::new();
    if a.steps != b.steps {
        words.push(format!("T {} instead of {}", b.steps, a.steps));
    }
    // Both tell of the same settings in the same order.
    let pairs = b.differences_from(a).into_iter().zip(a.differences_from(b));
    words.extend(pairs.map(|(new, old)| if new == old { new } else { format!("{new} instead of {old}") }));
    // Network, data and the rest, as undo says it; the recipe has been told.
    let rest = undo::sentence(&Settings { recipe: b.clone(), ..from.clone() }, to);
    words.extend((!rest.is_empty()).then_some(rest));
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::{Lab, Message};

    #[test]
    fn a_drag_leaves_one_run_and_going_back_none() {
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
