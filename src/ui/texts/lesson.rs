//! Texts of the lesson panel besides the texts of the lessons.

use std::fmt::Display;

pub const ABOUT: &str = "Each lesson loads its network and data, asks questions and checks your answers against the \
     running lab. Your own state is restored when you leave.";

pub fn minutes(minutes: impl Display) -> String {
    format!("  ·  {minutes} min")
}

pub const OPEN_HINT: &str = "Open a lesson of your own, a Markdown file as described in docs/lessons.md";
pub const OPEN: &str = "Open lesson…";
pub const LESSONS: &str = "Lessons";
pub const HIDE: &str = "Hide";
pub const HIDE_HINT: &str = "Hide the lessons; the View menu shows them again";

pub fn step(step: usize, of: usize) -> String {
    format!("Step {step} of {of}")
}

pub const BACK: &str = "Back";
pub const NEXT: &str = "Next";
pub const NEXT_HINT: &str = "Answer the question first";
pub const FINISH: &str = "Finish";
pub const FINISH_HINT: &str = "End the lesson and restore your own state";
/// Follows the title of a finished lesson.
pub const FINISHED: &str = "  ·  done";
pub const NEXT_LESSON: &str = "Next lesson";

pub fn next_lesson_hint(title: &str) -> String {
    format!("Finish this lesson and begin \"{title}\"")
}

pub const LEAVE_HINT: &str = "End the lesson and restore network, settings and layout";
pub const LEAVE: &str = "Leave lesson";
pub const NETWORK: &str = "network";
pub const DATA: &str = "data";
pub const THRESHOLD: &str = "threshold";
pub const CORRECTION: &str = "correction";
pub const RECIPE: &str = "recipe";
pub const BENCH: &str = "bench";
pub const DRAWING: &str = "drawing";
pub const TIME: &str = "time cursor";

pub fn locked(controls: &str) -> String {
    format!("Locked in this step: {controls}")
}

/// In place of a pane that shows the answer.
pub const COVERED: &str = "Covered until you have answered the question.";

pub fn cannot_export(pane: &str) -> String {
    format!("Cannot export {pane}: the lesson covers it. Answer the question first.")
}

pub const ANSWER: &str = "Your answer";
pub const CHECK: &str = "Check";
pub const CHECK_HINT: &str = "Type a number";
pub const DONE: &str = "Done:";
pub const TO_DO: &str = "To do:";

pub fn now(condition: &str, now: &str) -> String {
    format!("{condition} (now {now})")
}

pub fn the_answer(answer: impl Display) -> String {
    format!("The answer: {answer}. ")
}

pub const SHOWN: &str = "Shown.";
pub const RIGHT: &str = "Right.";
pub const ANSWERED: &str = "Answered.";
pub const NOT_YET: &str = "Not yet.";
pub const TRY_AGAIN: &str = "Try again.";
pub const ONE_MOMENT: &str = "One moment.";
pub const CHECK_AGAIN: &str = "The lab is still computing; check again.";
pub const COMPUTING: &str = "The lab is computing.";

pub fn hint(number: usize, hint: &str) -> String {
    format!("*Hint {number}:* {hint}")
}

pub const HINT: &str = "Hint";
pub const HINT_HINT: &str = "Show the next hint";
pub const SHOW_HINT: &str = "Show the answer, or perform it for you, and go on";
pub const SHOW: &str = "Show the answer";
