//! Annotations of Pascal VOC in a folder, and the picture of each.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::voc_xml::{self, VocFile};
use crate::data::Note;
use crate::data::files::listing::entries;
use crate::data::files::text::utf8;
use crate::data::images::is_image;
use crate::data::options::ReadOptions;
use crate::{Error, Result};

/// Folders of pictures and of annotations; without them both lie in one folder.
const PICTURE_FOLDERS: [&str; 3] = ["JPEGImages", "images", "imgs"];
const XML_FOLDERS: [&str; 3] = ["Annotations", "annotations", "labels"];

/// Maximum number of lists that an error names.
const MAX_NAMED_LISTS: usize = 8;

/// Annotations with their pictures, by name.
pub(super) struct Listing {
    pub xml: Vec<PathBuf>,
    pub pictures: Vec<PathBuf>,
    pub files: Vec<VocFile>,
    pub notes: Vec<Note>,
}

fn is_xml(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("xml"))
}

pub(super) fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

pub(super) fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn folder_of(dir: &Path, names: &[&str]) -> PathBuf {
    names.iter().map(|name| dir.join(name)).find(|path| path.is_dir()).unwrap_or_else(|| dir.to_owned())
}

/// Whether `dir` holds annotations.
pub fn is_folder(dir: &Path) -> bool {
    entries(&folder_of(dir, &XML_FOLDERS)).is_ok_and(|found| found.iter().any(|path| is_xml(path)))
}

/// Lists the annotations of `dir`, or those of the list that `options` name, with their pictures.
///
/// # Errors
/// [`Error::Io`] or [`Error::File`] for a folder without annotations, a list that is not there, annotations that cannot be
/// read or have no picture.
pub(super) fn listing(dir: &Path, options: &ReadOptions) -> Result<Listing> {
    let pictures_dir = folder_of(dir, &PICTURE_FOLDERS);
    let xml_dir = folder_of(dir, &XML_FOLDERS);
    let mut xml: Vec<PathBuf> = entries(&xml_dir)?.into_iter().filter(|path| path.is_file() && is_xml(path)).collect();
    let mut notes = Vec::new();
    if let Some(list) = &options.list {
        let wanted = names_in_list(dir, list)?;
        xml.retain(|path| wanted.contains(&stem(path)));
    }
    if xml.is_empty() {
        let reason =
            "contains no annotations: NAME.xml in Annotations/ with NAME.jpg in JPEGImages/, or both in one folder";
        return Err(Error::file(dir, "folder", reason));
    }
    let files = xml.par_iter().map(|path| voc_xml::read(path)).collect::<Result<Vec<VocFile>>>()?;
    let mut of_stem: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for path in entries(&pictures_dir)?.into_iter().filter(|path| path.is_file() && is_image(path)) {
        of_stem.entry(stem(&path)).or_default().push(path);
    }
    let mut pictures = Vec::with_capacity(xml.len());
    for (path, file) in xml.iter().zip(&files) {
        let is_named =
            |picture: &&PathBuf| picture.file_name().is_some_and(|name| name.to_string_lossy() == *file.picture);
        let own = of_stem.get(&stem(path)).and_then(|same| same.iter().find(is_named).or_else(|| same.first()));
        let by_name = || of_stem.get(&stem(Path::new(&file.picture)))?.iter().find(is_named);
        let picture = own.or_else(by_name).cloned().ok_or_else(|| {
            let folder = pictures_dir.display();
            Error::file(path, "filename", format!("no picture {} or '{}' in {folder}", stem(path), file.picture))
        })?;
        pictures.push(picture);
    }
    let used: BTreeSet<&PathBuf> = pictures.iter().collect();
    let alone: Vec<&PathBuf> = of_stem.values().flatten().filter(|path| !used.contains(path)).collect();
    if let Some(first) = alone.first().filter(|_| options.list.is_none()) {
        let name = file_name(first);
        let text = format!("pictures without an annotation, left out: {} (the first: {name})", alone.len());
        notes.push(Note::new(text));
    }
    Ok(Listing { xml, pictures, files, notes })
}

/// Names of the pictures in the list `ImageSets/Main/LIST.txt`.
fn names_in_list(dir: &Path, list: &str) -> Result<BTreeSet<String>> {
    let lists = dir.join("ImageSets/Main");
    let path = lists.join(format!("{list}.txt"));
    if !path.exists() {
        let found = entries(&lists).unwrap_or_default();
        let found = found.iter().filter(|path| path.extension().is_some_and(|ending| ending == "txt"));
        let found: Vec<String> = found.map(|path| stem(path)).take(MAX_NAMED_LISTS).collect();
        let reason = match found.as_slice() {
            [] => "there is no such list of pictures, and no other. Omit split".to_owned(),
            found => format!("there is no such list of pictures. Use split with one of {}", found.join(", ")),
        };
        return Err(Error::file(&path, "", reason));
    }
    let bytes = std::fs::read(&path).map_err(|e| Error::io(&path, e))?;
    let text = utf8(&path, &bytes)?;
    // Lists of one class have a second column.
    Ok(text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect())
}
