//! Export jobs: write runs to files on threads and report progress through engine events.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

use super::job::ExportJob;
use crate::experiment::run_export::{REMARK_PYTHON, export_run};
use crate::export::nir::NirReader;
use crate::lab::engine::{EngineEvent, catch_panic, is_due, spawn};
use crate::lab::{Lab, Notification, NotificationLevel};
use crate::progress::{JobControl, JobEvent};
use crate::{Error, Result};

impl Lab {
    /// Starts writing the displayed run to `path`; a NIR graph is for `reader`.
    pub(super) fn start_export(&mut self, path: PathBuf, reader: NirReader) {
        let Some(run) = self.finished.clone() else {
            return self.notify_error(&Error::Invalid("Cannot export: no run yet. Open a network.".into()));
        };
        let number = self.exports.last().map_or(0, |last| last.number + 1);
        let sender = self.engine.event_sender();
        let control = {
            let (sender, last) = (sender.clone(), Mutex::new(Instant::now()));
            JobControl::with_listener(move |event| {
                if let JobEvent::Progress { fraction, .. } = event
                    && is_due(&last)
                {
                    sender.send(EngineEvent::ExportProgress { number, fraction });
                }
            })
        };
        let (job_control, target) = (control.clone(), path.clone());
        let thread = spawn("spikescope-write", move || {
            let result = catch_panic(|| export_run(&run, &target, reader, &job_control));
            sender.send(EngineEvent::ExportFinished { number, result });
        });
        match thread {
            Some(thread) => {
                self.exports.push(ExportJob { number, path, fraction: 0.0, control, thread: Some(thread) });
            }
            None => {
                self.notify_error(&Error::Internal(format!("{} was not written: no thread available", path.display())))
            }
        }
    }

    /// Cancels the export of this number; no file remains.
    pub(super) fn stop_export(&mut self, number: u64) {
        self.exports.iter().filter(|export| export.number == number).for_each(|export| export.control.cancel());
    }

    pub(super) fn on_export_progress(&mut self, number: u64, fraction: f32) {
        self.exports.iter_mut().filter(|export| export.number == number).for_each(|export| export.fraction = fraction);
    }

    pub(super) fn on_export_finished(&mut self, number: u64, result: Result<Vec<String>>) {
        let Some(index) = self.exports.iter().position(|export| export.number == number) else { return };
        let path = self.exports.remove(index).path.clone();
        match result {
            Ok(remarks) => {
                let text = format!("{}{}", written_to(&path), shorten(&remarks));
                self.notifications.push(Notification { level: NotificationLevel::Note, text });
                self.written = Some(path);
            }
            Err(Error::Cancelled) => {
                let text = format!("Stopped writing {}; no file was written.", path.display());
                self.notifications.push(Notification { level: NotificationLevel::Note, text });
            }
            Err(error) => self.notify_error(&error),
        }
    }
}

fn written_to(path: &Path) -> String {
    format!("Written: {}", path.display())
}

/// The remarks of an export, shortened for a notification: the grade and the number of reasons. Those for one program are
/// listed with its Python.
fn shorten(remarks: &[String]) -> String {
    match remarks {
        [] => String::new(),
        [grade] => format!("; {grade}"),
        [grade, reasons @ .., python] if python.starts_with(REMARK_PYTHON) => {
            let reasons: String = reasons.iter().map(|reason| format!("\n- {reason}")).collect();
            format!("; {grade}{reasons}\n{python}")
        }
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
    fn notification_names_the_path_once_and_does_not_list_reasons() {
        let remarks = ["this NIR graph is approximate".to_owned(), "a long reason".into(), "another".into()];
        let text = format!("{}{}", written_to(Path::new("a.nir")), shorten(&remarks));
        assert!(text.starts_with("Written: a.nir; this NIR graph is approximate, for 2 reasons"), "{text}");
        assert!(text.matches("a.nir").count() == 1 && !text.contains("a long reason"));
        assert_eq!(shorten(&[]), "");
        let for_reader = [remarks.as_slice(), &[format!("{REMARK_PYTHON}\nm.v_reset = None")]].concat();
        assert!(shorten(&for_reader).contains("- another\n") && shorten(&for_reader).ends_with("m.v_reset = None"));
    }
}
