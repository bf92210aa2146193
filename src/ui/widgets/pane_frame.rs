//! Pane frame: which of title, controls and sentences a pane shows at its current height.
//!
//! A low pane shows its plot only. An exported figure has no controls.

use egui::{Context, Id, Ui, Vec2};

use crate::ui::types::pane::Pane;

/// Below this height, in points, a pane shows its plot only, until the user expands it.
const MIN_CONTROLS_HEIGHT: f32 = 200.0;
/// Below this height, in points, a pane has no title: its tab has almost the same text.
const MIN_TITLE_HEIGHT: f32 = 250.0;
/// Minimum height of a plot without controls, and of a pane with everything, in points; lower panes scroll.
const MIN_HEIGHT: f32 = 120.0;
const MIN_EXPANDED_HEIGHT: f32 = 300.0;
/// Minimum height of the neuron bench: two plots, one of them with draggable input, below four rows of controls.
const MIN_BENCH_HEIGHT: f32 = 380.0;

/// Where and how a pane is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PaneFrame {
    /// Alone, with its controls.
    #[default]
    Standalone,
    /// In the window below a tab, which has the "?" button.
    InTab,
    /// In a tab, without a title.
    InTabUntitled,
    /// In a tab with little height: the plot only.
    PlotOnly,
    /// A figure for a page or a slide.
    Export,
}

fn frame_id() -> Id {
    Id::unique("dress of the pane")
}

fn expanded_id(pane: Pane) -> Id {
    Id::unique(("controls of the pane", pane))
}

impl PaneFrame {
    /// The frame of the pane that is being drawn.
    pub fn current(ctx: &Context) -> Self {
        ctx.data(|data| data.get_temp(frame_id())).unwrap_or_default()
    }

    /// Sets the frame of the panes that are drawn next.
    pub fn set(self, ctx: &Context) {
        ctx.data_mut(|data| data.insert_temp(frame_id(), self));
    }

    /// The frame of `pane` in the window at `height` points, and the height at which it is drawn.
    pub fn for_tab(ctx: &Context, pane: Pane, height: f32) -> (Self, f32) {
        if pane == Pane::Bench && (height >= MIN_CONTROLS_HEIGHT || is_expanded(ctx, pane)) {
            (if height >= MIN_TITLE_HEIGHT { Self::InTab } else { Self::InTabUntitled }, height.max(MIN_BENCH_HEIGHT))
        } else if height >= MIN_TITLE_HEIGHT {
            (Self::InTab, height)
        } else if height >= MIN_CONTROLS_HEIGHT {
            (Self::InTabUntitled, height)
        } else if is_expanded(ctx, pane) {
            (Self::InTabUntitled, height.max(MIN_EXPANDED_HEIGHT))
        } else {
            (Self::PlotOnly, height.max(MIN_HEIGHT))
        }
    }
}

/// Whether a pane of `height` points hides its controls.
pub fn is_low(height: f32) -> bool {
    height < MIN_CONTROLS_HEIGHT
}

/// Whether the user has expanded the controls of `pane` despite its low height.
pub fn is_expanded(ctx: &Context, pane: Pane) -> bool {
    ctx.data(|data| data.get_temp(expanded_id(pane))).unwrap_or(false)
}

/// Shows or hides the controls of `pane`.
pub fn set_expanded(ctx: &Context, pane: Pane, wanted: bool) {
    ctx.data_mut(|data| data.insert_temp(expanded_id(pane), wanted));
}

/// Whether the pane that is being drawn shows its controls.
pub fn has_controls(ui: &Ui) -> bool {
    !matches!(PaneFrame::current(ui.ctx()), PaneFrame::PlotOnly | PaneFrame::Export)
}

/// Whether the pane that is being drawn shows sentences beside its plot.
pub fn has_sentences(ui: &Ui) -> bool {
    PaneFrame::current(ui.ctx()) != PaneFrame::PlotOnly
}

/// Id under which the size of a pane is stored.
pub fn size_id(pane: Pane) -> Id {
    Id::unique(("size of pane", pane))
}

/// The size at which the window drew `pane` last.
pub fn pane_size(ctx: &Context, pane: Pane) -> Option<Vec2> {
    ctx.data(|data| data.get_temp(size_id(pane)))
}

/// Stores the size at which the window draws `pane`.
pub fn remember_size(ui: &Ui, pane: Pane) {
    let size = ui.max_rect().size();
    let before = ui.data_mut(|data| {
        let before = data.get_temp(size_id(pane));
        data.insert_temp(size_id(pane), size);
        before
    });
    // Plots and scroll bars take the room that their last frame needed: the first frame of another size is not the last.
    if before != Some(size) {
        ui.ctx().request_repaint();
    }
}

/// Id of the height, in points, that the rows of a pane lack.
fn cut_id() -> Id {
    Id::unique("height that the rows lack")
}

/// Stores by how much rows of a fixed height are higher than the room in which they scroll.
pub fn remember_cut<R>(ui: &Ui, rows: &egui::containers::scroll_area::ScrollAreaOutput<R>) {
    let cut = (rows.content_size.y - rows.inner_rect.height()).max(0.0);
    ui.data_mut(|data| data.insert_temp(cut_id(), cut));
}

/// The height, in points, that the rows of the pane drawn last lack; 0 if they have room.
pub fn take_cut(ctx: &Context) -> f32 {
    ctx.data_mut(|data| data.remove_temp(cut_id())).unwrap_or(0.0)
}

/// Id under which the window stores the "?" button of `pane`.
pub fn help_of(pane: Pane) -> Id {
    Id::unique(("help of the pane", pane))
}

/// Id of the flag that requests a copy of the numbers of `pane`.
pub fn copy_wanted(pane: Pane) -> Id {
    Id::unique(("copy the numbers of", pane))
}

/// Id of the flag that requests the same once the numbers of `pane` are those of all samples.
pub fn copy_asked(pane: Pane) -> Id {
    Id::unique(("copy all numbers of", pane))
}

/// Id of the pane that the window copies to the clipboard as a picture.
pub fn picture_wanted() -> Id {
    Id::unique("picture wanted")
}

/// Id under which a pane stores its CSV table. The table is requested by an empty text stored there.
pub fn csv_wanted() -> Id {
    Id::unique("csv wanted")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn low_panes_show_the_plot_without_controls() {
        let ctx = Context::default();
        assert_eq!(PaneFrame::for_tab(&ctx, Pane::Membrane, 260.0), (PaneFrame::InTab, 260.0));
        assert_eq!(PaneFrame::for_tab(&ctx, Pane::Membrane, 220.0).0, PaneFrame::InTabUntitled);
        assert_eq!(PaneFrame::for_tab(&ctx, Pane::Membrane, 150.0), (PaneFrame::PlotOnly, 150.0));
        assert_eq!(PaneFrame::for_tab(&ctx, Pane::Membrane, 40.0), (PaneFrame::PlotOnly, MIN_HEIGHT), "it scrolls");
        assert_eq!(
            PaneFrame::for_tab(&ctx, Pane::Bench, 260.0),
            (PaneFrame::InTab, MIN_BENCH_HEIGHT),
            "its arrows can be dragged"
        );
        set_expanded(&ctx, Pane::Membrane, true);
        assert_eq!(PaneFrame::for_tab(&ctx, Pane::Membrane, 150.0), (PaneFrame::InTabUntitled, MIN_EXPANDED_HEIGHT));
        assert_eq!(PaneFrame::for_tab(&ctx, Pane::Raster, 150.0), (PaneFrame::PlotOnly, 150.0), "the others stay");
    }
}
