//! Regions of the window that F6 visits, one after another in reading order.

use egui::{Context, Id, Rect, Role, Sense, Ui, WidgetInfo};

use crate::ui::texts::window::regions as texts;

/// A region of the window, in reading order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Region {
    Top,
    Samples,
    Layers,
    Panes,
    Side,
    Time,
}

impl Region {
    /// The name for screen readers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Top => texts::TOP,
            Self::Samples => texts::SAMPLES,
            Self::Layers => texts::LAYERS,
            Self::Panes => texts::PANES,
            Self::Side => texts::SIDE,
            Self::Time => texts::TIME,
        }
    }

    fn id(self) -> Id {
        Id::unique(("region of the window", self))
    }
}

/// The regions with their places and the pass that drew them last.
type Regions = Vec<(Region, Rect, u64)>;

fn list_id() -> Id {
    Id::unique("regions of the window")
}

/// Begins `region` in `ui`. Tab does not stop at the region itself, only F6 does; Tab then goes to its first control.
pub fn begin(ui: &Ui, region: Region) {
    let rect = ui.max_rect().intersect(ui.ctx().content_rect());
    let pass = ui.ctx().cumulative_pass_nr();
    ui.data_mut(|data| {
        let all = data.get_temp_mut_or_default::<Regions>(list_id());
        all.retain(|(other, ..)| *other != region);
        all.push((region, rect, pass));
    });
    if ui.memory(|memory| memory.has_focus(region.id())) {
        let place = ui.interact(rect.shrink(1.0), region.id(), Sense::focusable_noninteractive());
        place.widget_info(|| WidgetInfo::labeled(Role::Pane, true, region.name()));
    }
}

/// Moves the focus to the region after the one that has it.
pub fn focus_next(ctx: &Context) {
    let mut all: Regions = ctx.data(|data| data.get_temp(list_id())).unwrap_or_default();
    // A hidden region was drawn last some time ago.
    let pass = ctx.cumulative_pass_nr();
    all.retain(|(.., drawn)| drawn + 3 > pass);
    all.sort_by_key(|(region, ..)| *region);
    let focused = ctx.memory(|memory| memory.focused());
    let at = focused.and_then(|id| ctx.read_response(id)).map(|response| response.rect.center());
    let of_region = all.iter().position(|(region, ..)| focused == Some(region.id()));
    let now = of_region.or_else(|| all.iter().position(|(_, rect, _)| at.is_some_and(|at| rect.contains(at))));
    let next = now.map_or(0, |now| (now + 1) % all.len().max(1));
    if let Some((region, ..)) = all.get(next) {
        ctx.memory_mut(|memory| memory.request_focus(region.id()));
    }
}
