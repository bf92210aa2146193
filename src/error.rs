//! One error type for everything a person can cause or meet. It names the file, the place in it and what to do.

use std::path::{Path, PathBuf};

/// The result of anything that can fail in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, in words for the person who asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file that cannot be read as what it should be. `place` says where in the file ("node 'conv1'", "byte 16").
    #[error("{}: {place}: {reason}", path.display())]
    File { path: PathBuf, place: String, reason: String },
    /// The operating system refused a file.
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    /// A network that cannot be converted or run as asked; `node` is its dotted path.
    #[error("layer '{node}': {reason}")]
    Network { node: String, reason: String },
    /// An argument, setting or combination that makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// A network and a data set that do not fit together; each may be fine with another partner.
    #[error(
        "network '{network}' wants samples of {} but {data} has {}; open a data set or network that fits",
        format_shape(wants),
        format_shape(has)
    )]
    ShapeMismatch { network: String, wants: Vec<usize>, data: String, has: Vec<usize> },
    /// The person stopped the work.
    #[error("stopped")]
    Cancelled,
    /// A failure of the program itself, never of the input.
    #[error("internal error: {0}")]
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
        Self::file(path, format!("line {line}"), error.message().replace("expected usize", "expected a whole number"))
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

/// A shape for a person: "3×32×32".
pub fn format_shape(shape: &[usize]) -> String {
    shape.iter().map(usize::to_string).collect::<Vec<_>>().join("×")
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
        assert!(wrong("steps = 8\nthreshhold = 1\n").starts_with("bad.toml: line 2: unknown field"));
        assert!(wrong("\n\nsteps = \"x\"").starts_with("bad.toml: line 3: "));
        assert!(wrong("steps = \"x\"").ends_with("expected a whole number"));
    }
}
