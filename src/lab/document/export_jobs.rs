//! Runs on their way to files, each on a thread of its own: the window goes on meanwhile, and what is told of them comes
//! with the engine's news.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

use super::job::ExportJob;
use crate::experiment::run_export::export_run;
use crate::lab::engine::{EngineEvent, catch_panic, is_due, spawn};
use crate::lab::{Lab, Notification, NotificationLevel};
use crate::progress::{JobControl, JobEvent};
use crate::{Error, Result};

impl Lab {
    /// Begins to write the run on the screen to `path`.
    pub(super) fn begin_export(&mut self, path: PathBuf) {
        let Some(run) = self.run.clone() else {
            return self.refuse(&Error::Invalid("Cannot export: no run yet. Open a network.".into()));
        };
        let number = self.exports.last().map_or(0, |last| last.number + 1);
        let voice = self.engine.voice();
        let control = {
            let (voice, last) = (voice.clone(), Mutex::new(Instant::now()));
            JobControl::with_listener(move |event| {
                if let JobEvent::Progress { fraction, .. } = event
                    && is_due(&last)
                {
                    voice.send(EngineEvent::Exporting { number, fraction });
                }
            })
        };
        let (own, target) = (control.clone(), path.clone());
        let thread = spawn("spikescope-write", move || {
            let result = catch_panic(|| export_run(&run, &target, Default::default(), &own));
            voice.send(EngineEvent::Exported { number, result });
        });
        match thread {
            Some(thread) => {
                self.exports.push(ExportJob { number, path, fraction: 0.0, control, thread: Some(thread) });
            }
            None => self.refuse(&Error::Internal(format!("{} was not written: no thread available", path.display()))),
        }
    }

    /// Stops the export of this number; nothing of it stays.
    pub(super) fn stop_export(&mut self, number: u64) {
        self.exports.iter().filter(|export| export.number == number).for_each(|export| export.control.cancel());
    }

    pub(super) fn hear_progress(&mut self, number: u64, fraction: f32) {
        self.exports.iter_mut().filter(|export| export.number == number).for_each(|export| export.fraction = fraction);
    }

    pub(super) fn hear_exported(&mut self, number: u64, result: Result<Vec<String>>) {
        let Some(index) = self.exports.iter().position(|export| export.number == number) else { return };
        let path = self.exports.remove(index).path.clone();
        match result {
            Ok(said) => {
                let text = format!("{}{}", written(&path), in_short(&said));
                self.notifications.push(Notification { level: NotificationLevel::Note, text });
                self.written = Some(path);
            }
            Err(Error::Cancelled) => {
                let text = format!("Stopped writing {}; no file was written.", path.display());
                self.notifications.push(Notification { level: NotificationLevel::Note, text });
            }
            Err(error) => self.refuse(&error),
        }
    }
}

fn written(path: &Path) -> String {
    format!("Written: {}", path.display())
}

/// What has to be said about a file, short enough for a notice: its grade, and how many reasons there are.
fn in_short(said: &[String]) -> String {
    match said {
        [] => String::new(),
        [grade] => format!("; {grade}"),
        [grade, reasons @ ..] => format!(
            "; {grade}, for {} reason{}: see docs/export.md, or `spikescope export`, which prints them",
            reasons.len(),
            if reasons.len() == 1 { "" } else { "s" }
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_names_the_path_once_and_does_not_list_reasons() {
        let said = ["this NIR graph is approximate".to_owned(), "a long reason".into(), "another".into()];
        let text = format!("{}{}", written(Path::new("a.nir")), in_short(&said));
        assert!(text.starts_with("Written: a.nir; this NIR graph is approximate, for 2 reasons"), "{text}");
        assert!(text.matches("a.nir").count() == 1 && !text.contains("a long reason"));
        assert_eq!(in_short(&[]), "");
    }
}
