//! Opens and decodes image files, of whatever format their first bytes say, within limits of size and memory.

use std::path::Path;

use image::{DynamicImage, ImageFormat, ImageReader, Limits};

use crate::data::bounded_read::open;
use crate::data::options::MAX_SIDE;
use crate::{Error, Result};

pub(super) fn reader(path: &Path) -> Result<ImageReader<std::io::BufReader<std::fs::File>>> {
    let buffered = std::io::BufReader::new(open(path)?);
    let mut reader = ImageReader::new(buffered).with_guessed_format().map_err(|e| Error::io(path, e))?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(256 << 20);
    reader.limits(limits);
    Ok(reader)
}

pub(in crate::data) fn decode(path: &Path) -> Result<DynamicImage> {
    let reader = reader(path)?;
    let is_tiff = reader.format() == Some(ImageFormat::Tiff);
    let picture = reader.decode().map_err(|error| unreadable(path, &error, is_tiff))?;
    match picture {
        // Their range is not known: fractions, bytes, or all numbers of 32 bits.
        DynamicImage::ImageRgb32F(_) | DynamicImage::ImageRgba32F(_) => {
            let reason = format!("has samples of 32 bits, whose range is not known. {SAVE_AGAIN}");
            Err(Error::file(path, "picture", reason))
        }
        other => Ok(other),
    }
}

/// What to do with a TIFF file of another kind.
const SAVE_AGAIN: &str = "Save it as PNG, or as TIFF with 8 or 16 bits a sample, gray or RGB";

/// An error of the decoder.
pub(super) fn unreadable(path: &Path, error: &image::ImageError, is_tiff: bool) -> Error {
    let error = error.to_string();
    let reason = format!("cannot be read ({})", error.trim_end());
    // Of TIFF there are more kinds than any reader knows.
    let reason = if is_tiff { format!("{reason}. {SAVE_AGAIN}") } else { reason };
    Error::file(path, "picture", reason)
}
