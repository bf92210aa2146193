//! List of bundled lessons, with title and summary of each.

use std::sync::OnceLock;

use super::pane::Pane;
use crate::lesson::Lesson;
use crate::lesson::bundled::{LESSONS, PREFIX};

/// An entry of the list.
#[derive(Debug)]
pub struct LessonEntry {
    pub source: String,
    pub title: String,
    pub summary: String,
    pub minutes: Option<u32>,
}

/// The bundled lesson after the one of `source`; `None` after the last, and for other lessons.
pub fn next_lesson(source: &str) -> Option<&'static LessonEntry> {
    let all = bundled_lessons();
    all.get(all.iter().position(|entry| entry.source == source)? + 1)
}

/// The bundled lessons, read once.
pub fn bundled_lessons() -> &'static [LessonEntry] {
    static ENTRIES: OnceLock<Vec<LessonEntry>> = OnceLock::new();
    ENTRIES.get_or_init(|| {
        let panes = Pane::ALL.map(Pane::name);
        let entry = |(name, _): (&str, &str)| {
            let lesson = Lesson::open(&format!("{PREFIX}{name}"), &panes).ok()?;
            let Lesson { source, title, summary, minutes, .. } = lesson;
            Some(LessonEntry { source, title, summary, minutes })
        };
        LESSONS.into_iter().filter_map(entry).collect()
    })
}
