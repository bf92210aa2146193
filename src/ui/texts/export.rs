//! Texts of exports: formats, progress and results.

use std::path::Path;

use crate::ui::types::export_format::ExportFormat;
use crate::ui::types::pane::Pane;

pub const STOP: &str = "Stop export";
pub const STOPPED: &str = "Export stopped; no file was written.";
pub const FAILED: &str = "Cannot export: the job did not start. Free some memory and try again.";

/// The name of a format.
pub fn format(format: ExportFormat) -> &'static str {
    match format {
        ExportFormat::Png => "as PNG image",
        ExportFormat::Svg => "as SVG drawing",
        ExportFormat::Csv => "as CSV table",
        ExportFormat::Gif => "over time as animated GIF",
        ExportFormat::Frames => "over time as PNG images",
    }
}

/// The tooltip of a format: what a file of it contains.
pub fn hint(format: ExportFormat) -> &'static str {
    match format {
        ExportFormat::Png => "The pane as shown, at two pixels per point",
        ExportFormat::Svg => "Vector graphics with editable text, for papers and slides",
        ExportFormat::Csv => "The data shown in the pane",
        ExportFormat::Gif => "One frame per time-step",
        ExportFormat::Frames => "One numbered image per time-step, in a folder",
    }
}

/// An export in progress.
pub fn exporting(pane: Pane, format: ExportFormat) -> String {
    format!("{} {}", pane.title(), self::format(format))
}

/// A run whose export is in progress.
pub fn writing(path: &Path) -> String {
    format!("Writing {}", name(path))
}

/// The status bar text about the file written last.
pub fn last(path: &Path) -> String {
    format!("wrote {}", name(path))
}

fn name(path: &Path) -> std::borrow::Cow<'_, str> {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy()
}

/// A finished export.
pub fn exported(path: &Path) -> String {
    format!("Written: {}", path.display())
}

/// Copies the numbers of a pane to the clipboard.
pub const COPY: &str = "Copy data (CSV)";
pub const COPY_HINT: &str = "Copy the data of this plot to the clipboard as a table";
