//! Box decoding for single-shot detectors: prior boxes, offsets and non-maximum suppression.
//!
//! One layout is known without a description: that of the UltraFace detectors (Linzaer, MIT): scores `[P, classes]` with
//! class 0 for the background, and boxes `[P, 4]` as offsets from priors of fixed sizes on grids of four strides. Others
//! are described ([`super::detector_head`]).

use std::ops::Range;

use super::detected_box::DetectedBox;
use super::detector_head::{HeadDecoder, HeadDescription, HeadText};
use super::nms::suppress_by_class;
use crate::Result;
use crate::network::Network;
use crate::network::outputs::{NetworkOutput, OutputFunction};

/// Strides of the grids and the sizes of their priors, in pixels.
const GRIDS: [(usize, &[f32]); 4] =
    [(8, &[10.0, 16.0, 24.0]), (16, &[32.0, 48.0]), (32, &[64.0, 96.0]), (64, &[128.0, 192.0, 256.0])];
/// Scale of the center offsets and of the size offsets (the "variances" of SSD).
const CENTER_VARIANCE: f32 = 0.1;
const SIZE_VARIANCE: f32 = 0.2;
/// Boxes at or below this probability are discarded.
pub const MIN_SCORE: f32 = 0.7;
/// Of boxes that overlap by more than this (intersection over union), only the most probable is kept.
pub const MAX_IOU: f32 = 0.3;

/// Strides of the grids of detectors that have all values of a box in one output.
const COMBINED_STRIDES: [usize; 3] = [8, 16, 32];

/// How boxes are read from a detector's output vector.
#[derive(Clone, Debug)]
pub struct Detector {
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    UltraFace(UltraFace),
    Described(Box<HeadDecoder>),
}

/// Layout of an UltraFace output vector: ranges of scores and boxes, and the priors of the boxes.
#[derive(Clone, Debug, PartialEq)]
struct UltraFace {
    scores: Range<usize>,
    classes: usize,
    output_function: Option<OutputFunction>,
    boxes: Range<usize>,
    /// Center and size of every prior: `[x, y, w, h]`.
    priors: Vec<[f32; 4]>,
}

impl Detector {
    /// The detector layout of `network`, as in its file; `None` if it is not a known detector.
    pub fn from_network(network: &Network) -> Option<Self> {
        let &[_, height, width] = network.input_shape() else { return None };
        let parts = network.outputs();
        let [a, b] = parts.as_slice() else { return None };
        let matrix_shape = |part: &NetworkOutput| match part.shape[..] {
            [rows, columns] => Some((rows, columns)),
            _ => None,
        };
        let (scores, boxes) = match (matrix_shape(a)?, matrix_shape(b)?) {
            // Two outputs of width 4: which one holds the scores is not guessed.
            ((_, 4), (_, 4)) => return None,
            ((_, 4), _) => (b, a),
            (_, (_, 4)) => (a, b),
            _ => return None,
        };
        let priors = priors(width, height);
        let (rows, classes) = matrix_shape(scores)?;
        let fits = rows == priors.len() && matrix_shape(boxes)? == (rows, 4) && classes >= 2;
        fits.then(|| {
            let (boxes, scores, output_function) = (boxes.range.clone(), scores.range.clone(), scores.end);
            Self { kind: Kind::UltraFace(UltraFace { scores, classes, output_function, boxes, priors }) }
        })
    }

    /// The detector that `network`, as in its file, is by the description `head`.
    ///
    /// # Errors
    /// [`crate::Error::File`] with the line for a description that is none or does not fit the network.
    pub fn described(network: &Network, head: &HeadText) -> Result<Self> {
        let decoder = HeadDecoder::new(HeadDescription::parse(head)?, head, network)?;
        Ok(Self { kind: Kind::Described(Box::new(decoder)) })
    }

    /// Class names, in the order of [`DetectedBox::class`]; empty if they are not known.
    pub fn class_names(&self) -> &[String] {
        match &self.kind {
            Kind::UltraFace(_) => &[],
            Kind::Described(head) => head.class_names(),
        }
    }

