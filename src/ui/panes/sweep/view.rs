//! What the sweep pane shows of a board: the chosen axes and figure, and the rows behind each place.

use std::collections::BTreeMap;

use crate::lab::Message;
use crate::sweep::board::{Board, BoardRow};
use crate::ui::texts::format::{format_number, format_percent, format_si};
use crate::ui::texts::panes::sweep as texts;

/// Figures in the order in which one is chosen by default.
const PREFERRED: [&str; 6] = ["snn_accuracy", "robust_accuracy", "agreement", "snn_miou", "snn_map", "accuracy"];
/// Parts of names of figures from 0 to 1, of which more is better.
const SHARES: [&str; 4] = ["accuracy", "agreement", "_miou", "_map"];
/// Keys whose values are draws of the same experiment.
const DRAWS: [&str; 5] = ["seed", "calibrate", "samples", "model", "data"];

/// The part of the pane that is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    #[default]
    Map,
    Front,
    Spread,
    Files,
}

/// The cost against which a score is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cost {
    #[default]
    Steps,
    SynOps,
    Energy,
}

/// The choices of the user, by names: a board that grows keeps them.
#[derive(Clone, Debug, Default)]
pub struct Choices {
    pub tab: Tab,
    pub figure: String,
    pub across: String,
    pub down: String,
    pub over: String,
    pub cost: Cost,
    /// Axes of which one value is shown alone.
    pub fixed: BTreeMap<String, String>,
}

/// A board with choices that fit it.
pub struct View<'a> {
    pub board: &'a Board,
    pub figure: &'a str,
    /// Indices of axes.
    pub across: usize,
    pub down: Option<usize>,
    pub over: usize,
    pub cost: Cost,
    /// The value of an axis that is shown alone.
    fixed: Vec<Option<usize>>,
}

impl<'a> View<'a> {
    /// The view of `board` by `choices`, where they fit, or by defaults; `None` without rows or axes.
    pub fn new(board: &'a Board, choices: &Choices) -> Option<Self> {
        let find = |key: &str| board.axes.iter().position(|axis| axis.key == key);
        let varies = |k: usize| board.axes[k].values.len() > 1;
        let all = || 0..board.axes.len();
        let across = find(&choices.across).or_else(|| find("steps")).or_else(|| all().rev().find(|&k| varies(k)));
        let across = across.or_else(|| all().last())?;
        let down = match choices.down.as_str() {
            NO_AXIS => None,
            key => find(key).filter(|&k| k != across).or_else(|| all().find(|&k| k != across && varies(k))),
        };
        let drawn = |part: &&str| all().find(|&k| varies(k) && board.axes[k].key.contains(*part));
        let others = || all().rev().find(|&k| k != across && varies(k));
        let over = find(&choices.over).or_else(|| DRAWS.iter().find_map(drawn)).or_else(others);
        let name = board.figures.iter().find(|name| **name == choices.figure);
        let preferred = || PREFERRED.iter().find_map(|figure| board.figures.iter().find(|name| name == figure));
        let figure = name.or_else(preferred).or(board.figures.first())?;
        let chosen = |axis: &crate::sweep::board::BoardAxis| {
            let value = choices.fixed.get(&axis.key)?;
            axis.values.iter().position(|own| own == value)
        };
        let mut fixed: Vec<Option<usize>> = board.axes.iter().map(chosen).collect();
        // Axes that are drawn have all their values.
        fixed[across] = None;
        down.iter().for_each(|&down| fixed[down] = None);
        Some(Self { board, figure, across, down, over: over.unwrap_or(across), cost: choices.cost, fixed })
    }

    /// The axes that are not drawn, with more than one value.
    pub fn rest(&self) -> impl Iterator<Item = usize> {
        let (across, down, axes) = (self.across, self.down, &self.board.axes);
        (0..axes.len()).filter(move |&k| k != across && Some(k) != down && axes[k].values.len() > 1)
    }

    /// The value of axis `k` that is shown alone.
    pub fn fixed(&self, k: usize) -> Option<usize> {
        self.fixed[k]
    }

