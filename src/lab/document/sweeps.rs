//! Sweep of the lab: a plan or a results folder, read as it grows, and its rows run in the background.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::sweep_state::{LabSweep, SweepRunning};
use crate::files::write_bytes;
use crate::lab::engine::{EngineEvent, EventSender, SweepUpdate, catch_panic, is_due, spawn};
use crate::lab::{Lab, Notification, NotificationLevel};
use crate::progress::{JobControl, JobEvent};
use crate::sweep::Plan;
use crate::sweep::board::BoardReader;
use crate::sweep::plan::plan_text;
use crate::sweep::runner::{Outcome, SweepEvent, run};
use crate::{Error, Result};

/// Shortest time between two looks at a results folder.
const LOOK: Duration = Duration::from_millis(700);
/// A look that takes long is repeated after so many times its duration.
const REST: u32 = 8;
/// Time after which a thread notices that it is no longer needed.
const NOTICE: Duration = Duration::from_millis(100);
/// Reasons of failed rows that are kept.
const MAX_REASONS: usize = 100;

impl Lab {
    /// Opens a plan. Results are in the folder of the same name beside it, `NAME-results`.
    pub(super) fn open_sweep_plan(&mut self, path: &Path) {
        let stem = path.file_stem().map_or_else(|| "plan".into(), |stem| stem.to_string_lossy().into_owned());
        let out = path.with_file_name(format!("{stem}-results"));
        self.open_sweep(Some(path.to_owned()), out);
    }

    /// Opens a results folder: of the open plan, or alone.
    pub(super) fn open_sweep_results(&mut self, out: PathBuf) {
        let plan = self.sweep.as_ref().and_then(|sweep| sweep.plan.clone());
        self.open_sweep(plan, out);
    }

    fn open_sweep(&mut self, plan: Option<PathBuf>, out: PathBuf) {
        let number = self.sweep.as_ref().map_or(0, |sweep| sweep.number + 1);
        self.close_sweep();
        let absolute = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
        let (plan, out) = (plan.map(absolute), absolute(out));
        let sweep = LabSweep { plan, out, number, ..LabSweep::default() };
        let (sender, control, looks) = (self.engine.event_sender(), sweep.reading.0.clone(), sweep.looks.clone());
        let (plan, out) = (sweep.plan.clone(), sweep.out.clone());
        let thread = spawn("spikescope-sweep-read", move || {
            let send = |update| sender.send(EngineEvent::Sweep { number, update });
            if let Err(error) = catch_panic(|| follow(plan.as_deref(), &out, &control, &looks, &send)) {
                send(SweepUpdate::Unreadable(error.to_string()));
            }
        });
        if thread.is_none() {
            return self.notify_error(&Error::Internal("the sweep was not opened: no thread available".into()));
        }
        self.sweep = Some(sweep);
    }

    /// Closes the sweep; one that runs stops, with its finished rows kept.
    pub(super) fn close_sweep(&mut self) {
        if let Some(sweep) = self.sweep.take() {
            sweep.reading.0.cancel();
            sweep.running.iter().for_each(|running| running.control.cancel());
        }
    }

    /// Runs the missing rows of the open plan in the background.
    pub(super) fn run_sweep(&mut self) {
        let sender = self.engine.event_sender();
        let Some(sweep) = self.sweep.as_mut().filter(|sweep| sweep.running.is_none()) else { return };
        let Some(path) = sweep.plan.clone() else { return };
        let (out, number) = (sweep.out.clone(), sweep.number);
        let control = listening(&sender, number);
        let own = control.clone();
        let thread = spawn("spikescope-sweep-run", move || {
            let result = catch_panic(|| run_plan(&path, &out, &own, &sender, number));
            sender.send(EngineEvent::Sweep { number, update: SweepUpdate::Ended(result) });
        });
        if thread.is_none() {
            return self.notify_error(&Error::Internal("the sweep was not run: no thread available".into()));
        }
        let doing = "reading the plan".to_owned();
        (sweep.ended, sweep.failed) = (None, Vec::new());
        sweep.running = Some(SweepRunning { finished: 0, rows: 0, doing, fraction: 0.0, control });
    }

    /// Stops the sweep in the background; finished rows are kept.
    pub(super) fn stop_sweep(&mut self) {
        let running = self.sweep.as_ref().and_then(|sweep| sweep.running.as_ref());
        running.iter().for_each(|running| running.control.cancel());
    }

    /// Writes a plan of what is open, with the recipes of the race if `race`, and opens it.
    pub(super) fn save_sweep_plan(&mut self, path: &Path, race: bool) {
        let name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        let lanes: Vec<_> = self.lanes.iter().filter(|_| race).map(|lane| lane.entry.clone()).collect();
        let written = plan_text(&name, &self.settings, &lanes).and_then(|text| write_bytes(path, text.as_bytes()));
        match written {
            Ok(()) => {
                let text = format!("Written: {}", path.display());
                self.notifications.push(Notification { level: NotificationLevel::Note, text });
                self.written = Some(path.to_owned());
                self.open_sweep_plan(path);
            }
            Err(error) => self.notify_error(&error),
        }
    }

