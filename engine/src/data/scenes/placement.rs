//! Place of a picture in a sample of another size: stretched, letterboxed or cropped.
//!
//! Pixels, label masks and corners of boxes follow the same map. Knows sizes, not files.

use image::DynamicImage;
use image::imageops::FilterType;

use crate::data::Note;
use crate::data::options::PictureFit;
use crate::data::samples::targets::PicturePlace;

/// Sides change their ratio by more than this where a picture counts as stretched.
const STRETCHED: f64 = 0.02;

/// A part of a picture and the part of the sample that it fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    picture: [u32; 2],
    sample: [u32; 2],
    /// Left, top, width and height in the picture.
    from: [u32; 4],
    /// Left, top, width and height in the sample.
    to: [u32; 4],
}

impl Placement {
    /// The place of a picture of `picture` (width, height) in samples of `sample`; no side is 0.
    pub fn new(fit: PictureFit, picture: [u32; 2], sample: [u32; 2]) -> Self {
        let ([pw, ph], [sw, sh]) = (picture.map(u64::from), sample.map(u64::from));
        let rounded = |a: u64, b: u64| ((2 * a + b) / (2 * b)).max(1) as u32;
        let centered = |[w, h]: [u32; 2], [of_w, of_h]: [u32; 2]| [(of_w - w) / 2, (of_h - h) / 2, w, h];
        let (mut from, mut to) = (picture, sample);
        let is_wider = pw * sh > ph * sw;
        match fit {
            PictureFit::Stretch => {}
            PictureFit::Letterbox if is_wider => to[1] = rounded(ph * sw, pw).min(sample[1]),
            PictureFit::Letterbox => to[0] = rounded(pw * sh, ph).min(sample[0]),
            PictureFit::Crop if is_wider => from[0] = rounded(ph * sw, sh).min(picture[0]),
            PictureFit::Crop => from[1] = rounded(pw * sh, sw).min(picture[1]),
        }
        Self { picture, sample, from: centered(from, picture), to: centered(to, sample) }
    }

    /// Width and height of the sample.
    pub fn sample_size(&self) -> [u32; 2] {
        self.sample
    }

    /// The same as a map of coordinates.
    pub fn picture_place(&self) -> PicturePlace {
        let ([x0, y0, w, h], [left, top, width, height]) = (self.from.map(f64::from), self.to.map(f64::from));
        let scale = [width / w, height / h];
        PicturePlace { size: self.picture, scale, offset: [left - x0 * scale[0], top - y0 * scale[1]] }
    }

    /// Whether nothing changes.
    pub fn is_identity(&self) -> bool {
        self.picture == self.sample
    }

    /// Whether the ratio of the sides changes by more than 2 %.
    fn is_stretched(&self) -> bool {
        let [.., w, h] = self.from.map(f64::from);
        let [.., sw, sh] = self.to.map(f64::from);
        (w * sh / (h * sw) - 1.0).abs() > STRETCHED
    }

    /// The picture in its place, on black.
    pub fn place(&self, picture: DynamicImage) -> DynamicImage {
        if self.is_identity() {
            return picture;
        }
        let ([x, y, w, h], [left, top, width, height]) = (self.from, self.to);
        let part = if [w, h] == self.picture { picture } else { picture.crop_imm(x, y, w, h) };
        let scaled = part.resize_exact(width, height, FilterType::Triangle);
        if [width, height] == self.sample {
            return scaled;
        }
        let mut canvas = DynamicImage::new(self.sample[0], self.sample[1], scaled.color());
        image::imageops::replace(&mut canvas, &scaled, i64::from(left), i64::from(top));
        canvas
    }

