//! One error type for everything a person can cause or meet. It names the file, the place in it and what to do.

use std::path::{Path, PathBuf};

/// The result of anything that can fail in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, in words for the person who asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file that cannot be read as what it should be. `place` says where in the file ("node 'conv1'", "byte 16").
    #[error("Cannot open {}: {}{}", path.display(), located(place), ended(reason))]
    File { path: PathBuf, place: String, reason: String },
    /// The operating system refused a file.
    #[error("Cannot access {}: {source}{}", path.display(), advice(source))]
    Io { path: PathBuf, source: std::io::Error },
    /// A network that cannot be converted or run as asked; `node` is its dotted path.
    #[error("Cannot use layer '{node}': {}", ended(reason))]
    Network { node: String, reason: String },
    /// An argument, setting or combination that makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// A network and a data set that do not fit together; each may be fine with another partner.
    #[error(
        "Cannot run network '{network}' on {data}: it takes samples of {wants}, not {has}. Open data of {wants}, or a network \
         that takes {has}.",
        wants = format_shape(wants),
        has = format_shape(has)
    )]
    ShapeMismatch { network: String, wants: Vec<usize>, data: String, has: Vec<usize> },
    /// The person stopped the work.
    #[error("Stopped")]
    Cancelled,
    /// A failure of the program itself, never of the input.
    #[error("Internal error: {0}")]
    Internal(String),
}

impl Error {
    /// A file error at a place in the file.
    pub fn file(path: &Path, place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::File { path: path.to_owned(), place: place.into(), reason: reason.into() }
    }
    /// What is wrong with the TOML `text` of the file at `path`, with its line and in a person's words.
    pub fn toml(path: &Path, text: &str, error: &toml::de::Error) -> Self {
        let before = error.span().map_or("", |span| text.get(..span.start).unwrap_or(text));
        let line = before.matches('\n').count() + 1;
        Self::file(path, format!("line {line}"), error.message().replace("expected usize", "expected an integer"))
    }
    /// An operating-system error about a file.
    pub fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
    /// An error about one node of a network.
    pub fn network(node: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Network { node: node.into(), reason: reason.into() }
    }
    /// The exit code of the headless forms: 2 for bad input or arguments, 1 for a failure of the program.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Internal(_) | Self::Cancelled => 1,
            _ => 2,
        }
    }
}

/// A place in a file, as it stands before the reason; an empty one is the file as a whole.
fn located(place: &str) -> String {
    if place.is_empty() { String::new() } else { format!("{place}: ") }
}

/// A reason as the end of a sentence.
fn ended(reason: &str) -> String {
    if reason.ends_with(['.', '\n']) { reason.to_owned() } else { format!("{reason}.") }
}

/// What to do where the operating system refused a file.
fn advice(source: &std::io::Error) -> &'static str {
    match source.kind() {
        std::io::ErrorKind::NotFound => ". Check the path.",
        std::io::ErrorKind::PermissionDenied => ". Check its permissions.",
        std::io::ErrorKind::StorageFull => ". Free disk space.",
        _ => ".",
    }
}

/// A shape for a person: "3x32x32".
pub fn format_shape<T: std::fmt::Display>(shape: &[T]) -> String {
    shape.iter().map(T::to_string).collect::<Vec<_>>().join("x")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_in_toml_has_its_line() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        #[expect(dead_code, reason = "only read")]
        struct Steps {
            steps: usize,
        }
        let wrong = |text: &str| {
            let error = toml::from_str::<Steps>(text).unwrap_err();
            Error::toml(Path::new("bad.toml"), text, &error).to_string()
        };
        assert!(wrong("steps = 8\nthreshhold = 1\n").starts_with("Cannot open bad.toml: line 2: unknown field"));
        assert!(wrong("\n\nsteps = \"x\"").starts_with("Cannot open bad.toml: line 3: "));
        assert!(wrong("steps = \"x\"").ends_with("expected an integer."));
    }
}
