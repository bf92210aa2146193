//! Headers of pictures: size, color, and the orientation that a camera noted (EXIF).

use std::path::Path;

use image::metadata::Orientation;
use image::{ImageDecoder, ImageFormat};

use super::decode::{reader, unreadable};
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
    /// Whether the picture is read upright; else as stored.
    is_upright: bool,
}

impl PictureHeader {
    /// Reads the header of a picture, which is then read as PIL and torchvision read it: as stored, but for TIFF files, which
    /// are turned upright.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::File`] for a file that is no picture, or has a side of 0 or above 4096.
    pub fn read(path: &Path) -> Result<Self> {
        let reader = reader(path)?;
        let is_tiff = reader.format() == Some(ImageFormat::Tiff);
        let mut decoder = reader.into_decoder().map_err(|error| unreadable(path, &error, is_tiff))?;
        let (w, h) = decoder.dimensions();
        if w == 0 || h == 0 || w > MAX_SIDE || h > MAX_SIDE {
            let reason = format!("is {w}x{h}; sides of 1 to {MAX_SIDE} are supported");
            return Err(Error::file(path, "image size", reason));
        }
        // Broken metadata do not make the pixels unreadable.
        let exif = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let mut header = Self { size: [w, h], has_color: decoder.color_type().has_color(), exif, is_upright: false };
        // PIL turns TIFF files, and no others.
        if is_tiff {
            header.turn();
        }
        Ok(header)
    }

    fn turn(&mut self) {
        self.is_upright = !self.is_upright;
        if self.may_turn() {
            self.size.reverse();
        }
    }

    /// The same, read upright.
    pub fn upright(mut self) -> Self {
        if !self.is_upright {
            self.turn();
        }
        self
    }

    /// Whether EXIF says that the stored picture lies on its side.
    pub fn may_turn(&self) -> bool {
        use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
        matches!(self.exif, Rotate90 | Rotate90FlipH | Rotate270 | Rotate270FlipH)
    }

    /// Reads the picture upright, or as stored, if that alone gives it this width and height: what was drawn on it was drawn
    /// on that.
    pub fn turn_to_fit(&mut self, [w, h]: [u32; 2]) {
        if self.may_turn() && self.size != [w, h] && self.size == [h, w] {
            self.turn();
        }
    }

    /// What to do with the stored pixels.
    pub fn orientation(&self) -> Orientation {
        if self.is_upright { self.exif } else { Orientation::NoTransforms }
    }
}

/// Notes on the pictures that a camera noted to be turned or flipped.
pub fn orientation_notes(headers: &[PictureHeader]) -> Vec<Note> {
    let count = |is_upright| {
        headers.iter().filter(|h| h.is_upright == is_upright && h.exif != Orientation::NoTransforms).count()
    };
    let (turned, as_stored) = (count(true), count(false));
    let all = headers.len();
    let upright =
        (turned > 0).then(|| format!("{turned} of {all} pictures are turned upright by their EXIF orientation"));
    let stored = (as_stored > 0)
        .then(|| format!("{as_stored} of {all} pictures have an EXIF orientation and are read as stored"));
    upright.into_iter().chain(stored).map(Note::new).collect()
}
