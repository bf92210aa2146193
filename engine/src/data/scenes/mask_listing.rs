//! Pictures with the label masks that belong to them: pairs of files in one folder, or in two of the same order.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::parts::{Folders, folders};
use crate::data::Note;
use crate::data::files::listing::{entries, files_below};
use crate::data::images::is_image;
use crate::data::options::ReadOptions;
use crate::{Error, Result};

/// Endings of the names of masks beside their pictures.
const SUFFIXES: [&str; 5] = ["_labels", "_label", "_mask", "_masks", "_segmentation"];
/// Folders of pictures, and of masks beside them.
const PICTURE_FOLDERS: [&str; 3] = ["images", "JPEGImages", "imgs"];
const MASK_FOLDERS: [&str; 4] = ["masks", "labels", "SegmentationClass", "annotations"];
/// Endings of the files of masks, in lower case.
const MASK_FILES: [&str; 4] = ["png", "tif", "tiff", "bmp"];
/// Folders of Cityscapes, and the endings of its names.
const CITY_PICTURES: [&str; 1] = ["leftImg8bit"];
const CITY_MASKS: [&str; 2] = ["gtFine", "gtCoarse"];
const CITY_PICTURE_SUFFIX: &str = "_leftImg8bit";
/// The masks of Cityscapes that hold classes: of the 19 that are trained, which a script of the user makes, and of all 34.
const CITY_TRAIN_IDS: &str = "_labelTrainIds";
const CITY_IDS: &str = "_labelIds";

/// Pictures and their masks.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pairs {
    pub pictures: Vec<PathBuf>,
    pub masks: Vec<PathBuf>,
    pub notes: Vec<Note>,
}

