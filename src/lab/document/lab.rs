//! The document: what is open, what was computed of it and what is being computed. The faces read [`Lab`] and push
//! [`Message`]s; [`Lab::update`] is the only place that changes it. Knows no widget.

use std::sync::Arc;
use std::time::Duration;

use super::job::Job;
use super::lane::Lane;
use super::message::Message;
use crate::convert::NamedRecipe;
use crate::experiment::adapt::Adapt;
use crate::experiment::run::Run;
use crate::experiment::settings::Settings;
use crate::experiment::snapshot::{Focus, Snapshot};
use crate::experiment::snapshot_parts::SnapshotParts;
use crate::lab::engine::{Engine, Waker};
use crate::lab::history::run_history::RunHistory;
use crate::lab::history::undo::UndoStack;
use crate::lab::storage::missing_files::PendingSession;
use crate::lab::storage::recent_files::RecentFiles;
use crate::lab::storage::session::Session;
use crate::lab::view::notification::Notification;
use crate::lab::view::view_state::View;
use crate::{Error, Result};

/// Steps per second of the playing time cursor, at most; long runs are played in a few seconds all the same.
const PLAY_STEPS_PER_SECOND: f32 = 8.0;

/// How long playing a whole run takes at most, in seconds.
const PLAY_SECONDS: f32 = 6.0;

/// The whole state of the program.
#[derive(Default)]
pub struct Lab {
    /// What is computed; saved, and walked by undo.
    pub settings: Settings,
    /// What is looked at; saved, not undone.
    pub view: View,
    /// The last finished run; stays on screen while the next one is computed.
    pub run: Option<Arc<Run>>,
    /// The finished run as it stood at the time cursor, and the details of what is in focus.
    pub snapshot: Option<Arc<Snapshot>>,
    /// Other recipes on the same samples; saved, not undone.
    pub lanes: Vec<Lane>,
    /// The work in progress, if any.
    pub job: Option<Job>,
    /// Errors and remarks for the person, newest last.
    pub notifications: Vec<Notification>,
    /// The parts of a look that the panes on the screen read.
    pub snapshot_parts: SnapshotParts,
    /// The arrangement of panes, as the window keeps it; saved with the session.
    pub layout: serde_json::Value,
    /// Grows when a session brings another arrangement, so that the window takes it over.
    pub layout_version: u64,
    /// Runs that are being written to files.
    pub exports: Vec<super::job::ExportJob>,
    /// The file that was written last.
    pub written: Option<std::path::PathBuf>,
    /// A session whose files are not where they were.
    pub waiting: Option<PendingSession>,
    /// What was opened lately.
    pub recent: RecentFiles,
    /// The lesson that was asked for last, and the how-manieth wish that was; the window opens it.
    pub(super) lesson: Option<(u64, String)>,
    /// The runs of this session, and those of earlier starts that were kept.
    pub history: RunHistory,
    pub(super) undo: UndoStack,
    pub(super) engine: Engine,
    /// Number of the newest run job.
    pub(super) generation: u64,
    /// The settings last asked of the engine.
    pub(super) requested: Option<Settings>,
    /// The lanes last asked of the engine.
    pub(super) requested_lanes: Vec<NamedRecipe>,
    /// A layer, and a kind of neuron in it, to look at when the run is there.
    pub(super) wanted_example: Option<(usize, Option<usize>)>,
    /// The next network comes with a session that says what is looked at.
    pub(super) keep_view: bool,
    /// Read files again with the next run.
    pub(super) reload: bool,
    /// What the next run fits to what is opened.
    pub(super) fit: Adapt,
    /// Settings that failed only because network and data do not fit: the next opened partner is tried with them.
    pub(super) pending: Option<super::job::PendingOpen>,
    pub(super) look_generation: u64,
    /// The newest look that is still under way.
    pub(super) looking: Option<u64>,
    pub(super) looked_for: Option<(Arc<Run>, Focus)>,
    /// Fractions of a step that playing has saved up.
    pub(super) play_debt: f32,
}

