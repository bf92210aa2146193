//! Lessons: text files with steps and questions that are checked against the lab.
//!
//! A lesson loads networks and data into the lab, points at parts of the screen, asks questions and checks the answers
//! against the lab's state. This floor reads the files, gives the messages of each step and judges answers. Knows no
//! widget. The format is documented in `docs/lessons.md`.

mod attack_facts;
pub mod bundled;
mod condition;
pub mod definition;
pub mod explained_facts;
pub mod facts;
mod open;
mod parse;
mod player;
mod required_files;
mod template;
mod value;

pub use condition::Condition;
pub use definition::{ExpectedNumber, Lesson, LessonStep, PointerTarget, Question, ScreenArea};
pub use facts::{Value, fact};
pub use player::{LessonAnswer, LessonPlayer, Verdict};
pub use template::{UNKNOWN, fill_facts};
