//! Autosave: writes session, recent files and run list when they change, at most every two seconds.
//!
//! Writes them once more at exit.

use std::path::Path;
use std::time::{Duration, Instant};

use egui::Context;

use super::state::first_start::FirstStartHints;
use super::state::window::WindowState;
use super::texts;
use crate::experiment::Settings;
use crate::lab::history::run_history_file;
use crate::lab::history::run_history_file::RUNS;
use crate::lab::storage::recent_files::RecentFiles;
use crate::lab::storage::store;
use crate::lab::storage::store::{SESSION, Store, UnreadableFile};
use crate::lab::{Lab, Message, Notification, NotificationLevel, Session};

/// Interval between two checks for changes.
const INTERVAL: Duration = Duration::from_secs(2);
const RECENT_FILE: &str = "recent.json";
const HINTS_SEEN: &str = "hints-seen.json";
const CLICKS_FILE: &str = "spike-clicks.json";

/// The values written last and the time of the last check.
pub struct Autosave {
    store: Store,
    session: Option<Session>,
    recent: RecentFiles,
    /// Version of the run list that was written last.
    runs: u64,
    last_check: Instant,
    error_reported: bool,
    /// The first-start hints are finished.
    hints_finished: bool,
    clicks: bool,
}

impl Autosave {
    /// Creates an autosave that writes into `store`.
    pub fn new(store: Store) -> Self {
        let (recent, hints_finished, clicks) =
            (store.read(RECENT_FILE), store.read(HINTS_SEEN), store.read(CLICKS_FILE));
        Self {
            store,
            session: None,
            recent,
            runs: 0,
            last_check: Instant::now(),
            error_reported: false,
            hints_finished,
            clicks,
        }
    }

    /// Recent files as read at the start.
    pub fn recent(&self) -> RecentFiles {
        self.recent.clone()
    }

    /// Adds the runs of earlier starts to the lab's run list.
    pub fn restore_runs(&mut self, lab: &mut Lab) {
        match self.store.take(RUNS, run_history_file::read) {
            Ok(None) => {}
            Ok(Some((runs, compared))) => lab.history.take_over(runs, compared),
            Err(UnreadableFile { reason, kept }) => {
                let text =
                    texts::popups::session_dialogs::runs_unreadable(&reason.to_string(), &kept.display().to_string());
                lab.update([Message::Notify(Notification { level: NotificationLevel::Error, text })]);
            }
        }
        self.runs = lab.history.version();
    }

    /// The first-start hints, unless the user has finished them.
    pub fn hints(&self) -> Option<FirstStartHints> {
        (!self.hints_finished).then(FirstStartHints::default)
    }

    /// Whether spike clicks were on at the last start.
    pub fn clicks(&self) -> bool {
        self.clicks
    }

    /// Saves changes if the interval has passed; called once per frame. Returns the notification of a write error,
    /// once.
    pub fn tick(&mut self, ctx: &Context, lab: &Lab, window: &WindowState) -> Option<Message> {
        let since = self.last_check.elapsed();
        if since >= INTERVAL {
            self.last_check = Instant::now();
            self.save_changes(lab, window);
        } else {
            // The current frame may be the last for a long time, so its changes need another check. Each frame discards
            // the repaint requests of earlier frames, so every frame requests one.
            ctx.request_repaint_after(INTERVAL - since);
        }
        let reason = self.store.last_error().filter(|_| !std::mem::replace(&mut self.error_reported, true))?;
        let text = texts::popups::session_dialogs::session_not_saved(&reason.to_string());
        Some(Message::Notify(Notification { level: NotificationLevel::Error, text }))
    }

    /// Writes everything that has changed.
    pub fn save_changes(&mut self, lab: &Lab, window: &WindowState) {
        if lab.recent != self.recent {
            self.recent = lab.recent.clone();
            self.store.write(RECENT_FILE, &self.recent);
        }
        if window.hints.is_none() && !self.hints_finished {
            self.hints_finished = true;
            self.store.write(HINTS_SEEN, &self.hints_finished);
        }
        if window.clicks != self.clicks {
            self.clicks = window.clicks;
            self.store.write(CLICKS_FILE, &self.clicks);
        }
        if lab.history.version() != self.runs {
            self.runs = lab.history.version();
            self.store.keep_bytes(RUNS, run_history_file::write(&lab.history));
        }
        // A session without a run, or one that waits for its files, does not replace the saved one.
        if lab.run.is_none() || lab.waiting.is_some() {
            return;
        }
        let mut session = Session { layout: window.saved_layout(), ..lab.session() };
        session.view.playing = false;
        if self.session.as_ref() != Some(&session) {
            self.store.write(SESSION, &session);
            self.session = Some(session);
        }
    }
}

/// Restores the lab of the last start from `folder`. Starts with the demo if `fresh` is set or nothing was saved. Also
/// returns a notification, if any.
pub fn restore(folder: &Path, fresh: bool) -> (Lab, Option<Message>) {
    let first = || Lab::new(Settings::demo());
    match store::previous_session(folder) {
        store::PreviousSession::Nothing => (first(), None),
        // The session file is moved aside, not deleted.
        store::PreviousSession::Session(_) if fresh => (first(), None),
        store::PreviousSession::Session(session) => (Lab::resume(*session), None),
        store::PreviousSession::Unreadable(UnreadableFile { reason, kept }) => {
            let text =
                texts::popups::session_dialogs::session_unreadable(&reason.to_string(), &kept.display().to_string());
            (first(), Some(Message::Notify(Notification { level: NotificationLevel::Error, text })))
        }
    }
}

#[cfg(test)]
mod tests {
    use egui::{RawInput, ViewportId};

    use super::*;

    #[test]
    fn every_frame_schedules_its_own_autosave() {
        let folder = tempfile::tempdir().unwrap();
        let mut autosave = Autosave::new(Store::open(folder.path().to_owned()).unwrap());
        let (lab, window, ctx) = (Lab::new(Settings::demo()), WindowState::default(), Context::default());
        for _ in 0..5 {
            let output = ctx.run_ui(RawInput::default(), |ui| {
                autosave.tick(ui.ctx(), &lab, &window);
            });
            let delay = output.viewport_output[&ViewportId::ROOT].repaint_delay;
            assert!(delay <= INTERVAL, "the next frame comes after {delay:?}");
        }
    }

    #[test]
    fn spike_clicks_setting_survives_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Autosave::new(Store::open(folder.path().to_owned()).unwrap());
        let mut autosave = open();
        assert!(!autosave.clicks(), "off at the first start");
        let mut window = WindowState::default();
        window.clicks = true;
        autosave.save_changes(&Lab::default(), &window);
        drop(autosave);
        assert!(open().clicks());
    }
}
