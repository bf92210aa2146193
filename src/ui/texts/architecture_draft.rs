//! Texts of the draft of an architecture file.

pub const TITLE: &str = "Architecture file";
pub const WRITE_DRAFT: &str = "Write a draft…";
pub const WRITE_DRAFT_HINT: &str = "Describe the layers of these weights, and see the shapes that result";
pub const READING: &str = "Reading the weights…";
pub const FIELD: &str = "Text of the architecture file";
pub const SHAPES: &str = "Layers and shapes";
pub const FITS: &str = "The layers fit the weights.";
pub const TRY: &str = "Save and open";
pub const CLOSE: &str = "Close";

/// Where the text is saved.
pub fn file(path: &std::path::Path) -> String {
    format!("Saved as {}. Complete what is marked with (?).", path.display())
}

pub fn try_hint(source: &str) -> String {
    format!("Save the text and open {source} with it")
}
