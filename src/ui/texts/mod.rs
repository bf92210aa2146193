//! The texts of the window that stand for themselves, in one place, so that they can be translated. Sentences with numbers
//! stand where the numbers are.

pub mod bench;
pub mod commands;
pub mod export;
pub mod glossary;
pub mod hints;
pub mod likeness;
pub mod panes;
pub mod share;
pub mod sound;

/// The title of the list of the field's words.
pub const WORDS: &str = "Words of the field";
