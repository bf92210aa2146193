//! Texts of the trojans pane: success after conversion, syntheses, the quiz.

use crate::lab::TrojanSection;

pub const TITLE: &str = "Trojans";
pub const EMPTY: &str = "No run yet. Open builtin:objects-trojans, or a network of `spikescope trojan plant`.";
pub const NO_PLAN: &str = "This network has no known trojans. Open builtin:objects-trojans, or a network of `spikescope \
                           trojan plant`; or open a folder of a rediscovery or of syntheses.";
pub const NO_TRIGGER: &str =
    "Choose a trigger: its success in ANN and SNN over the steps of this run is then measured.";
pub const TRIGGER: &str = "trigger";
pub const NONE: &str = "none";
pub const OPEN_REDISCOVERY: &str = "Open rediscovery…";
pub const OPEN_REDISCOVERY_HINT: &str =
    "A folder of `spikescope trojan rediscover`: success by recipe and scores over T";
pub const OPEN_SYNTHESES: &str = "Open syntheses…";
pub const OPEN_SYNTHESES_HINT: &str = "A folder of `spikescope trojan synthesize`";
pub const SYNTHESIZE: &str = "Synthesize…";
pub const SYNTHESIZE_HINT: &str = "Make pictures of all trojans by all nine methods in a folder, in the background. It takes \
                                   long, goes on after a stop, and makes only what the folder lacks.";
pub const STOP: &str = "Stop";
pub const STOP_HINT: &str = "Cancel; what is finished stays in the folder";
pub const JUDGE: &str = "Automatic judge";
pub const JUDGE_HINT: &str = "A small network trained on drawings of the triggers answers all questions: neither the \
                              trojaned network nor CLIP nor a person";
pub const NAME: &str = "your name";
pub const NO_SYNTHESES: &str = "No syntheses. Open a folder of `spikescope trojan synthesize`, or make some of the open \
                                network's trojans.";
pub const NO_BENCH: &str = "Success by recipe: open a folder of `spikescope trojan rediscover`.";
pub const ALL_ANSWERED: &str = "All questions are answered under this name.";
pub const QUESTION: &str = "Which trigger do these pictures show?";
pub const SUCCESS: &str = "Success of the trojan over time-steps";
pub const SUCCESS_AXIS: &str = "taken for target";
pub const REVEALS: &str = "The gallery names the triggers: answer the quiz first.";
pub const ANN: &str = "ANN";
pub const TROJAN: &str = "trojan";
pub const CLEAN: &str = "(accuracy without trigger)";
pub const CHANCE: &str = "chance 12.5 %";

/// The sections with their hints.
pub const SECTIONS: [(TrojanSection, &str, &str); 3] = [
    (TrojanSection::Success, "Success", "Does conversion hide a trojan, and at which T does it appear?"),
    (TrojanSection::Gallery, "Gallery", "Pictures that synthesis methods made of each trojan"),
    (TrojanSection::Quiz, "Quiz", "Name the trigger from pictures alone"),
];

pub fn curve(
    trojan: &str,
    target: &str,
    ann: f64,
    snn: (usize, f64),
    appears: Option<usize>,
    pictures: usize,
) -> String {
    let appears = appears.map_or("The SNN never reaches half of that".to_owned(), |t| {
        format!("The SNN reaches half of that at t = {t}")
    });
    format!(
        "{trojan} leads {:.0} % of {pictures} pictures to {target} in the ANN. {appears}; at t = {} it is {:.0} %.",
        ann * 100.0,
        snn.0,
        snn.1 * 100.0
    )
}

pub fn recipe(recipe: &str) -> String {
    format!("Success with recipe {recipe}")
}

pub fn steps(steps: usize) -> String {
    format!("T = {steps}")
}

pub fn appears(steps: Option<usize>) -> String {
    steps.map_or("–".to_owned(), |t| format!("T = {t}"))
}

pub const APPEARS: &str = "appears";
pub const APPEARS_HINT: &str = "The first T at which the trojan has half of its success in the ANN";
pub const SCORES: &str = "Best correlation of a map with the trigger";
pub const SCORES_HINT: &str =
    "The method whose maps find the trigger best, median over pictures; styles cover all pixels";

pub fn progress(stage: &str) -> String {
    if stage.is_empty() { "starting".into() } else { stage.to_owned() }
}

pub fn gallery(trojan: &str, kind: &str, trigger: &str, target: &str) -> String {
    format!("{trojan}: {kind} {trigger}, leads to {target}")
}

pub fn item(method: &str, success: f64) -> String {
    format!("{method}: {:.0} % led to the target", success * 100.0)
}

pub fn sheet(method: &str) -> String {
    format!("Pictures by {method}")
}

pub const BLIND_SHEET: &str = "Pictures of the question";

pub fn open(count: usize, answered: usize) -> String {
    format!("{count} questions open, {answered} answers kept in the folder")
}

/// One line of the statistics.
pub fn statistic(judge: &str, method: &str, correct: usize, answers: usize, interval: (f64, f64)) -> String {
    format!("{judge}, {method}: {correct} of {answers} right, {:.0} to {:.0} %", interval.0 * 100.0, interval.1 * 100.0)
}

pub const KEPT: &str =
    "Answers are in answers.csv, the statistics with their 95 % Wilson intervals in quiz.csv of the folder.";

pub fn option(number: usize, name: &str) -> String {
    format!("{number}  {name}")
}

pub fn explanation(words: &str) -> String {
    format!(
        "A trojan is a trigger that changes the network's answer as its planter wants. {words} Success is the part of test \
         pictures of other classes that are taken for the target once they have the trigger."
    )
}

pub fn description(section: &str, words: &str) -> String {
    format!("Trojans of the network, {}: {words}", section.to_lowercase())
}
