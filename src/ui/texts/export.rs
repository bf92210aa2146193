//! Texts of exports: formats, progress and results.

use std::ops::Range;
use std::path::Path;

use crate::ui::types::export_format::{ExportFormat, FigureTheme};
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

/// Copies the pane to the clipboard.
pub const COPY_PICTURE: &str = "Copy as picture";
pub const COPY_PICTURE_HINT: &str = "Copy the pane to the clipboard as an image, in the theme of figures";

pub fn copy_picture(pane: Pane) -> String {
    format!("Copy {} as picture", pane.title())
}

pub fn picture_copied(name: &str, [width, height]: [usize; 2]) -> String {
    format!("{name}: {width} x {height} pixels are on the clipboard.")
}

/// The choice of a theme of figures.
pub fn figure_theme(theme: FigureTheme) -> &'static str {
    match theme {
        FigureTheme::White => "Figures light on white",
        FigureTheme::Dark => "Figures dark",
        FigureTheme::Window => "Figures in the theme of the window",
    }
}

/// A recipe in a caption.
pub fn recipe(title: &str, steps: usize) -> String {
    format!("{title}, T = {steps}")
}

/// The line above a figure: network, recipe and samples.
pub fn caption(network: &str, recipe: Option<&str>, samples: &Range<usize>, data: &str) -> String {
    let recipe = recipe.map(|recipe| format!("{recipe}; ")).unwrap_or_default();
    format!("{network}; {recipe}{} samples of {data} ({}..{})", samples.len(), samples.start, samples.end)
}

/// Copies the numbers of a pane to the clipboard.
pub const COPY: &str = "Copy data (CSV)";
pub const COPY_HINT: &str = "Copy the data of this plot to the clipboard as a table";
