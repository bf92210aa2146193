//! Random changes of training pictures: crops, flips and shifts, which masks and boxes follow.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::data::samples::targets::{TargetBox, VOID};

/// Part of a box that must stay in the picture; one of which less stays is left out.
const MIN_VISIBLE: f32 = 0.25;

/// Which changes are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Augmentation {
    /// Each picture is moved by up to this many pixels down or up, right or left.
    pub shift: u8,
    pub flips: Flips,
    /// Smallest side of a crop as a part of the picture's, above 0 to 1; 1 crops nothing. The crop is scaled to the size of
    /// the picture.
    pub crop: f32,
}

impl Default for Augmentation {
    fn default() -> Self {
        Self { shift: 0, flips: Flips::None, crop: 1.0 }
    }
}

/// The flips of which each is drawn for half of the pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flips {
    #[default]
    None,
    /// Left and right change places.
    Horizontal,
    /// Also top and bottom.
    Both,
}

impl Flips {
    /// Parses `none`, `horizontal` or `both`.
    ///
    /// # Errors
    /// [`crate::Error::Invalid`] for any other word.
    pub fn parse(text: &str) -> crate::Result<Self> {
        match text {
            "none" => Ok(Self::None),
            "horizontal" => Ok(Self::Horizontal),
            "both" => Ok(Self::Both),
            _ => Err(crate::Error::Invalid(format!(
                "Cannot use flips '{text}': unknown word. Use none, horizontal or both."
            ))),
        }
    }
}

/// The change of one picture: a crop, then flips, then a shift.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Change {
    /// In pixels, down and right.
    pub shift: [isize; 2],
    /// Top with bottom, left with right.
    pub flip: [bool; 2],
    pub crop: Option<Crop>,
}

/// A part of a picture, in parts of its sides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Crop {
    pub top: f32,
    pub left: f32,
    pub side: f32,
}

impl Change {
    /// A random change. Without flips and crops only the two numbers of the shift are drawn.
    pub fn random(of: Augmentation, rng: &mut ChaCha8Rng) -> Self {
        let most = i16::from(of.shift);
        let shift = [(); 2].map(|()| isize::from(rng.random_range(-most..=most)));
        let right = of.flips != Flips::None && rng.random();
        let down = of.flips == Flips::Both && rng.random();
        let crop = (of.crop < 1.0).then(|| {
            let side = rng.random_range(of.crop..=1.0);
            let mut start = || rng.random_range(0.0..=1.0 - side);
            Crop { top: start(), left: start(), side }
        });
        Self { shift, flip: [down, right], crop }
    }

    /// Where the pixels of an axis (0: rows, 1: columns) of `size` pixels come from.
    fn axis(&self, axis: usize, size: usize) -> Axis {
        let window = self.crop.map_or([0.0, 1.0], |crop| [[crop.top, crop.left][axis], crop.side]);
        Axis { size, shift: self.shift[axis], flip: self.flip[axis], window }
    }

    /// Writes the planes of `from`, `[C, H, W]`, to `to`; pixels without a source stay unchanged.
    pub fn apply(&self, from: &[f32], to: &mut [f32], [height, width]: [usize; 2]) {
        let (rows, columns) = (self.axis(0, height).taps(), self.axis(1, width).taps());
        for (from, to) in from.chunks_exact(height * width).zip(to.chunks_exact_mut(height * width)) {
            for (row, to) in rows.iter().zip(to.chunks_exact_mut(width)) {
                let Some(row) = row else { continue };
                let line = |y: usize| &from[y * width..][..width];
                let (above, below) = (line(row.first), line(row.second));
                for (column, to) in columns.iter().zip(to) {
                    let Some(column) = column else { continue };
                    let at = |line: &[f32]| column.mix(line[column.first], line[column.second]);
                    *to = row.mix(at(above), at(below));
                }
            }
        }
    }

    /// Writes the classes of the pixels; those without a source are void.
    pub fn apply_to_mask(&self, from: &[u8], to: &mut [u8], [height, width]: [usize; 2]) {
        let (rows, columns) = (self.axis(0, height).taps(), self.axis(1, width).taps());
        for (row, to) in rows.iter().zip(to.chunks_exact_mut(width)) {
            for (column, to) in columns.iter().zip(to) {
                *to = match (row, column) {
                    (Some(row), Some(column)) => from[row.nearest() * width + column.nearest()],
                    _ => VOID,
                };
            }
        }
    }

    /// The boxes that stay in the picture.
    pub fn boxes(&self, boxes: &[TargetBox], [height, width]: [usize; 2]) -> Vec<TargetBox> {
        let (rows, columns) = (self.axis(0, height), self.axis(1, width));
        let moved = |target: &TargetBox| {
            let [left, top, right, bottom] = target.corners;
            let ([left, right], [top, bottom]) = (columns.interval([left, right]), rows.interval([top, bottom]));
            let area = (right - left) * (bottom - top);
            let ([first_x, last_x], [first_y, last_y]) = (columns.filled(), rows.filled());
            let corners = [left.max(first_x), top.max(first_y), right.min(last_x), bottom.min(last_y)];
            let [w, h] = [corners[2] - corners[0], corners[3] - corners[1]];
            let stays = w >= 1.0 && h >= 1.0 && w * h >= MIN_VISIBLE * area;
            stays.then_some(TargetBox { corners, area: w * h, ..*target })
        };
        boxes.iter().filter_map(moved).collect()
    }
}

/// One axis of a change.
#[derive(Clone, Copy)]
struct Axis {
    size: usize,
    shift: isize,
    flip: bool,
    /// Start and length of the crop in parts of the size.
    window: [f32; 2],
}

