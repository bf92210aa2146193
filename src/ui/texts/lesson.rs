//! What the lesson panel says beside the lessons' own words.

use std::fmt::Display;

pub const ABOUT: &str = "Each lesson loads what it needs, asks, and checks the answer against the running lab. What \
     you had comes back when you leave.";

pub fn minutes(minutes: impl Display) -> String {
    format!("  ·  {minutes} min")
}

pub const OPEN_HINT: &str = "A lesson of your own: a Markdown file, its form is described in docs/lessons.md";
pub const OPEN: &str = "Open lesson…";
pub const LESSONS: &str = "Lessons";
pub const HIDE: &str = "Hide";
pub const HIDE_HINT: &str = "Hide the lessons; they are in the View menu";

pub fn step(step: usize, of: usize) -> String {
    format!("Step {step} of {of}")
}

pub const BACK: &str = "Back";
pub const NEXT: &str = "Next";
pub const NEXT_HINT: &str = "Answer the question first";
pub const FINISH: &str = "Finish";
pub const FINISH_HINT: &str = "What you had comes back";
pub const LEAVE_HINT: &str = "End the lesson; network, settings and arrangement become what they were before";
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

pub const ANSWER: &str = "Your answer";
pub const CHECK: &str = "Check";
pub const CHECK_HINT: &str = "Type a number";
pub const DONE: &str = "done";
pub const TO_DO: &str = "to do";

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
pub const HINT_HINT: &str = "A nudge in the right direction";
pub const SHOW_HINT: &str = "Show the answer, or do it for you, and go on";
pub const SHOW: &str = "Show the answer";
