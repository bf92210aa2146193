//! A picture of the screen, or of one pane, without a window.

use std::path::Path;

use egui::{CentralPanel, ColorImage, Frame, Margin, Vec2};

use super::panes::Pane;
use super::shell::{self, Window};
use super::{software, tones};
use crate::lab::Lab;
use crate::{Error, Result};

/// Draws the whole screen of `lab` in `window`, or only `pane`; `size` in points, `scale` pixels a point.
pub fn draw(lab: &Lab, window: &mut Window, pane: Option<Pane>, size: Vec2, scale: f32) -> ColorImage {
    // Nobody is there to have wishes.
    let mut ignored = Vec::new();
    software::draw(size, scale, |ui| match pane {
        None => shell::show(ui, lab, window, &mut ignored),
        Some(pane) => {
            tones::apply(ui.ctx(), lab.view.dark);
            let frame = Frame::central_panel(ui.style()).inner_margin(Margin::same(8));
            CentralPanel::default().frame(frame).show(ui, |ui| pane.show(ui, lab, &mut ignored));
        }
    })
}

/// Writes `image` as a PNG file.
///
/// # Errors
/// When the file cannot be written.
pub fn write_png(image: &ColorImage, path: &Path) -> Result<()> {
    let bytes: Vec<u8> = image.pixels.iter().flat_map(|pixel| [pixel.r(), pixel.g(), pixel.b()]).collect();
    let [width, height] = image.size.map(|side| side as u32);
    image::save_buffer_with_format(path, &bytes, width, height, image::ColorType::Rgb8, image::ImageFormat::Png)
        .map_err(|error| match error {
            image::ImageError::IoError(error) => Error::io(path, error),
            error => Error::Internal(error.to_string()),
        })
}
