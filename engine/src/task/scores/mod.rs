//! Scores of predictions: boxes as COCO and Pascal VOC count them, class maps by mean intersection over union.

pub mod boxes;
pub mod masks;
pub mod voc;

#[cfg(test)]
pub(super) mod tests {
    use std::path::{Path, PathBuf};

    /// A file of the reference vectors; `None`, after printing why the test is skipped, if it is absent.
    pub fn reference(name: &str) -> Option<PathBuf> {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        let found =
            root.ancestors().skip(1).map(|up| up.join("shared/reference").join(name)).find(|path| path.exists());
        if found.is_none() {
            eprintln!("skipped: no shared/reference/{name} beside the project");
        }
        found
    }
}
