//! Lessons: plain-text files that load something into the lab, point at it, ask a question and check the answer against
//! the lab's state. This floor reads the files, says what each step wants of the lab and judges answers. Knows no widget.
//! The format is in `docs/lessons.md`.

use serde::{Deserialize, Serialize};

use super::condition::Condition;
use crate::lab::{ControlGroup, Message};

/// A lesson as it stands in its file.
#[derive(Clone, Debug, PartialEq)]
pub struct Lesson {
    /// Where it came from: `builtin:NAME` or a path.
    pub source: String,
    pub title: String,
    /// What one learns, in a sentence.
    pub summary: String,
    /// How long a class takes for it.
    pub minutes: Option<u32>,
    /// What brings the lab to where the lesson begins.
    pub start: Vec<Message>,
    /// At least one.
    pub steps: Vec<LessonStep>,
}

/// One step of a lesson.
#[derive(Clone, Debug, PartialEq)]
pub struct LessonStep {
    pub title: String,
    /// Markdown; facts stand in braces.
    pub body: String,
    /// What is done when the step is entered.
    pub messages: Vec<Message>,
    /// What to look at.
    pub point: Option<PointerTarget>,
    /// Parts of the screen that are out of the way.
    pub hide: Vec<ScreenArea>,
    /// Controls that are out of the person's hands.
    pub lock: Vec<ControlGroup>,
    pub question: Option<Question>,
    pub hints: Vec<String>,
    /// Said when the answer is right.
    pub right: String,
    /// Said when it is wrong.
    pub wrong: String,
}

/// What a step asks.
#[derive(Clone, Debug, PartialEq)]
pub enum Question {
    /// A number, right within `within`.
    Number { answer: ExpectedNumber, within: f64, unit: String },
    /// One of several, `right` counted from 0.
    Choice { options: Vec<String>, right: usize },
    /// A state of the lab that the person brings about; `model` brings it about as well.
    Reach { all: Vec<Condition>, model: Vec<Message> },
}

/// A number that a lesson knows, or the fact that says it.
#[derive(Clone, Debug, PartialEq)]
pub enum ExpectedNumber {
    Number(f64),
    Fact(String),
}

/// Something on the screen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum PointerTarget {
    /// A pane, by its name on the command line.
    Pane(String),
    Part(ScreenArea),
}

/// Parts of the screen around the panes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScreenArea {
    /// Menus, what is open, and the row of the recipe.
    Recipe,
    Samples,
    Layers,
    Inspector,
    Time,
}
