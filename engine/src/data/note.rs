//! Notes of the readers: what was done or assumed, and the other choice.

use super::Scaling;

/// Something that was done or assumed while reading samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// A sentence without its final period.
    pub text: String,
    /// Whether the assumption is likely to mislead.
    pub is_warning: bool,
    /// What the user can state instead, if there is a choice.
    pub other: Option<OtherChoice>,
}

/// The other choice of an assumption.
#[derive(Clone, Debug, PartialEq)]
pub enum OtherChoice {
    /// An option of the data specification: `layout=nhwc`.
    Option { key: &'static str, value: String },
    /// An input scaling.
    Scaling(Scaling),
}

impl Note {
    /// A note without another choice.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_warning: false, other: None }
    }
    /// This note as a warning.
    pub fn warning(self) -> Self {
        Self { is_warning: true, ..self }
    }
    /// This note with an option of the data specification as the other choice.
    pub fn or_option(self, key: &'static str, value: impl ToString) -> Self {
        Self { other: Some(OtherChoice::Option { key, value: value.to_string() }), ..self }
    }
    /// This note with an input scaling as the other choice.
    pub fn or_scaling(self, scaling: Scaling) -> Self {
        Self { other: Some(OtherChoice::Scaling(scaling)), ..self }
    }
}

impl From<&str> for Note {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Note {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}
