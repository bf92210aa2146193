//! Options of a data specification: words after the files that state what the files leave open.

use std::fmt;

use super::layout::Layout;

/// What the user states about the files of a specification; `None` for what the reader finds out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ReadOptions {
    /// `layout=nchw|nhwc`: order of the values where the shapes leave it open.
    pub layout: Option<Layout>,
    /// `classes=text|number`: order of class folders named by numbers.
    pub classes: Option<ClassOrder>,
    /// `background=white|black`: what transparent pixels lie on.
    pub background: Option<Background>,
    /// `split=train|test|val`: which arrays of an archive.
    pub split: Option<Part>,
    /// `x=NAME`: the array of samples in an archive.
    pub x: Option<String>,
    /// `y=NAME`: the array of labels in an archive; `none` for no labels.
    pub y: Option<String>,
}

/// Order in which class names that are numbers become class indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClassOrder {
    /// Sorted as text, numbered from 0: 0, 1, 10, 11, 2 (torchvision's ImageFolder).
    Text,
    /// The number itself.
    Number,
}

/// The color under transparent pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Background {
    #[default]
    White,
    Black,
}

/// A part of a data set with arrays of its own in one archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    Test,
    Validation,
    Train,
}

/// The options that exist, with their words.
const KEYS: [(&str, &str); 6] = [
    ("layout", "nchw or nhwc"),
    ("classes", "text or number"),
    ("background", "white or black"),
    ("split", "train, test or val"),
    ("x", "the name of an array"),
    ("y", "the name of an array, or none"),
];

impl ClassOrder {
    /// The word of the option.
    pub fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
        }
    }
}

impl Background {
    /// The word of the option.
    pub fn word(self) -> &'static str {
        match self {
            Self::White => "white",
            Self::Black => "black",
        }
    }
}

impl Part {
    /// The word of the option.
    pub fn word(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Validation => "val",
            Self::Train => "train",
        }
    }
}

impl ReadOptions {
    /// The names of all options.
    pub const KEYS: [&str; KEYS.len()] = ["layout", "classes", "background", "split", "x", "y"];

    /// Sets option `key`. Returns whether there is an option of this name.
    ///
    /// # Errors
    /// The reason why `value` is invalid, in a sentence.
    pub fn set(&mut self, key: &str, value: &str) -> Result<bool, String> {
        let Some((_, words)) = KEYS.iter().find(|(known, _)| *known == key) else { return Ok(false) };
        let value = value.trim();
        let known = match key {
            "layout" => set_word(&mut self.layout, value, Layout::ALL, Layout::word),
            "classes" => set_word(&mut self.classes, value, [ClassOrder::Text, ClassOrder::Number], ClassOrder::word),
            "background" => {
                set_word(&mut self.background, value, [Background::White, Background::Black], Background::word)
            }
            "split" => set_word(&mut self.split, value, [Part::Test, Part::Validation, Part::Train], Part::word),
            "x" => set_name(&mut self.x, value),
            _ => set_name(&mut self.y, value),
        };
        if known { Ok(true) } else { Err(format!("Cannot use {key}={value}: use {words}")) }
    }
}

fn set_word<T: Copy>(
    option: &mut Option<T>,
    text: &str,
    all: impl IntoIterator<Item = T>,
    word: fn(T) -> &'static str,
) -> bool {
    *option = all.into_iter().find(|&value| word(value) == text);
    option.is_some()
}

fn set_name(option: &mut Option<String>, text: &str) -> bool {
    *option = (!text.is_empty()).then(|| text.to_owned());
    option.is_some()
}

/// Whether `part` of a specification has the form of an option, `key=value`, with a key among `keys`.
pub fn split_option<'a>(part: &'a str, keys: &[&str]) -> Option<(&'a str, &'a str)> {
    part.trim().split_once('=').filter(|(key, _)| keys.contains(key))
}

impl fmt::Display for ReadOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [
            ("layout", self.layout.map(Layout::word)),
            ("classes", self.classes.map(ClassOrder::word)),
            ("background", self.background.map(Background::word)),
            ("split", self.split.map(Part::word)),
            ("x", self.x.as_deref()),
            ("y", self.y.as_deref()),
        ];
        words
            .iter()
            .filter_map(|(key, word)| Some((key, (*word)?)))
            .try_for_each(|(key, word)| write!(f, ",{key}={word}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_round_trip_and_invalid_words_name_the_valid_ones() {
        let mut options = ReadOptions::default();
        let text = ",layout=nhwc,classes=text,background=black,split=train,x=a,y=none";
        for (key, value) in text.split(',').filter_map(|part| part.split_once('=')) {
            assert_eq!(options.set(key, value), Ok(true));
        }
        assert_eq!(options.to_string(), text);
        assert!(options.set("layout", "hcw").unwrap_err().contains("nchw or nhwc"));
        assert_eq!(options.set("frames", "3"), Ok(false));
        assert_eq!(split_option(" layout=nhwc", &["layout"]), Some(("layout", "nhwc")));
        assert_eq!(split_option("b/t=3", &["layout"]), None);
    }
}
