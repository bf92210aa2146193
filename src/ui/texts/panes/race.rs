//! What the race says.

pub const EMPTY: &str = "The race can start when the first run is through.";
pub const TITLE: &str = "Race";
pub const NO_LANES: &str = "No other recipe is in the race. Add the methods of the papers, or change the recipe and \
     add it as a lane; all run on the same samples and over the same T.";
pub const ON_THE_SCREEN: &str = "on the screen";
pub const BASE: &str = "the base";
pub const NO_CHANGES: &str = "none";
pub const CORRECTIONS_HINT: &str = "Plain, SRP and COS on the thresholds of the recipe";
pub const CORRECTIONS: &str = "Race the corrections";
pub const ALL_HINT: &str = "Every method of the papers and its relatives";
pub const ALL: &str = "Race all methods";

pub fn add_hint(recipe: &str) -> String {
    format!("Put the recipe on the screen into the race: {recipe}")
}

pub const ADD: &str = "Add this recipe";
pub const CLEAR: &str = "Clear";
pub const CLEAR_HINT: &str = "Take all lanes out of the race";

pub fn to_go(waiting: usize) -> String {
    format!("{waiting} to go")
}

/// The heads of the table with what each column is.
pub const COLUMNS: [(&str, &str); 12] = [
    ("", ""),
    ("recipe", "Click to make it the recipe"),
    ("changes", "What is other than in the recipe on the screen"),
    ("right", "Samples answered rightly at the time cursor"),
    ("agree", "Samples where SNN and ANN answer alike"),
    ("mismatch", "Mean |φ − a| over the mean activation, averaged over the layers"),
    ("ψ ≠ 0", "Neurons × samples whose count differs from what the ANN asks for"),
    (
        "steps",
        "Steps up to the time cursor with the pre-steps, as the papers count; in brackets as event-driven hardware needs \
         them",
    ),
    ("SynOps", "Accumulations a sample up to the time cursor, without those of pre-steps"),
    ("memory", "Size of the recording"),
    ("time", "Simulation and what the recipe calibrates for itself; what is taken from an earlier run costs nothing"),
    ("", ""),
];

pub fn row_hint(changes: &str, whole: &str) -> String {
    format!("Changes to the recipe on the screen: {changes}\nWhole: {whole}\nMake it the recipe")
}

pub fn take_over(lane: &str) -> String {
    format!("Take over lane {lane}")
}

pub const WAITING: &str = "waiting";
pub const REFUSED: &str = "refused";
pub const REMOVE_HINT: &str = "Take it out of the race";

pub fn remove(lane: &str) -> String {
    format!("Remove lane {lane}")
}

pub fn best(t: usize, recipe: &str, share: &str) -> String {
    format!(" After {t} steps the best is \"{recipe}\" with {share}.")
}

pub fn explanation(best: &str) -> String {
    format!(
        "Every recipe runs on the same samples over the same T; the time cursor moves them all.{best} What a \
         correction gains stands beside what it costs: pre-steps, synaptic operations, memory and time. Click a name \
         to make it the recipe; undo brings the old one back."
    )
}

pub fn description(t: usize, lanes: &str) -> String {
    format!("Race of recipes at t = {t}. {lanes}.")
}

pub const OFFSETS: &str = "offset spikes ψ = due − sent over all layers, share of neurons (log)";
pub const TIME_AXIS: &str = "time-steps t (without pre-steps)";
pub const CURVES: &str = "Curves of the race";

pub fn curve_ann(share: &str) -> String {
    format!(" ANN: {share}.")
}

pub fn offsets_of(lane: &str) -> String {
    format!("Offset spikes of {lane}")
}

pub fn offsets(bars: &str) -> String {
    format!("Share of neurons by spikes due less spikes sent. {bars}.")
}
