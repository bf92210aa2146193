//! What stands around a pane's plot: everything where there is room, the plot alone where there is little, and no controls
//! in a figure that leaves the window.

use egui::{Context, Id, Ui, Vec2};

use crate::ui::types::pane::Pane;

/// Lower panes, in points, show their plot only, until a person asks for the rest.
const LOW: f32 = 200.0;
/// Lower ones do without their title: the tab says much the same.
const SNUG: f32 = 250.0;
/// What a plot without its controls needs at least, and a pane with everything; lower ones scroll.
const LEAST: f32 = 120.0;
const LEAST_WITH_ALL: f32 = 300.0;
/// The neuron bench has two plots, one of which is dragged in, under four rows of controls.
const LEAST_BENCH: f32 = 380.0;

/// Where a pane is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PaneFrame {
    /// Alone, with its controls.
    #[default]
    Standalone,
    /// In the window under a tab, where its "?" stands.
    InTab,
    /// The same without a title.
    InTabUntitled,
    /// The same in little room: the plot alone.
    PlotOnly,
    /// A picture for a page or a slide.
    Export,
}

fn id() -> Id {
    Id::unique("dress of the pane")
}

fn unfolded(pane: Pane) -> Id {
    Id::unique(("controls of the pane", pane))
}

impl PaneFrame {
    /// How the pane that is being drawn is dressed.
    pub fn current(ctx: &Context) -> Self {
        ctx.data(|data| data.get_temp(id())).unwrap_or_default()
    }

    /// How the panes that are drawn next are dressed.
    pub fn set(self, ctx: &Context) {
        ctx.data_mut(|data| data.insert_temp(id(), self));
    }

    /// How `pane` is dressed in the window in `height` points, and how high it is drawn there.
    pub fn for_tab(ctx: &Context, pane: Pane, height: f32) -> (Self, f32) {
        if pane == Pane::Bench && (height >= LOW || is_expanded(ctx, pane)) {
            (if height >= SNUG { Self::InTab } else { Self::InTabUntitled }, height.max(LEAST_BENCH))
        } else if height >= SNUG {
            (Self::InTab, height)
        } else if height >= LOW {
            (Self::InTabUntitled, height)
        } else if is_expanded(ctx, pane) {
            (Self::InTabUntitled, height.max(LEAST_WITH_ALL))
        } else {
            (Self::PlotOnly, height.max(LEAST))
        }
    }
}

/// Whether a pane of `height` points folds its controls away.
pub fn is_low(height: f32) -> bool {
    height < LOW
}

/// Whether a person wants the controls of `pane` although there is little room.
pub fn is_expanded(ctx: &Context, pane: Pane) -> bool {
    ctx.data(|data| data.get_temp(unfolded(pane))).unwrap_or(false)
}

/// Folds the controls of `pane` away or brings them back.
pub fn set_expanded(ctx: &Context, pane: Pane, wanted: bool) {
    ctx.data_mut(|data| data.insert_temp(unfolded(pane), wanted));
}

/// Whether the pane that is being drawn shows what one works with.
pub fn has_controls(ui: &Ui) -> bool {
    !matches!(PaneFrame::current(ui.ctx()), PaneFrame::PlotOnly | PaneFrame::Export)
}

/// Whether it shows sentences beside its plot.
pub fn has_sentences(ui: &Ui) -> bool {
    PaneFrame::current(ui.ctx()) != PaneFrame::PlotOnly
}

/// Where a pane's place in the window is kept.
pub fn size_id(pane: Pane) -> Id {
    Id::unique(("size of pane", pane))
}

/// The size at which the window drew `pane` last.
pub fn pane_size(ctx: &Context, pane: Pane) -> Option<Vec2> {
    ctx.data(|data| data.get_temp(size_id(pane)))
}

/// Notes the size at which the window draws `pane`.
pub fn remember_size(ui: &Ui, pane: Pane) {
    let size = ui.max_rect().size();
    ui.data_mut(|data| data.insert_temp(size_id(pane), size));
}

/// Where the window keeps which widget is the "?" of `pane`.
pub fn help_of(pane: Pane) -> Id {
    Id::unique(("help of the pane", pane))
}

/// Set while the numbers of `pane` are to be copied.
pub fn copy_wanted(pane: Pane) -> Id {
    Id::unique(("copy the numbers of", pane))
}

/// Where a pane puts the table of its numbers when a text lies there already.
pub fn csv_wanted() -> Id {
    Id::unique("csv wanted")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plot_comes_before_its_controls() {
        let ctx = Context::default();
        assert_eq!(PaneFrame::for_tab(&ctx, Pane::Membrane, 260.0), (PaneFrame::InTab, 260.0));
        assert_eq!(PaneFrame::for_tab(&ctx, Pane::Membrane, 220.0).0, PaneFrame::InTabUntitled);
        assert_eq!(PaneFrame::for_tab(&ctx, Pane::Membrane, 150.0), (PaneFrame::PlotOnly, 150.0));
        assert_eq!(PaneFrame::for_tab(&ctx, Pane::Membrane, 40.0), (PaneFrame::PlotOnly, LEAST), "it scrolls");
        assert_eq!(
            PaneFrame::for_tab(&ctx, Pane::Bench, 260.0),
            (PaneFrame::InTab, LEAST_BENCH),
            "its arrows can be dragged"
        );
        set_expanded(&ctx, Pane::Membrane, true);
        assert_eq!(PaneFrame::for_tab(&ctx, Pane::Membrane, 150.0), (PaneFrame::InTabUntitled, LEAST_WITH_ALL));
        assert_eq!(PaneFrame::for_tab(&ctx, Pane::Raster, 150.0), (PaneFrame::PlotOnly, 150.0), "the others stay");
    }
}
