//! Opens lessons: bundled ones by name, others from a file.

use std::path::{Path, PathBuf};

use super::Lesson;
use crate::{Error, Result};

impl Lesson {
    /// Opens `builtin:NAME` or a file. `panes` are the names a lesson may point at.
    ///
    /// # Errors
    /// A file that cannot be read; anything wrong in it, with its line.
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

    /// Reads a lesson's text; `path` is what errors name and what relative paths are beside.
    pub fn parse(path: &Path, text: &str, panes: &[&str]) -> Result<Self> {
        super::parse::lesson(path, text, panes)
    }
}
