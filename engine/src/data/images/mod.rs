//! Reads image files as samples: a folder per class, one folder, or a list of files.
//!
//! Knows images, not networks.

mod decode;
mod gray;
mod header;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use image::DynamicImage;
use image::imageops::FilterType;
use rayon::prelude::*;

pub(super) use self::decode::decode;
pub use self::gray::into_gray;
pub use self::header::{PictureHeader, orientation_notes};
use super::bounded_read::checked_len;
use super::files::listing::{FileFilter, Listing};
use super::options::{Background, MAX_SIDE};
use super::{LabelSource, Layout, Note, Samples};
use crate::{Error, Result};

/// Extensions of supported image formats.
pub const FILE_EXTENSIONS: [&str; 14] =
    ["png", "jpg", "jpeg", "jpe", "jfif", "bmp", "gif", "webp", "tif", "tiff", "ppm", "pgm", "pbm", "pnm"];

/// Images, as folders of them are read.
const IMAGES: FileFilter = FileFilter { name: "image", endings: &FILE_EXTENSIONS, accepts: is_image };

/// Shape `[1 or 3, H, W]` of the first image of `paths`, as [`read`] reads it alone.
///
/// # Errors
/// As [`read`].
pub fn first_shape(paths: &[PathBuf]) -> Result<Vec<usize>> {
    let first = IMAGES.list(paths)?.files.into_iter().next();
    let first = first.ok_or_else(|| Error::Invalid("Cannot open images: no file named.".into()))?;
    Ok(read(&[first], None, Background::default())?.shape)
}

/// Whether the file extension is that of a supported image format.
pub fn is_image(path: &Path) -> bool {
    path.extension()
        .and_then(|e| e.to_str())
        .is_some_and(|e| FILE_EXTENSIONS.contains(&e.to_ascii_lowercase().as_str()))
}

/// Reads images as `[1, H, W]` if all are gray, else `[3, H, W]`, in 0..255; transparent pixels lie on `background`.
///
/// `paths` is one folder, or files. A folder with subfolders has a class per subfolder, in order of their names;
/// otherwise there are no labels. With `fit` (`[C, H, W]`, C 1 or 3, `[H, W]`, or one or three squares `[F]`) every image
/// is resized and converted to gray or RGB.
///
/// # Errors
/// [`Error::Io`] or [`Error::File`] for files that cannot be read and, without `fit`, for images of different sizes;
/// [`Error::Invalid`] without files and for a `fit` of another form.
pub fn read(paths: &[PathBuf], fit: Option<&[usize]>, background: Background) -> Result<Samples> {
    let Listing { files, labels, class_names, notes: left_out } = IMAGES.list(paths)?;
    let Some(first) = files.first() else { return Err(Error::Invalid("Cannot open images: no file named.".into())) };
    let headers = files.par_iter().map(|p| PictureHeader::read(p)).collect::<Result<Vec<_>>>()?;
    let sizes: Vec<(u32, u32)> = headers.iter().map(|header| header.size.into()).collect();
    let target = fit.map(image_shape_of).transpose()?;
    let (width, height) = match (target, sizes.first()) {
        (Some((_, h, w)), _) => (w, h),
        (None, Some(&size)) => size,
        (None, None) => return Err(Error::Internal("no image size".into())),
    };
    if target.is_none()
        && let Some((odd, (w, h))) = files.iter().zip(&sizes).find(|(_, s)| **s != (width, height))
    {
        let reason = format!(
            "is {w}x{h} but {} is {width}x{height}; all images must have one size unless they are fitted to a network",
            first.display()
        );
        return Err(Error::file(odd, "image size", reason));
    }
    let (w, h) = (width as usize, height as usize);
    checked_len(first, "all images", &[files.len(), 3, h, w])?;
    let prepared = files.par_iter().zip(&headers).map(|(path, header)| {
        let mut image = decode(path)?;
        image.apply_orientation(header.orientation());
        let (image, transparent) = on_background(image, background);
        let gray = !image.color().has_color();
        let exact = (image.width(), image.height()) == (width, height);
        let fitted = if exact { image } else { image.resize_exact(width, height, FilterType::Triangle) };
        let image = if gray { DynamicImage::from(fitted.into_luma8()) } else { fitted.into_rgb8().into() };
        Ok(Prepared { gray, transparent, image })
    });
    let images = prepared.collect::<Result<Vec<Prepared>>>()?;
    let colored = images.iter().filter(|image| !image.gray).count();
    let transparent = images.iter().filter(|image| image.transparent).count();
    let channels = target.map_or(if colored == 0 { 1 } else { 3 }, |t| t.0);
    let mut values = Vec::with_capacity(images.len() * channels * w * h);
    for Prepared { image, .. } in images {
        if channels == 1 {
            values.extend(into_gray(image).into_raw().into_iter().map(f32::from));
        } else {
            let rgb = image.into_rgb8().into_raw();
            (0..3).for_each(|c| values.extend(rgb.iter().skip(c).step_by(3).map(|&v| f32::from(v))));
        }
    }
    let mut notes = left_out;
    notes.extend(fitted(&sizes, (width, height), colored, channels));
    notes.extend(background_note(transparent, files.len(), background));
    notes.extend(orientation_notes(&headers));
    let named = paths.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(",");
    Ok(Samples {
        source: format!("images:{named}"),
        shape: vec![channels, h, w],
        layout: Some(Layout::ChannelsFirst),
        values: Arc::new(values),
        labels: Arc::new(labels),
        label_source: if class_names.is_empty() { LabelSource::Indices } else { LabelSource::Names },
        class_names,
        full_scale: 255.0,
        max: 255.0,
        notes,
        ..Samples::default()
    })
}

