//! Files of YOLO data: pictures, the labels of each, and the names of the classes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::super::masks::class_names;
use super::super::parts::{Folders, folders};
use super::names::{ClassNames, DataYaml};
use super::rows::parse;
use super::yaml_parts::{self, Source};
use crate::data::Note;
use crate::data::files::listing::{entries, files_below};
use crate::data::images::is_image;
use crate::data::options::ReadOptions;
use crate::{Error, Result};

const PICTURE_FOLDERS: [&str; 3] = ["images", "JPEGImages", "imgs"];
const LABEL_FOLDERS: [&str; 1] = ["labels"];
/// Names of files of classes beside the labels.
const NAME_FILES: [&str; 2] = ["classes.txt", "obj.names"];
const YAML_NAMES: [&str; 4] = ["data.yaml", "data.yml", "dataset.yaml", "dataset.yml"];

/// Pictures with their labels.
#[derive(Default)]
pub(super) struct Listing {
    pub pictures: Vec<PathBuf>,
    /// `None` for a picture without objects.
    pub labels: Vec<Option<PathBuf>>,
    /// Names of the pictures below their folder.
    pub file_names: Vec<String>,
    pub names: ClassNames,
    pub notes: Vec<Note>,
}

fn has_ending(path: &Path, endings: &[&str]) -> bool {
    path.extension().is_some_and(|found| endings.iter().any(|ending| found.eq_ignore_ascii_case(ending)))
}

/// Whether `path` is a `data.yaml`: YAML that names classes and pictures.
pub fn is_yaml(path: &Path) -> bool {
    let is_small = path.metadata().is_ok_and(|file| file.is_file() && file.len() < 1 << 24);
    is_small
        && has_ending(path, &["yaml", "yml"])
        && DataYaml::read(path).is_ok_and(|yaml| !yaml_parts::parts(&yaml).is_empty())
}

/// Whether `dir` holds pictures with labels, and the first file of labels that is not empty holds some.
pub fn is_folder(dir: &Path) -> bool {
    let Ok(listing) = listing(dir, &ReadOptions::default()) else { return false };
    let texts = listing.labels.iter().flatten().filter_map(|path| std::fs::read_to_string(path).ok());
    let first = texts.into_iter().find(|text| !text.trim().is_empty());
    first.is_some_and(|text| parse(&text, &ClassNames::default()).is_ok())
}

/// Lists the pictures and labels of `source`: a folder, or a `data.yaml`.
///
/// # Errors
/// [`Error::Io`] or [`Error::File`] for a folder without labels, a part that is not there, and names that cannot be read.
pub(super) fn listing(source: &Path, options: &ReadOptions) -> Result<Listing> {
    let split = options.list.as_deref();
    let is_file = source.is_file();
    let dir = if is_file { source.parent().unwrap_or(Path::new("")) } else { source };
    let (sources, names, note) = if is_file {
        let yaml = DataYaml::read(source)?;
        let (sources, note) = yaml_parts::sources(source, &yaml, split)?;
        (sources, (yaml.names(source)?, None), note)
    } else {
        let mut found = match folders(source, [&PICTURE_FOLDERS, &LABEL_FOLDERS], split)? {
            Some(found) => found,
            // Pictures and labels in one folder.
            None => Folders { pictures: source.to_owned(), targets: source.to_owned(), note: None },
        };
        let names = names_beside(source, &found)?;
        let note = found.note.take();
        (vec![(String::new(), Source::Folders(found))], names, note)
    };
    let (names, names_note) = names;
    let mut listing = Listing { names, notes: note.into_iter().chain(names_note).collect(), ..Listing::default() };
    let is_one = sources.len() == 1;
    let mut left = Vec::new();
    for (value, source) in sources {
        let first = listing.file_names.len();
        match source {
            Source::Folders(found) => left.extend(listing.add_folders(&found)?),
            Source::List(pictures) => {
                for picture in pictures {
                    listing.add(picture.path, picture.name, picture.labels);
                }
                continue;
            }
        }
        // Two folders may have pictures of the same name.
        if !is_one {
            listing.file_names[first..].iter_mut().for_each(|name| *name = format!("{value}/{name}"));
        }
    }
    listing.checked(dir, &left)
}

