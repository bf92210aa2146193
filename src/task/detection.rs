//! Boxes out of the answers of a single-shot detector: prior boxes, decoding, and suppression of what overlaps. Knows the
//! layout of the UltraFace detectors (Linzaer, MIT): scores `[P, classes]` with class 0 for nothing, boxes `[P, 4]` as offsets
//! from priors of fixed sizes on grids of four strides.

use std::ops::Range;

use serde::Serialize;

use crate::network::Network;
use crate::network::outputs::OutputFunction;

/// Strides of the grids and the sizes of their priors, in pixels.
const GRIDS: [(usize, &[f32]); 4] =
    [(8, &[10.0, 16.0, 24.0]), (16, &[32.0, 48.0]), (32, &[64.0, 96.0]), (64, &[128.0, 192.0, 256.0])];
/// By how much offsets of centers and sizes are scaled down.
const CENTER_VARIANCE: f32 = 0.1;
const SIZE_VARIANCE: f32 = 0.2;
/// Boxes below this probability are dropped.
pub const MIN_SCORE: f32 = 0.7;
/// Of boxes that overlap by more than this (intersection over union) the most probable stays.
pub const MAX_IOU: f32 = 0.3;

/// A box that was found. Corners are shares of the picture's width and height.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct DetectedBox {
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
    end: Option<OutputFunction>,
    boxes: Range<usize>,
    /// Center and size of every prior: `[x, y, w, h]`.
    priors: Vec<[f32; 4]>,
}

