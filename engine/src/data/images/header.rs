//! Headers of pictures: size, color, and the orientation that a camera noted (EXIF).

use std::path::Path;

use image::ImageDecoder;
use image::metadata::Orientation;

use super::decode::reader;
use crate::data::Note;
use crate::data::options::MAX_SIDE;
use crate::{Error, Result};

/// What the header of a picture says, and which way up it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureHeader {
    /// Width and height in pixels, as it is read.
    pub size: [u32; 2],
    pub has_color: bool,
    /// The turn or flip that makes the stored picture upright, by EXIF.
    exif: Orientation,
    /// Whether the picture is read upright; else as stored, as PIL and torchvision do.
    is_upright: bool,
}

impl PictureHeader {
    /// Reads the header of a picture, which is then read as stored.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::File`] for a file that is no picture, or has a side of 0 or above 4096.
    pub fn read(path: &Path) -> Result<Self> {
        let decoder = reader(path)?.into_decoder();
        let mut decoder = decoder.map_err(|e| Error::file(path, "picture", format!("cannot be read ({e})")))?;
        let (w, h) = decoder.dimensions();
        if w == 0 || h == 0 || w > MAX_SIDE || h > MAX_SIDE {
            let reason = format!("is {w}x{h}; sides of 1 to {MAX_SIDE} are supported");
            return Err(Error::file(path, "image size", reason));
        }
        // Broken metadata do not make the pixels unreadable.
        let exif = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        Ok(Self { size: [w, h], has_color: decoder.color_type().has_color(), exif, is_upright: false })
    }

    /// Whether EXIF says that the stored picture lies on its side.
    pub fn may_turn(&self) -> bool {
        use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
        !self.is_upright && matches!(self.exif, Rotate90 | Rotate90FlipH | Rotate270 | Rotate270FlipH)
    }

    /// Reads the picture upright if that alone gives it the width and height `size`: what was drawn on it was drawn on
    /// the upright picture.
    pub fn turn_to_fit(&mut self, [w, h]: [u32; 2]) {
        if self.may_turn() && self.size != [w, h] && self.size == [h, w] {
            (self.size, self.is_upright) = ([w, h], true);
        }
    }

    /// What to do with the stored pixels.
    pub fn orientation(&self) -> Orientation {
        if self.is_upright { self.exif } else { Orientation::NoTransforms }
    }
}

/// Notes on the pictures that a camera noted to be turned or flipped. `annotations`: what states the size of a picture.
pub fn orientation_notes(headers: &[PictureHeader], annotations: &str) -> Vec<Note> {
    let turned = headers.iter().filter(|header| header.is_upright).count();
    let as_stored =
        headers.iter().filter(|header| !header.is_upright && header.exif != Orientation::NoTransforms).count();
    let all = headers.len();
    let upright = (turned > 0).then(|| {
        format!("{turned} of {all} pictures are turned upright by their EXIF orientation, to fit {annotations}")
    });
    let stored = (as_stored > 0).then(|| {
        format!("{as_stored} of {all} pictures have an EXIF orientation and are read as stored, as PIL reads them")
    });
    upright.into_iter().chain(stored).map(Note::new).collect()
}
