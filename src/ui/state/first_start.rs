//! State of the hints of the first start.

use egui::{Id, Rect, Ui};

use crate::lab::Lab;
use crate::ui::texts::first_start_hints as texts;

/// How far the person is, and what the lab looked like when the step began.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FirstStartHints {
    pub(crate) step: usize,
    pub(crate) layer: Option<usize>,
}

/// What a step points at; noted by whoever draws it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HintTarget {
    Steps,
    Layers,
}

/// Notes where a target is drawn.
pub fn register_target(ui: &Ui, target: HintTarget, rect: Rect) {
    ui.data_mut(|data| data.insert_temp(Id::unique(("hint target", target)), rect));
}

impl FirstStartHints {
    /// Goes on where a step was done; `None` when it was the last.
    pub(crate) fn follow(mut self, lab: &Lab, palette_open: bool) -> Option<Self> {
        let began = *self.layer.get_or_insert(lab.view.layer);
        let done = match self.step {
            0 => lab.undo_sentence().is_some(),
            1 => lab.view.layer != began,
            _ => palette_open,
        };
        if done { self.next(lab) } else { Some(self) }
    }

    pub(crate) fn next(self, lab: &Lab) -> Option<Self> {
        (self.step + 1 < texts::STEPS.len()).then_some(Self { step: self.step + 1, layer: Some(lab.view.layer) })
    }
}