    /// Values of the pixels of a picture, `[h, w]`, in the sample, `[H, W]`: each that of the nearest pixel, `outside`
    /// beyond the picture.
    pub fn place_labels<T: Copy>(&self, values: &[T], outside: T) -> Vec<T> {
        if self.is_identity() {
            return values.to_vec();
        }
        let ([x0, y0, w, h], [left, top, width, height]) = (self.from, self.to);
        // The pixel of the picture under the middle of a pixel of the sample.
        let source = |at: u32, first: u32, from: (u32, u32), len: u32| {
            let inside = at.checked_sub(first).filter(|at| *at < len)?;
            Some((from.0 + ((2 * inside + 1) * from.1) / (2 * len)) as usize)
        };
        let columns: Vec<Option<usize>> = (0..self.sample[0]).map(|x| source(x, left, (x0, w), width)).collect();
        let mut placed = Vec::with_capacity(self.sample[0] as usize * self.sample[1] as usize);
        for row in (0..self.sample[1]).map(|y| source(y, top, (y0, h), height)) {
            let row = row.and_then(|row| values.chunks_exact(self.picture[0] as usize).nth(row));
            let value = |column: &Option<usize>| row.zip(*column).and_then(|(row, x)| row.get(x).copied());
            placed.extend(columns.iter().map(|column| value(column).unwrap_or(outside)));
        }
        placed
    }

    /// Left, top, right and bottom of a box of the picture, in the sample; they may lie outside of it.
    pub fn place_corners(&self, corners: [f64; 4]) -> [f64; 4] {
        if self.is_identity() {
            return corners;
        }
        let ([x0, y0, w, h], [left, top, width, height]) = (self.from.map(f64::from), self.to.map(f64::from));
        let x = |value: f64| left + (value - x0) * width / w;
        let y = |value: f64| top + (value - y0) * height / h;
        [x(corners[0]), y(corners[1]), x(corners[2]), y(corners[3])]
    }

    /// Factor from areas in the picture to areas in the sample.
    pub fn area_scale(&self) -> f64 {
        let ([.., w, h], [.., width, height]) = (self.from.map(f64::from), self.to.map(f64::from));
        width * height / (w * h)
    }
}

