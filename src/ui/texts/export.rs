//! What is said about exports.

use std::path::Path;

use crate::ui::ExportFormat;
use crate::ui::types::pane::Pane;

pub const STOP: &str = "Stop exporting";
pub const STOPPED: &str = "The export was stopped; nothing of it was kept.";
pub const FAILED: &str = "The export failed before it began; there may be too little memory.";

/// A format in words.
pub fn format(format: ExportFormat) -> &'static str {
    match format {
        ExportFormat::Png => "as PNG picture",
        ExportFormat::Svg => "as SVG drawing",
        ExportFormat::Csv => "as CSV table",
        ExportFormat::Gif => "over time as moving GIF",
        ExportFormat::Frames => "over time as PNG pictures",
    }
}

/// What a format has of a pane.
pub fn hint(format: ExportFormat) -> &'static str {
    match format {
        ExportFormat::Png => "As it is on the screen, with two pixels a point",
        ExportFormat::Svg => "Lines stay lines and text stays text, for papers and slides",
        ExportFormat::Csv => "The numbers that the pane draws",
        ExportFormat::Gif => "The pane at every step of the time cursor",
        ExportFormat::Frames => "The pane at every step of the time cursor, numbered, in a folder",
    }
}

/// An export under way.
pub fn exporting(pane: Pane, format: ExportFormat) -> String {
    format!("{} {}", pane.title(), self::format(format))
}

/// A run that is being written.
pub fn writing(path: &Path) -> String {
    format!("Writing {}", name(path))
}

/// What the status line says of the file that was written last.
pub fn last(path: &Path) -> String {
    format!("wrote {}", name(path))
}

fn name(path: &Path) -> std::borrow::Cow<'_, str> {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy()
}

/// An export that is done.
pub fn exported(path: &Path) -> String {
    format!("Written: {}", path.display())
}

/// The numbers of a pane, to the clipboard.
pub const COPY: &str = "Copy the numbers (CSV)";
pub const COPY_HINT: &str = "The numbers of this plot as a table, on the clipboard";
