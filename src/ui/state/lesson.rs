//! State of the lesson in progress, and the part of it that a session saves.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::lab::{Lab, Message, Notification, NotificationLevel, Session};
use crate::lesson::{Lesson, LessonPlayer, PointerTarget};
use crate::ui::types::pane::Pane;

/// Progress of a lesson; saved with the session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SavedLesson {
    /// `builtin:NAME` or a path.
    pub source: String,
    pub step: usize,
    pub solved: Vec<bool>,
    /// The lab before the lesson.
    pub before: Option<Box<Session>>,
}

/// The lesson in progress and the user's current input.
#[derive(Default)]
pub struct LessonState {
    pub player: Option<LessonPlayer>,
    /// The lab before the lesson.
    before: Option<Box<Session>>,
    /// The number in the input field.
    pub draft: String,
    /// The choice made last.
    pub chosen: Option<usize>,
    /// Number of visible hints.
    pub hints: usize,
    /// Whether the user has asked for the answer.
    pub shown: bool,
    /// Pane to move to the front.
    pane_to_front: Option<Pane>,
    /// Why a lesson could not be opened.
    pub error: Option<String>,
    /// Sources of the lessons that were finished.
    pub finished: BTreeSet<String>,
    /// Version of the lab's lesson request that was handled last.
    request_version: u64,
}

impl LessonState {
    /// Opens a lesson at its first step. `layout` is the current window layout.
    pub fn open(&mut self, source: &str, lab: &Lab, layout: serde_json::Value, messages: &mut Vec<Message>) {
        self.error = None;
        match Lesson::open(source, &Pane::ALL.map(Pane::name)) {
            Ok(lesson) => {
                if self.player.is_none() {
                    self.before = Some(Box::new(Session { layout, ..lab.session() }));
                }
                let (player, step_messages) = LessonPlayer::begin(Arc::new(lesson));
                self.player = Some(player);
                self.step_entered(step_messages, messages);
            }
            Err(error) => self.refuse(error.to_string(), messages),
        }
    }

    /// Resumes a lesson at the step that a session saved.
    pub fn resume(&mut self, place: SavedLesson, messages: &mut Vec<Message>) {
        self.forget();
        self.before = place.before;
        match Lesson::open(&place.source, &Pane::ALL.map(Pane::name)) {
            Ok(lesson) => {
                let (player, step_messages) = LessonPlayer::resume(Arc::new(lesson), place.step, &place.solved);
                self.player = Some(player);
                self.step_entered(step_messages, messages);
            }
            Err(error) => self.refuse(error.to_string(), messages),
        }
    }

    /// Discards the lesson; the lab stays as it is.
    pub fn forget(&mut self) {
        let finished = std::mem::take(&mut self.finished);
        *self = Self { request_version: self.request_version, finished, ..Self::default() };
    }

    /// Marks the lesson in progress as finished.
    pub fn finish(&mut self) {
        self.finished.extend(self.player.as_ref().map(|player| player.lesson().source.clone()));
    }

    /// Ends the lesson and restores the lab from before it.
    pub fn leave(&mut self, lab: &Lab, messages: &mut Vec<Message>) {
        messages.push(Message::Lock(Vec::new()));
        if let Some(mut before) = self.before.take() {
            // Theme and zoom are the user's choice, not part of the lesson.
            before.view.dark = lab.view.dark;
            before.view.projector = lab.view.projector;
            before.view.locked.clear();
            messages.push(Message::Restore(before));
        }
        self.forget();
    }

    /// Enters another step.
    pub fn go(&mut self, step: usize, messages: &mut Vec<Message>) {
        if let Some(step_messages) = self.player.as_mut().map(|player| player.enter(step)) {
            self.step_entered(step_messages, messages);
        }
    }

    /// The lesson source that the lab was asked to open, if it has not been opened yet.
    pub fn take_request(&mut self, lab: &Lab) -> Option<String> {
        let (version, source) = lab.lesson_wish()?;
        (std::mem::replace(&mut self.request_version, version) != version).then(|| source.to_owned())
    }

    /// The part of the state that a session saves.
    pub fn saved(&self) -> Option<SavedLesson> {
        self.player.as_ref().map(|player| SavedLesson {
            source: player.lesson().source.clone(),
            step: player.index(),
            solved: player.solved().to_vec(),
            before: self.before.clone(),
        })
    }

    /// The target that the current step highlights.
    pub fn pointer_target(&self) -> Option<&PointerTarget> {
        self.player.as_ref().and_then(|player| player.step().point.as_ref())
    }

    /// The pane that the current step highlights.
    pub fn pane(&self) -> Option<Pane> {
        match self.pointer_target()? {
            PointerTarget::Pane(name) => Pane::ALL.into_iter().find(|pane| pane.name() == name),
            PointerTarget::Part(_) => None,
        }
    }

    /// The pane to move to the front, returned once.
    pub fn take_pane_to_front(&mut self) -> Option<Pane> {
        self.pane_to_front.take()
    }

    fn refuse(&mut self, text: String, messages: &mut Vec<Message>) {
        messages.push(Message::Notify(Notification { level: NotificationLevel::Error, text: text.clone() }));
        self.error = Some(text);
    }

    fn step_entered(&mut self, step_messages: Vec<Message>, messages: &mut Vec<Message>) {
        messages.extend(step_messages);
        self.draft.clear();
        (self.chosen, self.hints, self.shown) = (None, 0, false);
        self.pane_to_front = self.pane();
    }
}