    pub(super) fn on_sweep_update(&mut self, number: u64, update: SweepUpdate) {
        let Some(sweep) = self.sweep.as_mut().filter(|sweep| sweep.number == number) else { return };
        match update {
            SweepUpdate::Board(board) => (sweep.board, sweep.error) = (Some(board), None),
            SweepUpdate::Unreadable(why) => sweep.error = Some(why),
            SweepUpdate::Fraction(fraction) => sweep.running.iter_mut().for_each(|running| running.fraction = fraction),
            SweepUpdate::Doing { finished, rows, what } => {
                let Some(running) = &mut sweep.running else { return };
                (running.finished, running.rows, running.fraction) = (finished, rows, 0.0);
                running.doing = what.unwrap_or_else(|| std::mem::take(&mut running.doing));
            }
            SweepUpdate::Failed(why) => {
                if sweep.failed.len() < MAX_REASONS {
                    sweep.failed.push(why);
                }
            }
            SweepUpdate::Ended(result) => {
                sweep.running = None;
                sweep.ended = Some(match result {
                    Ok(outcome) if outcome.failed.is_empty() => {
                        format!("All {} rows are finished.", outcome.finished)
                    }
                    Ok(outcome) => format!(
                        "{} of {} rows are finished, {} did not run.",
                        outcome.finished,
                        outcome.rows,
                        outcome.failed.len()
                    ),
                    Err(Error::Cancelled) => "Stopped; finished rows are kept.".into(),
                    Err(error) => {
                        self.notify_error(&error);
                        return;
                    }
                });
            }
        }
    }

    /// Blocks until no sweep runs and the folder was read after that, or it cannot be read.
    pub fn wait_for_sweep(&mut self) {
        // The look under way may have begun before; the one after it has not.
        let looks = |lab: &Self| lab.sweep.as_ref().map_or(0, |sweep| sweep.looks.load(Ordering::SeqCst));
        let mut wanted = looks(self) + 2;
        while self.sweep.as_ref().is_some_and(|sweep| sweep.error.is_none() || sweep.running.is_some()) {
            if let Some(event) = self.engine.wait(NOTICE) {
                self.on_engine_event(event);
                continue;
            }
            if self.sweep.as_ref().is_some_and(|sweep| sweep.running.is_some()) {
                wanted = looks(self) + 2;
            } else if looks(self) >= wanted {
                break;
            }
        }
    }
}

/// Reads the folder `out` until cancelled, and sends what is new.
fn follow(
    plan: Option<&Path>,
    out: &Path,
    control: &JobControl,
    looks: &AtomicUsize,
    send: &dyn Fn(SweepUpdate),
) -> Result<()> {
    let mut reader = BoardReader::new(plan, out)?;
    while !control.is_cancelled() {
        let began = Instant::now();
        match reader.refresh() {
            Ok(Some(board)) => send(SweepUpdate::Board(Arc::new(board))),
            // A folder that is unreachable for a while comes back.
            Err(error) => send(SweepUpdate::Unreadable(error.to_string())),
            Ok(None) => {}
        }
        looks.fetch_add(1, Ordering::SeqCst);
        let rest = LOOK.max(began.elapsed() * REST);
        let until = Instant::now() + rest;
        while Instant::now() < until && !control.is_cancelled() {
            std::thread::sleep(NOTICE.min(rest));
        }
    }
    Ok(())
}

/// A control whose progress reaches the window.
fn listening(sender: &EventSender, number: u64) -> JobControl {
    let (sender, last) = (sender.clone(), Mutex::new(Instant::now()));
    JobControl::with_listener(move |event| {
        if let JobEvent::Progress { fraction, .. } = event
            && is_due(&last)
        {
            sender.send(EngineEvent::Sweep { number, update: SweepUpdate::Fraction(fraction) });
        }
    })
}

/// Runs what is missing of the plan at `path`.
fn run_plan(path: &Path, out: &Path, control: &JobControl, sender: &EventSender, number: u64) -> Result<Outcome> {
    let plan = Plan::open(path)?;
    let send = |update| sender.send(EngineEvent::Sweep { number, update });
    let tell = |event: SweepEvent<'_>| match event {
        SweepEvent::Begin { rows, finished } => send(SweepUpdate::Doing { finished, rows, what: None }),
        SweepEvent::Run { first, count, finished, rows } => {
            let others = if count > 1 { format!(" and {} with fewer steps", count - 1) } else { String::new() };
            send(SweepUpdate::Doing { finished, rows, what: Some(format!("{}{others}", first.description())) });
        }
        SweepEvent::Finished { finished, rows } => send(SweepUpdate::Doing { finished, rows, what: None }),
        // A run that is opened from the pane has them.
        SweepEvent::Findings { .. } => {}
        SweepEvent::Failed { row, error } => send(SweepUpdate::Failed(format!("{}: {error}", row.description()))),
        SweepEvent::Waiting { rows } => {
            let what = Some(format!("another process runs the last {rows} rows"));
            send(SweepUpdate::Doing { finished: plan.rows().saturating_sub(rows), rows: plan.rows(), what });
        }
    };
    run(&plan, out, None, control, &tell)
}