    /// Why the outputs of a network that are compared as one vector are neither classes nor boxes, in sentences. `None` for
    /// one output and for known detectors. Boxes are mentioned only if an output may hold them.
    pub fn unsupported_reason(network: &Network) -> Option<String> {
        let parts = network.outputs();
        if parts.len() < 2 || Self::from_network(network).is_some() {
            return None;
        }
        let named: Vec<String> =
            parts.iter().map(|part| format!("'{}' {}", part.name, crate::error::format_shape(&part.shape))).collect();
        let (count, named) = (parts.len(), named.join(", "));
        let rows = match network.input_shape() {
            &[_, height, width] => Some(priors(width, height).len()),
            _ => None,
        };
        // Corners of many places, beside an output with values for each place.
        let may_be_boxes = |part: &NetworkOutput| matches!(part.shape[..], [places, 4] | [4, places] if places > 4);
        Some(match rows.filter(|_| parts.iter().any(may_be_boxes)) {
            Some(rows) => format!(
                "This network has {count} outputs ({named}). Without a description of its head, boxes are decoded only \
                 from the layout of UltraFace detectors (scores and offsets from fixed priors; for its input: scores \
                 {rows}xCLASSES and boxes {rows}x4), so none are drawn. Its outputs are compared as one vector, without \
                 accuracy. State its head with --head FILE.toml"
            ),
            None => format!(
                "This network has {count} outputs ({named}). None of them is taken for class scores, so they are \
                 compared as one vector, without accuracy"
            ),
        })
    }

    /// A sentence on the only output of `network` if it may hold boxes and their scores together: one row or column, of at least
    /// five values, for each cell of the grids that such detectors have, or three for each.
    pub fn combined_reason(network: &Network) -> Option<String> {
        let &[_, height, width] = network.input_shape() else { return None };
        let parts = network.outputs();
        let [part] = parts.as_slice() else { return None };
        let cells: usize =
            COMBINED_STRIDES.iter().map(|stride| width.div_ceil(*stride) * height.div_ceil(*stride)).sum();
        let shape: Vec<usize> = part.shape.iter().copied().skip_while(|side| *side == 1).collect();
        let &[a, b] = shape.as_slice() else { return None };
        let is_map = |side: usize| side == cells || side == 3 * cells;
        (is_map(a) && b >= 5 || is_map(b) && a >= 5).then(|| {
            format!(
                "The output '{}' ({}) has the shape of a detector's boxes and scores together. No boxes are drawn without a \
                 description of its head: --head FILE.toml with output = \"{}\"",
                part.name,
                crate::error::format_shape(&part.shape),
                part.name
            )
        })
    }

    /// Decodes the boxes of an output vector (before its output functions) that are drawn and compared, the most probable
    /// first.
    pub fn boxes(&self, output: &[f32]) -> Vec<DetectedBox> {
        match &self.kind {
            Kind::UltraFace(layout) => layout.boxes(output),
            Kind::Described(head) => head.boxes_above(output, head.shown_score()),
        }
    }

    /// All boxes that scores count, which may have low scores.
    pub fn scored_boxes(&self, output: &[f32]) -> Vec<DetectedBox> {
        match &self.kind {
            Kind::UltraFace(layout) => layout.boxes(output),
            Kind::Described(head) => head.boxes(output),
        }
    }
}

impl UltraFace {
    fn boxes(&self, output: &[f32]) -> Vec<DetectedBox> {
        let mut scores = output[self.scores.clone()].to_vec();
        if let Some(function) = self.output_function {
            function.apply(&mut scores, self.classes);
        }
        let offsets = &output[self.boxes.clone()];
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
        suppress_overlaps(&found)
    }
}

