//! The [`Lab`] document: state of the program, and the only type that messages change.
//!
//! The window reads [`Lab`] and pushes [`Message`]s; [`Lab::update`] is the only place that changes it. Imports no widgets.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::attribution_desk::AttributionDesk;
use super::job::Job;
use super::lane::Lane;
use super::message::Message;
use super::trojan_desk::TrojanDesk;
use crate::convert::NamedRecipe;
use crate::experiment::adapt::Adapt;
use crate::experiment::preview::is_prefix;
use crate::experiment::run::Run;
use crate::experiment::settings::Settings;
use crate::experiment::snapshot::parts::SnapshotParts;
use crate::experiment::snapshot::{Focus, Snapshot};
use crate::lab::engine::{Engine, Waker};
use crate::lab::history::run_history::RunHistory;
use crate::lab::history::undo::UndoStack;
use crate::lab::storage::missing_files::PendingSession;
use crate::lab::storage::recent_files::RecentFiles;
use crate::lab::storage::session::Session;
use crate::lab::view::notification::Notification;
use crate::lab::view::view_state::View;
use crate::measure::CurvePoint;
use crate::{Error, Result};

/// Minimum speed of the playing time cursor, in steps per second; long runs play faster.
const PLAY_STEPS_PER_SECOND: f32 = 8.0;

/// Maximum duration of playing a whole run, in seconds.
const PLAY_SECONDS: f32 = 6.0;

/// The document: all state of the program except that of the window.
#[derive(Default)]
pub struct Lab {
    /// Settings of the run; saved, and changed by undo.
    pub settings: Settings,
    /// View state; saved, not changed by undo.
    pub view: View,
    /// The displayed run; stays while the next one is computed.
    pub run: Option<Arc<Run>>,
    /// The last complete run: the displayed run, or the one before while a preview is displayed.
    pub finished: Option<Arc<Run>>,
    /// Snapshot of the run at the time cursor, with details of the focused neuron.
    pub snapshot: Option<Arc<Snapshot>>,
    /// Race lanes: other recipes on the same samples; saved, not changed by undo.
    pub lanes: Vec<Lane>,
    /// The work in progress, if any.
    pub job: Option<Job>,
    /// Errors and remarks for the user, newest last.
    pub notifications: Vec<Notification>,
    /// Errors of requested runs and of files that did not open; a later run mends them.
    pub(super) run_errors: Vec<RunError>,
    /// Number of the message that was applied last.
    pub(super) message_count: u64,
    /// Text of the error about weights without a known architecture, and their source.
    pub(super) undescribed: Option<(String, String)>,
    /// Text of the note that a bundled network runs on other data than its own, and its own data.
    pub(super) own_data: Option<(String, String)>,
    /// Optional snapshot parts that the visible panes need.
    pub snapshot_parts: SnapshotParts,
    /// Pane layout of the window; saved with the session.
    pub layout: serde_json::Value,
    /// Increases when a session replaces the layout, so that the window loads it.
    pub layout_version: u64,
    /// Running exports.
    pub exports: Vec<super::job::ExportJob>,
    /// The sweep on the screen.
    pub sweep: Option<super::sweep_state::LabSweep>,
    /// The training of the *Train* pane: running, or the last one.
    pub training: Option<crate::lab::training::Training>,
    /// The last written file.
    pub written: Option<std::path::PathBuf>,
    /// A session that waits because its files are missing.
    pub waiting: Option<PendingSession>,
    /// Recently opened files.
    pub recent: RecentFiles,
    /// Number and source of the last requested lesson, which the window opens.
    pub(super) lesson: Option<(u64, String)>,
    /// Attribution maps of the samples that were looked at.
    pub attribution: AttributionDesk,
    /// Folders of the *Trojans* pane, the quiz, and syntheses in progress.
    pub trojans: TrojanDesk,
    /// Past runs of this session and saved ones of earlier sessions.
    pub history: RunHistory,
    pub(super) undo: UndoStack,
    pub(super) engine: Engine,
    /// Generation of the newest run request.
    pub(super) generation: u64,
    /// The settings of the last run request.
    pub(super) requested: Option<Settings>,
    /// The lanes of the last run request.
    pub(super) requested_lanes: Vec<NamedRecipe>,
    /// Layer and category of an example to focus on when the run is finished.
    pub(super) pending_example: Option<(usize, Option<usize>)>,
    /// The next network comes with a session that sets the focus: keep the view.
    pub(super) keep_view: bool,
    /// The next run reads files again.
    pub(super) reload: bool,
    /// Settings that the next run adapts to the opened files.
    pub(super) adapt: Adapt,
    /// A network and data set that do not fit; the next opened file is tried with one of them.
    pub(super) pending: Option<super::job::PendingOpen>,
    /// Since when the settings have changed without a newer result.
    pub(super) outdated_since: Option<Instant>,
    pub(super) snapshot_generation: u64,
    /// Generation of the newest snapshot request that is not finished.
    pub(super) pending_snapshot: Option<u64>,
    pub(super) requested_snapshot: Option<(Arc<Run>, Focus)>,
    /// Fraction of a step that playing has accumulated.
    pub(super) accumulated_steps: f32,
}

