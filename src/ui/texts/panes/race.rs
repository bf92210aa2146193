//! Texts of the race pane: table, plots and explanation.

pub const EMPTY: &str = "No run yet. Open a network.";
pub const TITLE: &str = "Race";
pub const NO_LANES: &str = "No other recipe yet. Add the methods of the papers, or change the recipe and add it; all \
     run on the same samples and over the same T.";
pub const ON_THE_SCREEN: &str = "current";
pub const BASE: &str = "base";
pub const NO_CHANGES: &str = "none";
pub const CORRECTIONS_HINT: &str = "Add no correction, SRP and COS with the thresholds of the recipe";
pub const CORRECTIONS: &str = "Add corrections";
pub const ALL_HINT: &str = "Add every method of the papers and its variants";
pub const ALL: &str = "Add all methods";

pub fn add_hint(recipe: &str) -> String {
    format!("Add the current recipe: {recipe}")
}

pub const ADD: &str = "Add this recipe";
pub const CLEAR: &str = "Clear";
pub const CLEAR_HINT: &str = "Remove all recipes from the race";

pub fn to_go(waiting: usize) -> String {
    format!("{waiting} waiting")
}

/// Headers and tooltips of the table's columns; `agreement` names how alike both networks are, with its `hint`.
pub fn columns(agreement: &'static str, hint: &'static str) -> [(&'static str, &'static str); 11] {
    [
        ("", ""),
        ("recipe", "Click to use this recipe"),
        ("changes", "Differences from the current recipe"),
        ("accuracy", "SNN accuracy at the time cursor"),
        (agreement, hint),
        ("mismatch", "Mean |φ − a| over the mean activation, averaged over the layers"),
        ("ψ ≠ 0", "Neurons × samples whose spike count differs from the one expected from the ANN"),
        (
            STEPS,
            "Steps up to the time cursor plus pre-steps, as counted in the papers; in brackets as needed by event-driven \
         hardware",
        ),
        ("SynOps", "Synaptic operations per sample up to the time cursor, without those of pre-steps"),
        ("memory", "Size of the recorded spikes"),
        ("", ""),
    ]
}

pub const STEPS: &str = "steps";

pub fn sort_by(column: &str) -> String {
    format!("Sort by {column}")
}

pub fn sort_hint(column: &str) -> String {
    format!("{column}. Click to sort; beside each figure stands the difference to the current recipe")
}

pub const DIFFERENCE: &str = "Difference to the current recipe, of shares in percentage points";
pub const DRAWN_HINT: &str = "Draw this recipe in the plots";

pub fn drawn(lane: &str) -> String {
    format!("Draw recipe {lane}")
}

pub fn row_hint(changes: &str, whole: &str) -> String {
    format!("Differences from the current recipe: {changes}\nFull recipe: {whole}\nClick to use this recipe")
}

pub fn take_over(lane: &str) -> String {
    format!("Use recipe {lane}")
}

pub const WAITING: &str = "waiting";
pub const REFUSED: &str = "failed";
pub const REMOVE_HINT: &str = "Remove this recipe from the race";

pub fn remove(lane: &str) -> String {
    format!("Remove recipe {lane}")
}

pub fn best(t: usize, recipe: &str, share: &str) -> String {
    format!(" After {t} steps the best is \"{recipe}\" with {share}.")
}

pub fn explanation(best: &str) -> String {
    format!(
        "Every recipe runs on the same samples over the same T; the time cursor applies to all.{best} The table shows \
         the gain of a correction next to its cost: pre-steps, synaptic operations and memory. Click a name to \
         use that recipe (can be undone)."
    )
}

pub fn description(t: usize, lanes: &str) -> String {
    format!("Race of recipes at t = {t}. {lanes}.")
}

pub const OFFSETS: &str = "offset spikes ψ = expected − emitted over all layers, share of neurons (log)";
pub const TIME_AXIS: &str = "time-steps t (without pre-steps)";
pub const CURVES: &str = "Curves of the race";

pub fn curve_ann(share: &str) -> String {
    format!(" ANN: {share}.")
}

pub fn offsets_of(lane: &str) -> String {
    format!("Offset spikes of {lane}")
}

pub fn offsets(bars: &str) -> String {
    format!("Share of neurons by expected minus emitted spikes. {bars}.")
}
