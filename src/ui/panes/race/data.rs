//! Data of the race pane: one line per recipe at the time cursor.

use std::collections::BTreeSet;

use egui::Color32;
use egui_plot::LineStyle;

use crate::convert::Recipe;
use crate::experiment::Run;
use crate::measure::Report;
use crate::ui::texts::output_agreement::{AgreementLabels, agreement_labels};
use crate::ui::widgets::legend::Mark;

/// One line of the race at the time cursor.
pub(super) struct RaceLine<'a> {
    /// Its index among the lanes; `None` for the run on the screen.
    pub(super) lane: Option<usize>,
    pub(super) name: &'a str,
    pub(super) recipe: Recipe,
    /// Differences from the recipe on the screen, as text.
    pub(super) changes: String,
    pub(super) color: Color32,
    /// Number of the line style: solid, dashed, dotted.
    pub(super) dash: usize,
    pub(super) state: LaneState<'a>,
}

pub(super) enum LaneState<'a> {
    Waiting,
    Refused(&'a str),
    Done { run: &'a Run, report: &'a Report },
}

/// What the user chose in the pane.
#[derive(Clone, Debug, Default)]
pub(super) struct RaceView {
    /// Indices of the lanes that the plots leave out.
    pub(super) hidden: BTreeSet<usize>,
    /// The column that sorts the lanes, and whether its largest figure comes first.
    pub(super) sorted: Option<(usize, bool)>,
    /// The line under the pointer, in the table or in the plot.
    pub(super) pointed: Option<Option<usize>>,
}

impl RaceView {
    /// Whether the plots show `line`.
    pub(super) fn draws(&self, line: &RaceLine<'_>) -> bool {
        line.lane.is_none_or(|lane| !self.hidden.contains(&lane))
    }
}

impl RaceLine<'_> {
    /// How the plots draw the line.
    pub(super) fn style(&self) -> LineStyle {
        match self.dash % 3 {
            0 => LineStyle::Solid,
            1 => LineStyle::dashed_dense(),
            _ => LineStyle::dotted_dense(),
        }
    }
    /// Its sample in the table.
    pub(super) fn mark(&self) -> Mark {
        [Mark::Line, Mark::Dashed, Mark::Dotted][self.dash % 3]
    }
}

/// The names of the agreement of both networks, by the kind of outputs of the runs.
pub(super) fn agreement_words(lines: &[RaceLine<'_>]) -> AgreementLabels {
    let outputs = done(lines).next().and_then(|(_, run, _)| run.output_agreement.as_ref());
    agreement_labels(outputs.map(|outputs| outputs.of))
}

pub(super) fn done<'a>(lines: &'a [RaceLine<'_>]) -> impl Iterator<Item = (&'a RaceLine<'a>, &'a Run, &'a Report)> {
    lines.iter().filter_map(|line| match line.state {
        LaneState::Done { run, report } => Some((line, run, report)),
        _ => None,
    })
}
