//! Lessons: plain-text files that load something into the lab, point at it, ask a question and check the answer against
//! the lab's state. This floor reads the files, says what each step wants of the lab and judges answers. Knows no widget.
//! The format is in `docs/lessons.md`.

pub mod bundled;
mod condition;
pub mod definition;
pub mod facts;
mod open;
mod parse;
mod player;
mod required_files;
mod template;

pub use condition::Condition;
pub use definition::{ExpectedNumber, Lesson, LessonStep, PointerTarget, Question, ScreenArea};
pub use facts::{Value, fact};
pub use player::{LessonAnswer, LessonPlayer, Verdict};
pub use template::{UNKNOWN, fill_facts};
