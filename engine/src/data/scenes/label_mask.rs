//! Label masks: pictures read as numbers, not as colors, from PNG, TIFF and BMP files.
//!
//! Indices and gray values are those of the file; gray stored in three equal channels, or beside opacity, is its one channel.

use std::io::Read;
use std::path::Path;

use image::DynamicImage;
use png::BitDepth;

use super::label_png;
use super::mask_numbers::{LabelMask, NumberKind};
use crate::data::bounded_read::open;
use crate::data::images::{PictureHeader, decode};
use crate::data::options::MAX_SIDE;
use crate::{Error, Result};

/// Maximum size of a BMP file: header and palette, and 4 bytes for each pixel.
const MAX_BMP_BYTES: u64 = (1 << 20) + 4 * (MAX_SIDE as u64) * (MAX_SIDE as u64);

/// Reads a label mask. The first bytes of the file tell its format.
///
/// # Errors
/// [`Error::Io`] when the file cannot be read; [`Error::File`] if it is of another format, damaged, in color, not opaque or
/// too large.
pub fn read(path: &Path) -> Result<LabelMask> {
    let mut head = Vec::with_capacity(4);
    open(path)?.take(4).read_to_end(&mut head).map_err(|e| Error::io(path, e))?;
    match head.as_slice() {
        [0x89, b'P', b'N', b'G', ..] => label_png::read(path),
        [b'B', b'M', ..] => read_bmp(path),
        [b'I', b'I', b'*', 0, ..] | [b'M', b'M', 0, b'*', ..] => read_tiff(path),
        _ => {
            let lossy = if head.starts_with(b"\xff\xd8") {
                "is a JPEG file, whose numbers are not exact"
            } else {
                "is of another format"
            };
            Err(Error::file(path, "mask", format!("{lossy}; masks are PNG, TIFF or BMP files")))
        }
    }
}