/// Non-maximum suppression per class: keeps the most probable box and discards those that overlap it.
fn suppress_overlaps(found: &[DetectedBox]) -> Vec<DetectedBox> {
    let corners: Vec<[f32; 4]> = found.iter().map(|b| [b.left, b.top, b.right, b.bottom]).collect();
    let scores: Vec<f32> = found.iter().map(|b| b.score).collect();
    let classes: Vec<usize> = found.iter().map(|b| b.class).collect();
    let kept = suppress_by_class(&corners, &scores, &classes, f64::from(MAX_IOU));
    kept.into_iter().filter_map(|index| found.get(index).copied()).collect()
}

/// The priors for an image of `width` × `height` pixels, row by row over each grid: `[P]` of `[x, y, w, h]`.
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
        Network { name: "n".into(), output: 5, nodes, scaling: None, class_names: vec![], neurons: None }
    }

    #[test]
    fn unknown_output_layouts_give_a_reason_instead_of_boxes() {
        let rows = priors(8, 8).len();
        let known = two_outputs(&[rows, 2], &[rows, 4]);
        assert!(Detector::from_network(&known).is_some() && Detector::unsupported_reason(&known).is_none());
        // As many columns, other priors: boxes of another detector family would be meaningless.
        let ssd = two_outputs(&[100, 21], &[100, 4]);
        assert!(Detector::from_network(&ssd).is_none());
        let why = Detector::unsupported_reason(&ssd).unwrap();
        assert!(why.contains("'a' 100x21, 'b' 100x4") && why.contains(&format!("scores {rows}xCLASSES")), "{why}");
        assert!(
            Detector::from_network(&two_outputs(&[rows, 4], &[rows, 4])).is_none(),
            "which are the scores is not guessed"
        );
        let mut single = two_outputs(&[4, 4], &[2, 2]);
        single.output = 3;
        assert_eq!(Detector::unsupported_reason(&single), None);
    }

    #[test]
    fn one_output_with_a_row_for_each_cell_may_hold_boxes_and_scores() {
        // Inputs of 8x8 pixels have one cell at each of three strides.
        let only = |shape: &[usize]| {
            let mut network = two_outputs(shape, &[1]);
            network.output = 3;
            Detector::combined_reason(&network)
        };
        assert!(only(&[9, 7]).unwrap().contains("'a' (9x7) has the shape of a detector's boxes and scores together"));
        assert!(only(&[6, 3]).is_some() && only(&[1, 9, 5]).is_some());
        assert_eq!([only(&[9, 4]), only(&[8, 7]), only(&[63]), only(&[3, 3, 7])], [None, None, None, None]);
        assert_eq!(Detector::combined_reason(&two_outputs(&[9, 7], &[1])), None);
    }

    #[test]
    fn boxes_are_decoded_from_priors_and_overlaps_suppressed() {
        let priors = priors(320, 240);
        assert_eq!(priors.len(), 4420);
        assert_eq!(priors[0], [4.0 / 320.0, 4.0 / 240.0, 10.0 / 320.0, 10.0 / 240.0]);
        let detector = UltraFace {
            scores: 0..8840,
            classes: 2,
            output_function: Some(OutputFunction::Softmax { log: false }),
            boxes: 8840..26520,
            priors,
        };
        let mut output = vec![0.0; 26520];
        // All scores are one half: no box.
        assert_eq!(detector.boxes(&output), []);
        // The three priors of the first cell, the middle one most probable, and one far away.
        for (k, logit) in [(0, 2.0), (1, 3.0), (2, 2.5), (4419, 4.0)] {
            output[2 * k + 1] = logit;
        }
        output[8840 + 4] = 2.5;
        let found = detector.boxes(&output);
        assert_eq!(found.len(), 2, "both others overlap the one in the middle: {found:?}");
        // Its center moves by a quarter of its sixteen pixels, so that its left edge is that of the image.
        assert!(found[0].right > 0.9 && found[1].left.abs() < 1e-6, "{found:?}");
        assert!((found[0].iou(&found[0]) - 1.0).abs() < 1e-6);
    }
}
