//! Files of YOLO data: pictures, the labels of each, and the names of the classes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use super::super::masks::class_names;
use super::super::parts::{Folders, folders};
use super::names::{ClassNames, DataYaml};
use super::rows::parse;
use crate::data::Note;
use crate::data::files::listing::{entries, files_below};
use crate::data::images::is_image;
use crate::data::options::ReadOptions;
use crate::{Error, Result};

const PICTURE_FOLDERS: [&str; 3] = ["images", "JPEGImages", "imgs"];
const LABEL_FOLDERS: [&str; 1] = ["labels"];
/// Parts of a `data.yaml`, in the order in which one is read that the user does not state.
const PARTS: [&str; 3] = ["val", "test", "train"];
/// Names of files of classes beside the labels.
const NAME_FILES: [&str; 2] = ["classes.txt", "obj.names"];
const YAML_NAMES: [&str; 4] = ["data.yaml", "data.yml", "dataset.yaml", "dataset.yml"];

/// Pictures with their labels.
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
    let names_parts = |yaml: &DataYaml| PARTS.iter().any(|part| yaml.value(part).is_some());
    is_small && has_ending(path, &["yaml", "yml"]) && DataYaml::read(path).is_ok_and(|yaml| names_parts(&yaml))
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
    let (found, names) = if is_file {
        let yaml = DataYaml::read(source)?;
        (part_of_yaml(source, &yaml, split)?, (yaml.names(source)?, None))
    } else {
        let found = match folders(source, [&PICTURE_FOLDERS, &LABEL_FOLDERS], split)? {
            Some(found) => found,
            // Pictures and labels in one folder.
            None => Folders { pictures: source.to_owned(), targets: source.to_owned(), note: None },
        };
        let names = names_beside(source, &found)?;
        (found, names)
    };
    let (names, names_note) = names;
    let mut listing = files_of(dir, &found)?;
    listing.names = names;
    listing.notes.splice(0..0, found.note.into_iter().chain(names_note));
    Ok(listing)
}

/// The folders of a part of `yaml`: `split`, else the first of [`PARTS`] that it names.
fn part_of_yaml(path: &Path, yaml: &DataYaml, split: Option<&str>) -> Result<Folders> {
    let named: Vec<&str> = PARTS.iter().copied().filter(|part| yaml.value(part).is_some()).collect();
    let part = match split {
        Some(split) => split,
        None => named.first().copied().ok_or_else(|| {
            Error::file(
                path,
                "",
                "names no folder of pictures (val, test or train). Open the folder instead: yolo:FOLDER",
            )
        })?,
    };
    let value = yaml.value(part).ok_or_else(|| {
        let reason = format!("has no part '{part}'. Use split with one of {}", named.join(", "));
        Error::file(path, "split", reason)
    })?;
    let dir = path.parent().unwrap_or(Path::new(""));
    // Written elsewhere, the folder may be named from where the program ran, or from one folder too high.
    let base = yaml.value("path").map(|base| dir.join(base)).filter(|base| base.is_dir());
    let inner: PathBuf = Path::new(value).components().filter(|part| matches!(part, Component::Normal(_))).collect();
    let bases = || base.iter().map(PathBuf::as_path).chain([dir]);
    let mut candidates = bases().map(|base| base.join(value)).chain(bases().map(|base| base.join(&inner)));
    let pictures = candidates.find(|path| path.is_dir()).ok_or_else(|| {
        let what = if dir.join(value).is_file() { "a file; lists of pictures are not read" } else { "no folder" };
        Error::file(path, part, format!("'{value}' is {what}. Open the folder instead: yolo:FOLDER"))
    })?;
    // As training programs find them: the last `images` of the path is `labels`.
    let parts: Vec<Component<'_>> = pictures.components().collect();
    let at = parts.iter().rposition(|part| part.as_os_str() == "images");
    let targets = at.map(|at| {
        let parts = parts.iter().enumerate();
        parts
            .map(|(k, part)| if k == at { std::ffi::OsStr::new("labels") } else { part.as_os_str() })
            .collect::<PathBuf>()
    });
    let targets = targets.filter(|path| path.is_dir()).unwrap_or_else(|| pictures.clone());
    let others: Vec<&str> = named.into_iter().filter(|other| *other != part).collect();
    let note = others.first().filter(|_| split.is_none()).map(|other| {
        let text = format!("the part {part} is read; the file names also {}", others.join(", "));
        Note::new(text).or_option("split", *other)
    });
    Ok(Folders { pictures, targets, note })
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

/// Pictures and labels of two folders, or of one.
fn files_of(dir: &Path, Folders { pictures, targets, .. }: &Folders) -> Result<Listing> {
    let is_one = pictures == targets;
    let below = |folder: &Path| if is_one { entries(folder) } else { files_below(folder, 0) };
    let name = |folder: &Path, path: &Path| path.strip_prefix(folder).unwrap_or(path).with_extension("");
    let is_names = |path: &Path| NAME_FILES.iter().any(|name| path.ends_with(name));
    let texts =
        below(targets)?.into_iter().filter(|path| path.is_file() && has_ending(path, &["txt"]) && !is_names(path));
    let of_name: BTreeMap<PathBuf, PathBuf> = texts.map(|path| (name(targets, &path), path)).collect();
    let mut listing = Listing {
        pictures: Vec::new(),
        labels: Vec::new(),
        file_names: Vec::new(),
        names: ClassNames::default(),
        notes: Vec::new(),
    };
    let mut used = BTreeSet::new();
    for path in below(pictures)?.into_iter().filter(|path| path.is_file() && is_image(path)) {
        let parts: Vec<_> =
            path.strip_prefix(pictures).unwrap_or(&path).components().map(|part| part.as_os_str()).collect();
        let parts: Vec<_> = parts.iter().map(|part| part.to_string_lossy()).collect();
        listing.file_names.push(parts.join("/"));
        // Pictures of one name in two formats share their labels, as in training programs.
        let own = name(pictures, &path);
        listing.labels.push(of_name.get(&own).cloned());
        used.insert(own);
        listing.pictures.push(path);
    }
    if listing.labels.iter().all(Option::is_none) {
        let reason =
            "contains no pictures with labels: NAME.jpg in images/ with NAME.txt in labels/, or both in one folder";
        return Err(Error::file(dir, "folder", reason));
    }
    let without: Vec<&PathBuf> = listing
        .pictures
        .iter()
        .zip(&listing.labels)
        .filter(|(_, labels)| labels.is_none())
        .map(|(path, _)| path)
        .collect();
    let left: Vec<&PathBuf> = of_name.iter().filter(|(name, _)| !used.contains(*name)).map(|(_, path)| path).collect();
    let noted = |files: &[&PathBuf], what: &str| {
        let first = files.first()?.file_name().unwrap_or_default().to_string_lossy();
        Some(Note::new(format!("{what}: {} (the first: {first})", files.len())).warning())
    };
    let notes = [
        noted(&without, "pictures without a file of labels, read as pictures without objects"),
        noted(&left, "text files without a picture, left out"),
    ];
    listing.notes.extend(notes.into_iter().flatten());
    Ok(listing)
}
