//! How far a command is, on standard error: one line that is written over on a terminal, a line now and then in a log.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::progress::{JobControl, JobEvent};

/// How often the line of a terminal is written anew.
const ON_TERMINAL: Duration = Duration::from_millis(50);
/// How often a log hears of work that goes on.
const IN_LOG: Duration = Duration::from_secs(10);

/// The teller of a command. Cheap to clone.
#[derive(Clone)]
pub struct Progress {
    state: Arc<Mutex<State>>,
    /// The line of a terminal; hidden where standard error is none.
    bar: ProgressBar,
}

struct State {
    /// What the stages belong to: "lane 3 of 16, SRP"; may be empty.
    what: String,
    /// The stage that was told last.
    stage: String,
    told: Instant,
}

impl Progress {
    /// A teller on standard error.
    pub fn new() -> Self {
        let state = State { what: String::new(), stage: String::new(), told: Instant::now() };
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        // Cut where the terminal ends: a wrapped line would stay.
        let cut = ProgressStyle::with_template("{wide_msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
        Self { state: Arc::new(Mutex::new(state)), bar: bar.with_style(cut) }
    }

    /// From now on the work is `what`. A log gets a line of it.
    pub fn begin(&self, what: impl Into<String>) {
        let mut state = self.state();
        state.what = what.into();
        state.told = Instant::now();
        self.line(state.what.clone());
    }

    /// Work that tells its stages here. With `log`, also when standard error is no terminal.
    pub fn control(&self, log: bool) -> JobControl {
        if !(self.terminal() || log) {
            return JobControl::default();
        }
        let own = self.clone();
        let control = JobControl::with_listener(move |event| {
            if let JobEvent::Progress { stage, fraction } = event {
                own.stage(stage, fraction);
            }
        });
        control.without_samples()
    }

    /// Takes the line off a terminal, so that a result can stand in its place.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// Writes over the line of a terminal. A log gets nothing.
    pub fn show(&self, text: String) {
        self.bar.set_message(text);
        // A line that was taken off comes back with its next text.
        if self.bar.is_finished() {
            self.bar.reset();
        }
    }

    fn terminal(&self) -> bool {
        !self.bar.is_hidden()
    }

    fn stage(&self, stage: &str, fraction: f32) {
        let mut state = self.state();
        let often = if self.terminal() { ON_TERMINAL } else { IN_LOG };
        // On a terminal a new stage is said at once: it may be over soon.
        let new = self.terminal() && state.stage != stage;
        if state.told.elapsed() < often && !new {
            return;
        }
        state.told = Instant::now();
        stage.clone_into(&mut state.stage);
        self.line(line(&state.what, stage, fraction));
    }

    fn line(&self, text: String) {
        match self.terminal() {
            true => self.show(text),
            false => eprintln!("{text}"),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A line of progress is not worth a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn line(what: &str, stage: &str, fraction: f32) -> String {
    let colon = if what.is_empty() { "" } else { ": " };
    format!("{what}{colon}{stage} {:.0} %", fraction.clamp(0.0, 1.0) * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_and_how_far() {
        assert_eq!(line("lane 3 of 16, SRP", "simulating", 0.416), "lane 3 of 16, SRP: simulating 42 %");
        assert_eq!(line("", "calibrating", 2.0), "calibrating 100 %");
    }
}
