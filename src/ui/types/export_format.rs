//! File formats of an exported pane: image, drawing, table, animation.

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