impl Lab {
    /// A lab that begins to compute `settings`.
    pub fn new(settings: Settings) -> Self {
        let mut lab = Self { settings, fit: Adapt::Ranges, ..Self::default() };
        lab.request_run();
        lab
    }

    /// A lab from a session file's content.
    pub fn from_session(session: Session) -> Self {
        let lanes = session.race.into_iter().map(Lane::new).collect();
        let mut lab = Self { view: session.view, layout: session.layout, lanes, ..Self::new(session.settings) };
        lab.layout_version = 1;
        lab.keep_view = true;
        lab.request_run();
        lab
    }

    /// A lab that goes on where `session` stopped. When its files are not there any more it begins as at the first start,
    /// and the session waits.
    pub fn resume(session: Session) -> Self {
        match PendingSession::new(session) {
            Err(whole) => Self::from_session(*whole),
            Ok(waiting) => {
                let view = View { dark: waiting.session.view.dark, ..View::default() };
                Self { view, waiting: Some(waiting), ..Self::new(Settings::demo()) }
            }
        }
    }

    /// A lab with `settings` computed to the end. For pictures, tests and programs without a window.
    pub fn open(settings: Settings) -> Result<Self> {
        let mut lab = Self::new(settings);
        lab.wait_until_idle();
        match (&lab.run, lab.notifications.last()) {
            (None, Some(notice)) => Err(Error::Invalid(notice.text.clone())),
            _ => Ok(lab),
        }
    }

    /// Waits until nothing is being computed or written any more.
    pub fn wait_until_idle(&mut self) {
        while self.busy() || !self.exports.is_empty() {
            if let Some(news) = self.engine.wait(Duration::from_millis(100)) {
                self.on_engine_event(news);
                self.request_run();
            }
        }
    }

    /// Who is woken, from any thread, when there is news to [`poll`](Self::poll).
    pub fn set_waker(&self, waker: Waker) {
        self.engine.set_waker(waker);
    }

    /// Whether anything is being computed.
    pub fn busy(&self) -> bool {
        self.job.is_some() || self.looking.is_some()
    }

    /// Time-steps T of the run on the screen.
    pub fn steps(&self) -> usize {
        self.run.as_ref().map_or(self.settings.recipe.steps, |run| run.steps()).max(1)
    }

    /// The time cursor, 1..=T.
    pub fn cursor(&self) -> usize {
        self.view.cursor.unwrap_or(usize::MAX).clamp(1, self.steps())
    }

    /// Moves a playing cursor on by `seconds`. Returns whether it still plays.
    pub fn advance(&mut self, seconds: f32) -> bool {
        if !self.view.playing {
            self.play_debt = 0.0;
            return false;
        }
        let speed = PLAY_STEPS_PER_SECOND.max(self.steps() as f32 / PLAY_SECONDS);
        self.play_debt += seconds.max(0.0) * speed;
        let whole = self.play_debt.floor();
        self.play_debt -= whole;
        if whole > 0.0 {
            let at = self.cursor() + whole as usize;
            self.view.playing = at < self.steps();
            self.update([Message::SetCursor(Some(at))]);
        }
        self.view.playing
    }

    /// The lesson that was asked for last, with the number of that wish.
    pub fn lesson_wish(&self) -> Option<(u64, &str)> {
        self.lesson.as_ref().map(|(version, source)| (*version, source.as_str()))
    }

    /// What undo would take back, in a sentence.
    pub fn undo_sentence(&self) -> Option<String> {
        self.undo.undo_sentence()
    }

    /// What redo would do again, in a sentence.
    pub fn redo_sentence(&self) -> Option<String> {
        self.undo.redo_sentence()
    }

    /// What the view looks at, within the bounds of `run`.
    pub(super) fn focus(&self, run: &Run) -> Focus {
        let focus = Focus {
            steps: self.cursor(),
            layer: self.view.layer,
            sample: self.view.sample,
            neuron: self.view.neuron,
            pinned: self.view.pinned.clone(),
            lanes: self.lanes.iter().map(|lane| lane.run_beside(run).cloned()).collect(),
            parts: self.snapshot_parts,
        };
        focus.clamped_to(run)
    }
}
