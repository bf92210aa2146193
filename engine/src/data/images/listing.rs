//! Lists the image files of a folder and their classes.

use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// Extensions of supported image formats.
pub const FILE_EXTENSIONS: [&str; 6] = ["png", "jpg", "jpeg", "bmp", "gif", "webp"];

/// Maximum depth of folders below a class.
const MAX_DEPTH: usize = 8;

/// Files, the label of each (none without classes), and the names of the classes.
pub(in crate::data) type Listing = (Vec<PathBuf>, Vec<u16>, Vec<String>);

/// Whether the folder, or its first subfolder, contains a file that `wanted` accepts.
pub(in crate::data) fn dir_contains(dir: &Path, wanted: fn(&Path) -> bool) -> bool {
    let Ok(entries) = entries(dir) else { return false };
    let below = entries.iter().find(|p| p.is_dir()).and_then(|p| self::entries(p).ok()).unwrap_or_default();
    entries.iter().chain(&below).any(|p| p.is_file() && wanted(p))
}

/// Lists files, labels and class names of `paths`. In folders, hidden entries and files not `wanted` are skipped.
pub(in crate::data) fn list_images(paths: &[PathBuf], wanted: fn(&Path) -> bool) -> Result<Listing> {
    let [dir] = paths else { return Ok((paths.to_vec(), Vec::new(), Vec::new())) };
    if !dir.is_dir() {
        return Ok((paths.to_vec(), Vec::new(), Vec::new()));
    }
    let entries = entries(dir)?;
    let classes = entries.iter().filter(|p| p.is_dir()).collect::<Vec<_>>();
    let (mut files, mut labels, mut names) = (Vec::new(), Vec::new(), Vec::new());
    if classes.is_empty() {
        files = entries.iter().filter(|p| wanted(p)).cloned().collect();
    } else {
        for (index, class) in classes.into_iter().enumerate() {
            let label = u16::try_from(index).map_err(|_| {
                Error::file(dir, "folder", "contains more than 65,536 subfolders, each of which would be a class")
            })?;
            let all = files_below(class, 0)?;
            let before = files.len();
            files.extend(all.iter().filter(|p| wanted(p)).cloned());
            labels.resize(files.len(), label);
            if files.len() == before {
                let reason = format!("is a class, as every subfolder, but {}", no_image(&all));
                return Err(Error::file(class, "folder", reason));
            }
            names.push(class.file_name().unwrap_or_default().to_string_lossy().into_owned());
        }
    }
    if files.is_empty() {
        return Err(Error::file(dir, "folder", no_image(&entries)));
    }
    Ok((files, labels, names))
}

/// All files in `dir` and its subfolders, folder by folder, as torchvision's ImageFolder lists them.
fn files_below(dir: &Path, depth: usize) -> Result<Vec<PathBuf>> {
    let (folders, mut files): (Vec<_>, Vec<_>) = entries(dir)?.into_iter().partition(|p| p.is_dir());
    // A link can lead back to its own folder.
    for folder in folders.iter().filter(|_| depth < MAX_DEPTH) {
        files.extend(files_below(folder, depth + 1)?);
    }
    Ok(files)
}

/// The reason for a folder without an image, with the endings of the files that it has.
fn no_image(files: &[PathBuf]) -> String {
    let mut endings: Vec<String> =
        files.iter().filter_map(|p| p.extension()).map(|e| format!(".{}", e.to_string_lossy())).collect();
    endings.sort();
    endings.dedup();
    let found = if endings.is_empty() { String::new() } else { format!("; it contains {} files", endings.join(", ")) };
    format!("contains no image ({}){found}", FILE_EXTENSIONS.join(", "))
}

pub(in crate::data) fn entries(dir: &Path) -> Result<Vec<PathBuf>> {
    let fail = |e| Error::io(dir, e);
    let all = std::fs::read_dir(dir).map_err(fail)?.map(|e| e.map(|e| e.path()));
    let mut all = all.collect::<std::io::Result<Vec<_>>>().map_err(fail)?;
    all.retain(|p| !p.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.')));
    all.sort();
    Ok(all)
}