/// The source of a pixel along an axis: two neighbors and the share of the second.
#[derive(Clone, Copy)]
struct Tap {
    first: usize,
    second: usize,
    share: f32,
}

impl Axis {
    /// The source of every pixel; `None` beyond the picture.
    fn taps(self) -> Vec<Option<Tap>> {
        let one = |to: usize| {
            let at = to.checked_add_signed(-self.shift).filter(|&at| at < self.size)?;
            let at = if self.flip { self.size - 1 - at } else { at };
            if self.window == [0.0, 1.0] {
                return Some(Tap { first: at, second: at, share: 0.0 });
            }
            let [start, length] = self.window;
            let last = (self.size - 1) as f32;
            let at = (start * self.size as f32 + (at as f32 + 0.5) * length - 0.5).clamp(0.0, last);
            let first = at as usize;
            Some(Tap { first, second: (first + 1).min(self.size - 1), share: at - first as f32 })
        };
        (0..self.size).map(one).collect()
    }

    /// The pixels that have a source.
    fn filled(self) -> [f32; 2] {
        let (size, shift) = (self.size as f32, self.shift as f32);
        [shift.max(0.0), (size + shift).min(size)]
    }

    /// Where an interval lies after the change; it may reach beyond the picture.
    fn interval(self, ends: [f32; 2]) -> [f32; 2] {
        let size = self.size as f32;
        let [start, length] = self.window;
        let [a, b] = ends.map(|end| (end - start * size) / length);
        let [a, b] = if self.flip { [size - b, size - a] } else { [a, b] };
        [a + self.shift as f32, b + self.shift as f32]
    }
}

impl Tap {
    fn mix(&self, first: f32, second: f32) -> f32 {
        if self.share == 0.0 { first } else { first * (1.0 - self.share) + second * self.share }
    }
    fn nearest(&self) -> usize {
        if self.share < 0.5 { self.first } else { self.second }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn pictures_masks_and_boxes_move_together() {
        // A bright rectangle, its mask and its box stay together under random changes.
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let size = [40, 60];
        let inside = |k: usize| (12..30).contains(&(k / 60)) && (20..44).contains(&(k % 60));
        let picture: Vec<f32> = (0..2400).map(|k| if inside(k) { 200.0 } else { 0.0 }).collect();
        let mask: Vec<u8> = (0..2400).map(|k| u8::from(inside(k))).collect();
        let corners = [20.0, 12.0, 44.0, 30.0];
        let target = TargetBox { class: 3, corners, area: 1.0, is_crowd: false, is_difficult: false };
        let augmentation = Augmentation { shift: 5, flips: Flips::Both, crop: 0.6 };
        let (mut moved, mut flipped) = (0, 0);
        for _ in 0..200 {
            let change = Change::random(augmentation, &mut rng);
            moved += usize::from(change.shift != [0, 0]);
            flipped += usize::from(change.flip[0]);
            let (mut to, mut classes) = (vec![0.0; 2400], vec![9; 2400]);
            change.apply(&picture, &mut to, size);
            change.apply_to_mask(&mask, &mut classes, size);
            let boxes = change.boxes(&[target], size);
            let [left, top, right, bottom] = boxes.first().map_or([0.0; 4], |found| found.corners);
            for (k, (&value, &class)) in to.iter().zip(&classes).enumerate() {
                let (x, y) = ((k % 60) as f32 + 0.5, (k / 60) as f32 + 0.5);
                // The nearest pixel has a quarter of the value at least.
                assert!(if class == 1 { value > 49.0 } else { value < 151.0 }, "{change:?} {x} {y} {value} {class}");
                let is_in = x > left && x < right && y > top && y < bottom;
                let edge = [x - left, right - x, y - top, bottom - y].iter().any(|d| d.abs() < 1.0);
                assert!(boxes.is_empty() || edge || is_in == (class == 1), "{change:?} {x} {y} {class} {boxes:?}");
            }
        }
        assert!(moved > 150 && (60..140).contains(&flipped));
    }

    #[test]
    fn boxes_that_leave_the_picture_are_left_out() {
        let target = |corners| TargetBox { class: 0, corners, area: 1.0, is_crowd: false, is_difficult: false };
        let change = Change { shift: [0, 8], ..Change::default() };
        let boxes = [target([0.0, 0.0, 4.0, 4.0]), target([6.0, 0.0, 10.0, 4.0]), target([1.0, 1.0, 3.0, 3.0])];
        let kept: Vec<[f32; 4]> = change.boxes(&boxes, [10, 10]).iter().map(|found| found.corners).collect();
        assert_eq!(kept, [[8.0, 0.0, 10.0, 4.0], [9.0, 1.0, 10.0, 3.0]]);
        let half = Change { crop: Some(Crop { top: 0.5, left: 0.0, side: 0.5 }), ..Change::default() };
        assert_eq!(half.boxes(&[target([2.0, 6.0, 4.0, 9.0])], [10, 10])[0].corners, [4.0, 2.0, 8.0, 8.0]);
        assert!(Flips::parse("diagonal").is_err() && Flips::parse("both").is_ok());
    }

    #[test]
    fn shifts_alone_draw_two_numbers() {
        let (mut a, mut b) = (ChaCha8Rng::seed_from_u64(1), ChaCha8Rng::seed_from_u64(1));
        let only_shift = Augmentation { shift: 2, ..Augmentation::default() };
        let changes: Vec<[isize; 2]> = (0..9).map(|_| Change::random(only_shift, &mut a).shift).collect();
        let drawn: Vec<[isize; 2]> = (0..9).map(|_| [(); 2].map(|()| isize::from(b.random_range(-2i16..=2)))).collect();
        assert_eq!(changes, drawn);
    }
}
