//! File formats of an exported pane (image, drawing, table, animation), and the theme of figures.

use serde::{Deserialize, Serialize};

/// File format of an exported pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExportFormat {
    Png,
    Svg,
    /// The numbers of the pane.
    Csv,
    /// Every time step, as one animated image.
    Gif,
    /// Every time step as an image file, in a folder.
    Frames,
}

impl ExportFormat {
    /// All formats, the most common first.
    pub const ALL: [Self; 5] = [Self::Png, Self::Svg, Self::Csv, Self::Gif, Self::Frames];

    /// The file name extension.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Png | Self::Frames => "png",
            Self::Svg => "svg",
            Self::Csv => "csv",
            Self::Gif => "gif",
        }
    }
}

/// Theme of exported figures, whatever that of the window is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FigureTheme {
    /// Light colors on white, for paper.
    #[default]
    White,
    Dark,
    /// That of the window.
    Window,
}

impl FigureTheme {
    /// All themes, the default first.
    pub const ALL: [Self; 3] = [Self::White, Self::Dark, Self::Window];

    /// Whether a figure has the dark theme in a window that is `dark`.
    pub fn is_dark(self, dark: bool) -> bool {
        match self {
            Self::White => false,
            Self::Dark => true,
            Self::Window => dark,
        }
    }
}
