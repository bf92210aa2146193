//! What is said about exports.

use std::path::Path;

use crate::ui::export::Format;
use crate::ui::panes::Pane;

pub const STOP: &str = "Stop exporting";
pub const STOPPED: &str = "The export was stopped. Pictures of single steps that were done are kept.";
pub const FAILED: &str = "The export failed before it began; there may be too little memory.";

/// A format in words.
pub fn format(format: Format) -> &'static str {
    match format {
        Format::Png => "as PNG picture",
        Format::Svg => "as SVG drawing",
        Format::Csv => "as CSV table",
        Format::Gif => "over time as moving GIF",
        Format::Frames => "over time as PNG pictures",
    }
}

/// What a format has of a pane.
pub fn hint(format: Format) -> &'static str {
    match format {
        Format::Png => "As it is on the screen, with two pixels a point",
        Format::Svg => "Lines stay lines and text stays text, for papers and slides",
        Format::Csv => "The numbers that the pane draws",
        Format::Gif => "The pane at every step of the time cursor",
        Format::Frames => "The pane at every step of the time cursor, numbered, in a folder",
    }
}

/// An export under way.
pub fn exporting(pane: Pane, format: Format) -> String {
    format!("{} {}", pane.title(), self::format(format))
}

/// An export that is done.
pub fn exported(path: &Path) -> String {
    format!("Written: {}", path.display())
}