/// A decoded image of the final size.
struct Prepared {
    gray: bool,
    /// Whether any pixel was transparent.
    transparent: bool,
    image: DynamicImage,
}

/// `image` on `background`, without transparency, and whether any pixel was transparent.
pub(super) fn on_background(image: DynamicImage, background: Background) -> (DynamicImage, bool) {
    if !image.color().has_alpha() {
        return (image, false);
    }
    let is_gray = !image.color().has_color();
    let mut pixels = image.into_rgba8();
    let under = if background == Background::White { 255 } else { 0 };
    let mut transparent = false;
    for pixel in pixels.pixels_mut() {
        let alpha = u32::from(pixel.0[3]);
        transparent |= alpha < 255;
        // Rounded; exact for opaque and for fully transparent pixels.
        let composed = |value: u8| ((u32::from(value) * alpha + under * (255 - alpha) + 127) / 255) as u8;
        let [r, g, b, _] = pixel.0;
        pixel.0 = [composed(r), composed(g), composed(b), 255];
    }
    let image = DynamicImage::from(pixels);
    (if is_gray { image.into_luma8().into() } else { image.into_rgb8().into() }, transparent)
}

/// A note on `transparent` of `count` images.
pub(super) fn background_note(transparent: usize, count: usize, background: Background) -> Option<Note> {
    let other = if background == Background::White { Background::Black } else { Background::White };
    let text = format!(
        "{transparent} of {count} images are transparent; their background is {}, as on the drawing canvas",
        background.as_str()
    );
    let text = if background == Background::White { text } else { text.replace(", as on the drawing canvas", "") };
    (transparent > 0).then(|| Note::new(text).or_option("background", other.as_str()))
}

/// Notes on the conversion of images of `sizes`, `colored` of them in color, to `channels` planes of `size`.
fn fitted(sizes: &[(u32, u32)], size: (u32, u32), colored: usize, channels: usize) -> Vec<Note> {
    let mut notes = Vec::new();
    let scaled: Vec<&(u32, u32)> = sizes.iter().filter(|own| **own != size).collect();
    if let (Some((w, h)), (width, height)) = (scaled.first(), size) {
        let from = if scaled.iter().all(|own| *own == scaled[0]) { "" } else { "many sizes, the first " };
        // An image is stretched if its aspect ratio changes by more than 2 %.
        let stretched = scaled
            .iter()
            .any(|(w, h)| (f64::from(*w) * f64::from(height) / (f64::from(*h) * f64::from(width)) - 1.0).abs() > 0.02);
        let word = if stretched { "scaled and stretched" } else { "scaled" };
        notes.push(format!(
            "{} of {} images were {word} from {from}{w}x{h} to {width}x{height}",
            scaled.len(),
            sizes.len()
        ));
    }
    match channels {
        1 if colored > 0 => {
            notes.push(format!(
                "{colored} of {} images are in color and were converted to grayscale (0.299 R + 0.587 G + 0.114 B)",
                sizes.len()
            ));
        }
        3 if colored < sizes.len() => {
            notes.push(format!(
                "{} of {} images are grayscale; all three channels are equal",
                sizes.len() - colored,
                sizes.len()
            ));
        }
        _ => {}
    }
    notes.into_iter().map(Note::from).collect()
}

