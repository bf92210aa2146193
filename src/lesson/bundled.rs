//! The lessons that come with the program, in the order in which they build on each other.

/// What stands before the name of a bundled lesson where one is named.
pub const PREFIX: &str = "builtin:";

macro_rules! lessons {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../assets/lessons/", $name, ".md")))),*]
    };
}

/// Names and texts.
pub const LESSONS: [(&str, &str); 11] = lessons![
    "spike",
    "rate-coding",
    "threshold",
    "quantisation",
    "order",
    "start",
    "first-conversion",
    "srp",
    "cos",
    "without-training",
    "energy",
];

/// The text of the lesson `name`.
pub fn text(name: &str) -> Option<&'static str> {
    LESSONS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}
