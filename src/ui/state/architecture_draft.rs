//! State of an open architecture draft: the text, and the thread that says which shapes it gives.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};

use egui::Context;

use crate::Result;
use crate::network::architecture::OutlineLayer;
use crate::network::architecture_draft::{ArchitectureDraft, Outline};

/// An architecture file that the user writes.
pub struct DraftState {
    /// The weights that it describes.
    pub source: String,
    /// The architecture file; `None` until the weights are read.
    pub file: Option<PathBuf>,
    pub text: String,
    /// What `text`, or an older text, describes.
    pub outline: Outline,
    /// The layers of the last text that had any.
    pub layers: Vec<OutlineLayer>,
    /// The text that was edited when the draft was closed before.
    kept: Option<String>,
    /// The text to begin with.
    first: String,
    /// Why the weights or the file cannot be read or written.
    pub error: Option<String>,
    /// Texts for the thread.
    texts: Sender<String>,
    answers: Receiver<Answer>,
}

enum Answer {
    /// The architecture file and its text.
    Opened(PathBuf, String),
    Outline(Outline),
    Failed(String),
}

impl DraftState {
    /// Reads the weights of `source` on a thread, which ends with the draft; `kept` is the text of an earlier draft of them.
    pub fn open(source: &str, kept: Option<String>, ctx: &Context) -> Self {
        let (texts, received) = channel();
        let (sender, answers) = channel();
        let (path, ctx) = (source.to_owned(), ctx.clone());
        let work = move || {
            let answer = |answer| {
                // The receiver is gone: the draft was closed.
                let sent = sender.send(answer).is_ok();
                ctx.request_repaint();
                sent
            };
            let draft = match ArchitectureDraft::open(&path) {
                Ok(draft) => draft,
                Err(error) => {
                    answer(Answer::Failed(error.to_string()));
                    return;
                }
            };
            let mut text = draft.text();
            let mut is_open = answer(Answer::Opened(draft.file.clone(), text.clone()));
            while is_open && answer(Answer::Outline(draft.outline(&text))) {
                // Of several edits the last counts.
                match received.recv().map(|next| received.try_iter().last().unwrap_or(next)) {
                    Ok(next) => text = next,
                    Err(_) => is_open = false,
                }
            }
        };
        // Without a thread the draft stays empty and says so.
        let started = std::thread::Builder::new().name("spikescope-draft".into()).spawn(work);
        let error = started.err().map(|error| error.to_string());
        let (outline, text, first) = (Outline::default(), String::new(), String::new());
        let layers = Vec::new();
        Self { source: source.to_owned(), file: None, text, outline, layers, kept, first, error, texts, answers }
    }

    /// Takes what the thread has found.
    pub fn poll(&mut self) {
        let answers: Vec<Answer> = self.answers.try_iter().collect();
        for answer in answers {
            match answer {
                Answer::Opened(file, text) => {
                    (self.file, self.first, self.text) = (Some(file), text.clone(), text);
                    if let Some(kept) = self.kept.take() {
                        self.text = kept;
                        self.edited();
                    }
                }
                Answer::Outline(outline) => {
                    if !outline.layers.is_empty() {
                        self.layers.clone_from(&outline.layers);
                    }
                    self.outline = outline;
                }
                Answer::Failed(error) => self.error = Some(error),
            }
        }
    }

    /// The source and its text, if that was edited.
    pub fn edits(&self) -> Option<(String, String)> {
        (self.file.is_some() && self.text != self.first).then(|| (self.source.clone(), self.text.clone()))
    }

    /// The text was edited.
    pub fn edited(&mut self) {
        // Without the thread there are no shapes; the text can be saved nevertheless.
        let _ = self.texts.send(self.text.clone());
    }

    /// Writes the text to the architecture file.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn save(&self) -> Result<()> {
        self.file.iter().try_for_each(|file| crate::files::write_bytes(file, self.text.as_bytes()))
    }
}
