//! Saved input scalings: the last used scaling per network, keyed by the content of its file.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};

use crate::data::Scaling;
use crate::files::write_bytes;
use crate::network::open::split_source;

/// Path of the file: `$XDG_CONFIG_HOME/spikescope` or `~/.config/spikescope`; `None` without a home directory.
fn file() -> Option<PathBuf> {
    let config = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
    let config = config.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config")))?;
    Some(config.join("spikescope").join("networks.json"))
}

/// The last used scaling of the network in `model`; `None` if its content is unknown.
pub fn scaling(model: &str) -> Option<Scaling> {
    read(&file()?).remove(&key(split_source(model).0)?)
}

/// Saves the scaling of the network in `model`. Errors are ignored: the scaling is only a convenience.
pub fn remember_scaling(model: &str, scaling: &Scaling) {
    let (Some(file), Some(key)) = (file(), key(Path::new(model))) else { return };
    let mut known = read(&file);
    if known.insert(key, scaling.clone()).as_ref() == Some(scaling) {
        return;
    }
    let has_folder = file.parent().is_some_and(|folder| std::fs::create_dir_all(folder).is_ok());
    if let (true, Ok(text)) = (has_folder, serde_json::to_string_pretty(&known)) {
        let _ = write_bytes(&file, text.as_bytes());
    }
}

fn read(file: &Path) -> BTreeMap<String, Scaling> {
    std::fs::read_to_string(file).ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

/// Hash and length of the file content, so that a network is found under another name or path.
fn key(path: &Path) -> Option<String> {
    let bytes = std::fs::read(path).ok()?;
    let mut hasher = DefaultHasher::new();
    hasher.write(&bytes);
    Some(format!("{:016x}-{}", hasher.finish(), bytes.len()))
}
