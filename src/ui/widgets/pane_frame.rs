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
pub enum Dress {
    /// Alone, with its controls.
    #[default]
    Alone,
    /// In the window under a tab, where its "?" stands.
    Docked,
    /// The same without a title.
    Snug,
    /// The same in little room: the plot alone.
    Low,
    /// A picture for a page or a slide.
    Figure,
}

fn id() -> Id {
    Id::unique("dress of the pane")
}

fn unfolded(pane: Pane) -> Id {
    Id::unique(("controls of the pane", pane))
}

impl Dress {
    /// How the pane that is being drawn is dressed.
    pub fn of(ctx: &Context) -> Self {
        ctx.data(|data| data.get_temp(id())).unwrap_or_default()
    }

    /// How the panes that are drawn next are dressed.
    pub fn put_on(self, ctx: &Context) {
        ctx.data_mut(|data| data.insert_temp(id(), self));
    }

    /// How `pane` is dressed in the window in `height` points, and how high it is drawn there.
    pub fn docked(ctx: &Context, pane: Pane, height: f32) -> (Self, f32) {
        if pane == Pane::Bench && (height >= LOW || is_unfolded(ctx, pane)) {
            (if height >= SNUG { Self::Docked } else { Self::Snug }, height.max(LEAST_BENCH))
        } else if height >= SNUG {
            (Self::Docked, height)
        } else if height >= LOW {
            (Self::Snug, height)
        } else if is_unfolded(ctx, pane) {
            (Self::Snug, height.max(LEAST_WITH_ALL))
        } else {
            (Self::Low, height.max(LEAST))
        }
    }
}

/// Whether a pane of `height` points folds its controls away.
pub fn is_low(height: f32) -> bool {
    height < LOW
}

/// Whether a person wants the controls of `pane` although there is little room.
pub fn is_unfolded(ctx: &Context, pane: Pane) -> bool {
    ctx.data(|data| data.get_temp(unfolded(pane))).unwrap_or(false)
}

/// Folds the controls of `pane` away or brings them back.
pub fn unfold(ctx: &Context, pane: Pane, wanted: bool) {
    ctx.data_mut(|data| data.insert_temp(unfolded(pane), wanted));
}

/// Whether the pane that is being drawn shows what one works with.
pub fn has_controls(ui: &Ui) -> bool {
    !matches!(Dress::of(ui.ctx()), Dress::Low | Dress::Figure)
}

/// Whether it shows sentences beside its plot.
pub fn has_words(ui: &Ui) -> bool {
    Dress::of(ui.ctx()) != Dress::Low
}

/// Where a pane's place in the window is kept.
pub fn place_of(pane: Pane) -> Id {
    Id::unique(("size of pane", pane))
}

/// The size at which the window drew `pane` last.
pub fn size_of(ctx: &Context, pane: Pane) -> Option<Vec2> {
    ctx.data(|data| data.get_temp(place_of(pane)))
}

/// Notes the size at which the window draws `pane`.
pub fn note_size(ui: &Ui, pane: Pane) {
    let size = ui.max_rect().size();
    ui.data_mut(|data| data.insert_temp(place_of(pane), size));
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
        assert_eq!(Dress::docked(&ctx, Pane::Membrane, 260.0), (Dress::Docked, 260.0));
        assert_eq!(Dress::docked(&ctx, Pane::Membrane, 220.0).0, Dress::Snug);
        assert_eq!(Dress::docked(&ctx, Pane::Membrane, 150.0), (Dress::Low, 150.0));
        assert_eq!(Dress::docked(&ctx, Pane::Membrane, 40.0), (Dress::Low, LEAST), "it scrolls");
        assert_eq!(Dress::docked(&ctx, Pane::Bench, 260.0), (Dress::Docked, LEAST_BENCH), "its arrows can be dragged");
        unfold(&ctx, Pane::Membrane, true);
        assert_eq!(Dress::docked(&ctx, Pane::Membrane, 150.0), (Dress::Snug, LEAST_WITH_ALL));
        assert_eq!(Dress::docked(&ctx, Pane::Raster, 150.0), (Dress::Low, 150.0), "the others stay");
    }
}
