//! The run of time in pictures: the pane at every step of the time cursor.

use std::io::BufWriter;
use std::path::Path;
use std::time::Duration;

use image::codecs::gif::{GifEncoder, Repeat};
use image::{Delay, Frame, RgbaImage};

use super::work::Progress;
use super::{Still, png};
use crate::files::{write_bytes, write_whole};
use crate::lab::Lab;
use crate::{Error, Result};

/// How long a step and the last step stand, in milliseconds.
const STEP: u64 = 125;
const LAST: u64 = 1500;
/// A whole run is over in about this many milliseconds, however many steps it has.
const WHOLE: u64 = 8000;
/// How carefully colours are chosen, from 1 (best) to 30 (fast).
const SPEED: i32 = 10;

/// Writes all steps as one moving picture that begins again at its end.
pub fn gif(still: &mut Still, lab: &mut Lab, path: &Path, progress: &Progress) -> Result<()> {
    let steps = lab.steps();
    let step = STEP.min(WHOLE / steps as u64).max(20);
    let mut refused = None;
    let written = write_whole(path, |file| {
        let mut encoder = GifEncoder::new_with_speed(BufWriter::new(file), SPEED);
        let mut all = || {
            encoder.set_repeat(Repeat::Infinite).map_err(failed)?;
            for t in 1..=steps {
                let image = at_step(still, lab, t, progress)?;
                let [width, height] = image.size.map(|side| side as u32);
                let bytes = image.pixels.iter().flat_map(|pixel| pixel.to_array()).collect();
                let buffer = RgbaImage::from_raw(width, height, bytes);
                let buffer = buffer.ok_or_else(|| Error::Internal("a picture of the wrong size".into()))?;
                let stands = Duration::from_millis(if t == steps { LAST } else { step });
                let frame = Frame::from_parts(buffer, 0, 0, Delay::from_saturating_duration(stands));
                encoder.encode_frame(frame).map_err(failed)?;
                progress.tell(t, steps);
            }
            Ok(())
        };
        // The reason is better than what an i/o error can carry.
        all().map_err(|error| {
            refused = Some(error);
            std::io::Error::other("not finished")
        })
    });
    refused.map_or(written, Err)
}

/// Writes every step as a picture of its own into the folder `path`: `pane-0001.png`, `pane-0002.png`, … A stop leaves
/// those that are done.
pub fn pictures(still: &mut Still, lab: &mut Lab, path: &Path, progress: &Progress) -> Result<()> {
    let (steps, name) = (lab.steps(), still.pane.map_or("screen", |pane| pane.name()));
    std::fs::create_dir_all(path).map_err(|error| Error::io(path, error))?;
    for t in 1..=steps {
        let image = at_step(still, lab, t, progress)?;
        write_bytes(&path.join(format!("{name}-{t:04}.png")), &png(&image)?)?;
        progress.tell(t, steps);
    }
    Ok(())
}

fn at_step(still: &mut Still, lab: &mut Lab, t: usize, progress: &Progress) -> Result<egui::ColorImage> {
    progress.control().check()?;
    lab.stand_at(t, progress.control())?;
    Ok(still.image(lab))
}

fn failed(error: image::ImageError) -> Error {
    Error::Internal(error.to_string())
}