/// `(channels, height, width)` of a network input that images can be resized to.
pub(super) fn image_shape_of(shape: &[usize]) -> Result<(usize, u32, u32)> {
    let side = |d: usize| u32::try_from(d).ok().filter(|d| (1..=MAX_SIDE).contains(d));
    let found = match *shape {
        [c @ (1 | 3), h, w] => side(h).zip(side(w)).map(|(h, w)| (c, h, w)),
        [h, w] => side(h).zip(side(w)).map(|(h, w)| (1, h, w)),
        [f] => [1, 3].into_iter().find_map(|c| {
            let edge = (f / c).isqrt();
            side(edge).filter(|_| edge * edge * c == f).map(|s| (c, s, s))
        }),
        _ => None,
    };
    found.ok_or_else(|| {
        let shape = crate::error::format_shape(shape);
        Error::Invalid(format!(
            "Cannot fit images to samples of {shape}: the shape must be 1xHxW, 3xHxW, HxW, or one or three squares."
        ))
    })
}

/// Reads one image in grayscale; transparent pixels are white, as paper.
///
/// # Errors
/// [`Error::Io`] or [`Error::File`] when it cannot be read.
pub fn read_grayscale(path: &Path) -> Result<image::GrayImage> {
    Ok(into_gray(on_background(decode(path)?, Background::White).0))
}

#[cfg(test)]
pub(super) mod tests {
    use image::codecs::png::PngEncoder;
    use image::{ExtendedColorType, GrayImage, ImageEncoder, Luma, Rgb, RgbImage};

    use super::super::bounded_read::tests::write;
    use super::*;

