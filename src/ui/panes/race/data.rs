//! Data of the race pane: one line per recipe at the time cursor.

use egui::Color32;

use crate::convert::Recipe;
use crate::experiment::Run;
use crate::measure::Report;

/// One line of the race at the time cursor.
pub(super) struct RaceLine<'a> {
    /// Its index among the lanes; `None` for the run on the screen.
    pub(super) lane: Option<usize>,
    pub(super) name: &'a str,
    pub(super) recipe: Recipe,
    /// Differences from the recipe on the screen, as text.
    pub(super) changes: String,
    pub(super) color: Color32,
    pub(super) state: LaneState<'a>,
}

pub(super) enum LaneState<'a> {
    Waiting,
    Refused(&'a str),
    Done { run: &'a Run, report: &'a Report },
}

pub(super) fn done<'a>(lines: &'a [RaceLine<'_>]) -> impl Iterator<Item = (&'a RaceLine<'a>, &'a Run, &'a Report)> {
    lines.iter().filter_map(|line| match line.state {
        LaneState::Done { run, report } => Some((line, run, report)),
        _ => None,
    })
}
