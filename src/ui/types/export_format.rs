//! File formats of an exported pane.

/// As what a pane is taken along.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExportFormat {
    Png,
    Svg,
    /// The numbers that the pane draws.
    Csv,
    /// Every time-step in one moving picture.
    Gif,
    /// Every time-step as a picture of its own, in a folder.
    Frames,
}

impl ExportFormat {
    /// All of them, the usual ones first.
    pub const ALL: [Self; 5] = [Self::Png, Self::Svg, Self::Csv, Self::Gif, Self::Frames];

    /// What the name of such a file ends with.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Png | Self::Frames => "png",
            Self::Svg => "svg",
            Self::Csv => "csv",
            Self::Gif => "gif",
        }
    }
}
