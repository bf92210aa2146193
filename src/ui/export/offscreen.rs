//! Taking what is on the screen along: a pane as a picture, as lines and text, as a table; the run of time as an animation.
//! Drawn apart from the window, on a thread of its own, with what the window remembers of the pane.

use std::io::Cursor;

use egui::{Context, FullOutput, Memory, Ui, Vec2, vec2};

use super::software_renderer::OffscreenContext;
use crate::lab::{Lab, Message};
use crate::ui::panes;
use crate::ui::state::window::WindowState;
use crate::ui::theme::colors;
use crate::ui::types::pane::Pane;
use crate::ui::widgets::pane_frame::{PaneFrame, size_id};
use crate::{Error, Result};

/// Pixels a point of pictures that are exported.
pub const SCALE: f32 = 2.0;

/// Frames until layouts and scroll areas have settled.
const LAYOUT_FRAMES: usize = 4;

/// A figure has room for its words beside the plot, however low its pane is in the window.
const MIN_SIZE: Vec2 = vec2(300.0, 220.0);

/// A function that draws the whole window.
pub type DrawWindow = fn(&mut Ui, &Lab, &mut WindowState, &mut Vec<Message>);

/// A pane drawn apart from the window.
pub struct OffscreenPane {
    stage: OffscreenContext,
    /// The whole screen when `None`.
    pub(super) pane: Option<Pane>,
    /// What the whole screen has besides the lab.
    window: WindowState,
    /// Draws the whole window where no pane is given.
    draw_window: Option<DrawWindow>,
    /// A pane's controls are drawn as well.
    controls: bool,
}

impl OffscreenPane {
    /// `pane` as the window of `ctx` shows it: of its size, with what is chosen in it.
    pub fn of_window(ctx: &Context, pane: Pane) -> Self {
        let (mut memory, size) = (Memory::default(), ctx.data(|data| data.get_temp(size_id(pane))));
        ctx.memory(|known| {
            memory.options = known.options.clone();
            memory.data = known.data.clone();
        });
        // Pictures on the graphics card belong to the window.
        panes::forget_textures(&mut memory.data);
        let apart = Context::default();
        apart.memory_mut(|own| *own = memory);
        let size: Vec2 = size.unwrap_or(vec2(640.0, 400.0));
        Self {
            stage: OffscreenContext::new(apart, size.max(MIN_SIZE).round(), SCALE),
            pane: Some(pane),
            window: WindowState::default(),
            draw_window: None,
            controls: false,
        }
    }

    /// `pane`, or the whole screen, of `size` points at `scale` pixels a point, as nobody has touched it.
    pub fn new(pane: Option<Pane>, size: Vec2, scale: f32) -> Self {
        Self {
            stage: OffscreenContext::new(Context::default(), size, scale),
            pane,
            window: WindowState::default(),
            draw_window: None,
            controls: false,
        }
    }

    /// The same with the pane's controls, which a figure does without.
    pub fn with_controls(self) -> Self {
        Self { controls: true, ..self }
    }

    /// The same with the whole screen as `window` has it.
    pub fn in_window(self, window: WindowState, draw_window: DrawWindow) -> Self {
        Self { window, draw_window: Some(draw_window), ..self }
    }

    /// As a picture.
    pub fn image(&mut self, lab: &Lab) -> egui::ColorImage {
        let (pane, window, draw_window, controls) = (self.pane, &mut self.window, self.draw_window, self.controls);
        self.stage.picture(LAYOUT_FRAMES, |ui| draw(ui, pane, lab, window, draw_window, controls))
    }

    /// As an SVG document.
    pub fn svg(&mut self, lab: &Lab) -> String {
        let output = self.frames(lab);
        let background = self.stage.ctx().global_style().visuals.panel_fill;
        super::svg::svg_document(&output.shapes, self.stage.size(), background, self.stage.textures())
    }

    /// As a table of the numbers that are drawn.
    ///
    /// # Errors
    /// [`Error::Invalid`] for the whole screen, and for a pane that has nothing to draw yet.
    pub fn csv(&mut self, lab: &Lab) -> Result<String> {
        let Some(pane) = self.pane else {
            return Err(Error::Invalid("Cannot write a table: no pane named. Use --pane NAME.".into()));
        };
        self.stage.ctx().data_mut(|data| data.insert_temp(crate::ui::widgets::pane_frame::csv_wanted(), String::new()));
        self.frames(lab);
        let table: String = self
            .stage
            .ctx()
            .data_mut(|data| data.remove_temp(crate::ui::widgets::pane_frame::csv_wanted()))
            .unwrap_or_default();
        match table.is_empty() {
            false => Ok(table),
            true => Err(Error::Invalid(format!("Cannot write a table of pane '{}': it has no data.", pane.title()))),
        }
    }

    fn frames(&mut self, lab: &Lab) -> FullOutput {
        let (pane, window, draw_window, controls) = (self.pane, &mut self.window, self.draw_window, self.controls);
        self.stage.frames(LAYOUT_FRAMES, |ui| draw(ui, pane, lab, window, draw_window, controls))
    }
}

fn draw(
    ui: &mut Ui,
    pane: Option<Pane>,
    lab: &Lab,
    window: &mut WindowState,
    draw_window: Option<DrawWindow>,
    controls: bool,
) {
    // Nobody is there to have wishes.
    let mut ignored = Vec::new();
    match pane {
        None => {
            if let Some(draw_window) = draw_window {
                draw_window(ui, lab, window, &mut ignored);
            }
        }
        Some(pane) => {
            colors::apply_theme(ui.ctx(), lab.view.dark);
            let dress = if controls { PaneFrame::Standalone } else { PaneFrame::Export };
            dress.set(ui.ctx());
            let frame = egui::Frame::central_panel(ui.style()).inner_margin(egui::Margin::symmetric(8, 6));
            egui::CentralPanel::default().frame(frame).show(ui, |ui| panes::show(ui, pane, lab, &mut ignored));
        }
    }
}

/// `image` as a PNG file.
///
/// # Errors
/// Never for images of this program.
pub fn png(image: &egui::ColorImage) -> Result<Vec<u8>> {
    let [width, height] = image.size.map(|side| side as u32);
    let bytes: Vec<u8> = image.pixels.iter().flat_map(|pixel| [pixel.r(), pixel.g(), pixel.b()]).collect();
    let buffer = image::RgbImage::from_raw(width, height, bytes);
    let mut file = Cursor::new(Vec::new());
    let buffer = buffer.ok_or_else(|| Error::Internal("a picture of the wrong size".into()))?;
    buffer.write_to(&mut file, image::ImageFormat::Png).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(file.into_inner())
}
