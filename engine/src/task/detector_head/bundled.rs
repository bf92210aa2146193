//! Texts of the heads of bundled detectors, by the name of the network.

use std::path::PathBuf;

use super::head_text::HeadText;

/// Name of a bundled network and the text of its head.
const HEADS: &[(&str, &str)] = &[("scenes-det", include_str!("../../../../assets/scenes-det.head.toml"))];

/// The head of the bundled network `name` (without `builtin:`), if it is a detector with one.
pub fn bundled_head(name: &str) -> Option<HeadText> {
    let (_, text) = HEADS.iter().find(|(of, _)| *of == name)?;
    Some(HeadText { path: PathBuf::from(format!("builtin:{name}.head.toml")), text: (*text).to_owned() })
}