    /// The rows of the values that are shown.
    pub fn rows(&self) -> impl Iterator<Item = &'a BoardRow> {
        let wanted =
            |row: &&BoardRow| self.fixed.iter().zip(&row.at).all(|(fixed, at)| fixed.is_none_or(|fixed| fixed == *at));
        self.board.rows.iter().filter(wanted)
    }

    /// The rows of each cell, `[down][across]`.
    pub fn cells(&self) -> Vec<Vec<Vec<&'a BoardRow>>> {
        let columns = self.board.axes[self.across].values.len();
        let lines = self.down.map_or(1, |down| self.board.axes[down].values.len());
        let mut cells = vec![vec![Vec::new(); columns]; lines];
        for row in self.rows().filter(|row| row.figures.contains_key(self.figure)) {
            cells[self.down.map_or(0, |down| row.at[down])][row.at[self.across]].push(row);
        }
        cells
    }

    /// The figure of a row.
    pub fn value(&self, row: &BoardRow) -> Option<f64> {
        row.figures.get(self.figure).copied().filter(|value| value.is_finite())
    }

    /// The mean of the figure over `rows`.
    pub fn mean(&self, rows: &[&BoardRow]) -> Option<f64> {
        let values: Vec<f64> = rows.iter().filter_map(|row| self.value(row)).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    }

    /// The row of `rows` with the best figure.
    pub fn best(&self, rows: impl Iterator<Item = &'a BoardRow>) -> Option<&'a BoardRow> {
        let sign = if is_better_high(self.figure) { 1.0 } else { -1.0 };
        rows.filter_map(|row| Some((sign * self.value(row)?, row)))
            .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.number.cmp(&a.1.number)))
            .map(|(_, row)| row)
    }

    /// The cost of a row.
    pub fn cost_of(&self, row: &BoardRow) -> Option<f64> {
        match self.cost {
            Cost::Steps => Some(row.settings.recipe.steps as f64),
            Cost::SynOps => row.figures.get("synops").copied(),
            Cost::Energy => row.figures.get("energy").copied(),
        }
    }

    /// The settings of a row on the axes that vary: "threshold = max, steps = 8".
    pub fn place(&self, row: &BoardRow) -> String {
        let varied = self.board.axes.iter().zip(&row.at).filter(|(axis, _)| axis.values.len() > 1);
        varied.map(|(axis, &at)| format!("{} = {}", axis.key, axis.values[at])).collect::<Vec<_>>().join(", ")
    }

    /// The figure as text.
    pub fn text(&self, value: f64) -> String {
        figure_text(self.figure, value)
    }

    /// The cost as text.
    pub fn cost_text(&self, cost: f64) -> String {
        match self.cost {
            Cost::Steps => format!("T = {cost:.0}"),
            Cost::SynOps => texts::synops(&format_si(cost)),
            Cost::Energy => format!("{}J", format_si(cost)),
        }
    }

    /// The rows that no other beats: no one has a better score at the same or a lower cost. By ascending cost.
    pub fn front(&self) -> Vec<(f64, f64, &'a BoardRow)> {
        let sign = if is_better_high(self.figure) { 1.0 } else { -1.0 };
        let point = |row: &'a BoardRow| Some((self.cost_of(row)?, self.value(row)?, row));
        let mut points: Vec<_> = self.rows().filter_map(point).collect();
        points.sort_by(|a, b| {
            a.0.total_cmp(&b.0).then((sign * b.1).total_cmp(&(sign * a.1))).then(a.2.number.cmp(&b.2.number))
        });
        let mut best = f64::NEG_INFINITY;
        points.retain(|(_, score, _)| {
            let better = sign * score > best;
            best = best.max(sign * score);
            better
        });
        points
    }

    /// Groups of at least two rows that differ in the axis `over` alone, by their other places.
    pub fn groups(&self) -> Vec<Vec<&'a BoardRow>> {
        let mut groups: BTreeMap<Vec<usize>, Vec<&BoardRow>> = BTreeMap::new();
        for row in self.rows().filter(|row| self.value(row).is_some()) {
            let mut place = row.at.clone();
            place[self.over] = 0;
            groups.entry(place).or_default().push(row);
        }
        groups.into_values().filter(|rows| rows.len() > 1).collect()
    }
}

/// Opens the settings of `row` in the lab, as one step of undo.
pub fn open(row: &BoardRow, messages: &mut Vec<Message>) {
    messages.push(Message::SetSettings(Box::new((*row.settings).clone())));
    messages.push(Message::EndGesture);
}

/// The choice of no axis.
pub const NO_AXIS: &str = "-";

/// Whether more of `figure` is better.
pub fn is_better_high(figure: &str) -> bool {
    SHARES.iter().any(|part| figure.contains(part)) || figure.contains("correlation") || figure == "mean_logit"
}

/// `value` of `figure` as text.
pub fn figure_text(figure: &str, value: f64) -> String {
    match figure {
        _ if SHARES.iter().any(|part| figure.contains(part)) => format_percent(value),
        "energy" | "ann_energy" => format!("{}J", format_si(value)),
        "synops" | "spikes" | "mean_queries" => format_si(value),
        _ => format_number(value),
    }
}
