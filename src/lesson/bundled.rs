//! Bundled lessons with names and texts, in the order in which they build on each other.

/// Prefix of the names of bundled lessons.
pub const PREFIX: &str = "builtin:";

macro_rules! lessons {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../assets/lessons/", $name, ".md")))),*]
    };
}

/// Names and texts of the bundled lessons.
pub const LESSONS: [(&str, &str); 18] = lessons![
    "spike",
    "rate-coding",
    "threshold",
    "quantisation",
    "order",
    "max-pooling",
    "start",
    "first-conversion",
    "srp",
    "cos",
    "without-training",
    "regression",
    "channel-thresholds",
    "energy",
    "attribution",
    "trojans",
    "chance-and-malice",
    "masked-gradients",
];

/// The text of the bundled lesson `name`.
pub fn text(name: &str) -> Option<&'static str> {
    LESSONS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}
