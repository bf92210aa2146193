//! Frames of event recordings under attack: the one at the time cursor, or their sum over time.

use egui::{Id, Ui};

use crate::experiment::Snapshot;
use crate::experiment::attacked::AttackedSide;
use crate::ui::texts::panes::robustness as texts;

/// What the pictures of an event recording show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum ShownFrames {
    /// The frame that is shown at the time cursor.
    At(usize),
    /// All frames together.
    Sum,
}

impl ShownFrames {
    /// What was chosen last, at the time cursor of `snapshot`.
    pub fn current(ui: &Ui, snapshot: &Snapshot, frames: usize) -> Self {
        match ui.data(|data| data.get_temp::<bool>(id())).unwrap_or(true) {
            true => Self::Sum,
            false => Self::At(snapshot.focus.steps.saturating_sub(1) % frames.max(1)),
        }
    }

    /// Draws the choice between both.
    pub fn choice(ui: &mut Ui) {
        let mut is_sum = ui.data(|data| data.get_temp::<bool>(id())).unwrap_or(true);
        ui.label(texts::FRAMES);
        ui.selectable_value(&mut is_sum, true, texts::SUM).on_hover_text(texts::SUM_HINT);
        ui.selectable_value(&mut is_sum, false, texts::AT_CURSOR).on_hover_text(texts::AT_CURSOR_HINT);
        ui.data_mut(|data| data.insert_temp(id(), is_sum));
    }
}

fn id() -> Id {
    Id::unique("frames under attack")
}

/// Width and height of a frame.
pub(super) fn size(of: &AttackedSide) -> [usize; 2] {
    [of.form.width, of.form.height]
}

/// The planes of the frames `shown` among `values` (`[frames][F]`), `[planes][H·W]`. The mean over time, which the ANN reads,
/// is one frame whatever is shown.
pub(super) fn planes(of: &AttackedSide, values: &[f32], shown: ShownFrames) -> Vec<Vec<f32>> {
    let (form, frames) = (of.form, of.frames.max(1));
    let planes = (form.channels / frames).max(1);
    let chosen = match shown {
        ShownFrames::At(frame) if frames > 1 => frame.min(frames - 1)..frame.min(frames - 1) + 1,
        _ => 0..frames,
    };
    let plane = |plane: usize| {
        let at = |place: usize| {
            let value = |frame: usize| values[form.at(frame * planes + plane, place / form.width, place % form.width)];
            chosen.clone().map(value).sum::<f32>()
        };
        (0..form.area()).map(at).collect()
    };
    (0..planes).map(plane).collect()
}

/// The mean over the planes of the frames `shown`, `[H·W]`; of an image that over its channels.
pub(super) fn over_planes(of: &AttackedSide, values: &[f32], shown: ShownFrames) -> Vec<f32> {
    let planes = planes(of, values, shown);
    let mean = |at: usize| planes.iter().map(|plane| plane[at]).sum::<f32>() / planes.len().max(1) as f32;
    (0..of.form.area()).map(mean).collect()
}

/// What the first picture of a row shows.
pub(super) fn caption(of: &AttackedSide, shown: ShownFrames) -> String {
    match (of.frames, shown) {
        (0 | 1, _) => texts::MEAN_FRAME.to_owned(),
        (frames, ShownFrames::At(frame)) => texts::one_frame(frame + 1, frames),
        (frames, ShownFrames::Sum) => texts::sum_of(frames),
    }
}
