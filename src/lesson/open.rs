//! Opens lessons: bundled ones by name, others from a file.

use std::path::{Path, PathBuf};

use super::Lesson;
use crate::{Error, Result};

impl Lesson {
    /// Opens `builtin:NAME` or a file. `panes` are the pane names a lesson may point at.
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be read; [`Error::File`] with the line of an error in it; [`Error::Invalid`] for an
    /// unknown bundled lesson.
    pub fn open(source: &str, panes: &[&str]) -> Result<Self> {
        if let Some(name) = source.strip_prefix(super::bundled::PREFIX) {
            let text = super::bundled::text(name).ok_or_else(|| {
                let known: Vec<_> = super::bundled::LESSONS.iter().map(|(name, _)| *name).collect();
                Error::Invalid(format!("Cannot open lesson '{name}': unknown name. Use one of {}.", known.join(", ")))
            })?;
            return Self::parse(&PathBuf::from(format!("assets/lessons/{name}.md")), text, panes)
                .map(|lesson| Self { source: source.to_owned(), ..lesson });
        }
        let path = Path::new(source);
        let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
        let lesson = Self::parse(path, &text, panes)?;
        super::required_files::check(path, &text, &lesson)?;
        Ok(lesson)
    }

    /// Parses the text of a lesson. `path` is its name in errors; relative paths in it start at the folder of `path`.
    ///
    /// # Errors
    /// [`Error::File`] with the line.
    pub fn parse(path: &Path, text: &str, panes: &[&str]) -> Result<Self> {
        super::parse::parse_lesson(path, text, panes)
    }
}
