//! Boxes out of the answers of a single-shot detector: prior boxes, decoding, and suppression of what overlaps. Knows the
//! layout of the UltraFace detectors (Linzaer, MIT): scores `[P, classes]` with class 0 for nothing, boxes `[P, 4]` as offsets
//! from priors of fixed sizes on grids of four strides.

use std::ops::Range;

use serde::Serialize;

use crate::network::Network;
use crate::network::outputs::End;

/// Strides of the grids and the sizes of their priors, in pixels.
const GRIDS: [(usize, &[f32]); 4] =
    [(8, &[10.0, 16.0, 24.0]), (16, &[32.0, 48.0]), (32, &[64.0, 96.0]), (64, &[128.0, 192.0, 256.0])];
/// By how much offsets of centres and sizes are scaled down.
const CENTER_VARIANCE: f32 = 0.1;
const SIZE_VARIANCE: f32 = 0.2;
/// Boxes below this probability are dropped.
pub const LEAST_SCORE: f32 = 0.7;
/// Of boxes that overlap by more than this (intersection over union) the most probable stays.
pub const MOST_OVERLAP: f32 = 0.3;

/// A box that was found. Corners are shares of the picture's width and height.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Found {
    pub class: usize,
    /// Probability of the class.
    pub score: f32,
    pub left: f32,
    pub top: f32,
    pub right: f32,
    pub bottom: f32,
}

/// Where a detector's answer has its scores and boxes, and what they are relative to.
#[derive(Clone, Debug, PartialEq)]
pub struct Detector {
    scores: Range<usize>,
    classes: usize,
    end: Option<End>,
    boxes: Range<usize>,
    /// Centre and size of every prior: `[x, y, w, h]`.
    priors: Vec<[f32; 4]>,
}

impl Detector {
    /// The detector that `network`, as in its file, is; `None` where it is none that is known.
    pub fn of(network: &Network) -> Option<Self> {
        let &[_, height, width] = network.input_shape() else { return None };
        let parts = network.parts();
        let [a, b] = parts.as_slice() else { return None };
        let wide = |part: &crate::network::outputs::Part| match part.shape[..] {
            [rows, columns] => Some((rows, columns)),
            _ => None,
        };
        let (scores, boxes) = match (wide(a)?, wide(b)?) {
            ((_, 4), (_, columns)) if columns != 4 => (b, a),
            (_, (_, 4)) => (a, b),
            _ => return None,
        };
        let priors = priors(width, height);
        let (rows, classes) = wide(scores)?;
        let fits = rows == priors.len() && wide(boxes)? == (rows, 4) && classes >= 2;
        fits.then(|| Self {
            scores: scores.range.clone(),
            classes,
            end: scores.end,
            boxes: boxes.range.clone(),
            priors,
        })
    }

    /// The boxes in an answer (before the functions at its end), the most probable first.
    pub fn boxes(&self, answer: &[f32]) -> Vec<Found> {
        let mut scores = answer[self.scores.clone()].to_vec();
        if let Some(end) = self.end {
            end.apply(&mut scores, self.classes);
        }
        let offsets = &answer[self.boxes.clone()];
        let mut found = Vec::new();
        for (k, (row, prior)) in scores.chunks(self.classes).zip(&self.priors).enumerate() {
            for (class, &score) in row.iter().enumerate().skip(1).filter(|(_, score)| **score > LEAST_SCORE) {
                let [x, y, w, h] = *prior;
                let offset = &offsets[k * 4..k * 4 + 4];
                let (x, y) = (x + offset[0] * CENTER_VARIANCE * w, y + offset[1] * CENTER_VARIANCE * h);
                let (w, h) = (w * (offset[2] * SIZE_VARIANCE).exp(), h * (offset[3] * SIZE_VARIANCE).exp());
                let (left, right) = (x - w / 2.0, x + w / 2.0);
                found.push(Found { class, score, left, top: y - h / 2.0, right, bottom: y + h / 2.0 });
            }
        }
        suppressed(found)
    }
}

impl Found {
    fn area(&self) -> f32 {
        (self.right - self.left).max(0.0) * (self.bottom - self.top).max(0.0)
    }
    /// Intersection over union with `other`.
    pub fn overlap(&self, other: &Self) -> f32 {
        let wide = self.right.min(other.right) - self.left.max(other.left);
        let high = self.bottom.min(other.bottom) - self.top.max(other.top);
        let shared = wide.max(0.0) * high.max(0.0);
        shared / (self.area() + other.area() - shared).max(f32::MIN_POSITIVE)
    }
}

/// Non-maximum suppression, class by class: the most probable box stays, what overlaps it goes.
fn suppressed(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Found> = Vec::new();
    for one in found {
        if !kept.iter().any(|other| other.class == one.class && other.overlap(&one) > MOST_OVERLAP) {
            kept.push(one);
        }
    }
    kept
}

/// The priors for a picture of `width` × `height` pixels, row by row over each grid.
fn priors(width: usize, height: usize) -> Vec<[f32; 4]> {
    let (w, h) = (width as f32, height as f32);
    let mut all = Vec::new();
    for (stride, sizes) in GRIDS {
        let (columns, rows) = (width.div_ceil(stride), height.div_ceil(stride));
        for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))) {
            let centre = |i: usize, side: f32| ((i as f32 + 0.5) * stride as f32 / side).clamp(0.0, 1.0);
            let prior = |size: &f32| [centre(column, w), centre(row, h), (size / w).min(1.0), (size / h).min(1.0)];
            all.extend(sizes.iter().map(prior));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_are_decoded_from_priors_and_overlaps_suppressed() {
        let priors = priors(320, 240);
        assert_eq!(priors.len(), 4420);
        assert_eq!(priors[0], [4.0 / 320.0, 4.0 / 240.0, 10.0 / 320.0, 10.0 / 240.0]);
        let detector = Detector {
            scores: 0..8840,
            classes: 2,
            end: Some(End::Softmax { log: false }),
            boxes: 8840..26520,
            priors,
        };
        let mut answer = vec![0.0; 26520];
        // Nothing is sure: one half each.
        assert_eq!(detector.boxes(&answer), []);
        // The three priors of the first place, the middle one surest, and one far away.
        for (k, logit) in [(0, 2.0), (1, 3.0), (2, 2.5), (4419, 4.0)] {
            answer[2 * k + 1] = logit;
        }
        answer[8840 + 4] = 2.5;
        let found = detector.boxes(&answer);
        assert_eq!(found.len(), 2, "both others overlap the one in the middle: {found:?}");
        // Its centre is moved by a quarter of its sixteen pixels, so that it begins at the left edge.
        assert!(found[0].right > 0.9 && found[1].left.abs() < 1e-6, "{found:?}");
        assert!((found[0].overlap(&found[0]) - 1.0).abs() < 1e-6);
    }
}
