//! The folders of a source tree: their files, number of entries, depth, and mention in ARCHITECTURE.md.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::model::Sources;

/// Maximum number of entries of a folder; a file `x.rs` and its folder `x/` are one entry.
const MAX_ENTRIES: usize = 22;

/// Maximum depth of a folder below `src/`.
const MAX_DEPTH: usize = 3;

/// The text of every Rust file below `root`.
pub fn read_sources(root: &Path) -> Sources {
    let mut sources = Sources::new();
    for path in paths_below(root) {
        if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            sources.insert(name_below(root, &path), text);
        }
    }
    sources
}

/// What is wrong with the folders below `root`, given the text of ARCHITECTURE.md.
pub fn check_folders(root: &Path, map: &str) -> Vec<String> {
    let paths: Vec<String> = paths_below(root).iter().map(|path| name_below(root, path)).collect();
    let folders: Vec<String> =
        paths_below(root).iter().filter(|path| path.is_dir()).map(|path| name_below(root, path)).collect();
    find_folder_faults(&paths, &folders, map)
}

/// What is wrong with `folders`, given all paths below `src/` and the text of ARCHITECTURE.md.
pub fn find_folder_faults(paths: &[String], folders: &[String], map: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for folder in folders {
        let depth = folder.split('/').count();
        if depth == 1 && !names_folder(map, folder) {
            faults.push(format!("ARCHITECTURE.md does not name {folder}/"));
        }
        if depth > MAX_DEPTH {
            faults.push(format!("src/{folder} is {depth} folders below src; the maximum is {MAX_DEPTH}"));
        }
    }
    for folder in folders.iter().map(|folder| format!("{folder}/")).chain([String::new()]) {
        let entries: BTreeSet<&str> = paths
            .iter()
            .filter_map(|path| path.strip_prefix(&folder))
            .filter(|name| !name.contains('/'))
            .map(|name| name.trim_end_matches(".rs"))
            .collect();
        if entries.len() > MAX_ENTRIES {
            faults.push(format!("src/{folder} has {} entries; the maximum is {MAX_ENTRIES}", entries.len()));
        }
    }
    faults
}

/// Whether the word `folder/` appears, alone or at the end of a path.
fn names_folder(map: &str, folder: &str) -> bool {
    let word = format!("{folder}/");
    let is_part = |before: &str| before.ends_with(|last: char| last.is_alphanumeric() || last == '_' || last == '-');
    map.match_indices(&word).any(|(at, _)| !is_part(&map[..at]))
}

/// Files and folders below `root`, parents first.
fn paths_below(root: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(root).unwrap_or_else(|error| panic!("{}: {error}", root.display()));
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    let folders: Vec<PathBuf> = paths.iter().filter(|path| path.is_dir()).cloned().collect();
    paths.extend(folders.iter().flat_map(|folder| paths_below(folder)));
    paths
}

/// Path below `root` with `/` between its parts.
fn name_below(root: &Path, path: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    below.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}