/// A note on what was done to the pictures at `placements`, with `what` that followed ("masks take the nearest pixel").
pub fn note(placements: &[Placement], fit: PictureFit, what: &str) -> Option<Note> {
    let changed: Vec<&Placement> = placements.iter().filter(|placement| !placement.is_identity()).collect();
    let first = changed.first()?;
    let ([w, h], [width, height]) = (first.picture, first.sample);
    let from = if changed.iter().all(|other| other.picture == first.picture) { "" } else { "many sizes, the first " };
    let is_stretched = changed.iter().any(|placement| placement.is_stretched());
    let word = match fit {
        PictureFit::Stretch if is_stretched => "scaled and stretched",
        PictureFit::Stretch => "scaled",
        PictureFit::Letterbox => "scaled on black",
        PictureFit::Crop => "cropped to their middle and scaled",
    };
    let text = format!(
        "{} of {} pictures were {word} from {from}{w}x{h} to {width}x{height}; {what}",
        changed.len(),
        placements.len()
    );
    let other = match fit {
        PictureFit::Stretch => PictureFit::Letterbox,
        PictureFit::Letterbox | PictureFit::Crop => PictureFit::Stretch,
    };
    let has_choice = is_stretched || fit != PictureFit::Stretch;
    Some(if has_choice { Note::new(text).or_option("fit", other.as_str()) } else { Note::new(text) })
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, Luma};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn letterbox_and_crop_keep_the_ratio_and_the_middle() {
        let letterbox = Placement::new(PictureFit::Letterbox, [200, 100], [64, 64]);
        assert_eq!((letterbox.from, letterbox.to), ([0, 0, 200, 100], [0, 16, 64, 32]));
        assert_eq!(letterbox.place_corners([0.0, 0.0, 200.0, 100.0]), [0.0, 16.0, 64.0, 48.0]);
        let crop = Placement::new(PictureFit::Crop, [200, 100], [64, 64]);
        assert_eq!((crop.from, crop.to), ([50, 0, 100, 100], [0, 0, 64, 64]));
        assert_eq!(crop.place_corners([50.0, 0.0, 100.0, 100.0]), [0.0, 0.0, 32.0, 64.0]);
        let stretch = Placement::new(PictureFit::Stretch, [200, 100], [64, 64]);
        assert!(stretch.is_stretched() && !crop.is_stretched() && !letterbox.is_stretched());
        assert!((stretch.area_scale() - 64.0 * 64.0 / 20000.0).abs() < 1e-12);
        // A line of pixels does not become nothing, and no picture grows beyond the sample.
        assert_eq!(Placement::new(PictureFit::Letterbox, [4096, 1], [8, 8]).to, [0, 3, 8, 1]);
        assert_eq!(Placement::new(PictureFit::Crop, [4096, 1], [8, 8]).from, [2047, 0, 1, 1]);
        let same = Placement::new(PictureFit::Crop, [3, 2], [3, 2]);
        assert_eq!((same.is_identity(), note(&[same], PictureFit::Crop, "x")), (true, None));
    }

    #[test]
    fn labels_take_the_nearest_pixel_and_padding_is_void() {
        let up = Placement::new(PictureFit::Stretch, [2, 1], [6, 2]);
        assert_eq!(up.place_labels(&[1u8, 2], 9), [1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2]);
        let down = Placement::new(PictureFit::Stretch, [6, 1], [2, 1]);
        assert_eq!(down.place_labels(&[0u8, 1, 2, 3, 4, 5], 9), [1, 4]);
        let padded = Placement::new(PictureFit::Letterbox, [2, 1], [2, 3]);
        assert_eq!(padded.place_labels(&[1u8, 2], 9), [9, 9, 1, 2, 9, 9]);
    }

    #[test]
    fn pictures_labels_and_boxes_stay_together() {
        // A white rectangle on black: its mask and its box are found where its pixels went.
        for fit in PictureFit::ALL {
            let placement = Placement::new(fit, [60, 40], [90, 90]);
            let inside = |x: u32, y: u32| (20..44).contains(&x) && (8..32).contains(&y);
            let picture = GrayImage::from_fn(60, 40, |x, y| Luma([if inside(x, y) { 255 } else { 0 }]));
            let labels: Vec<u8> = picture.pixels().map(|pixel| pixel.0[0] / 255).collect();
            let placed = placement.place(picture.into()).into_luma8();
            let labels = placement.place_labels(&labels, 7);
            let [left, top, right, bottom] = placement.place_corners([20.0, 8.0, 44.0, 32.0]);
            for (pixel, label) in
                placed.enumerate_pixels().map(|(x, y, p)| ((x, y, p.0[0]), labels[(y * 90 + x) as usize]))
            {
                let ((x, y, value), is_in) = (pixel, label == 1);
                let (cx, cy) = (f64::from(x) + 0.5, f64::from(y) + 0.5);
                let in_box = cx >= left && cx < right && cy >= top && cy < bottom;
                assert!(in_box == is_in, "{fit:?} {x} {y}");
                assert!((value > 127) == is_in || value.abs_diff(127) < 70, "{fit:?} {x} {y} {value}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_sizes_give_a_place_within_both(w in 1u32..300, h in 1u32..300, sw in 1u32..300, sh in 1u32..300, k in 0usize..3) {
            let placement = Placement::new(PictureFit::ALL[k], [w, h], [sw, sh]);
            let ([x, y, fw, fh], [left, top, tw, th]) = (placement.from, placement.to);
            prop_assert!(fw > 0 && fh > 0 && tw > 0 && th > 0);
            prop_assert!(x + fw <= w && y + fh <= h && left + tw <= sw && top + th <= sh);
            let labels = vec![1u16; (w * h) as usize];
            prop_assert_eq!(placement.place_labels(&labels, 0).len(), (sw * sh) as usize);
        }
    }
}