    fn gray(path: PathBuf, side: u32, value: u8) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        GrayImage::from_pixel(side, side, Luma([value])).save(path).unwrap();
    }

    /// A PNG of `width` times `height` stored pixels, the left column white, whose EXIF says to turn it right by a quarter.
    pub fn on_its_side(width: u32, height: u32) -> Vec<u8> {
        let image = GrayImage::from_fn(width, height, |x, _| Luma([if x == 0 { 255 } else { 0 }]));
        // One entry: tag 0x0112 of a 16-bit number, 6.
        let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
        let mut bytes = Vec::new();
        let mut encoder = PngEncoder::new(&mut bytes);
        encoder.set_exif_metadata(exif.to_vec()).unwrap();
        encoder.write_image(image.as_raw(), width, height, ExtendedColorType::L8).unwrap();
        bytes
    }

    #[test]
    fn a_picture_on_its_side_is_read_as_stored_with_a_note() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.png");
        std::fs::write(&path, on_its_side(2, 1)).unwrap();
        let samples = read(&[path], None, Background::default()).unwrap();
        assert_eq!((samples.raw(0), samples.shape.as_slice()), ([255.0, 0.0].as_slice(), [1, 1, 2].as_slice()));
        assert!(samples.notes.iter().any(|note| note.text.contains("EXIF orientation and are read as stored")));
    }

    #[test]
    fn subfolders_are_classes() {
        let dir = tempfile::tempdir().unwrap();
        gray(dir.path().join("b/1.png"), 2, 7);
        gray(dir.path().join("a/1.png"), 2, 5);
        let samples = read(&[dir.path().to_owned()], None, Background::White).unwrap();
        assert_eq!(samples.class_names, ["a", "b"]);
        assert_eq!((samples.labels.as_slice(), samples.shape.as_slice()), ([0, 1].as_slice(), [1, 2, 2].as_slice()));
        assert_eq!(samples.raw(1), [7.0; 4]);
        RgbImage::from_pixel(2, 2, Rgb([1, 2, 3])).save(dir.path().join("b/2.png")).unwrap();
        let samples = read(&[dir.path().to_owned()], None, Background::White).unwrap();
        assert_eq!(samples.shape, [3, 2, 2]);
        assert_eq!(samples.raw(2)[..5], [1.0, 1.0, 1.0, 1.0, 2.0]);
    }

    #[test]
    fn folders_below_a_class_belong_to_it() {
        let dir = tempfile::tempdir().unwrap();
        for path in ["a/s0/1.png", "a/s1/t/2.png", "b/1.png"] {
            gray(dir.path().join(path), 2, 7);
        }
        let samples = read(&[dir.path().to_owned()], None, Background::default()).unwrap();
        assert_eq!(
            (samples.labels.to_vec(), samples.class_names),
            (vec![0, 0, 1], vec!["a".to_owned(), "b".to_owned()])
        );
        std::fs::create_dir(dir.path().join("c")).unwrap();
        std::fs::write(dir.path().join("c/1.psd"), b"").unwrap();
        let why = read(&[dir.path().to_owned()], None, Background::default()).unwrap_err().to_string();
        assert!(why.contains("it contains .psd files"), "{why}");
    }

    #[test]
    fn different_sizes_are_refused_or_resized() {
        let dir = tempfile::tempdir().unwrap();
        gray(dir.path().join("1.png"), 1, 9);
        gray(dir.path().join("2.png"), 3, 9);
        let here = [dir.path().to_owned()];
        assert!(read(&here, None, Background::White).unwrap_err().to_string().contains("2.png"));
        assert_eq!(read(&here, Some(&[3, 4, 5]), Background::White).unwrap().shape, [3, 4, 5]);
        let flat = read(&here, Some(&[784]), Background::White).unwrap();
        assert_eq!((flat.shape.as_slice(), flat.len()), ([1, 28, 28].as_slice(), 2));
        assert_eq!(read(&here, Some(&[3 * 16]), Background::White).unwrap().shape, [3, 4, 4]);
        assert_eq!(read(&here, Some(&[6, 4]), Background::White).unwrap().shape, [1, 6, 4]);
        assert!(flat.values.iter().all(|v| *v == 9.0));
        assert!(read(&here, Some(&[2, 4, 4]), Background::White).is_err());
        assert!(read(&here, Some(&[10]), Background::White).is_err());
    }

    #[test]
    fn invalid_images_are_errors() {
        let dir = tempfile::tempdir().unwrap();
        assert!(read(&[dir.path().to_owned()], None, Background::White).unwrap_err().to_string().contains("no image"));
        assert!(read(&[], None, Background::White).is_err());
        assert!(read(&[dir.path().join("absent.png")], None, Background::White).is_err());
        // A BMP header that claims 20,000 x 20,000 pixels, without any pixel data.
        let mut bmp = b"BM\x36\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
        bmp.extend(20_000u32.to_le_bytes().repeat(2));
        bmp.extend([1, 0, 24, 0]);
        bmp.resize(54, 0);
        for bytes in [bmp, b"not a picture".to_vec(), vec![], b"\x89PNG\r\n\x1a\n".to_vec()] {
            let text = read(&[write(&dir, "bad.png", &bytes)], None, Background::White).unwrap_err().to_string();
            assert!(text.contains("bad.png"), "{text}");
        }
    }

    #[test]
    fn transparent_pixels_lie_on_a_stated_background() {
        let dir = tempfile::tempdir().unwrap();
        let here = [dir.path().to_owned()];
        let read = |background| read(&here, None, background).unwrap();
        // Opaque black, half transparent black, transparent red.
        let pixels = [[0, 0, 0, 255], [0, 0, 0, 128], [255, 0, 0, 0]].concat();
        image::RgbaImage::from_raw(3, 1, pixels).unwrap().save(dir.path().join("a.png")).unwrap();
        let (white, black) = (read(Background::White), read(Background::Black));
        assert_eq!(white.raw(0)[..3], [0.0, 127.0, 255.0]);
        assert_eq!(black.raw(0)[..3], [0.0; 3]);
        assert!(white.notes[0].text.starts_with("1 of 1 images are transparent; their background is white"));
        // Gray with transparency, in 16 bits, stays gray.
        let gray: Vec<u16> = vec![65535, 65535, 0, 0, 257, 65535];
        image::ImageBuffer::<image::LumaA<u16>, _>::from_raw(3, 1, gray)
            .unwrap()
            .save(dir.path().join("a.png"))
            .unwrap();
        let gray = read(Background::White);
        assert_eq!((gray.shape.as_slice(), gray.raw(0)), (&[1, 1, 3][..], &[255.0, 255.0, 1.0][..]));
        // Opaque pictures are not told of.
        image::RgbaImage::from_pixel(3, 1, image::Rgba([9, 9, 9, 255])).save(dir.path().join("a.png")).unwrap();
        assert!(read(Background::Black).notes.is_empty());
    }
}
