//! Boxes of pictures as targets of samples: checked, clipped and put in place.
//!
//! A box that can be left out without harm is left out with a note; what makes its file doubtful is an error of the
//! readers.

use super::placement::Placement;
use crate::data::Note;
use crate::data::samples::targets::TargetBox;

/// Where a box is cut by the edge of a sample, at least this part of its area must be left.
const MIN_VISIBLE: f64 = 0.25;

/// Boxes of one picture at most. The scores compare each with each detection of the picture.
pub(super) const MAX_BOXES: usize = 200_000;

/// A box in pixels of its picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PictureBox {
    pub class: u16,
    /// Left, top, right and bottom; finite, right and bottom not below left and top.
    pub corners: [f64; 4],
    /// Area of the object, if the file states it.
    pub area: Option<f64>,
    pub is_crowd: bool,
    pub is_difficult: bool,
}

/// Boxes that were changed or left out, with the first of each kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct BoxTally {
    empty: Counted,
    outside: Counted,
    clipped: Counted,
    cropped: Counted,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Counted {
    count: usize,
    first: String,
}

impl Counted {
    fn add(&mut self, place: impl FnOnce() -> String) {
        if self.count == 0 {
            self.first = place();
        }
        self.count += 1;
    }

    /// The number, `what` was done, and the first place.
    fn note(&self, what: &str) -> Option<Note> {
        let boxes = if self.count == 1 { "box" } else { "boxes" };
        (self.count > 0).then(|| Note::new(format!("{} {boxes} {what} (the first: {})", self.count, self.first)))
    }
}

impl BoxTally {
    /// Notes on what was counted.
    pub fn notes(&self) -> Vec<Note> {
        [
            self.outside.note("outside of the picture, left out").map(Note::warning),
            self.empty.note("without area, left out"),
            self.clipped.note("over the edge of the picture, clipped"),
            self.cropped.note("of which less than a quarter is in the sample, left out"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// The target of `boxed` in a picture of `size` that lies at `place`; `None` if it is left out. `name` is its place in
    /// the files.
    pub fn target(
        &mut self,
        boxed: &PictureBox,
        size: [u32; 2],
        place: &Placement,
        name: impl Fn() -> String,
    ) -> Option<TargetBox> {
        let [width, height] = size.map(f64::from);
        let [left, top, right, bottom] = boxed.corners;
        if left >= right || top >= bottom {
            self.empty.add(name);
            return None;
        }
        if left >= width || top >= height || right <= 0.0 || bottom <= 0.0 {
            self.outside.add(name);
            return None;
        }
        let corners = [left.max(0.0), top.max(0.0), right.min(width), bottom.min(height)];
        // Rounded coordinates of annotation tools reach over the edge by less than a pixel.
        if corners.iter().zip(boxed.corners).any(|(new, old)| (new - old).abs() >= 1.0) {
            self.clipped.add(&name);
        }
        let placed = place.place_corners(corners);
        let [sample_width, sample_height] = place.sample_size().map(f64::from);
        let cut = [
            placed[0].clamp(0.0, sample_width),
            placed[1].clamp(0.0, sample_height),
            placed[2].clamp(0.0, sample_width),
            placed[3].clamp(0.0, sample_height),
        ];
        let visible = area(cut) / area(placed);
        if visible < MIN_VISIBLE {
            self.cropped.add(name);
            return None;
        }
        let stated = boxed.area.map(|area| area * place.area_scale() * visible);
        Some(TargetBox {
            class: boxed.class,
            corners: cut.map(|value| value as f32),
            area: stated.unwrap_or(area(cut)) as f32,
            is_crowd: boxed.is_crowd,
            is_difficult: boxed.is_difficult,
        })
    }
}

fn area([left, top, right, bottom]: [f64; 4]) -> f64 {
    (right - left) * (bottom - top)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::options::PictureFit;

    #[test]
    fn boxes_are_clipped_or_left_out_and_counted() {
        let boxed = |corners| PictureBox { class: 1, corners, area: None, is_crowd: false, is_difficult: true };
        let place = Placement::new(PictureFit::Stretch, [100, 50], [50, 50]);
        let mut tally = BoxTally::default();
        let mut target = |corners| tally.target(&boxed(corners), [100, 50], &place, || format!("{corners:?}"));
        let kept = target([10.0, 10.0, 30.0, 20.0]).unwrap();
        assert_eq!((kept.corners, kept.area, kept.is_difficult), ([5.0, 10.0, 15.0, 20.0], 100.0, true));
        assert_eq!(kept.xywh(), [5.0, 10.0, 10.0, 10.0]);
        assert_eq!(target([90.0, 40.0, 130.0, 50.5]).unwrap().corners, [45.0, 40.0, 50.0, 50.0]);
        assert_eq!(target([3.0, 3.0, 3.0, 9.0]), None);
        assert_eq!(target([-9.0, 3.0, -1.0, 9.0]), None);
        let texts: Vec<String> = tally.notes().into_iter().map(|note| note.text).collect();
        assert_eq!(texts[0], "1 box outside of the picture, left out (the first: [-9.0, 3.0, -1.0, 9.0])");
        assert!(texts[1].contains("without area") && texts[2].contains("clipped") && texts.len() == 3, "{texts:?}");
    }

    #[test]
    fn cropping_leaves_out_boxes_beyond_the_edge_and_scales_areas() {
        let place = Placement::new(PictureFit::Crop, [200, 100], [50, 50]);
        let mut tally = BoxTally::default();
        let mut target = |corners, area| {
            let boxed = PictureBox { class: 0, corners, area, is_crowd: true, is_difficult: false };
            tally.target(&boxed, [200, 100], &place, || "x".into())
        };
        // The middle 100x100 pixels at half their size.
        let half = target([40.0, 0.0, 60.0, 20.0], Some(200.0)).unwrap();
        assert_eq!((half.corners, half.area, half.is_crowd), ([0.0, 0.0, 5.0, 10.0], 25.0, true));
        assert_eq!(target([0.0, 0.0, 51.0, 20.0], None), None);
        assert_eq!(tally.cropped.count, 1);
    }
}