/// Class names in the YAML file of the folder `dir` (or of the folder above a part of a data set), else in a file of names
/// beside the labels; with a note where both are there and differ.
fn names_beside(dir: &Path, found: &Folders) -> Result<(ClassNames, Option<Note>)> {
    let yaml_in = |dir: &Path| YAML_NAMES.iter().map(|name| dir.join(name)).find(|path| path.is_file());
    let yaml = yaml_in(dir).or_else(|| {
        let only: Vec<PathBuf> =
            entries(dir).unwrap_or_default().into_iter().filter(|path| has_ending(path, &["yaml", "yml"])).collect();
        if let [one] = only.as_slice() { is_yaml(one).then(|| one.clone()) } else { None }
    });
    let yaml = yaml.or_else(|| yaml_in(dir.parent()?).filter(|path| is_yaml(path)));
    let mut listed = None;
    for folder in [dir, &found.targets, found.targets.parent().unwrap_or(dir)] {
        for name in NAME_FILES {
            if listed.is_none()
                && let Some(names) = class_names(folder, name)?
            {
                listed = Some((names, name.to_owned()));
            }
        }
    }
    let Some(yaml) = yaml else { return Ok((ClassNames { names: listed, keypoints: None }, None)) };
    let mut names = DataYaml::read(&yaml)?.names(&yaml)?;
    let note = match (&names.names, &listed) {
        (Some((own, file)), Some((others, other))) if own != others => {
            Some(Note::new(format!("class names are those of {file}; {other} has others")).warning())
        }
        _ => None,
    };
    names.names = names.names.or(listed);
    Ok((names, note))
}

impl Listing {
    fn add(&mut self, picture: PathBuf, name: String, labels: Option<PathBuf>) {
        self.pictures.push(picture);
        self.file_names.push(name);
        self.labels.push(labels);
    }

    /// Adds pictures and labels of two folders, or of one; gives the files of labels without a picture.
    fn add_folders(&mut self, Folders { pictures, targets, .. }: &Folders) -> Result<Vec<PathBuf>> {
        let is_one = pictures == targets;
        let below = |folder: &Path| if is_one { entries(folder) } else { files_below(folder, 0) };
        let name = |folder: &Path, path: &Path| path.strip_prefix(folder).unwrap_or(path).with_extension("");
        let is_names = |path: &Path| NAME_FILES.iter().any(|name| path.ends_with(name));
        let texts =
            below(targets)?.into_iter().filter(|path| path.is_file() && has_ending(path, &["txt"]) && !is_names(path));
        let of_name: BTreeMap<PathBuf, PathBuf> = texts.map(|path| (name(targets, &path), path)).collect();
        let mut used = BTreeSet::new();
        for path in below(pictures)?.into_iter().filter(|path| path.is_file() && is_image(path)) {
            let parts: Vec<_> =
                path.strip_prefix(pictures).unwrap_or(&path).components().map(|part| part.as_os_str()).collect();
            let parts: Vec<_> = parts.iter().map(|part| part.to_string_lossy()).collect();
            let own = name(pictures, &path);
            let (file_name, labels) = (parts.join("/"), of_name.get(&own).cloned());
            // Pictures of one name in two formats share their labels, as in training programs.
            used.insert(own);
            self.add(path, file_name, labels);
        }
        Ok(of_name.into_iter().filter(|(name, _)| !used.contains(name)).map(|(_, path)| path).collect())
    }

    /// The listing with notes on pictures without labels and on the files of labels `left` over; refused without any labels.
    fn checked(mut self, dir: &Path, left: &[PathBuf]) -> Result<Self> {
        if self.labels.iter().all(Option::is_none) {
            let reason =
                "contains no pictures with labels: NAME.jpg in images/ with NAME.txt in labels/, or both in one folder";
            return Err(Error::file(dir, "folder", reason));
        }
        let pairs = self.pictures.iter().zip(&self.labels);
        let without: Vec<PathBuf> =
            pairs.filter(|(_, labels)| labels.is_none()).map(|(path, _)| path.clone()).collect();
        let noted = |files: &[PathBuf], what: &str| {
            let first = files.first()?.file_name().unwrap_or_default().to_string_lossy();
            Some(Note::new(format!("{what}: {} (the first: {first})", files.len())).warning())
        };
        let notes = [
            noted(&without, "pictures without a file of labels, read as pictures without objects"),
            noted(left, "text files without a picture, left out"),
        ];
        self.notes.extend(notes.into_iter().flatten());
        Ok(self)
    }
}
