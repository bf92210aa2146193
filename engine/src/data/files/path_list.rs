//! Paths in the text of a specification: separated by commas, which file names may contain too.
//!
//! The whole text comes first, then the splits whose files exist.

use std::path::{Path, PathBuf};

/// Maximum number of commas in one path.
const MAX_COMMAS: usize = 16;

/// The paths in `text`. Files that exist decide which commas separate paths. If some do not exist, absolute paths begin
/// after a comma; otherwise every comma separates.
pub fn split_paths(text: &str) -> Vec<PathBuf> {
    let text = text.trim();
    if text.is_empty() {
        return Vec::new();
    }
    if !text.contains(',') || Path::new(text).exists() {
        return vec![text.into()];
    }
    let parts: Vec<&str> = text.split(',').collect();
    existing(&parts).unwrap_or_else(|| {
        let is_root = |part: &str| Path::new(part.trim()).is_absolute();
        let mut paths: Vec<String> = Vec::new();
        for part in parts {
            match paths.last_mut() {
                Some(last) if Path::new(last.trim()).is_absolute() && !is_root(part) => {
                    last.push(',');
                    last.push_str(part);
                }
                _ => paths.push(part.to_owned()),
            }
        }
        paths.iter().map(|path| path.trim()).filter(|path| !path.is_empty()).map(PathBuf::from).collect()
    })
}

/// The paths of a split where all exist; of several the one with the shortest first paths.
fn existing(parts: &[&str]) -> Option<Vec<PathBuf>> {
    // `next[k]`: the end of the path that begins at part k, if the rest from there on can be split.
    let mut next = vec![None; parts.len()];
    for start in (0..parts.len()).rev() {
        next[start] = (start + 1..=parts.len().min(start + 1 + MAX_COMMAS)).find(|&end| {
            let rest = end == parts.len() || next.get(end).is_some_and(Option::is_some);
            let path = parts[start..end].join(",");
            rest && !path.trim().is_empty() && Path::new(path.trim()).exists()
        });
    }
    let (mut paths, mut at) = (Vec::new(), 0);
    while at < parts.len() {
        let end = next[at]?;
        paths.push(parts[at..end].join(",").trim().into());
        at = end;
    }
    Some(paths)
}

/// The two paths in `text` for a specification of samples and labels; one if there are no labels. `None` if no comma
/// separates two paths.
pub fn split_pair(text: &str) -> Option<(PathBuf, Option<PathBuf>)> {
    let commas = || text.match_indices(',').map(|(at, _)| (text[..at].trim(), text[at + 1..].trim()));
    let both = |(a, b): (&str, &str)| (PathBuf::from(a), Some(PathBuf::from(b)));
    match split_paths(text).as_slice() {
        [samples] => return Some((samples.clone(), None)),
        [samples, labels] => return Some((samples.clone(), Some(labels.clone()))),
        _ => {}
    }
    // Missing files of one folder whose name contains a comma.
    let folder = |path: &str| {
        Path::new(path).parent().map(Path::to_owned).filter(|folder| folder.to_string_lossy().contains(','))
    };
    commas().find(|(a, b)| folder(a).is_some() && folder(a) == folder(b)).map(both)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_in_names_are_told_from_separators_by_the_files() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("f16,b");
        std::fs::create_dir(&folder).unwrap();
        let file = |name: &str| {
            let path = folder.join(name);
            std::fs::write(&path, "").unwrap();
            path
        };
        let (images, labels, third) = (file("images"), file("la,bels"), file("c"));
        let text = |paths: &[&PathBuf]| paths.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(",");
        assert_eq!(split_paths(&text(&[&labels])), std::slice::from_ref(&labels));
        assert_eq!(split_paths(&text(&[&images, &labels, &third])), [images.clone(), labels.clone(), third.clone()]);
        assert_eq!(split_pair(&text(&[&images, &labels])), Some((images.clone(), Some(labels.clone()))));
        // Missing files.
        let gone = folder.join("gone");
        assert_eq!(split_pair(&text(&[&images, &gone])), Some((images.clone(), Some(gone.clone()))));
        assert_eq!(split_pair("no,folder/a,no,folder/b"), Some(("no,folder/a".into(), Some("no,folder/b".into()))));
        assert_eq!(split_pair("a,b,c"), None);
        assert_eq!(split_paths("a, b,,"), [PathBuf::from("a"), "b".into()]);
        assert_eq!(split_paths(" "), Vec::<PathBuf>::new());
    }
}