impl Detector {
    /// The detector that `network`, as in its file, is; `None` where it is none that is known.
    pub fn of(network: &Network) -> Option<Self> {
        let &[_, height, width] = network.input_shape() else { return None };
        let parts = network.outputs();
        let [a, b] = parts.as_slice() else { return None };
        let wide = |part: &crate::network::outputs::NetworkOutput| match part.shape[..] {
            [rows, columns] => Some((rows, columns)),
            _ => None,
        };
        let (scores, boxes) = match (wide(a)?, wide(b)?) {
            // Which of two alike are the scores is not guessed.
            ((_, 4), (_, 4)) => return None,
            ((_, 4), _) => (b, a),
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

    /// Why no boxes are drawn of a network with several outputs, in sentences; `None` for classifiers, which have one, and for
    /// detectors that are known.
    pub fn unsupported_reason(network: &Network) -> Option<String> {
        let parts = network.outputs();
        if parts.len() < 2 || Self::of(network).is_some() {
            return None;
        }
        let named: Vec<String> =
            parts.iter().map(|part| format!("'{}' {}", part.name, crate::error::format_shape(&part.shape))).collect();
        let wanted = match network.input_shape() {
            &[_, height, width] => {
                let rows = priors(width, height).len();
                format!("for its input of {width}x{height}: scores {rows}xCLASSES and boxes {rows}x4")
            }
            _ => "and its input is not an image".to_owned(),
        };
        Some(format!(
            "This network has {} outputs ({}). Boxes are decoded only from the layout of UltraFace detectors (scores \
             and offsets from fixed priors; {wanted}), so none are drawn. Its outputs are compared as one vector; \
             accuracy and agreement, which use the largest output, mean little.",
            parts.len(),
            named.join(", ")
        ))
    }

    /// The boxes in an answer (before the functions at its end), the most probable first.
    pub fn boxes(&self, answer: &[f32]) -> Vec<DetectedBox> {
        let mut scores = answer[self.scores.clone()].to_vec();
        if let Some(end) = self.end {
            end.apply(&mut scores, self.classes);
        }
        let offsets = &answer[self.boxes.clone()];
        let mut found = Vec::new();
        for (k, (row, prior)) in scores.chunks(self.classes).zip(&self.priors).enumerate() {
            for (class, &score) in row.iter().enumerate().skip(1).filter(|(_, score)| **score > MIN_SCORE) {
                let [x, y, w, h] = *prior;
                let offset = &offsets[k * 4..k * 4 + 4];
                let (x, y) = (x + offset[0] * CENTER_VARIANCE * w, y + offset[1] * CENTER_VARIANCE * h);
                let (w, h) = (w * (offset[2] * SIZE_VARIANCE).exp(), h * (offset[3] * SIZE_VARIANCE).exp());
                let (left, right) = (x - w / 2.0, x + w / 2.0);
                found.push(DetectedBox { class, score, left, top: y - h / 2.0, right, bottom: y + h / 2.0 });
            }
        }
        suppressed(found)
    }
}

impl DetectedBox {
    fn area(&self) -> f32 {
        (self.right - self.left).max(0.0) * (self.bottom - self.top).max(0.0)
    }
    /// Intersection over union with `other`.
    pub fn iou(&self, other: &Self) -> f32 {
        let wide = self.right.min(other.right) - self.left.max(other.left);
        let high = self.bottom.min(other.bottom) - self.top.max(other.top);
        let shared = wide.max(0.0) * high.max(0.0);
        shared / (self.area() + other.area() - shared).max(f32::MIN_POSITIVE)
    }
}

/// Non-maximum suppression, class by class: the most probable box stays, what overlaps it goes.
fn suppressed(mut found: Vec<DetectedBox>) -> Vec<DetectedBox> {
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<DetectedBox> = Vec::new();
    for one in found {
        if !kept.iter().any(|other| other.class == one.class && other.iou(&one) > MAX_IOU) {
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
            let center = |i: usize, side: f32| ((i as f32 + 0.5) * stride as f32 / side).clamp(0.0, 1.0);
            let prior = |size: &f32| [center(column, w), center(row, h), (size / w).min(1.0), (size / h).min(1.0)];
            all.extend(sizes.iter().map(prior));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A network of input 3×8×8 with two outputs of the given shapes.
    fn two_outputs(a: &[usize], b: &[usize]) -> Network {
        use crate::network::{Node, NodeId, Op};
        let node = |name: &str, op, inputs: &[NodeId], shape: &[usize]| Node {
            name: name.into(),
            op,
            inputs: inputs.to_vec(),
            shape: shape.to_vec(),
        };
        let len = |shape: &[usize]| shape.iter().product::<usize>();
        let nodes = vec![
            node("x", Op::Input, &[], &[3, 8, 8]),
            node("a.whole", Op::Reshape, &[0], a),
            node("b.whole", Op::Reshape, &[0], b),
            node("a", Op::Reshape, &[1], &[len(a)]),
            node("b", Op::Reshape, &[2], &[len(b)]),
            node("both", Op::Concat { axis: 0 }, &[3, 4], &[len(a) + len(b)]),
        ];
        Network { name: "n".into(), output: 5, nodes, scaling: None, class_names: vec![] }
    }

    #[test]
    fn other_layouts_give_no_boxes_but_a_reason() {
        let rows = priors(8, 8).len();
        let known = two_outputs(&[rows, 2], &[rows, 4]);
        assert!(Detector::of(&known).is_some() && Detector::unsupported_reason(&known).is_none());
        // As many columns, other priors: a detector of another family would be decoded to nonsense.
        let ssd = two_outputs(&[100, 21], &[100, 4]);
        assert!(Detector::of(&ssd).is_none());
        let why = Detector::unsupported_reason(&ssd).unwrap();
        assert!(why.contains("'a' 100x21, 'b' 100x4") && why.contains(&format!("scores {rows}xCLASSES")), "{why}");
        assert!(Detector::of(&two_outputs(&[rows, 4], &[rows, 4])).is_none(), "which are the scores is not guessed");
        let mut one = two_outputs(&[4, 4], &[2, 2]);
        one.output = 3;
        assert_eq!(Detector::unsupported_reason(&one), None);
    }

    #[test]
    fn boxes_are_decoded_from_priors_and_overlaps_suppressed() {
        let priors = priors(320, 240);
        assert_eq!(priors.len(), 4420);
        assert_eq!(priors[0], [4.0 / 320.0, 4.0 / 240.0, 10.0 / 320.0, 10.0 / 240.0]);
        let detector = Detector {
            scores: 0..8840,
            classes: 2,
            end: Some(OutputFunction::Softmax { log: false }),
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
        // Its center is moved by a quarter of its sixteen pixels, so that it begins at the left edge.
        assert!(found[0].right > 0.9 && found[1].left.abs() < 1e-6, "{found:?}");
        assert!((found[0].iou(&found[0]) - 1.0).abs() < 1e-6);
    }
}
