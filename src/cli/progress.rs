//! Progress display on standard error: one updated line on a terminal, occasional lines in a log.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::progress::{JobControl, JobEvent};

/// Minimum time between updates on a terminal.
const TERMINAL_INTERVAL: Duration = Duration::from_millis(50);
/// Minimum time between lines in a log.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// The progress display of a command. Cheap to clone.
#[derive(Clone)]
pub struct Progress {
    state: Arc<Mutex<State>>,
    /// The line on a terminal; hidden if standard error is not a terminal.
    bar: ProgressBar,
}

struct State {
    /// The job that the stages belong to: "lane 3 of 16, SRP"; may be empty.
    job: String,
    /// The stage of the last update.
    stage: String,
    last_update: Instant,
}

impl Progress {
    /// Creates a progress display on standard error.
    pub fn new() -> Self {
        let state = State { job: String::new(), stage: String::new(), last_update: Instant::now() };
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        // The text is truncated at the terminal's width: a wrapped line could not be erased.
        let truncated = ProgressStyle::with_template("{wide_msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
        Self { state: Arc::new(Mutex::new(state)), bar: bar.with_style(truncated) }
    }

    /// Begins the job `job`. A log gets a line with its name.
    pub fn begin(&self, job: impl Into<String>) {
        let mut state = self.state();
        state.job = job.into();
        state.last_update = Instant::now();
        self.write_line(state.job.clone());
    }

    /// A control whose progress events are shown here; with `log`, also if standard error is not a terminal.
    pub fn control(&self, log: bool) -> JobControl {
        if !(self.is_terminal() || log) {
            return JobControl::default();
        }
        let display = self.clone();
        let control = JobControl::with_listener(move |event| {
            if let JobEvent::Progress { stage, fraction } = event {
                display.stage(stage, fraction);
            }
        });
        control.without_samples()
    }

    /// Erases the line on a terminal, so that a result can be printed.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// Replaces the line on a terminal. A log gets nothing.
    pub fn show(&self, text: String) {
        self.bar.set_message(text);
        // An erased line appears again with its next text.
        if self.bar.is_finished() {
            self.bar.reset();
        }
    }

    fn is_terminal(&self) -> bool {
        !self.bar.is_hidden()
    }

    fn stage(&self, stage: &str, fraction: f32) {
        let mut state = self.state();
        let interval = if self.is_terminal() { TERMINAL_INTERVAL } else { LOG_INTERVAL };
        // On a terminal a new stage is shown at once: it may be short.
        let is_new_stage = self.is_terminal() && state.stage != stage;
        if state.last_update.elapsed() < interval && !is_new_stage {
            return;
        }
        state.last_update = Instant::now();
        stage.clone_into(&mut state.stage);
        self.write_line(line_text(&state.job, stage, fraction));
    }

    fn write_line(&self, text: String) {
        match self.is_terminal() {
            true => self.show(text),
            false => eprintln!("{text}"),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A poisoned lock is no reason to panic in a progress display.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn line_text(job: &str, stage: &str, fraction: f32) -> String {
    let colon = if job.is_empty() { "" } else { ": " };
    format!("{job}{colon}{stage} {:.0} %", fraction.clamp(0.0, 1.0) * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_has_job_stage_and_percentage() {
        assert_eq!(line_text("lane 3 of 16, SRP", "simulating", 0.416), "lane 3 of 16, SRP: simulating 42 %");
        assert_eq!(line_text("", "calibrating", 2.0), "calibrating 100 %");
    }
}
