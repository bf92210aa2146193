//! The error type of the crate: each error names the position, the reason and what to do.

use std::path::{Path, PathBuf};

/// The result of anything that can fail in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error as the user reads it: a sentence with the reason and, where one exists, the way out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file whose content is not valid. `place` is the position in the file ("node 'conv1'", "byte 16").
    #[error("Cannot open {}: {}{}", path.display(), place_prefix(place), with_period(reason))]
    File { path: PathBuf, place: String, reason: String },
    /// The operating system refused access to a file.
    #[error("Cannot access {}: {}{}", path.display(), source_reason(source), advice(source))]
    Io { path: PathBuf, source: std::io::Error },
    /// A network that cannot be converted or run as requested; `node` is the dotted path of the layer.
    #[error("Cannot use layer '{node}': {}", with_period(reason))]
    Network { node: String, reason: String },
    /// An invalid argument, setting or combination of settings.
    #[error("{0}")]
    Invalid(String),
    /// A network and a data set of different sample shapes; each may be valid with another partner.
    #[error(
        "Cannot run network '{network}' on {data}: it takes samples of {expected}, not {found}. Open data of {expected}, or a network \
         that takes {found}.",
        expected = format_shape(expected),
        found = format_shape(found)
    )]
    ShapeMismatch { network: String, expected: Vec<usize>, data: String, found: Vec<usize> },
    /// The user stopped the job.
    #[error("Stopped")]
    Cancelled,
    /// A failure of the program itself, never of the input.
    #[error("Internal error: {0}")]
    Internal(String),
}

impl Error {
    /// An error at position `place` of a file; an empty `place` is the whole file.
    pub fn file(path: &Path, place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::File { path: path.to_owned(), place: place.into(), reason: reason.into() }
    }
    /// A parse error in the TOML `text` of the file at `path`, with its line number, in words of the user.
    pub fn toml(path: &Path, text: &str, error: &toml::de::Error) -> Self {
        let before = error.span().map_or("", |span| text.get(..span.start).unwrap_or(text));
        let line = before.matches('\n').count() + 1;
        Self::file(path, format!("line {line}"), Self::toml_reason(error))
    }
    /// What is wrong with a TOML value, in words of the user.
    pub fn toml_reason(error: &toml::de::Error) -> String {
        error.message().replace("expected usize", "expected an integer")
    }
    /// An operating-system error about a file.
    pub fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
    /// An error about one node of a network.
    pub fn network(node: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Network { node: node.into(), reason: reason.into() }
    }
    /// The exit code of a command: 2 for bad input or arguments, 1 for a stopped job or an internal error.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Internal(_) | Self::Cancelled => 1,
            _ => 2,
        }
    }
}

/// `place` as a prefix of the reason; empty if the error concerns the whole file.
fn place_prefix(place: &str) -> String {
    if place.is_empty() { String::new() } else { format!("{place}: ") }
}

/// `reason` with a final period.
fn with_period(reason: &str) -> String {
    if reason.ends_with(['.', '\n']) { reason.to_owned() } else { format!("{reason}.") }
}

/// An error of the operating system, or of reading text, in words of the user.
fn source_reason(source: &std::io::Error) -> String {
    if is_encoding(source) { "is not UTF-8 text".into() } else { source.to_string() }
}

/// Whether the standard library refused to read a file as text.
fn is_encoding(source: &std::io::Error) -> bool {
    source.kind() == std::io::ErrorKind::InvalidData && source.to_string().contains("UTF-8")
}

/// Advice for an error of the operating system.
fn advice(source: &std::io::Error) -> &'static str {
    match source.kind() {
        std::io::ErrorKind::NotFound => ". Check the path.",
        std::io::ErrorKind::PermissionDenied => ". Check its permissions.",
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => ". Free disk space.",
        std::io::ErrorKind::ReadOnlyFilesystem => ". Choose a folder that can be written.",
        std::io::ErrorKind::IsADirectory | std::io::ErrorKind::DirectoryNotEmpty => {
            ". A folder is where a file must be: remove it, or choose another place."
        }
        std::io::ErrorKind::NotADirectory | std::io::ErrorKind::AlreadyExists => {
            ". A file is where a folder must be: remove it, or choose another place."
        }
        _ if is_encoding(source) => ". Save it again as UTF-8.",
        _ => ". Try again, or choose a folder on another disk.",
    }
}

/// A shape as text: "3x32x32".
pub fn format_shape<T: std::fmt::Display>(shape: &[T]) -> String {
    shape.iter().map(T::to_string).collect::<Vec<_>>().join("x")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toml_errors_name_the_line() {
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

    #[test]
    fn only_text_is_to_be_saved_as_utf_8() {
        let told = |bytes: &[u8], reason: &str| {
            let dir = tempfile::tempdir().unwrap();
            std::fs::write(dir.path().join("a"), bytes).unwrap();
            let source = match std::fs::read_to_string(dir.path().join("a")) {
                Err(error) => error,
                Ok(_) => std::io::Error::new(std::io::ErrorKind::InvalidData, reason),
            };
            Error::io(Path::new("a"), source).to_string()
        };
        assert_eq!(told(b"\xff", ""), "Cannot access a: is not UTF-8 text. Save it again as UTF-8.");
        assert!(told(b"", "corrupt deflate stream").contains("corrupt deflate stream. Try again"));
    }
}
