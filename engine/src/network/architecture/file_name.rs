//! Names of weight files without their extension, for networks and architecture files.

use std::path::{Path, PathBuf};

/// The name of the file at `path` without its extension; `.pth.tar` and similar ones are one extension.
pub(super) fn stem(path: &Path) -> String {
    let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let is_tar = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("tar"));
    let inner = [".pth", ".pt", ".ckpt"].iter().find_map(|inner| name.strip_suffix(inner));
    match inner.filter(|inner| is_tar && !inner.is_empty()) {
        Some(inner) => inner.to_owned(),
        None if name.is_empty() => "network".into(),
        None => name,
    }
}

/// The path of the architecture file `NAME.arch.toml` beside the weights at `path`.
pub fn architecture_file(path: &Path) -> PathBuf {
    path.with_file_name(format!("{}.arch.toml", stem(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn double_extensions_are_one() {
        let stems = ["a/net.pth", "net.pth.tar", "net.v2.ckpt", "net.tar", "net"].map(|name| stem(Path::new(name)));
        assert_eq!(stems, ["net", "net", "net.v2", "net", "net"]);
        assert_eq!(architecture_file(Path::new("a/net.pth.tar")), Path::new("a/net.arch.toml"));
    }
}
