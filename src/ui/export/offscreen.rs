//! Off-screen drawing of a pane or the whole window as PNG, SVG or CSV.
//!
//! Runs on a separate thread, with the UI state that the window keeps for the pane.

use std::io::Cursor;

use egui::{Color32, Context, FullOutput, Label, Memory, RichText, Theme, Ui, Vec2, vec2};

use super::software_renderer::OffscreenContext;
use crate::lab::{Lab, Message};
use crate::ui::panes;
use crate::ui::state::window::WindowState;
use crate::ui::texts::export as texts;
use crate::ui::texts::format::source_file_name;
use crate::ui::theme::colors;
use crate::ui::types::pane::Pane;
use crate::ui::widgets::pane_frame::{self, PaneFrame, size_id};
use crate::{Error, Result};

/// Pixels per point of exported images.
pub const SCALE: f32 = 2.0;

/// Number of frames until layouts and scroll areas have settled.
const LAYOUT_FRAMES: usize = 4;

/// Minimum size of an exported figure, in points. It has room for its texts beside the plot, even if the pane in the
/// window is lower.
const MIN_SIZE: Vec2 = vec2(300.0, 260.0);

/// By how much a figure grows at most for the rows of its pane, in points.
const MAX_GROWTH: f32 = 4000.0;

/// Height of the line above a figure, in points.
const CAPTION_HEIGHT: f32 = 22.0;

/// A function that draws the whole window.
pub type DrawWindow = fn(&mut Ui, &Lab, &mut WindowState, &mut Vec<Message>);

/// A pane drawn outside the window.
pub struct OffscreenPane {
    context: OffscreenContext,
    /// `None` stands for the whole window.
    pub(super) pane: Option<Pane>,
    /// Window state for drawing the whole window.
    window: WindowState,
    /// Draws the whole window if `pane` is `None`.
    draw_window: Option<DrawWindow>,
    style: FigureStyle,
    /// Whether the size is still that of the window, and grows with the rows of the pane when it is drawn.
    grows: bool,
}

/// How a pane is drawn as a figure.
#[derive(Clone, Copy, Default)]
struct FigureStyle {
    /// Whether the controls of the pane are drawn as well.
    controls: bool,
    /// Whether the ground of the light theme is white.
    white: bool,
}

impl OffscreenPane {
    /// `pane` as the window of `ctx` shows it, with its size and UI state.
    pub fn of_window(ctx: &Context, pane: Pane) -> Self {
        let (mut memory, size) = (Memory::default(), ctx.data(|data| data.get_temp(size_id(pane))));
        ctx.memory(|known| {
            memory.options = known.options.clone();
            memory.data = known.data.clone();
        });
        // Textures belong to the window's context.
        panes::forget_textures(&mut memory.data);
        let context = Context::default();
        context.memory_mut(|own| *own = memory);
        let size: Vec2 = size.unwrap_or(vec2(640.0, 400.0));
        Self {
            context: OffscreenContext::new(context, (size + vec2(0.0, CAPTION_HEIGHT)).max(MIN_SIZE).round(), SCALE),
            pane: Some(pane),
            window: WindowState::default(),
            draw_window: None,
            style: FigureStyle::default(),
            grows: true,
        }
    }

    /// `pane`, or the whole window, with `size` in points and `scale` pixels per point, in its initial UI state.
    pub fn new(pane: Option<Pane>, size: Vec2, scale: f32) -> Self {
        Self {
            context: OffscreenContext::new(Context::default(), size, scale),
            pane,
            window: WindowState::default(),
            draw_window: None,
            style: FigureStyle::default(),
            grows: false,
        }
    }

    /// Also draws the controls of the pane, which figures omit.
    pub fn with_controls(self) -> Self {
        Self { style: FigureStyle { controls: true, ..self.style }, ..self }
    }

    /// With a white ground in the light theme.
    pub fn on_white(self) -> Self {
        Self { style: FigureStyle { white: true, ..self.style }, ..self }
    }

    /// Draws the whole window with the state `window`.
    pub fn in_window(self, window: WindowState, draw_window: DrawWindow) -> Self {
        Self { window, draw_window: Some(draw_window), ..self }
    }

    /// Makes a figure of the window as high as its rows: a figure cannot be scrolled.
    fn fit_rows(&mut self, lab: &Lab) {
        if std::mem::take(&mut self.grows) {
            pane_frame::take_cut(self.context.ctx());
            self.frames(lab);
            let cut = pane_frame::take_cut(self.context.ctx());
            self.context.grow(cut.ceil().min(MAX_GROWTH));
        }
    }

