//! Opens and decodes image files, of whatever format their first bytes say, within limits of size and memory.

use std::path::Path;

use image::{DynamicImage, ImageReader, Limits};

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
    reader(path)?.decode().map_err(|e| Error::file(path, "picture", format!("cannot be read ({e})")))
}