/// Pictures and masks in `dir`, of the part that `options` state.
///
/// # Errors
/// [`Error::Io`] or [`Error::File`] for a folder without pairs, a part that is not there, and two masks of one picture.
pub(super) fn pairs(dir: &Path, options: &ReadOptions) -> Result<Pairs> {
    let split = options.list.as_deref();
    if CITY_PICTURES.iter().all(|name| dir.join(name).is_dir())
        && let Some(found) = folders(dir, [&CITY_PICTURES, &CITY_MASKS], split)?
    {
        return pairs_of_cityscapes(dir, found);
    }
    match folders(dir, [&PICTURE_FOLDERS, &MASK_FOLDERS], split)? {
        Some(found) => pairs_of_folders(dir, found),
        None => pairs_in_folder(dir),
    }
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// The path of `file` below `dir` without the ending of its name.
fn name_below(dir: &Path, file: &Path) -> PathBuf {
    file.strip_prefix(dir).unwrap_or(file).with_file_name(stem(file))
}

/// `name` without the ending of a mask, if it has one.
fn without_suffix(name: &str) -> Option<&str> {
    SUFFIXES.iter().find_map(|suffix| name.strip_suffix(suffix)).filter(|name| !name.is_empty())
}

fn is_mask_file(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    MASK_FILES.contains(&&*ending)
}

/// `NAME.png` and `NAME_labels.png` in one folder.
fn pairs_in_folder(dir: &Path) -> Result<Pairs> {
    let files: Vec<PathBuf> = entries(dir)?.into_iter().filter(|path| path.is_file() && is_image(path)).collect();
    let (masks, pictures): (Vec<PathBuf>, Vec<PathBuf>) =
        files.into_iter().partition(|path| without_suffix(&stem(path)).is_some());
    let key = |mask: &Path| name_below(dir, mask).with_file_name(without_suffix(&stem(mask)).unwrap_or_default());
    paired(dir, pictures.into_iter().map(|path| (name_below(dir, &path), path)).collect(), masks, key)
}

/// `images/NAME.jpg` and `masks/NAME.png`, or `masks/NAME_mask.png`; also in folders below, of the same names in both.
fn pairs_of_folders(dir: &Path, Folders { pictures, targets, note }: Folders) -> Result<Pairs> {
    let images: Vec<(PathBuf, PathBuf)> = images_below(&pictures, |name| Some(name.to_owned()))?;
    let known: BTreeSet<&PathBuf> = images.iter().map(|(name, _)| name).collect();
    let key = |mask: &Path| {
        let name = name_below(&targets, mask);
        let plain = without_suffix(&stem(mask)).map(|plain| name.with_file_name(plain));
        if known.contains(&name) { name } else { plain.unwrap_or(name) }
    };
    let masks = files_below(&targets, 0)?.into_iter().filter(|path| is_image(path)).collect();
    let mut pairs = paired(dir, images.clone(), masks, key)?;
    pairs.notes.splice(0..0, note);
    Ok(pairs)
}

/// `leftImg8bit/val/CITY/NAME_leftImg8bit.png` and `gtFine/val/CITY/NAME_gtFine_labelTrainIds.png`, else `…_labelIds.png`.
fn pairs_of_cityscapes(dir: &Path, Folders { pictures, targets, note }: Folders) -> Result<Pairs> {
    let images = images_below(&pictures, |name| name.strip_suffix(CITY_PICTURE_SUFFIX).map(str::to_owned))?;
    let all = files_below(&targets, 0)?;
    let of_kind = |kind: &str| -> Vec<PathBuf> {
        all.iter().filter(|path| is_mask_file(path) && stem(path).ends_with(kind)).cloned().collect()
    };
    let (trained, every) = (of_kind(CITY_TRAIN_IDS), of_kind(CITY_IDS));
    let (kind, text) = match (trained.is_empty(), every.is_empty()) {
        (false, true) => (CITY_TRAIN_IDS, None),
        (false, false) => (
            CITY_TRAIN_IDS,
            Some("masks of Cityscapes: _labelTrainIds are read (19 classes), the _labelIds beside them are not"),
        ),
        (true, _) => (
            CITY_IDS,
            Some(
                "masks of Cityscapes: _labelIds are read, all numbers from 0 to 33; networks of its 19 classes need \
                 _labelTrainIds (cityscapesscripts: csCreateTrainIdLabelImgs)",
            ),
        ),
    };
    let masks = if kind == CITY_IDS { every } else { trained };
    let key = |mask: &Path| {
        let name = stem(mask);
        let plain = name.strip_suffix(kind).unwrap_or(&name);
        let plain = CITY_MASKS.iter().find_map(|folder| plain.strip_suffix(&format!("_{folder}"))).unwrap_or(plain);
        name_below(&targets, mask).with_file_name(plain)
    };
    let mut pairs = paired(dir, images, masks, key)?;
    pairs.notes.splice(0..0, note.into_iter().chain(text.map(Note::new)));
    Ok(pairs)
}

/// Pictures below `dir` with their names below it, whose last part is changed by `name`.
fn images_below(dir: &Path, name: impl Fn(&str) -> Option<String>) -> Result<Vec<(PathBuf, PathBuf)>> {
    let images = files_below(dir, 0)?.into_iter().filter(|path| is_image(path));
    Ok(images.filter_map(|path| Some((name_below(dir, &path).with_file_name(name(&stem(&path))?), path))).collect())
}

/// Pictures, by their names, with the masks whose `key` is their name. Those without a partner are left out with a note, and so
/// are masks of formats that do not keep numbers.
fn paired(
    dir: &Path,
    pictures: Vec<(PathBuf, PathBuf)>,
    masks: Vec<PathBuf>,
    key: impl Fn(&Path) -> PathBuf,
) -> Result<Pairs> {
    let (masks, unread): (Vec<PathBuf>, Vec<PathBuf>) = masks.into_iter().partition(|path| is_mask_file(path));
    let mut of_name: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
    for mask in masks {
        if let Some(first) = of_name.insert(key(&mask), mask.clone()) {
            let reason = format!("is a second mask of the picture that {} belongs to", first.display());
            return Err(Error::file(&mask, "name", reason));
        }
    }
    let mut pairs = Pairs { pictures: Vec::new(), masks: Vec::new(), notes: Vec::new() };
    let mut alone = Vec::new();
    for (name, picture) in pictures {
        match of_name.remove(&name) {
            Some(mask) => {
                pairs.pictures.push(picture);
                pairs.masks.push(mask);
            }
            None => alone.push(picture),
        }
    }
    if pairs.pictures.is_empty() {
        let pairs_are = "NAME.png with NAME_labels.png, NAME_label.png or NAME_mask.png, or folders images/ and masks/ with \
                         the same names";
        let reason = match unread.first() {
            Some(first) => format!(
                "contains no masks in PNG, TIFF or BMP files; {} is of another format, and JPEG does not keep numbers. Save \
                 masks as PNG",
                first.display()
            ),
            None => format!("contains no pairs of a picture and a mask: {pairs_are}"),
        };
        return Err(Error::file(dir, "folder", reason));
    }
    let left: Vec<PathBuf> = of_name.into_values().collect();
    for (files, what) in [
        (&alone, "pictures without a mask"),
        (&left, "masks without a picture"),
        (&unread, "masks that are no PNG, TIFF or BMP files"),
    ] {
        if let Some(first) = files.first() {
            let name = first.file_name().unwrap_or_default().to_string_lossy();
            let text = format!("{what}, left out: {} (the first: {name})", files.len());
            pairs.notes.push(Note::new(text).warning());
        }
    }
    Ok(pairs)
}