    /// Draws it as an image.
    pub fn image(&mut self, lab: &Lab) -> egui::ColorImage {
        self.fit_rows(lab);
        let (pane, window, draw_window, style) = (self.pane, &mut self.window, self.draw_window, self.style);
        self.context.image(LAYOUT_FRAMES, |ui| draw(ui, pane, lab, window, draw_window, style))
    }

    /// Draws it as an SVG document.
    pub fn svg(&mut self, lab: &Lab) -> String {
        self.fit_rows(lab);
        let output = self.frames(lab);
        let background = self.context.ctx().global_style().visuals.panel_fill;
        super::svg::svg_document(&output.shapes, self.context.size(), background, self.context.textures())
    }

    /// Returns the numbers of the pane as a CSV table.
    ///
    /// # Errors
    /// [`Error::Invalid`] for the whole window and for a pane that has no data yet.
    pub fn csv(&mut self, lab: &Lab) -> Result<String> {
        let Some(pane) = self.pane else {
            return Err(Error::Invalid("Cannot write a table: no pane named. Use --pane NAME.".into()));
        };
        self.context
            .ctx()
            .data_mut(|data| data.insert_temp(crate::ui::widgets::pane_frame::csv_wanted(), String::new()));
        self.frames(lab);
        let table: String = self
            .context
            .ctx()
            .data_mut(|data| data.remove_temp(crate::ui::widgets::pane_frame::csv_wanted()))
            .unwrap_or_default();
        match table.is_empty() {
            false => Ok(table),
            true => Err(Error::Invalid(format!("Cannot write a table of pane '{}': it has no data.", pane.title()))),
        }
    }

    fn frames(&mut self, lab: &Lab) -> FullOutput {
        let (pane, window, draw_window, style) = (self.pane, &mut self.window, self.draw_window, self.style);
        self.context.frames(LAYOUT_FRAMES, |ui| draw(ui, pane, lab, window, draw_window, style))
    }
}

fn draw(
    ui: &mut Ui,
    pane: Option<Pane>,
    lab: &Lab,
    window: &mut WindowState,
    draw_window: Option<DrawWindow>,
    style: FigureStyle,
) {
    // Nothing handles messages here, because there is no user input.
    let mut ignored = Vec::new();
    match pane {
        None => {
            if let Some(draw_window) = draw_window {
                draw_window(ui, lab, window, &mut ignored);
            }
        }
        Some(pane) => {
            colors::apply_theme(ui.ctx(), lab.view.dark);
            if style.white {
                ui.ctx().style_mut_of(Theme::Light, |style| {
                    (style.visuals.panel_fill, style.visuals.extreme_bg_color) = (Color32::WHITE, Color32::WHITE);
                });
            }
            let pane_frame = if style.controls { PaneFrame::Standalone } else { PaneFrame::Export };
            pane_frame.set(ui.ctx());
            let fill = ui.ctx().global_style().visuals.panel_fill;
            let frame = egui::Frame::central_panel(ui.style()).fill(fill).inner_margin(egui::Margin::symmetric(8, 6));
            egui::CentralPanel::default().frame(frame).show(ui, |ui| {
                if !style.controls {
                    caption(ui, pane, lab);
                }
                panes::show(ui, pane, lab, &mut ignored);
            });
        }
    }
}

/// Says above a figure of a run what was run: network, recipe and samples. The race has recipes of its own.
fn caption(ui: &mut Ui, pane: Pane, lab: &Lab) {
    let Some(run) = lab.run.as_ref().filter(|_| pane.shows_run() || matches!(pane, Pane::TCurve | Pane::Race)) else {
        return;
    };
    let settings = &run.settings;
    let recipe = (pane != Pane::Race).then(|| texts::recipe(&settings.recipe.title(), settings.recipe.steps));
    let data = source_file_name(&settings.data);
    let text = texts::caption(&run.network.original.name, recipe.as_deref(), &settings.samples, &data);
    ui.add(Label::new(RichText::new(text).small()).wrap());
}

/// Encodes `image` as PNG.
///
/// # Errors
/// If the encoder fails, which does not happen for images of this program.
pub fn png(image: &egui::ColorImage) -> Result<Vec<u8>> {
    let [width, height] = image.size.map(|side| side as u32);
    let bytes: Vec<u8> = image.pixels.iter().flat_map(|pixel| [pixel.r(), pixel.g(), pixel.b()]).collect();
    let buffer = image::RgbImage::from_raw(width, height, bytes);
    let mut file = Cursor::new(Vec::new());
    let buffer = buffer.ok_or_else(|| Error::Internal("a picture of the wrong size".into()))?;
    buffer.write_to(&mut file, image::ImageFormat::Png).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(file.into_inner())
}
