//! Texts of the sweep pane: plan, results, heat map, front, spread, files.

use std::path::Path;

pub const TITLE: &str = "Sweep";
pub const EMPTY: &str = "No sweep open. A plan (TOML) states many runs: networks × recipes × T × seeds. Open one, write one of what is \
                         open in the window, or open the results folder of a sweep that runs elsewhere.";
pub const OPEN_PLAN: &str = "Open plan…";
pub const OPEN_PLAN_HINT: &str = "A TOML file; results are in the folder NAME-results beside it";
pub const OPEN_RESULTS: &str = "Open results…";
pub const OPEN_RESULTS_HINT: &str =
    "A results folder, local or shared: of the open plan, or alone. New rows appear as they arrive";
pub const NEW_PLAN: &str = "Plan of this…";
pub const NEW_PLAN_HINT: &str =
    "Write a plan of the open network, data and recipe over T, to be extended in a text editor";
pub const RACE_PLAN: &str = "Plan of the race…";
pub const RACE_PLAN_HINT: &str = "Write a plan of all recipes of the race over T";
pub const RUN: &str = "Run";
pub const RUN_HINT: &str = "Run the missing rows in the background; finished rows are never run again";
pub const STOP: &str = "Stop";
pub const STOP_HINT: &str = "Stop; finished rows are kept, and Run goes on from there";
pub const CLOSE: &str = "Close";
pub const CLOSE_HINT: &str = "Close the sweep; the files stay";
pub const READING: &str = "Reading the results…";
pub const NO_ROWS: &str = "No finished rows yet.";
pub const NO_AXES: &str = "All rows have the same settings: there is no axis to draw.";

/// The views, with their hints.
pub const MAP: &str = "Heat map";
pub const MAP_HINT: &str = "A figure over two axes";
pub const FRONT: &str = "Pareto front";
pub const FRONT_HINT: &str = "The best score at each cost";
pub const SPREAD: &str = "Spread";
pub const SPREAD_HINT: &str = "How far rows that differ in one axis alone lie apart";
pub const FILES_HINT: &str = "Files in the folder that are no rows of the plan, and rows that did not run";

pub const FIGURE: &str = "figure";
pub const ACROSS: &str = "across";
pub const DOWN: &str = "down";
pub const COST: &str = "over";
pub const OVER: &str = "over the axis";
pub const NONE: &str = "–";
pub const ALL: &str = "all (mean)";
pub const COST_STEPS: &str = "T";
pub const COST_SYNOPS: &str = "SynOps a sample";
pub const COST_ENERGY: &str = "energy a sample (J)";
pub const NO_COST: &str = "No row has this cost: attacks and explanations have none. Choose T.";
pub const NO_GROUPS: &str = "No two finished rows differ in this axis alone. Choose another, or wait for more rows.";
pub const FRONT_LIST: &str = "On the front";
pub const NOTHING_WRONG: &str = "Every file in the folder is a row of the plan.";

pub fn synops(count: &str) -> String {
    format!("{count} SynOps")
}

pub fn files(count: usize) -> String {
    format!("Files ({count})")
}

pub fn rows(name: &str, rows: usize, planned: Option<usize>) -> String {
    match planned {
        Some(planned) => format!("{name}: {rows} of {planned} rows finished."),
        None => format!("{name}: {rows} rows, without a plan."),
    }
}

pub fn place(plan: Option<&Path>, out: &Path) -> String {
    match plan {
        Some(plan) => format!("Plan {}\nResults {}", plan.display(), out.display()),
        None => format!("Results {}", out.display()),
    }
}

pub fn doing(finished: usize, rows: usize, what: &str) -> String {
    format!("{finished} of {rows} rows finished; {what}")
}

pub fn temporary(count: usize) -> String {
    format!("{count} unfinished files of processes that run or were killed; they can be deleted when no sweep runs.")
}

pub fn not_run(count: usize) -> String {
    format!("{count} rows did not run:")
}

/// A cell in words: "threshold = max, steps = 8: 97.0 %, mean of 3 rows".
pub fn cell(place: &str, value: Option<&str>, rows: usize) -> String {
    match (value, rows) {
        (None, _) => format!("{place}: no row yet"),
        (Some(value), 1) => format!("{place}: {value}"),
        (Some(value), rows) => format!("{place}: {value}, mean of {rows} rows"),
    }
}

pub fn opens(row: usize, is_run: bool, of: usize) -> String {
    let which = if of > 1 { ", the best of these" } else { "" };
    match is_run {
        true => format!("A click opens row {row}{which} in the lab."),
        false => format!("A click opens network, data and recipe of row {row}{which} in the lab."),
    }
}

pub fn point(row: usize, score: &str, cost: &str, place: &str) -> String {
    format!("row {row}: {score} at {cost}\n{place}")
}

pub fn on_front(score: &str, cost: &str, place: &str) -> String {
    format!("{score} at {cost}: {place}")
}

pub fn spread(axis: &str, groups: usize, mean: &str, largest: &str, place: &str) -> String {
    format!(
        "{groups} groups of rows that differ in {axis} alone: mean standard deviation {mean}; the largest distance is {largest} ({place})."
    )
}

pub fn explanation(state: &str, figure: &str, best: &str) -> String {
    format!(
        "{state} Each cell is the mean of {figure} over the rows that share its two settings; a click opens the best of them. {best}"
    )
}

pub fn best(figure: &str, value: &str, place: &str) -> String {
    format!("The best {figure} is {value} ({place}).")
}

pub fn description(state: &str, figure: &str, x: &str, y: &str) -> String {
    format!("{state} {figure} over {x} across and {y} down.")
}
