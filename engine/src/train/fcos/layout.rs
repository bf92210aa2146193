//! Where the outputs of a detector hold what, and the places that they are about.

use crate::error::format_shape;
use crate::network::Network;

/// Distances to the sides of a box that a level takes, in its strides, at most; farther ones belong to the next level. FCOS
/// takes 8, for objects of up to a quarter of a picture of 1000 pixels; small pictures have larger ones.
const REACH: f32 = 4.0;

/// The outputs of a detector: for each level classes, distances and centre-ness.
#[derive(Clone, Debug, PartialEq)]
pub struct FcosLayout {
    pub classes: usize,
    pub levels: Vec<FcosLevel>,
    /// See [`REACH`].
    pub(super) reach: f32,
}

/// The outputs of one level.
#[derive(Clone, Debug, PartialEq)]
pub struct FcosLevel {
    /// Pixels from place to place.
    pub stride: usize,
    /// Places, `[rows, columns]`.
    pub size: [usize; 2],
    /// Names of the outputs: classes, boxes, centre-ness.
    pub names: [String; 3],
    /// Their first values in the output vector.
    starts: [usize; 3],
}

/// One place of a level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    /// x and y in pixels.
    pub point: [f32; 2],
    pub stride: f32,
    /// Largest distances to a side of the box, from above the first to below the second.
    pub bounds: [f32; 2],
    /// Places of the level.
    pub plane: usize,
    /// Index of the first class, of the distance to the left and of the centre-ness in the output vector; the next class
    /// and side are `plane` further.
    pub classes: usize,
    pub boxes: usize,
    pub centerness: usize,
}

impl FcosLayout {
    /// The layout of `network`: for each level, from fine to coarse, outputs `[classes, H, W]`, `[4, H, W]` and
    /// `[1, H, W]`; `None` for other outputs.
    pub fn of(network: &Network) -> Option<Self> {
        let &[_, height, width] = network.input_shape() else { return None };
        let outputs = network.outputs();
        let (levels, []) = outputs.as_chunks::<3>() else { return None };
        let mut found = Vec::new();
        for outputs in levels {
            let [classes, boxes, centerness] = outputs;
            let (&[_, rows, columns], &[4, ..], &[1, ..]) =
                (classes.shape.as_slice(), boxes.shape.as_slice(), centerness.shape.as_slice())
            else {
                return None;
            };
            let same = [boxes, centerness].iter().all(|output| output.shape[1..] == [rows, columns]);
            // Sides that are no multiples leave it open; strides are usually powers of two.
            let fits = |stride: &usize| rows == height.div_ceil(*stride) && columns == width.div_ceil(*stride);
            let powers = (0..usize::BITS - 1).map(|power| 1usize << power);
            let stride = powers.take_while(|stride| *stride <= 2 * height.max(width)).find(fits);
            let stride = stride.or_else(|| (1..=height.max(width)).find(fits)).filter(|_| same)?;
            found.push(FcosLevel {
                stride,
                size: [rows, columns],
                names: outputs.each_ref().map(|output| output.name.clone()),
                starts: outputs.each_ref().map(|output| output.range.start),
            });
        }
        let classes = outputs.first()?.shape[0];
        let is_same = outputs.iter().step_by(3).all(|output| output.shape[0] == classes);
        let rises = found.windows(2).all(|pair| pair[0].stride < pair[1].stride);
        (is_same && rises).then_some(Self { classes, levels: found, reach: REACH })
    }

    /// Why `network` has no such layout, in words.
    pub fn misfit(network: &Network) -> String {
        let shapes: Vec<String> = network.outputs().iter().map(|output| format_shape(&output.shape)).collect();
        format!(
            "the outputs of the network '{}' are {}, but boxes are trained on three outputs a level, from fine to coarse: \
             CLASSESxHxW, 4xHxW and 1xHxW",
            network.name,
            shapes.join(", ")
        )
    }

    /// All places, level by level, row by row.
    pub(super) fn places(&self) -> Vec<Place> {
        let last = self.levels.len().saturating_sub(1);
        let mut places = Vec::new();
        for (index, level) in self.levels.iter().enumerate() {
            let stride = level.stride as f32;
            // A level begins where the one before it ends.
            let least = index.checked_sub(1).map_or(0.0, |before| self.levels[before].stride as f32 * self.reach);
            let most = if index == last { f32::INFINITY } else { stride * self.reach };
            let [rows, columns] = level.size;
            for (y, x) in (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x))) {
                let [classes, boxes, centerness] = level.starts.map(|start| start + y * columns + x);
                places.push(Place {
                    point: [x, y].map(|cell| (cell as f32 + 0.5) * stride),
                    stride,
                    bounds: [least, most],
                    plane: rows * columns,
                    classes,
                    boxes,
                    centerness,
                });
            }
        }
        places
    }
}

impl Place {
    /// Distances to the left, top, right and bottom of a box, in pixels; negative ones for a point outside.
    pub(super) fn distances(&self, [left, top, right, bottom]: [f32; 4]) -> [f32; 4] {
        let [x, y] = self.point;
        [x - left, y - top, right - x, bottom - y]
    }
}
