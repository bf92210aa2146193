//! Output files of detectors: the boxes of every sample, and images of the first ones.

use image::{Rgb, RgbImage};
use serde::Serialize;

use crate::data::thumbnail_rgba;
use crate::experiment::Run;
use crate::task::DetectedBox;
use crate::{Error, Result};

/// The boxes of all samples.
pub(super) const FILE: &str = "boxes.json";

/// Maximum number of images.
const MAX_IMAGES: usize = 16;
/// Colors as in the window: the ANN blue, the SNN orange.
const ANN_COLOR: Rgb<u8> = Rgb([64, 140, 230]);
const SNN_COLOR: Rgb<u8> = Rgb([240, 140, 40]);

/// The boxes of one sample.
#[derive(Serialize)]
struct Sample {
    /// Index in the data set.
    sample: usize,
    /// Corners as fractions of width and height.
    ann: Vec<DetectedBox>,
    snn: Vec<DetectedBox>,
}

/// Names and bytes of the files for `run`; empty if its network is not a detector.
///
/// # Errors
/// [`Error::Internal`] when an image or the JSON cannot be encoded.
pub(super) fn files(run: &Run) -> Result<Vec<(String, Vec<u8>)>> {
    let t = run.steps();
    let all = (0..run.ann.samples).map(|sample| run.boxes(sample, t)).collect::<Option<Vec<_>>>();
    let Some(all) = all else { return Ok(Vec::new()) };
    let mut files = Vec::new();
    for (sample, [ann, snn]) in all.iter().enumerate().take(MAX_IMAGES) {
        files.push((format!("boxes-{}.png", run.sample_index(sample)), render_image(run, sample, ann, snn)?));
    }
    let samples = all.into_iter().enumerate();
    let samples: Vec<Sample> =
        samples.map(|(sample, [ann, snn])| Sample { sample: run.sample_index(sample), ann, snn }).collect();
    let json = serde_json::to_vec_pretty(&samples).map_err(|e| Error::Internal(e.to_string()))?;
    files.push((FILE.into(), json));
    Ok(files)
}

fn render_image(run: &Run, sample: usize, ann: &[DetectedBox], snn: &[DetectedBox]) -> Result<Vec<u8>> {
    let (width, height, rgba) = thumbnail_rgba(&run.samples, run.sample_index(sample));
    let mut image = RgbImage::from_fn(width as u32, height as u32, |x, y| {
        let at = (y as usize * width + x as usize) * 4;
        Rgb([rgba[at], rgba[at + 1], rgba[at + 2]])
    });
    ann.iter().for_each(|detected| draw_box(&mut image, detected, ANN_COLOR, 2));
    snn.iter().for_each(|detected| draw_box(&mut image, detected, SNN_COLOR, 1));
    let mut png = std::io::Cursor::new(Vec::new());
    image
        .write_to(&mut png, image::ImageFormat::Png)
        .map_err(|e| Error::Internal(format!("cannot write an image: {e}")))?;
    Ok(png.into_inner())
}

/// Draws the edges of a box, `thickness` pixels wide.
fn draw_box(image: &mut RgbImage, detected: &DetectedBox, color: Rgb<u8>, thickness: i64) {
    let (w, h) = (i64::from(image.width()), i64::from(image.height()));
    let pixel_of =
        |share: f32, side: i64| (f64::from(share) * side as f64).round().clamp(0.0, (side - 1).max(0) as f64) as i64;
    let (left, right) = (pixel_of(detected.left, w), pixel_of(detected.right, w));
    let (top, bottom) = (pixel_of(detected.top, h), pixel_of(detected.bottom, h));
    let mut dot = |x: i64, y: i64| {
        if (0..w).contains(&x) && (0..h).contains(&y) {
            image.put_pixel(x as u32, y as u32, color);
        }
    };
    for k in 0..thickness {
        (left..=right).for_each(|x| [top + k, bottom - k].into_iter().for_each(|y| dot(x, y)));
        (top..=bottom).for_each(|y| [left + k, right - k].into_iter().for_each(|x| dot(x, y)));
    }
}
