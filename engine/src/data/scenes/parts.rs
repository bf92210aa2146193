//! Folders of pictures and of what belongs to them, and the part of a data set (train, val, test) that is read.

use std::path::{Path, PathBuf};

use crate::data::Note;
use crate::data::files::listing::entries;
use crate::{Error, Result};

/// Names of the folders of parts, in lower case, in the order in which one is taken that the user does not state.
const PARTS: [&str; 8] = ["val", "valid", "validation", "dev", "test", "testing", "train", "training"];

/// A folder of pictures and the folder of their masks or labels, with a note on the part that they are.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Folders {
    pub pictures: PathBuf,
    pub targets: PathBuf,
    pub note: Option<Note>,
}

/// The folders of `dir` whose names are among those of `pictures` and `targets`; `None` without both. Parts of a data set lie in
/// both (`images/train`, `masks/train`), or hold both (`train/images`, `train/masks`); `split` states one, else the first of
/// [`PARTS`] is read. Other folders below are no parts, and stay together.
///
/// # Errors
/// [`Error::File`] for a `split` without folders of its name, with the names that there are.
pub(super) fn folders(dir: &Path, [pictures, targets]: [&[&str]; 2], split: Option<&str>) -> Result<Option<Folders>> {
    let found = |dir: &Path, names: &[&str]| names.iter().map(|name| dir.join(name)).find(|path| path.is_dir());
    let both = |dir: &Path| Some([found(dir, pictures)?, found(dir, targets)?]);
    let subfolders = |dir: &Path| -> Vec<String> {
        let all = entries(dir).unwrap_or_default().into_iter().filter(|path| path.is_dir());
        all.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect()
    };
    let whole = both(dir);
    let is_part = |name: &String| match &whole {
        Some([_, targets]) => targets.join(name).is_dir(),
        None => both(&dir.join(name)).is_some(),
    };
    let below = whole.as_ref().map_or(dir, |[pictures, _]| pictures.as_path());
    let names: Vec<String> = subfolders(below).into_iter().filter(is_part).collect();
    let of_part = |name: &str, note| {
        let [pictures, targets] = match &whole {
            Some(both) => both.clone().map(|folder| folder.join(name)),
            None => both(&dir.join(name))?,
        };
        Some(Folders { pictures, targets, note })
    };
    if let Some(split) = split {
        let own = names.iter().find(|name| *name == split).and_then(|name| of_part(name, None));
        return own.map(Some).ok_or_else(|| {
            let reason = match names.as_slice() {
                [] => format!("has no part '{split}', and no other: omit split"),
                names => format!("has no part '{split}'. Use split with one of {}", names.join(", ")),
            };
            Error::file(dir, "split", reason)
        });
    }
    let rank = |name: &String| PARTS.iter().position(|part| *part == name.to_lowercase());
    let mut parts: Vec<(usize, &String)> = names.iter().filter_map(|name| Some((rank(name)?, name))).collect();
    parts.sort();
    // Folders beside the parts make a part no part.
    let whole = || whole.clone().map(|[pictures, targets]| Folders { pictures, targets, note: None });
    if parts.len() < names.len() && whole().is_some() {
        return Ok(whole());
    }
    Ok(match parts.as_slice() {
        [] => whole(),
        [(_, only)] => of_part(only, None),
        [(_, first), others @ ..] => {
            let left: Vec<&str> = others.iter().map(|(_, name)| name.as_str()).collect();
            let text = format!("the part {first} is read; the folder has also {}", left.join(", "));
            let other = left.first().copied().unwrap_or_default();
            of_part(first, Some(Note::new(text).or_option("split", other)))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&[&str]; 2] = [&["images"], &["masks", "labels"]];

    fn with(paths: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        paths.iter().for_each(|path| std::fs::create_dir_all(dir.path().join(path)).unwrap());
        dir
    }

    #[test]
    fn one_part_is_read_and_the_others_are_told() {
        for (paths, suffix) in [
            (["images/train", "labels/train", "images/val", "labels/val"], ["images/val", "labels/val"]),
            (["train/images", "train/labels", "val/images", "val/labels"], ["val/images", "val/labels"]),
        ] {
            let dir = with(&paths);
            let found = folders(dir.path(), NAMES, None).unwrap().unwrap();
            assert_eq!([&found.pictures, &found.targets], [&dir.path().join(suffix[0]), &dir.path().join(suffix[1])]);
            let note = found.note.unwrap();
            assert_eq!(note.text, "the part val is read; the folder has also train");
            let stated = folders(dir.path(), NAMES, Some("train")).unwrap().unwrap();
            assert!(stated.note.is_none() && stated.pictures.to_string_lossy().contains("train"));
            let why = folders(dir.path(), NAMES, Some("dev")).unwrap_err().to_string();
            assert!(why.contains("split: has no part 'dev'. Use split with one of train, val"), "{why}");
        }
    }

    #[test]
    fn folders_that_are_no_parts_stay_together() {
        let dir = with(&["images/aachen", "masks/aachen", "images/train", "masks/train"]);
        let found = folders(dir.path(), NAMES, None).unwrap().unwrap();
        assert_eq!((found.pictures, found.note), (dir.path().join("images"), None));
        assert_eq!(folders(&dir.path().join("images"), NAMES, None).unwrap(), None);
        let plain = with(&["images", "masks"]);
        assert!(folders(plain.path(), NAMES, Some("val")).unwrap_err().to_string().contains("no other: omit split"));
    }
}