/// An error that is told until a later run mends it.
pub(super) struct RunError {
    pub(super) text: String,
    /// Whether it is about another network or data: a file that did not open.
    pub(super) opening: bool,
    /// Number of the message that it followed.
    pub(super) message: u64,
}

/// An accuracy curve, the number of its samples, and the ANN's accuracy on them (without labels `None`).
#[derive(Clone, Copy, Debug)]
pub struct DisplayedCurve<'a> {
    pub points: &'a [CurvePoint],
    pub samples: usize,
    pub ann: Option<f64>,
}

impl Lab {
    /// A lab that requests a run of `settings`.
    pub fn new(settings: Settings) -> Self {
        let mut lab = Self { settings, adapt: Adapt::Ranges, ..Self::default() };
        lab.request_work();
        lab
    }

    /// A lab from a session file's content.
    pub fn from_session(session: Session) -> Self {
        let lanes = session.race.into_iter().map(Lane::new).collect();
        let mut lab = Self { view: session.view, layout: session.layout, lanes, ..Self::new(session.settings) };
        lab.layout_version = 1;
        lab.keep_view = true;
        lab.request_work();
        lab
    }

    /// A lab that resumes `session`. If files of the session are missing, the lab opens as at the first start and the
    /// session stays pending.
    pub fn resume(session: Session) -> Self {
        match PendingSession::new(session) {
            Err(session) => Self::from_session(*session),
            Ok(waiting) => {
                let view = View { dark: waiting.session.view.dark, ..View::default() };
                Self { view, waiting: Some(waiting), ..Self::new(Settings::demo()) }
            }
        }
    }

    /// A lab with a finished run of `settings`, for screenshots, tests and programs without a window.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the text of the notification if the run fails.
    pub fn open(settings: Settings) -> Result<Self> {
        let mut lab = Self::new(settings);
        lab.wait_until_idle();
        match (&lab.run, lab.notifications.last()) {
            (None, Some(notification)) => Err(Error::Invalid(notification.text.clone())),
            _ => Ok(lab),
        }
    }

    /// Blocks until no run, snapshot, map, trojan job or export is in progress.
    pub fn wait_until_idle(&mut self) {
        while self.busy() || self.attribution.is_busy() || self.trojans.is_busy() || !self.exports.is_empty() {
            if let Some(event) = self.engine.wait(Duration::from_millis(100)) {
                self.on_engine_event(event);
                self.request_work();
            }
        }
    }

    /// Sets the callback, called from any thread, for new events to [`poll`](Self::poll).
    pub fn set_waker(&self, waker: Waker) {
        self.engine.set_waker(waker);
    }

    /// Whether a run or a snapshot is being computed.
    pub fn busy(&self) -> bool {
        self.job.is_some() || self.pending_snapshot.is_some()
    }

    /// Time steps T of the displayed run.
    pub fn steps(&self) -> usize {
        self.run.as_ref().map_or(self.settings.recipe.steps, |run| run.steps()).max(1)
    }

    /// The time cursor, 1..=T.
    pub fn cursor(&self) -> usize {
        self.view.cursor.unwrap_or(usize::MAX).clamp(1, self.steps())
    }

