//! Image comparison with the snapshots in a folder.
//!
//! Two images are equal if hardly any pixel differs. Tolerates differences in edge smoothing, which depend on the order
//! of additions. A different digit in a number is a difference.

use std::path::{Path, PathBuf};

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder, RgbImage};

/// If set, the snapshots are written instead of compared.
pub const UPDATE: &str = "SPIKESCOPE_UPDATE_SNAPSHOTS";
/// Maximum difference of a channel, of 255. Smoothed edges of letters and lines differ by less between machines; ink
/// and paper differ by far more.
const MAX_CHANNEL_DIFFERENCE: u8 = 40;
/// Maximum number of pixels that differ by more: fewer than two digits of the smallest letters do, which the tests
/// measure.
pub const MAX_PIXELS: usize = 4;

/// Converts a drawn image to RGB.
pub fn rgb(image: &egui::ColorImage) -> RgbImage {
    let [width, height] = image.size.map(|side| side as u32);
    let bytes = image.pixels.iter().flat_map(|pixel| [pixel.r(), pixel.g(), pixel.b()]).collect();
    RgbImage::from_raw(width, height, bytes).expect("as many pixels as the size says")
}

/// The pixels in which two images of the same size differ, or `None` if the sizes differ.
pub fn difference(a: &RgbImage, b: &RgbImage) -> Option<Vec<(u32, u32)>> {
    let close = |p: &image::Rgb<u8>, q: &image::Rgb<u8>| {
        p.0.iter().zip(q.0).all(|(p, q)| p.abs_diff(q) <= MAX_CHANNEL_DIFFERENCE)
    };
    let other = |(x, y, pixel): (u32, u32, &image::Rgb<u8>)| (!close(pixel, b.get_pixel(x, y))).then_some((x, y));
    (a.dimensions() == b.dimensions()).then(|| a.enumerate_pixels().filter_map(other).collect())
}

/// Writes an image with maximum PNG compression.
fn write(path: &Path, image: &RgbImage) {
    let mut bytes = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut bytes, CompressionType::Best, FilterType::Adaptive);
    encoder.write_image(image, image.width(), image.height(), ExtendedColorType::Rgb8).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// Compares `image` with the snapshot `name`. A difference is an error text, and `NAME.new.png` and `NAME.diff.png` are
/// written beside the snapshot.
pub fn compare(name: &str, image: &RgbImage) -> Result<(), String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let [kept, new, diff] = ["png", "new.png", "diff.png"].map(|ending| folder.join(format!("{name}.{ending}")));
    [&new, &diff].into_iter().for_each(|old| _ = std::fs::remove_file(old));
    if std::env::var_os(UPDATE).is_some() {
        // An equal snapshot keeps its exact bytes.
        let same =
            image::open(&kept).ok().and_then(|known| difference(&known.to_rgb8(), image)).is_some_and(|d| d.is_empty());
        if !same {
            write(&kept, image);
        }
        return Ok(());
    }
    let known = image::open(&kept).map_err(|error| {
        write(&new, image);
        format!("{name}: {error}; the picture is {}", new.display())
    })?;
    let known = known.to_rgb8();
    match difference(&known, image) {
        Some(pixels) if pixels.len() <= MAX_PIXELS => Ok(()),
        Some(pixels) => {
            write(&new, image);
            // Pale, and red where they differ.
            let mut marked = known;
            marked.pixels_mut().for_each(|pixel| pixel.0 = pixel.0.map(|c| 128 + c / 4));
            pixels.iter().for_each(|(x, y)| marked.put_pixel(*x, *y, image::Rgb([220, 0, 0])));
            write(&diff, &marked);
            Err(format!("{name}: {} pixels differ, see {} and {}", pixels.len(), new.display(), diff.display()))
        }
        None => {
            write(&new, image);
            Err(format!("{name}: {:?} instead of {:?}, see {}", image.dimensions(), known.dimensions(), new.display()))
        }
    }
}