/// Indices of a palette, or color. A palette of grays in their order is read as gray, as gray pictures are written.
fn read_bmp(path: &Path) -> Result<LabelMask> {
    let fail = |reason: &str| Error::file(path, "mask", reason);
    let size = PictureHeader::read(path)?.size;
    let mut bytes = Vec::new();
    open(path)?.take(MAX_BMP_BYTES).read_to_end(&mut bytes).map_err(|e| Error::io(path, e))?;
    let number = |at: usize| bytes.get(at..at + 4).map_or(0, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    let (data, header, bits, compression) = (number(10) as usize, number(14) as usize, number(28) & 0xffff, number(30));
    let depth = match bits {
        1 => BitDepth::One,
        2 => BitDepth::Two,
        4 => BitDepth::Four,
        8 => BitDepth::Eight,
        _ => return of_picture(path, decode(path)?),
    };
    // The decoder gives colors, no indices; these are read here.
    if header < 40 || compression != 0 {
        return Err(fail("is a compressed BMP file, or one of a very old kind. Save it as PNG"));
    }
    let [width, height] = size.map(|side| side as usize);
    let row = (bits as usize * width).div_ceil(32) * 4;
    let rows = bytes.get(data..).unwrap_or_default().chunks_exact(row).take(height);
    if rows.len() < height {
        return Err(fail("ends before its last row; it may be truncated"));
    }
    let mut values = Vec::with_capacity(width * height);
    let is_upside_down = (number(22) as i32) > 0;
    let mut put = |row: &[u8]| label_png::unpack(row, depth, width, &mut values);
    if is_upside_down {
        rows.rev().for_each(&mut put)
    } else {
        rows.for_each(&mut put)
    }
    let colors = bytes.get(14 + header..data).unwrap_or_default().chunks_exact(4).take(1 << bits);
    let is_ramp = bits == 8 && colors.enumerate().all(|(at, color)| color[..3] == [at as u8; 3]);
    let kind = if is_ramp { NumberKind::Gray8 } else { NumberKind::Palette };
    Ok(LabelMask { kind, is_repeated: false, size, values })
}

/// Gray or color of 1, 8 or 16 bits; of 1 bit the values are 0 and 255. Turned upright, as pictures in TIFF files are.
fn read_tiff(path: &Path) -> Result<LabelMask> {
    let header = PictureHeader::read(path)?;
    let mut picture = decode(path)?;
    picture.apply_orientation(header.orientation());
    of_picture(path, picture)
}

/// The mask of a decoded picture.
fn of_picture(path: &Path, picture: DynamicImage) -> Result<LabelMask> {
    let (size, channels) = ([picture.width(), picture.height()], usize::from(picture.color().channel_count()));
    let (kind, values) = match picture {
        DynamicImage::ImageLuma16(_)
        | DynamicImage::ImageLumaA16(_)
        | DynamicImage::ImageRgb16(_)
        | DynamicImage::ImageRgba16(_) => {
            let values = picture.as_bytes().chunks_exact(2).map(|pair| u16::from_ne_bytes([pair[0], pair[1]]));
            (NumberKind::Gray16, values.collect())
        }
        bytes => (NumberKind::Gray8, bytes.as_bytes().iter().copied().map(u16::from).collect()),
    };
    LabelMask::of_channels(kind, size, channels, values).map_err(|reason| Error::file(path, "mask", reason))
}

#[cfg(test)]
mod tests {
    use image::{GrayAlphaImage, GrayImage, ImageBuffer, Luma, LumaA, Rgb, RgbImage, Rgba, RgbaImage};
    use std::path::PathBuf;

    use super::*;

    fn at(dir: &tempfile::TempDir, name: &str) -> PathBuf {
        dir.path().join(name)
    }

    #[test]
    fn gray_beside_opacity_or_in_three_channels_is_its_one_channel() {
        let dir = tempfile::tempdir().unwrap();
        let png = at(&dir, "a.png");
        let same = |is_repeated, kind| LabelMask { kind, is_repeated, size: [2, 1], values: vec![0, 7] };
        let value = |x: u32| if x == 0 { 0 } else { 7 };
        GrayAlphaImage::from_fn(2, 1, |x, _| LumaA([value(x), 255])).save(&png).unwrap();
        assert_eq!(read(&png).unwrap(), same(true, NumberKind::Gray8));
        RgbaImage::from_fn(2, 1, |x, _| Rgba([value(x), value(x), value(x), 255])).save(&png).unwrap();
        assert_eq!(read(&png).unwrap(), same(true, NumberKind::Gray8));
        let wide: ImageBuffer<Rgb<u16>, Vec<u16>> = ImageBuffer::from_fn(2, 1, |x, _| Rgb([u16::from(value(x)); 3]));
        wide.save(&png).unwrap();
        assert_eq!(read(&png).unwrap(), same(true, NumberKind::Gray16));
        for ending in ["png", "tif", "tiff", "bmp"] {
            let path = at(&dir, &format!("b.{ending}"));
            RgbImage::from_fn(2, 1, |x, _| Rgb([value(x); 3])).save(&path).unwrap();
            assert_eq!(read(&path).unwrap(), same(true, NumberKind::Gray8), "{ending}");
            GrayImage::from_fn(2, 1, |x, _| Luma([value(x)])).save(&path).unwrap();
            assert_eq!(read(&path).unwrap(), same(false, NumberKind::Gray8), "{ending}");
        }
        let tiff = at(&dir, "c.tif");
        let wide: ImageBuffer<Luma<u16>, Vec<u16>> = ImageBuffer::from_fn(2, 1, |x, _| Luma([u16::from(value(x))]));
        wide.save(&tiff).unwrap();
        assert_eq!(read(&tiff).unwrap(), same(false, NumberKind::Gray16));
    }

    #[test]
    fn indices_of_a_bmp_palette_are_read_at_every_depth() {
        let dir = tempfile::tempdir().unwrap();
        let path = at(&dir, "a.bmp");
        // Two rows of three pixels, the lower one first, each padded to four bytes.
        let write = |bits: u16, palette: &[[u8; 4]], rows: [[u8; 4]; 2]| {
            let offset = 54 + 4 * palette.len() as u32;
            let mut bytes = b"BM".to_vec();
            bytes.extend([offset + 8, 0, offset, 40, 3, 2].iter().flat_map(|n: &u32| n.to_le_bytes()));
            bytes.extend([1, bits].iter().flat_map(|n: &u16| n.to_le_bytes()));
            bytes.extend([0, 8, 0, 0, palette.len() as u32, 0].iter().flat_map(|n: &u32| n.to_le_bytes()));
            bytes.extend(palette.iter().flatten().chain(rows.iter().flatten()));
            std::fs::write(&path, bytes).unwrap();
            let mask = read(&path).unwrap();
            assert_eq!((mask.size, mask.is_repeated), ([3, 2], false));
            (mask.kind, mask.values)
        };
        let colors = [[0, 0, 0, 0], [0, 0, 128, 0], [0, 128, 0, 0], [0, 128, 128, 0]];
        let found = write(8, &colors, [[3, 2, 1, 0], [0, 1, 2, 0]]);
        assert_eq!(found, (NumberKind::Palette, vec![0, 1, 2, 3, 2, 1]));
        let found = write(4, &colors, [[0x32, 0x10, 0, 0], [0x01, 0x20, 0, 0]]);
        assert_eq!(found, (NumberKind::Palette, vec![0, 1, 2, 3, 2, 1]));
        let wide = [[0x32, 0x10, 0, 0], [0x01, 0x20, 0, 0]];
        let whole = {
            write(4, &colors, wide);
            std::fs::read(&path).unwrap()
        };
        std::fs::write(&path, &whole[..whole.len() - 4]).unwrap();
        assert!(read(&path).is_err());
        let mut packed = whole;
        packed[30] = 2;
        std::fs::write(&path, packed).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("is a compressed BMP file"));
        let found = write(1, &[[0, 0, 0, 0], [255, 255, 255, 0]], [[0b1010_0000, 0, 0, 0], [0b0110_0000, 0, 0, 0]]);
        assert_eq!(found.1, [0, 1, 1, 1, 0, 1]);
    }

    #[test]
    fn colors_transparency_and_other_formats_are_refused_with_the_place() {
        let dir = tempfile::tempdir().unwrap();
        for ending in ["png", "tif", "bmp"] {
            let path = at(&dir, &format!("a.{ending}"));
            RgbImage::from_fn(3, 2, |x, y| Rgb([9, if (x, y) == (1, 1) { 8 } else { 9 }, 9])).save(&path).unwrap();
            let why = read(&path).unwrap_err().to_string();
            assert!(
                why.contains("mask: is a color picture (9, 8, 9 in column 1, row 1)") && why.contains("palette"),
                "{why}"
            );
        }
        let path = at(&dir, "b.png");
        GrayAlphaImage::from_fn(3, 2, |x, _| LumaA([9, if x == 2 { 0 } else { 255 }])).save(&path).unwrap();
        let why = read(&path).unwrap_err().to_string();
        assert!(why.contains("transparent pixels (the first in column 2, row 0)"), "{why}");
        let jpeg = at(&dir, "c.png");
        GrayImage::new(8, 8).save_with_format(&jpeg, image::ImageFormat::Jpeg).unwrap();
        let why = read(&jpeg).unwrap_err().to_string();
        assert!(why.contains("is a JPEG file, whose numbers are not exact; masks are PNG, TIFF or BMP"), "{why}");
        for bytes in [&b"BM"[..], b"II*\0", b"MM\0*abc", b"\x89PNG", b"", b"BM\x36\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0"] {
            std::fs::write(&path, bytes).unwrap();
            assert!(read(&path).unwrap_err().to_string().contains("b.png"));
        }
    }
}