    /// Advances a playing cursor by `seconds`. Returns whether it still plays.
    pub fn advance(&mut self, seconds: f32) -> bool {
        if !self.view.playing {
            self.accumulated_steps = 0.0;
            return false;
        }
        let speed = PLAY_STEPS_PER_SECOND.max(self.steps() as f32 / PLAY_SECONDS);
        self.accumulated_steps += seconds.max(0.0) * speed;
        let whole_steps = self.accumulated_steps.floor();
        self.accumulated_steps -= whole_steps;
        if whole_steps > 0.0 {
            let at = self.cursor() + whole_steps as usize;
            self.view.playing = at < self.steps();
            self.update([Message::SetCursor(Some(at))]);
        }
        self.view.playing
    }

    /// Number and source of the last requested lesson.
    pub fn lesson_wish(&self) -> Option<(u64, &str)> {
        self.lesson.as_ref().map(|(version, source)| (*version, source.as_str()))
    }

    /// Whether a control is being dragged.
    pub fn is_dragging(&self) -> bool {
        self.undo.dragging() || self.undo.dragging_bench()
    }

    /// Whether undo is bounded by [`Message::BeginUndoScope`].
    pub fn has_undo_scope(&self) -> bool {
        self.undo.scoped()
    }

    /// The change that undo would revert, in a sentence.
    pub fn undo_sentence(&self) -> Option<String> {
        self.undo.undo_sentence()
    }

    /// The change that redo would repeat, in a sentence.
    pub fn redo_sentence(&self) -> Option<String> {
        self.undo.redo_sentence()
    }

    /// The focus of the view, clamped to `run`.
    pub(super) fn focus(&self, run: &Run) -> Focus {
        let focus = Focus {
            steps: self.view.cursor.unwrap_or(usize::MAX),
            layer: self.view.layer,
            sample: self.view.sample,
            neuron: self.view.neuron,
            pinned: self.view.pinned.clone(),
            lanes: self.lanes.iter().map(|lane| lane.run_beside(run).cloned()).collect(),
            parts: self.snapshot_parts,
            attack: self.view.attack,
        };
        match self.previewed(run) {
            Some(range) => focus.within(range).clamped_to(run),
            None => focus.clamped_to(run),
        }
    }

    /// The samples of the complete run that the preview `run` has; `None` for a complete run.
    pub fn previewed(&self, run: &Run) -> Option<Range<usize>> {
        run.preview_of?;
        let first = self.finished.as_ref().map_or(0, |whole| whole.settings.samples.start);
        let (start, end) = (run.settings.samples.start, run.settings.samples.end);
        Some(start.saturating_sub(first)..end.saturating_sub(first))
    }

    /// Index in `run` of the sample in focus; for a preview that lacks it, of another.
    pub fn focused_sample(&self, run: &Run) -> usize {
        self.focus(run).sample
    }

    /// Number of samples of the displayed preview, and of its run; `None` if a complete run is displayed.
    pub fn preview_counts(&self) -> Option<(usize, usize)> {
        let run = self.run.as_ref()?;
        Some((run.recording.samples, run.preview_of?))
    }

    /// Number of samples on which the layers are measured at the time cursor, and of the run, while the rest is to come;
    /// `None` if they are all.
    pub fn cursor_preview_counts(&self) -> Option<(usize, usize)> {
        let snapshot = self.snapshot.as_ref().filter(|snapshot| snapshot.lacks_samples())?;
        Some((snapshot.samples.len(), snapshot.run.recording.samples))
    }

    /// The accuracy curve to display: of the first steps of the complete run if T is smaller, else of the displayed run.
    pub fn curve(&self) -> Option<DisplayedCurve<'_>> {
        let prefix = self.prefix_run();
        let run = prefix.or(self.run.as_deref())?;
        let steps = prefix.map_or(usize::MAX, |_| self.settings.recipe.steps);
        let points = &run.report.curve[..steps.min(run.report.curve.len())];
        Some(DisplayedCurve { points, samples: run.report.samples, ann: run.report.ann_accuracy })
    }

    /// How long the settings have changed without a newer result.
    pub fn outdated(&self) -> Option<Duration> {
        self.outdated_since.map(|since| since.elapsed())
    }

    /// The run whose first steps are the result of the settings: a smaller T needs no run.
    pub fn prefix_run(&self) -> Option<&Run> {
        self.finished.as_deref().filter(|run| is_prefix(&self.settings, &run.settings))
    }
}
