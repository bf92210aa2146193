//! Shared vertical axis: plots over one another whose horizontal axes align to the pixel.
//!
//! Each plot alone makes its vertical axis as wide as its own numbers. The plots of one group take the width of the
//! widest, as measured in the frame before.

use std::cell::{Cell, RefCell};

use egui::{Context, Id, TextStyle, Ui};
use egui_plot::{AxisHints, PlotResponse};

use super::pane_parts;

/// Space on both sides of a number beside a plot, in points, as in `egui_plot`.
const NUMBER_MARGIN: f32 = 8.0;
/// Height of a turned axis name over that of its text, as in `egui_plot`.
const NAME_SHARE: f32 = 1.25;
/// Distance of marks, in points, at and below which `egui_plot` leaves out their numbers.
const LEAST_SPACING: f32 = 12.0;

/// The vertical axis of all plots of one group, in one frame.
pub struct SharedAxis {
    id: Id,
    ctx: Context,
    font: egui::FontId,
    /// Width of the frame, in points.
    width: f32,
    /// The widest axis of this frame so far.
    widest: Cell<f32>,
    /// Step and width of each number of the plot that is being drawn.
    numbers: RefCell<Vec<(f64, f32)>>,
    name_height: Cell<f32>,
}

impl SharedAxis {
    /// The axis of the group `name` in the pane of `ui`, at least `min` points wide.
    pub fn new(ui: &Ui, name: &str, min: f32) -> Self {
        let id = ui.scope_id().with(("shared axis", name));
        let width = ui.data(|data| data.get_temp(id)).unwrap_or(min).max(min);
        Self {
            id,
            ctx: ui.ctx().clone(),
            font: TextStyle::Body.resolve(ui.style()),
            width,
            widest: Cell::new(min),
            numbers: RefCell::default(),
            name_height: Cell::default(),
        }
    }

    /// The vertical axis of a plot of `height` points, named `label` where that has room, with numbers in `format`.
    pub fn hints<'a>(&'a self, label: &str, height: f32, format: impl Fn(f64) -> String + 'a) -> AxisHints<'a> {
        self.numbers.borrow_mut().clear();
        let label = if self.size(label).x <= height { label } else { "" };
        self.name_height.set(if label.is_empty() { 0.0 } else { self.size(label).y * NAME_SHARE });
        pane_parts::y_axis(label).min_thickness(self.width).formatter(move |mark, _| {
            let text = format(mark.value);
            if !text.is_empty() {
                self.numbers.borrow_mut().push((mark.step_size, self.size(&text).x));
            }
            text
        })
    }

    /// Takes the width that `plot` needs, after it is drawn.
    pub fn measure<R>(&self, plot: &PlotResponse<R>) {
        let unit = plot.transform.dpos_dvalue()[1].abs();
        let numbers = self.numbers.borrow();
        let shown = numbers.iter().filter(|(step, _)| (unit * step) as f32 > LEAST_SPACING);
        let number = shown.map(|(_, width)| width + NUMBER_MARGIN).fold(0.0, f32::max);
        self.widest.set(self.widest.get().max((number + self.name_height.get()).ceil()));
    }

    /// Stores the width for the next frame; the frame is drawn again at once if it changed.
    pub fn finish(self) {
        let widest = self.widest.get();
        if (widest - self.width).abs() > 0.5 {
            self.ctx.data_mut(|data| data.insert_temp(self.id, widest));
            self.ctx.request_discard("axis");
        }
    }

    fn size(&self, text: &str) -> egui::Vec2 {
        let font = self.font.clone();
        self.ctx.fonts_mut(|fonts| fonts.layout_no_wrap(text.to_owned(), font, egui::Color32::WHITE).size())
    }
}
