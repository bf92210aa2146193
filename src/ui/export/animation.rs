//! Animations of a pane: one image for every step of the time cursor.
//!
//! Writes a GIF file or a folder of PNG files.

use std::fs;
use std::io::BufWriter;
use std::path::Path;
use std::time::Duration;

use image::codecs::gif::{GifEncoder, Repeat};
use image::{Delay, Frame, RgbaImage};

use super::{OffscreenPane, png};
use crate::files::{TEMP_PREFIX, write_atomic_with};
use crate::lab::Lab;
use crate::ui::state::pane_export::PaneExportProgress;
use crate::{Error, Result};

/// Display time of a step and of the last step, in milliseconds.
const STEP_MS: u64 = 125;
const LAST_STEP_MS: u64 = 1500;
/// Upper bound for the duration of a whole animation, in milliseconds, for any number of steps.
const MAX_TOTAL_MS: u64 = 8000;
/// Color quantization speed of the GIF encoder, from 1 (best) to 30 (fast).
const QUANTIZER_SPEED: i32 = 10;

/// Writes all steps as one looping GIF.
pub fn gif(offscreen: &mut OffscreenPane, lab: &mut Lab, path: &Path, progress: &PaneExportProgress) -> Result<()> {
    let steps = lab.steps();
    let step = STEP_MS.min(MAX_TOTAL_MS / steps as u64).max(20);
    write_atomic_with(path, |file| {
        let mut encoder = GifEncoder::new_with_speed(BufWriter::new(file), QUANTIZER_SPEED);
        encoder.set_repeat(Repeat::Infinite).map_err(encode_error)?;
        for t in 1..=steps {
            let image = at_step(offscreen, lab, t, progress)?;
            let [width, height] = image.size.map(|side| side as u32);
            let bytes = image.pixels.iter().flat_map(|pixel| pixel.to_array()).collect();
            let buffer = RgbaImage::from_raw(width, height, bytes);
            let buffer = buffer.ok_or_else(|| Error::Internal("a picture of the wrong size".into()))?;
            let duration = Duration::from_millis(if t == steps { LAST_STEP_MS } else { step });
            let frame = Frame::from_parts(buffer, 0, 0, Delay::from_saturating_duration(duration));
            encoder.encode_frame(frame).map_err(encode_error)?;
            progress.update(t, steps);
        }
        Ok(())
    })
}

/// Writes every step as an image into the folder `path`: `pane-0001.png`, `pane-0002.png`, … All files appear together
/// when the last one is done; a cancelled export leaves none.
pub fn step_images(
    offscreen: &mut OffscreenPane,
    lab: &mut Lab,
    path: &Path,
    progress: &PaneExportProgress,
) -> Result<()> {
    let new = !path.exists();
    fs::create_dir_all(path).map_err(|error| Error::io(path, error))?;
    let written = write_staged(offscreen, lab, path, progress);
    if written.is_err() && new {
        // The folder is new and empty, so nothing is lost. If removal fails, the folder may stay.
        let _ = fs::remove_dir(path);
    }
    written
}

/// Draws the images in a staging folder within `path`, then moves them into `path`.
fn write_staged(
    offscreen: &mut OffscreenPane,
    lab: &mut Lab,
    path: &Path,
    progress: &PaneExportProgress,
) -> Result<()> {
    let refused = |error| Error::io(path, error);
    let staging = tempfile::Builder::new().prefix(TEMP_PREFIX).tempdir_in(path).map_err(refused)?;
    let (steps, name) = (lab.steps(), offscreen.pane.map_or("screen", |pane| pane.name()));
    let file = |t: usize| format!("{name}-{t:04}.png");
    for t in 1..=steps {
        let image = at_step(offscreen, lab, t, progress)?;
        fs::write(staging.path().join(file(t)), png(&image)?).map_err(refused)?;
        progress.update(t, steps);
    }
    (1..=steps).try_for_each(|t| fs::rename(staging.path().join(file(t)), path.join(file(t)))).map_err(refused)
}

fn at_step(
    offscreen: &mut OffscreenPane,
    lab: &mut Lab,
    t: usize,
    progress: &PaneExportProgress,
) -> Result<egui::ColorImage> {
    progress.control().check()?;
    lab.set_step(t, progress.control())?;
    Ok(offscreen.image(lab))
}

fn encode_error(error: image::ImageError) -> Error {
    Error::Internal(error.to_string())
}
