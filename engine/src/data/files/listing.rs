//! Lists the files of a folder and their classes.

use std::path::{Path, PathBuf};

use crate::data::Note;
use crate::{Error, Result};

/// Maximum depth of folders below a class.
const MAX_DEPTH: usize = 8;

/// Names of folders that hold the parts of a data set, in lower case.
const PARTS: [&str; 8] = ["train", "training", "test", "testing", "val", "valid", "validation", "dev"];

/// What is looked for in folders.
pub(in crate::data) struct FileFilter {
    /// One of them, as in "contains no image".
    pub name: &'static str,
    /// Endings of their names, for people.
    pub endings: &'static [&'static str],
    pub accepts: fn(&Path) -> bool,
}

/// The files of one folder, or files that were named.
#[derive(Debug, Default)]
pub(in crate::data) struct Listing {
    pub files: Vec<PathBuf>,
    /// The class of each file; empty without classes.
    pub labels: Vec<u16>,
    pub class_names: Vec<String>,
    /// On files that were left out.
    pub notes: Vec<Note>,
}

impl FileFilter {
    /// Whether the folder, or its first subfolder, contains such a file.
    pub fn is_in(&self, dir: &Path) -> bool {
        let Ok(entries) = entries(dir) else { return false };
        let below = entries.iter().find(|p| p.is_dir()).and_then(|p| self::entries(p).ok()).unwrap_or_default();
        entries.iter().chain(&below).any(|p| p.is_file() && (self.accepts)(p))
    }

    /// Lists files, labels and class names of `paths`: files as named, or one folder, in which hidden entries and other kinds
    /// of files are left out. Subfolders are classes, in order of their names.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::File`] for folders that cannot be read, or without such a file.
    pub fn list(&self, paths: &[PathBuf]) -> Result<Listing> {
        let dir = match paths {
            [dir] if dir.is_dir() => dir,
            _ => return Ok(Listing { files: paths.to_vec(), ..Listing::default() }),
        };
        let entries = entries(dir)?;
        let (classes, loose): (Vec<PathBuf>, Vec<PathBuf>) = entries.into_iter().partition(|p| p.is_dir());
        let (wanted, others): (Vec<PathBuf>, Vec<PathBuf>) = loose.into_iter().partition(|p| (self.accepts)(p));
        let mut listing = Listing::default();
        if classes.is_empty() {
            if wanted.is_empty() {
                return Err(Error::file(dir, "folder", self.none_among(&others)));
            }
            listing.files = wanted;
            listing.note(&others, &format!("files that are no {}", self.name));
            return Ok(listing);
        }
        let mut left_out = Vec::new();
        for (index, class) in classes.iter().enumerate() {
            let label = u16::try_from(index).map_err(|_| {
                Error::file(dir, "folder", "contains more than 65,536 subfolders, each of which would be a class")
            })?;
            let (wanted, others): (Vec<PathBuf>, Vec<PathBuf>) =
                files_below(class, 0)?.into_iter().partition(|p| (self.accepts)(p));
            if wanted.is_empty() {
                let reason = format!("is a class, as every subfolder, but {}", self.none_among(&others));
                return Err(Error::file(class, "folder", reason));
            }
            listing.files.extend(wanted);
            listing.labels.resize(listing.files.len(), label);
            listing.class_names.push(class.file_name().unwrap_or_default().to_string_lossy().into_owned());
            left_out.extend(others);
        }
        listing.note(&left_out, &format!("files that are no {}", self.name));
        listing.note(&wanted, "files beside the folders of classes");
        listing.note_parts(dir);
        Ok(listing)
    }

    /// The reason for a folder without such a file, with the endings of the files that it has.
    fn none_among(&self, files: &[PathBuf]) -> String {
        let mut endings: Vec<String> =
            files.iter().filter_map(|p| p.extension()).map(|e| format!(".{}", e.to_string_lossy())).collect();
        endings.sort();
        endings.dedup();
        let found =
            if endings.is_empty() { String::new() } else { format!("; it contains {} files", endings.join(", ")) };
        format!("contains no {} ({}){found}", self.name, self.endings.join(", "))
    }
}

impl Listing {
    /// Warns if the classes are named as the parts of a data set, whose folders hold the classes.
    fn note_parts(&mut self, dir: &Path) {
        let is_part = |name: &String| PARTS.contains(&name.to_lowercase().as_str());
        if self.class_names.len() > 1 && self.class_names.iter().all(is_part) {
            let first = dir.join(&self.class_names[0]);
            let text = format!(
                "the folders {} are taken as classes, and have the names of parts of a data set. Name one of them if their \
                 folders are the classes: {}",
                self.class_names.join(", "),
                first.display()
            );
            self.notes.push(Note::new(text).warning());
        }
    }
    fn note(&mut self, left_out: &[PathBuf], what: &str) {
        if let Some(first) = left_out.first() {
            let name = first.file_name().unwrap_or_default().to_string_lossy();
            self.notes.push(Note::new(format!("{what}, left out: {} (the first: {name})", left_out.len())));
        }
    }
}

/// All files in `dir` and its subfolders, folder by folder, as torchvision's ImageFolder lists them.
pub(in crate::data) fn files_below(dir: &Path, depth: usize) -> Result<Vec<PathBuf>> {
    let (folders, mut files): (Vec<_>, Vec<_>) = entries(dir)?.into_iter().partition(|p| p.is_dir());
    // A link can lead back to its own folder.
    for folder in folders.iter().filter(|_| depth < MAX_DEPTH) {
        files.extend(files_below(folder, depth + 1)?);
    }
    Ok(files)
}

/// What `dir` contains, in order of the names, without hidden entries.
pub(in crate::data) fn entries(dir: &Path) -> Result<Vec<PathBuf>> {
    let fail = |e| Error::io(dir, e);
    let all = std::fs::read_dir(dir).map_err(fail)?.map(|e| e.map(|e| e.path()));
    let mut all = all.collect::<std::io::Result<Vec<_>>>().map_err(fail)?;
    // macOS adds a folder of its own to archives.
    let is_hidden = |name: &str| name.starts_with('.') || name == "__MACOSX";
    all.retain(|p| !p.file_name().is_some_and(|n| is_hidden(&n.to_string_lossy())));
    all.sort();
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_named_as_parts_of_a_data_set_are_told() {
        let filter = FileFilter { name: "text", endings: &["txt"], accepts: |path| path.extension().is_some() };
        let notes = |names: [&str; 2]| {
            let dir = tempfile::tempdir().unwrap();
            for name in names {
                std::fs::create_dir(dir.path().join(name)).unwrap();
                std::fs::write(dir.path().join(name).join("a.txt"), "").unwrap();
            }
            filter.list(&[dir.path().to_owned()]).unwrap().notes
        };
        let told = notes(["Test", "Train"]);
        assert!(told[0].is_warning && told[0].text.contains("Test, Train are taken as classes"), "{told:?}");
        assert!(notes(["cat", "train"]).is_empty());
    }
}
