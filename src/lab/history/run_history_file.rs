//! Run history file: settings and curves of the newest past runs, up to a size limit.
//!
//! With it, past runs can be compared and restored after a restart.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::run_history::{PastRun, RunHistory};
use crate::data::digits::Drawing;
use crate::experiment::settings::Settings;
use crate::measure::CurvePoint;
use crate::task::OutputKind;
use crate::{Error, Result};

/// The name of the file.
pub const RUNS: &str = "runs.json";
/// Version of the file format.
const VERSION: u32 = 1;
/// Maximum size of the file, in bytes: the oldest runs are omitted.
const MAX_BYTES: usize = 1 << 20;

/// The whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "version")]
    _version: u32,
    compared: Option<usize>,
    runs: Vec<StoredRun>,
}

/// One stored run; curves are columns, which are shorter than points.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct StoredRun {
    number: usize,
    settings: Settings,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    starred: bool,
    changed: String,
    /// Accuracy after each step; empty without labels.
    accuracy: Vec<f64>,
    agreement: Vec<f64>,
    ann_accuracy: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    outputs: Option<OutputKind>,
    mismatch: Vec<(String, f64)>,
    seconds: f64,
}

impl StoredRun {
    fn new(past: &PastRun) -> Self {
        Self {
            number: past.number,
            settings: past.settings.clone(),
            name: past.name.clone(),
            starred: past.starred,
            changed: past.changed.clone(),
            accuracy: past.curve.iter().filter_map(|point| point.accuracy).collect(),
            agreement: past.curve.iter().map(|point| point.agreement).collect(),
            ann_accuracy: past.ann_accuracy,
            outputs: past.outputs,
            mismatch: past.mismatch.clone(),
            seconds: past.seconds,
        }
    }
    fn into_past_run(self) -> PastRun {
        let point =
            |(index, agreement)| CurvePoint { t: index + 1, accuracy: self.accuracy.get(index).copied(), agreement };
        PastRun {
            number: self.number,
            settings: self.settings,
            name: self.name,
            starred: self.starred,
            changed: self.changed,
            curve: self.agreement.into_iter().enumerate().map(point).collect(),
            ann_accuracy: self.ann_accuracy,
            outputs: self.outputs,
            mismatch: self.mismatch,
            seconds: self.seconds,
            earlier: true,
            replaceable: false,
        }
    }
}

/// Encodes the newest runs of `history` as a file. Omits runs of an unfinished drag, and runs of drawings, of which there is
/// one for each part of a stroke.
pub fn write(history: &RunHistory) -> Vec<u8> {
    let is_stored = |past: &&PastRun| !past.replaceable && !Drawing::is_drawing_spec(&past.settings.data);
    let mut remaining = MAX_BYTES - 64;
    let mut runs = Vec::new();
    for past in history.past().iter().rev().filter(is_stored) {
        // Serialization of numbers and text cannot fail; a run for which it did would only be missing.
        let Ok(text) = serde_json::to_string(&StoredRun::new(past)) else { continue };
        let Some(rest) = remaining.checked_sub(text.len() + 2) else { break };
        remaining = rest;
        runs.push(text);
    }
    runs.reverse();
    let compared = history.compared.map_or("null".to_owned(), |number| number.to_string());
    format!("{{\"version\":{VERSION},\"compared\":{compared},\"runs\":[\n{}\n]}}\n", runs.join(",\n")).into_bytes()
}

