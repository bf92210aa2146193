//! State of the first-start hints: current step and its starting point.

use egui::{Id, Rect, Ui};

use crate::lab::Lab;
use crate::ui::texts::popups::first_start_hints as texts;

/// The current step, and values of the lab when the step began.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FirstStartHints {
    pub(crate) step: usize,
    pub(crate) layer: Option<usize>,
}

/// Screen target of a hint, registered by the code that draws it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HintTarget {
    Steps,
    Layers,
}

/// Registers the position of a target in this frame.
pub fn register_target(ui: &Ui, target: HintTarget, rect: Rect) {
    let frame = ui.ctx().cumulative_frame_nr();
    ui.data_mut(|data| data.insert_temp(Id::unique(("hint target", target)), (frame, rect)));
}

/// The position of a target; `None` if it is not drawn in this frame.
pub(crate) fn target_rect(ui: &Ui, target: HintTarget) -> Option<Rect> {
    let known: Option<(u64, Rect)> = ui.data(|data| data.get_temp(Id::unique(("hint target", target))));
    known.filter(|(frame, _)| *frame == ui.ctx().cumulative_frame_nr()).map(|(_, rect)| rect)
}

impl FirstStartHints {
    /// Advances if the current step is done; `None` after the last step.
    pub(crate) fn advance(mut self, lab: &Lab, palette_open: bool) -> Option<Self> {
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
