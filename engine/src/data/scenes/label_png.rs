//! Label masks in PNG files, read as numbers, not as colors.
//!
//! Palette indices and values of 1 to 16 bits, as they stand in the file.

use std::io::BufReader;
use std::path::Path;

use png::{BitDepth, ColorType, Decoder, DecodingError, Limits, Transformations};

use super::mask_numbers::{LabelMask, NumberKind};
use crate::data::bounded_read::open;
use crate::data::options::MAX_SIDE;
use crate::{Error, Result};

/// Bytes that the decoder may use beside the pixels.
const MAX_DECODER_BYTES: usize = 64 << 20;

/// Reads a label mask.
///
/// # Errors
/// [`Error::Io`] when the file cannot be read; [`Error::File`] if it is no PNG, damaged, in color or too large.
pub(super) fn read(path: &Path) -> Result<LabelMask> {
    let fail = |reason: String| Error::file(path, "mask", reason);
    let unreadable = |e: DecodingError| match e {
        DecodingError::IoError(e) if e.kind() != std::io::ErrorKind::UnexpectedEof => Error::io(path, e),
        e => fail(format!("cannot be read ({e})")),
    };
    let mut decoder = Decoder::new_with_limits(BufReader::new(open(path)?), Limits { bytes: MAX_DECODER_BYTES });
    decoder.set_transformations(Transformations::IDENTITY);
    let mut reader = decoder.read_info().map_err(unreadable)?;
    let (size, color, depth) = (reader.info().size(), reader.info().color_type, reader.info().bit_depth);
    let (w, h) = size;
    if w == 0 || h == 0 || w > MAX_SIDE || h > MAX_SIDE {
        return Err(fail(format!("is {w}x{h}; sides of 1 to {MAX_SIDE} are supported")));
    }
    let (kind, channels) = match (color, depth) {
        (ColorType::Indexed, _) => (NumberKind::Palette, 1),
        (_, BitDepth::Sixteen) => (NumberKind::Gray16, color.samples()),
        _ => (NumberKind::Gray8, color.samples()),
    };
    let mut bytes = vec![0; reader.output_buffer_size().ok_or_else(|| fail("is too large".into()))?];
    let line = reader.next_frame(&mut bytes).map_err(unreadable)?.line_size;
    let mut values = Vec::with_capacity(w as usize * h as usize * channels);
    for row in bytes.chunks_exact(line.max(1)).take(h as usize) {
        unpack(row, depth, w as usize * channels, &mut values);
    }
    if values.len() != w as usize * h as usize * channels {
        return Err(fail("has fewer rows than its header says".into()));
    }
    LabelMask::of_channels(kind, [w, h], channels, values).map_err(fail)
}

/// Appends the first `count` numbers of a row, of 1 to 16 bits each, high bits first.
pub(super) fn unpack(row: &[u8], depth: BitDepth, count: usize, out: &mut Vec<u16>) {
    let bits = match depth {
        BitDepth::One => 1,
        BitDepth::Two => 2,
        BitDepth::Four => 4,
        BitDepth::Eight => return out.extend(row.iter().take(count).map(|byte| u16::from(*byte))),
        BitDepth::Sixteen => {
            return out.extend(row.chunks_exact(2).take(count).map(|pair| u16::from_be_bytes([pair[0], pair[1]])));
        }
    };
    let per_byte = 8 / bits;
    let number =
        |at: usize| row.get(at / per_byte).map(|byte| (byte >> (8 - bits - at % per_byte * bits)) & ((1 << bits) - 1));
    out.extend((0..count).filter_map(number).map(u16::from));
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Writes a PNG of `bytes` with the given color type and depth; of a palette every color is black.
    pub fn write_png(path: &Path, size: [u32; 2], color: ColorType, depth: BitDepth, bytes: &[u8]) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut encoder = png::Encoder::new(std::fs::File::create(path).unwrap(), size[0], size[1]);
        encoder.set_color(color);
        encoder.set_depth(depth);
        if color == ColorType::Indexed {
            encoder.set_palette(vec![0; 3 << depth as usize]);
        }
        encoder.write_header().unwrap().write_image_data(bytes).unwrap();
    }

    #[test]
    fn numbers_are_those_of_the_file_at_every_depth() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.png");
        let read_back = |color, depth, bytes: &[u8]| {
            write_png(&path, [3, 1], color, depth, bytes);
            let mask = read(&path).unwrap();
            (mask.kind, mask.values)
        };
        assert_eq!(read_back(ColorType::Grayscale, BitDepth::One, &[0b1010_0000]), (NumberKind::Gray8, vec![1, 0, 1]));
        assert_eq!(read_back(ColorType::Indexed, BitDepth::Two, &[0b1101_1000]), (NumberKind::Palette, vec![3, 1, 2]));
        assert_eq!(read_back(ColorType::Grayscale, BitDepth::Four, &[0xf1, 0x20]), (NumberKind::Gray8, vec![15, 1, 2]));
        assert_eq!(
            read_back(ColorType::Indexed, BitDepth::Eight, &[0, 7, 255]),
            (NumberKind::Palette, vec![0, 7, 255])
        );
        let wide = [1, 0, 0, 5, 255, 255];
        assert_eq!(
            read_back(ColorType::Grayscale, BitDepth::Sixteen, &wide),
            (NumberKind::Gray16, vec![256, 5, 65535])
        );
    }

    #[test]
    fn colors_other_files_and_damage_are_refused_with_the_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a_mask.png");
        let refused = || read(&path).unwrap_err().to_string();
        write_png(&path, [1, 1], ColorType::Rgb, BitDepth::Eight, &[1, 2, 3]);
        assert!(refused().contains("a_mask.png: mask: is a color picture"), "{}", refused());
        write_png(&path, [64, 64], ColorType::Grayscale, BitDepth::Eight, &[3; 64 * 64]);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        assert!(refused().contains("cannot be read"), "{}", refused());
    }
}
