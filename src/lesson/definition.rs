//! Data types of a lesson: steps, questions, pointer targets and screen areas.

use serde::{Deserialize, Serialize};

use super::condition::Condition;
use crate::lab::{ControlGroup, Message};

/// A lesson as read from its file.
#[derive(Clone, Debug, PartialEq)]
pub struct Lesson {
    /// Its source: `builtin:NAME` or a path.
    pub source: String,
    pub title: String,
    /// The subject of the lesson, in a sentence.
    pub summary: String,
    /// Duration in minutes for a class.
    pub minutes: Option<u32>,
    /// Messages that bring the lab to the initial state of the lesson.
    pub start: Vec<Message>,
    /// The steps, at least one.
    pub steps: Vec<LessonStep>,
}

/// One step of a lesson.
#[derive(Clone, Debug, PartialEq)]
pub struct LessonStep {
    pub title: String,
    /// Markdown with facts in braces.
    pub body: String,
    /// Messages that are sent when the step begins.
    pub messages: Vec<Message>,
    /// The part of the screen to highlight.
    pub point: Option<PointerTarget>,
    /// Screen areas that are hidden, and panes that are covered until the question is answered.
    pub hide: Vec<PointerTarget>,
    /// Controls that the user cannot change.
    pub lock: Vec<ControlGroup>,
    pub question: Option<Question>,
    pub hints: Vec<String>,
    /// Shown after a correct answer.
    pub right: String,
    /// Shown after a wrong answer.
    pub wrong: String,
}

/// The question of a step.
#[derive(Clone, Debug, PartialEq)]
pub enum Question {
    /// A number, correct within a tolerance of `within`.
    Number { answer: ExpectedNumber, within: f64, unit: String },
    /// One of several options; `right` is the index of the correct one, from 0.
    Choice { options: Vec<String>, right: usize },
    /// A state of the lab that the user must reach: all conditions hold. The messages `model` reach it as well. `text` is the
    /// goal in the author's words; without one the conditions are listed.
    Reach { all: Vec<Condition>, model: Vec<Message>, text: String },
}

/// The number a question expects: a constant, or the fact with its value.
#[derive(Clone, Debug, PartialEq)]
pub enum ExpectedNumber {
    Number(f64),
    Fact(String),
}

/// The part of the screen that a step highlights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum PointerTarget {
    /// A pane, by its command-line name.
    Pane(String),
    Part(ScreenArea),
}

/// Areas of the window around the panes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScreenArea {
    /// Menus, open files and the recipe bar.
    Recipe,
    Samples,
    Layers,
    Inspector,
    Time,
}
