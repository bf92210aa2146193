//! The numbers of a label mask, taken from the one or several equal channels of a picture.

/// How a label mask writes its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberKind {
    /// Indices into a palette.
    Palette,
    /// Gray values of up to 8 bits.
    Gray8,
    /// Gray values of 16 bits.
    Gray16,
}

/// A label mask.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelMask {
    pub kind: NumberKind,
    /// Whether the file has several channels.
    pub is_repeated: bool,
    /// Width and height in pixels.
    pub size: [u32; 2],
    /// `[height, width]` row-major.
    pub values: Vec<u16>,
}

impl LabelMask {
    /// The mask of `values`, `[height, width, channels]`: one channel, gray and opacity, or three and opacity.
    ///
    /// # Errors
    /// The reason, in words after the place, for channels that differ and for pixels that are not opaque.
    pub(super) fn of_channels(
        kind: NumberKind,
        size: [u32; 2],
        channels: usize,
        values: Vec<u16>,
    ) -> Result<Self, String> {
        if channels == 1 {
            return Ok(Self { kind, is_repeated: false, size, values });
        }
        let opaque = if kind == NumberKind::Gray16 { u16::MAX } else { 255 };
        let place = |at: usize| format!("column {}, row {}", at % size[0] as usize, at / size[0] as usize);
        let mut numbers = Vec::with_capacity(values.len() / channels);
        for (at, pixel) in values.chunks_exact(channels).enumerate() {
            let (color, alpha) =
                if channels.is_multiple_of(2) { pixel.split_at(channels - 1) } else { (pixel, &[][..]) };
            if color.iter().any(|value| *value != color[0]) {
                let color: Vec<String> = color.iter().map(u16::to_string).collect();
                return Err(format!(
                    "is a color picture ({} in {}), and which color is which class is not known. Save masks with a palette or \
                     in gray, with the numbers of the classes",
                    color.join(", "),
                    place(at)
                ));
            }
            if alpha.iter().any(|alpha| *alpha != opaque) {
                return Err(format!(
                    "has transparent pixels (the first in {}), whose class is not known. Save masks without transparency",
                    place(at)
                ));
            }
            numbers.push(color[0]);
        }
        Ok(Self { kind, is_repeated: true, size, values: numbers })
    }
}
