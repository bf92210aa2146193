//! Reads pictures with boxes in YOLO's text files: one file a picture, one row an object.
//!
//! `listing.rs` and `yaml_parts.rs` find the files, `names.rs` the class names, `rows.rs` reads the rows.

mod listing;
mod names;
mod rows;
mod yaml_parts;

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use self::listing::{Listing, listing};
pub use self::listing::{is_folder, is_yaml};
use self::names::ClassNames;
use self::rows::{LabelRow, parse};
use super::boxes::{BoxTally, MAX_BOXES, PictureBox};
use super::pictures;
use super::placement::{self, Placement};
use crate::data::bounded_read::open;
use crate::data::files::text::utf8;
use crate::data::images::{PictureHeader, orientation_notes};
use crate::data::options::ReadOptions;
use crate::data::samples::targets::{Boxes, Targets};
use crate::data::{Note, Samples};
use crate::{Error, Result};

/// Maximum size of a file of labels in bytes.
const MAX_BYTES: u64 = 64 << 20;

/// Shape of the first picture, `[C, H, W]`.
///
/// # Errors
/// As [`read`].
pub fn first_shape(source: &Path, options: &ReadOptions) -> Result<Vec<usize>> {
    let files = listing(source, options)?.pictures;
    let first = &files[..files.len().min(1)];
    let headers = first.iter().map(|path| upright(path)).collect::<Result<Vec<_>>>()?;
    let (channels, [w, h]) = pictures::sample_size(first, &headers, None, options)?;
    Ok(vec![channels, h as usize, w as usize])
}

/// The header of a picture that is read upright: labels are fractions of the upright picture, as OpenCV and the tools that
/// draw them read it.
fn upright(path: &Path) -> Result<PictureHeader> {
    PictureHeader::read(path).map(PictureHeader::upright)
}

/// Reads the pictures and boxes of the folder or the `data.yaml` `source`, fitted to `network` (`[C, H, W]`) if there is one.
///
/// # Errors
/// [`Error::Io`] or [`Error::File`] for a folder without labels, for files that cannot be read, and with the line for rows that are
/// no labels.
pub fn read(source: &Path, network: Option<&[usize]>, options: &ReadOptions) -> Result<Samples> {
    let Listing { pictures: files, labels, file_names, names, mut notes } = listing(source, options)?;
    let headers = files.par_iter().map(|path| upright(path)).collect::<Result<Vec<_>>>()?;
    let (channels, size) = pictures::sample_size(&files, &headers, network, options)?;
    let fit = options.fit.unwrap_or_default();
    let places: Vec<Placement> = headers.iter().map(|header| Placement::new(fit, header.size, size)).collect();
    let rows_of =
        |path: &Option<std::path::PathBuf>| path.as_ref().map_or(Ok(Vec::new()), |path| read_rows(path, &names));
    let rows = labels.par_iter().map(rows_of).collect::<Result<Vec<Vec<LabelRow>>>>()?;
    let mut samples = pictures::read(&files, &headers, &places, channels, size, options)?;

    let (mut tally, mut outlines, mut repeated) = (BoxTally::default(), 0, Vec::new());
    let mut of_sample = Vec::with_capacity(files.len());
    for (((path, rows), header), place) in labels.iter().zip(&rows).zip(&headers).zip(&places) {
        let file = path.as_ref().and_then(|path| path.file_name()).unwrap_or_default().to_string_lossy();
        let mut seen = BTreeSet::new();
        let mut boxes = Vec::with_capacity(rows.len());
        for row in rows {
            let name = || format!("{file}, line {}", row.line);
            // As training programs do.
            if !seen.insert((row.class, row.corners.map(f64::to_bits))) {
                repeated.push(name());
                continue;
            }
            outlines += usize::from(row.is_outline);
            let [w, h] = header.size.map(f64::from);
            let [left, top, right, bottom] = row.corners;
            let corners = [left * w, top * h, right * w, bottom * h];
            let boxed = PictureBox { class: row.class, corners, area: None, is_crowd: false, is_difficult: false };
            boxes.extend(tally.target(&boxed, header.size, place, name));
        }
        of_sample.push(boxes);
    }
    if let Some(first) = repeated.first() {
        let text = format!("rows that repeat one of their file, left out: {} (the first: {first})", repeated.len());
        notes.push(Note::new(text));
    }
    if outlines > 0 {
        notes.push(Note::new(format!("{outlines} rows are outlines; the boxes around them are read")));
    }
    let highest = rows.iter().flatten().map(|row| usize::from(row.class) + 1).max().unwrap_or(1);
    let class_names = match names.names {
        Some((names, _)) => names,
        None => {
            let text = "no data.yaml or classes.txt names the classes; they have their numbers";
            notes.push(Note::new(text));
            (0..highest).map(|class| format!("class {class}")).collect()
        }
    };
    samples.source = format!("yolo:{}{options}", source.display());
    samples.notes.splice(0..0, notes);
    samples.notes.extend(orientation_notes(&headers));
    samples.notes.extend(tally.notes());
    samples.notes.extend(placement::note(&places, fit, "boxes follow"));
    samples.targets = Targets::Boxes(Boxes {
        of_sample: Arc::new(of_sample),
        class_names,
        places: Arc::new(places.iter().map(Placement::picture_place).collect()),
        file_names: Arc::new(file_names),
    });
    Ok(samples)
}

/// The rows of a file of labels.
fn read_rows(path: &Path, names: &ClassNames) -> Result<Vec<LabelRow>> {
    let mut bytes = Vec::new();
    open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|e| Error::io(path, e))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Error::file(path, "", "has more than 64 MiB, too much for the labels of one picture"));
    }
    let rows = parse(utf8(path, &bytes)?, names)
        .map_err(|(line, reason)| Error::file(path, format!("line {line}"), reason))?;
    if rows.len() > MAX_BOXES {
        let reason = format!("has {} rows; at most {MAX_BOXES} boxes of one picture are supported", rows.len());
        return Err(Error::file(path, "", reason));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests;
