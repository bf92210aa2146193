//! Pictures of scenes as samples of one size, with the place of each picture in its sample.
//!
//! As [`crate::data::images`] reads them, but the place is kept for masks and boxes.

use std::path::PathBuf;

use image::DynamicImage;
use rayon::prelude::*;

use super::placement::Placement;
use crate::data::bounded_read::checked_len;
use crate::data::images::{PictureHeader, background_note, decode, image_shape_of, into_gray, on_background};
use crate::data::options::ReadOptions;
use crate::data::{Layout, Note, Samples};
use crate::{Error, Result};

/// Channels, width and height of samples of pictures with these headers: those of `network` (`[C, H, W]`), else those
/// that `options` state, else those of the pictures.
///
/// # Errors
/// [`Error::File`] for pictures of different sizes where nothing else states one; [`Error::Invalid`] for a `network` that
/// takes no pictures.
pub fn sample_size(
    files: &[PathBuf],
    headers: &[PictureHeader],
    network: Option<&[usize]>,
    options: &ReadOptions,
) -> Result<(usize, [u32; 2])> {
    let wanted = network.map(image_shape_of).transpose()?;
    let channels = wanted.map_or(if headers.iter().any(|header| header.has_color) { 3 } else { 1 }, |(c, ..)| c);
    if let Some(size) = options.size.or(wanted.map(|(_, h, w)| [w, h])) {
        return Ok((channels, size));
    }
    let (Some(first), Some(name)) = (headers.first(), files.first()) else {
        return Err(Error::Invalid("Cannot open pictures: none named.".into()));
    };
    match files.iter().zip(headers).find(|(_, header)| header.size != first.size) {
        None => Ok((channels, first.size)),
        Some((odd, header)) => {
            let ([w, h], [width, height]) = (header.size, first.size);
            let reason = format!(
                "is {w}x{h} but {} is {width}x{height}; all pictures must have one size unless they are fitted to a \
                 network, or size=WxH states one",
                name.display()
            );
            Err(Error::file(odd, "image size", reason))
        }
    }
}

/// Reads pictures as samples `[channels, H, W]` in 0..255, each the way up that its header says and in its place. The notes do
/// not yet tell the places.
///
/// # Errors
/// [`Error::Io`] or [`Error::File`] for pictures that cannot be read, and for more values than fit.
pub fn read(
    files: &[PathBuf],
    headers: &[PictureHeader],
    places: &[Placement],
    channels: usize,
    [w, h]: [u32; 2],
    options: &ReadOptions,
) -> Result<Samples> {
    let (w, h) = (w as usize, h as usize);
    let Some(first) = files.first() else { return Err(Error::Invalid("Cannot open pictures: none named.".into())) };
    let len = checked_len(first, "all pictures", &[files.len(), channels, h, w]).map_err(|error| match error {
        Error::File { path, place, reason } => {
            let reason = format!("{reason}. State smaller samples with size=WxH");
            Error::File { path, place, reason }
        }
        other => other,
    })?;
    let background = options.background.unwrap_or_default();
    let mut values = vec![0f32; len];
    let read_one = |((values, path), (header, place)): ((&mut [f32], &PathBuf), (&PictureHeader, &Placement))| {
        let mut picture = decode(path)?;
        picture.apply_orientation(header.orientation());
        let (picture, transparent) = on_background(picture, background);
        let has_color = picture.color().has_color();
        // 16-bit pictures are scaled in 8 bits too, as others are.
        let picture: DynamicImage = if channels == 1 { into_gray(picture).into() } else { picture.into_rgb8().into() };
        let bytes = place.place(picture).into_bytes();
        for (channel, plane) in values.chunks_exact_mut(w * h).enumerate() {
            let pixels = bytes.iter().skip(channel).step_by(channels);
            plane.iter_mut().zip(pixels).for_each(|(value, byte)| *value = f32::from(*byte));
        }
        Ok([has_color, transparent])
    };
    let planes = values.par_chunks_exact_mut(channels * w * h);
    let ways = headers.par_iter().zip(places);
    let read = planes.zip(files).zip(ways).map(read_one).collect::<Result<Vec<[bool; 2]>>>()?;
    let count = |which: usize| read.iter().filter(|flags| flags[which]).count();
    let (colored, all) = (count(0), files.len());
    let gray = match channels {
        1 if colored > 0 => {
            let weights = "0.299 R + 0.587 G + 0.114 B";
            Some(Note::new(format!(
                "{colored} of {all} pictures are in color and were converted to grayscale ({weights})"
            )))
        }
        3 if colored < all => {
            Some(Note::new(format!("{} of {all} pictures are grayscale; all three channels are equal", all - colored)))
        }
        _ => None,
    };
    Ok(Samples {
        shape: vec![channels, h, w],
        layout: Some(Layout::ChannelsFirst),
        values: std::sync::Arc::new(values),
        full_scale: 255.0,
        max: 255.0,
        notes: gray.into_iter().chain(background_note(count(1), all, background)).collect(),
        ..Samples::default()
    })
}

/// Shape `[C, H, W]` of the first of `files` as it is read alone.
///
/// # Errors
/// As [`header`].
pub fn first_shape(files: &[PathBuf], options: &ReadOptions) -> Result<Vec<usize>> {
    let first = files.first().ok_or_else(|| Error::Invalid("Cannot open pictures: none named.".into()))?;
    let (channels, [w, h]) = sample_size(std::slice::from_ref(first), &[PictureHeader::read(first)?], None, options)?;
    Ok(vec![channels, h as usize, w as usize])
}
