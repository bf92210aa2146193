//! Pictures against those that are kept in a folder.
//!
//! Two pictures are the same when hardly a pixel has another color. Edges that are smoothed a little otherwise, after
//! another order of additions, are forgiven; another digit in a number is not.

use std::path::{Path, PathBuf};

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder, RgbImage};

/// Set, the pictures are written instead of compared.
pub const UPDATE: &str = "SPIKESCOPE_UPDATE_SNAPSHOTS";
/// How much of 255 a channel may differ in: the smoothed edges of letters and lines differ by less between machines, ink
/// and paper by far more.
const CLOSE: u8 = 40;
/// How many pixels may differ by more: fewer than two digits of the smallest letters do, which the tests measure.
pub const FEW: usize = 4;

/// A picture as it is drawn.
pub fn rgb(image: &egui::ColorImage) -> RgbImage {
    let [width, height] = image.size.map(|side| side as u32);
    let bytes = image.pixels.iter().flat_map(|pixel| [pixel.r(), pixel.g(), pixel.b()]).collect();
    RgbImage::from_raw(width, height, bytes).expect("as many pixels as the size says")
}

/// The pixels in which two pictures of one size differ, or `None` when the sizes do.
pub fn difference(a: &RgbImage, b: &RgbImage) -> Option<Vec<(u32, u32)>> {
    let close = |p: &image::Rgb<u8>, q: &image::Rgb<u8>| p.0.iter().zip(q.0).all(|(p, q)| p.abs_diff(q) <= CLOSE);
    let other = |(x, y, pixel): (u32, u32, &image::Rgb<u8>)| (!close(pixel, b.get_pixel(x, y))).then_some((x, y));
    (a.dimensions() == b.dimensions()).then(|| a.enumerate_pixels().filter_map(other).collect())
}

/// Writes a picture as small as PNG makes it.
fn write(path: &Path, image: &RgbImage) {
    let mut bytes = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut bytes, CompressionType::Best, FilterType::Adaptive);
    encoder.write_image(image, image.width(), image.height(), ExtendedColorType::Rgb8).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// Compares `image` with the kept picture `name`; says what is wrong, and lays `NAME.new.png` and `NAME.diff.png` beside.
pub fn compare(name: &str, image: &RgbImage) -> Result<(), String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let [kept, new, diff] = ["png", "new.png", "diff.png"].map(|ending| folder.join(format!("{name}.{ending}")));
    [&new, &diff].into_iter().for_each(|old| _ = std::fs::remove_file(old));
    if std::env::var_os(UPDATE).is_some() {
        // What is the same to this test stays as it is, to the byte.
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
        Some(pixels) if pixels.len() <= FEW => Ok(()),
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