/// Decodes the file at `path` with content `bytes`: runs, oldest first, and the number of the one to compare with.
///
/// # Errors
/// [`Error::File`] if it is damaged or of a newer version.
pub fn read(path: &Path, bytes: &[u8]) -> Result<(Vec<PastRun>, Option<usize>)> {
    #[derive(Deserialize)]
    struct Head {
        version: u32,
    }
    let damaged = |error: serde_json::Error| Error::file(path, format!("line {}", error.line()), error.to_string());
    let head: Head = serde_json::from_slice(bytes).map_err(damaged)?;
    if head.version > VERSION {
        return Err(Error::file(path, "version", "written by a newer version of this program"));
    }
    let File { compared, runs, .. } = serde_json::from_slice(bytes).map_err(damaged)?;
    Ok((runs.into_iter().map(StoredRun::into_past_run).collect(), compared))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::{Lab, Message};

    fn lab() -> Lab {
        let mut lab = Lab::open(Settings { samples: 0..4, calibrate: 0..16, ..Settings::demo() }).unwrap();
        for steps in [8, 5] {
            lab.update([Message::SetSteps(steps), Message::EndGesture]);
            lab.wait_until_idle();
        }
        lab.update([Message::CompareWith(Some(1))]);
        lab
    }

    #[test]
    fn written_runs_read_back_equal() {
        let lab = lab();
        let bytes = write(&lab.history);
        let (runs, compared) = read(Path::new("runs.json"), &bytes).unwrap();
        assert_eq!((runs.len(), compared), (3, Some(1)));
        for (read, was) in runs.iter().zip(lab.history.past()) {
            assert_eq!((read.number, &read.settings, &read.changed), (was.number, &was.settings, &was.changed));
            assert_eq!((&read.curve, read.ann_accuracy), (&was.curve, was.ann_accuracy));
            for (read, was) in read.mismatch.iter().zip(&was.mismatch) {
                // Serialization may lose the last digit of a number.
                assert!(read.0 == was.0 && (read.1 - was.1).abs() < 1e-12, "{read:?} {was:?}");
            }
            assert!(read.earlier && !was.earlier);
        }
    }

    #[test]
    fn runs_of_an_earlier_session_come_before_those_of_this_one() {
        let (runs, compared) = read(Path::new("runs.json"), &write(&lab().history)).unwrap();
        let mut next = Lab::open(Settings { samples: 0..4, calibrate: 0..16, ..Settings::demo() }).unwrap();
        next.update([Message::SetVInit(0.25), Message::EndGesture]);
        next.wait_until_idle();
        next.history.take_over(runs, compared);
        let rows: Vec<_> = next.history.past().iter().map(|p| (p.number, p.settings.recipe.steps, p.earlier)).collect();
        // The first run of both sessions is the same.
        assert_eq!(rows, [(1, 16, false), (2, 8, true), (3, 5, true), (4, 16, false)]);
        next.update([Message::RestoreRun(2)]);
        next.wait_until_idle();
        assert_eq!(next.run.as_ref().unwrap().steps(), 8);
        assert!(!next.history.get(2).unwrap().earlier, "it has been run again");
        assert_eq!(next.history.compared, Some(1));
        next.update([Message::ForgetRuns]);
        assert!(next.history.past().iter().all(|past| !past.earlier) && next.history.get(3).is_none());
    }

    #[test]
    fn file_size_is_limited_and_the_oldest_runs_are_omitted() {
        let mut lab = lab();
        let model = PastRun {
            curve: vec![CurvePoint { t: 1, accuracy: Some(1.0 / 3.0), agreement: 2.0 / 3.0 }; 2000],
            ..lab.history.past()[0].clone()
        };
        let many = (0..100).map(|number| PastRun { number, ..model.clone() });
        lab.history = RunHistory::default();
        lab.history.take_over(many.collect(), None);
        let bytes = write(&lab.history);
        assert!(bytes.len() <= MAX_BYTES, "{}", bytes.len());
        let (runs, _) = read(Path::new("runs.json"), &bytes).unwrap();
        assert!(runs.len() > 5 && runs.len() < 100 && runs.last().unwrap().number == 99, "{}", runs.len());
    }

    #[test]
    fn damaged_and_newer_files_are_errors_with_their_position() {
        let bytes = write(&lab().history);
        let path = Path::new("runs.json");
        let cut = read(path, &bytes[..bytes.len() / 2]).err().unwrap().to_string();
        assert!(cut.starts_with("Cannot open runs.json: line "), "{cut}");
        let newer = read(path, b"{\"version\": 99, \"what\": []}").err().unwrap().to_string();
        assert!(newer.contains("newer version"), "{newer}");
    }
}
