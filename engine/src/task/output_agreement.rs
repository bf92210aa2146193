//! Agreement of ANN and SNN outputs that are not classes: box F1 or relative error, per step.
//!
//! For classifiers it is the fraction of equal predictions ([`crate::measure::accuracy_curve()`]).

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::detected_box::DetectedBox;
use super::detection::Detector;
use crate::compute::AnnRun;
use crate::convert::{Finding, Fix};
use crate::network::Network;
use crate::simulate::Recording;

/// Boxes of one class match if they overlap by at least this much (intersection over union).
pub const MATCH_IOU: f32 = 0.5;

/// Kind of the outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutputKind {
    Boxes,
    Values,
}

impl OutputKind {
    /// The name of the measure that tells how alike both networks' outputs are.
    pub fn measure(self) -> &'static str {
        match self {
            Self::Boxes => "matching boxes",
            Self::Values => "output similarity",
        }
    }
}

/// Comparison of every sample's SNN output at every step with the ANN's.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputAgreement {
    pub of: OutputKind,
    pub samples: usize,
    pub steps: usize,
    /// Boxes that the ANN detects in each sample, `[N]`; zeros for outputs that are not boxes.
    ann: Vec<u32>,
    /// `[N][T]`, time innermost.
    at: Vec<SampleAgreement>,
}

/// Comparison of one sample's output after t steps.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SampleAgreement {
    /// Boxes that the SNN detects.
    pub found: u32,
    /// Of those, boxes that the ANN detects as well.
    pub same: u32,
    /// Sum of the intersections over union of those.
    pub overlap: f32,
    /// ‖s/t − a‖ / ‖a‖, with the readout s summed over t steps and the ANN's outputs a.
    pub error: f32,
}

/// Boxes detected in all samples after t steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct BoxCounts {
    pub ann: u32,
    pub snn: u32,
    /// Detected by both, at the same place.
    pub same: u32,
    /// Mean intersection over union of those; 0 if there are none.
    pub overlap: f64,
}

impl OutputAgreement {
    /// Compares a run of `network`, as in its file, which may be a `detector`; `None` for a classifier.
    pub fn new(network: &Network, detector: Option<&Detector>, ann: &AnnRun, recording: &Recording) -> Option<Self> {
        if detector.is_none() && network.is_classifier() {
            return None;
        }
        let find = |output: &[f32]| detector.map_or(Vec::new(), |detector| detector.boxes(output));
        let (samples, steps) = (recording.samples, recording.steps);
        let boxes_of_ann: Vec<Vec<DetectedBox>> =
            (0..samples).into_par_iter().map(|sample| find(ann.logits_of(sample))).collect();
        let compare = |index: usize| {
            let (sample, t) = (index / steps, index % steps + 1);
            let mean: Vec<f32> = recording.readout_at(t, sample).iter().map(|sum| sum / t as f32).collect();
            let found = find(&mean);
            let (same, overlap) = match_boxes(&boxes_of_ann[sample], &found);
            SampleAgreement {
                found: found.len() as u32,
                same,
                overlap,
                error: relative_error(&mean, ann.logits_of(sample)),
            }
        };
        let of = if detector.is_some() { OutputKind::Boxes } else { OutputKind::Values };
        let at = (0..samples * steps).into_par_iter().map(compare).collect();
        Some(Self { of, samples, steps, ann: boxes_of_ann.iter().map(|boxes| boxes.len() as u32).collect(), at })
    }

    /// Comparison for `sample` after `t` steps (1-based).
    pub fn at(&self, t: usize, sample: usize) -> SampleAgreement {
        self.at.get(sample * self.steps + t.clamp(1, self.steps.max(1)) - 1).copied().unwrap_or_default()
    }

    /// Boxes that the ANN detects in `sample`.
    pub fn ann_boxes(&self, sample: usize) -> u32 {
        self.ann.get(sample).copied().unwrap_or(0)
    }

    /// Agreement for `sample` after `t` steps, 0 to 1. For boxes: the F1 score of the SNN's boxes against the ANN's; 1 if
    /// neither detects any. For values: 1 − error.
    pub fn share(&self, t: usize, sample: usize) -> f64 {
        let at = self.at(t, sample);
        match (self.of, at.found + self.ann_boxes(sample)) {
            (OutputKind::Values, _) => (1.0 - f64::from(at.error)).max(0.0),
            (OutputKind::Boxes, 0) => 1.0,
            (OutputKind::Boxes, both) => 2.0 * f64::from(at.same) / f64::from(both),
        }
    }

    /// Whether the outputs for `sample` differ after `t` steps: another set of boxes, or values with a relative error above
    /// one tenth.
    pub fn differs(&self, t: usize, sample: usize) -> bool {
        self.share(t, sample) < if self.of == OutputKind::Boxes { 1.0 } else { 0.9 }
    }

    /// Agreement over all samples after `t` steps, 0 to 1. For boxes: F1 over the boxes of all samples. For values: the mean.
    pub fn agreement(&self, t: usize) -> f64 {
        let boxes = self.boxes(t);
        match (self.of, boxes.ann + boxes.snn) {
            (OutputKind::Values, _) => {
                let sum: f64 = (0..self.samples).map(|sample| self.share(t, sample)).sum();
                sum / self.samples.max(1) as f64
            }
            (OutputKind::Boxes, 0) => 1.0,
            (OutputKind::Boxes, both) => 2.0 * f64::from(boxes.same) / f64::from(both),
        }
    }

    /// Mean over the samples of the relative error of the outputs after `t` steps.
    pub fn error(&self, t: usize) -> f64 {
        let sum: f64 = (0..self.samples).map(|sample| f64::from(self.at(t, sample).error)).sum();
        sum / self.samples.max(1) as f64
    }

    /// Box counts over all samples after `t` steps.
    pub fn boxes(&self, t: usize) -> BoxCounts {
        let mut all = BoxCounts { ann: self.ann.iter().sum(), ..BoxCounts::default() };
        for at in (0..self.samples).map(|sample| self.at(t, sample)) {
            (all.snn, all.same) = (all.snn + at.found, all.same + at.same);
            all.overlap += f64::from(at.overlap);
        }
        all.overlap /= f64::from(all.same.max(1));
        all
    }

    /// A finding if the ANN detects boxes and the SNN none of them in the whole run.
    pub fn finding(&self) -> Option<Finding> {
        let boxes = self.boxes(self.steps);
        if self.of != OutputKind::Boxes || boxes.ann == 0 || boxes.same > 0 {
            return None;
        }
        let (t, error) = (self.steps, self.error(self.steps) * 100.0);
        let text = format!(
            "the SNN does not detect {} in T = {t} steps: its outputs differ by {error:.0} %, and boxes need accurate \
             scores and offsets. Increase T",
            if boxes.ann == 1 { "the ANN's box".to_owned() } else { format!("any of the ANN's {} boxes", boxes.ann) }
        );
        let found = Finding::warning("boxes", None, text);
        Some(match next_steps(self.steps) {
            Some(steps) => found.with_fix(Fix::Steps(steps)),
            None => found,
        })
    }

    /// The first step from which on, to the end of the run, the outputs agree fully; for boxes: exactly those of the ANN.
    pub fn steps_needed(&self) -> Option<usize> {
        let last_below = (1..=self.steps).rev().find(|&t| self.agreement(t) < 1.0 - 1e-9).unwrap_or(0);
        (last_below < self.steps).then_some(last_below + 1)
    }
}

/// A larger T to try than `steps`; `None` if `steps` is so large that T is not the cause.
pub fn next_steps(steps: usize) -> Option<usize> {
    [256, 1024].into_iter().find(|&next| next > steps)
}

/// Number of boxes in `found` that match one of `ann`, and the sum of their intersections over union. Greedy: the most
/// probable first, each of `ann` once.
fn match_boxes(ann: &[DetectedBox], found: &[DetectedBox]) -> (u32, f32) {
    let mut left: Vec<&DetectedBox> = ann.iter().collect();
    let (mut same, mut overlaps) = (0, 0.0);
    for candidate in found {
        let near = left.iter().enumerate().filter(|(_, other)| other.class == candidate.class);
        let best = near.map(|(k, other)| (k, candidate.iou(other))).max_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((k, overlap)) = best.filter(|(_, overlap)| *overlap >= MATCH_IOU) {
            left.swap_remove(k);
            same += 1;
            overlaps += overlap;
        }
    }
    (same, overlaps)
}

/// ‖b − a‖ / ‖a‖; 0 if both are zero, 1 if only a is: all of b is wrong, and no size of a tells by how much.
fn relative_error(b: &[f32], a: &[f32]) -> f32 {
    let square = |v: f64| v * v;
    let off: f64 = b.iter().zip(a).map(|(b, a)| square(f64::from(b - a))).sum();
    let norm: f64 = a.iter().map(|a| square(f64::from(*a))).sum();
    match (off == 0.0, norm == 0.0) {
        (true, _) => 0.0,
        (false, true) => 1.0,
        (false, false) => (off / norm).sqrt() as f32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Node, Op};

    fn found(left: f32, class: usize) -> DetectedBox {
        DetectedBox { class, score: 0.9, left, top: 0.0, right: left + 0.2, bottom: 0.2 }
    }

    #[test]
    fn each_ann_box_matches_once_and_only_within_its_class() {
        let ann = [found(0.0, 1), found(0.5, 1)];
        let (same, overlap) = match_boxes(&ann, &[found(0.02, 1), found(0.04, 1), found(0.5, 2)]);
        assert_eq!(same, 1, "the second overlaps a box that is taken, the third is of another class");
        assert!((overlap - 0.18 / 0.22).abs() < 1e-5, "{overlap}");
        assert_eq!(match_boxes(&ann, &[found(0.1, 1)]).0, 0, "a third of the area is not enough");
        assert_eq!(match_boxes(&[], &ann).0 + match_boxes(&ann, &[]).0, 0);
    }

    #[test]
    fn relative_error_shrinks_with_steps_and_classifiers_have_no_output_agreement() {
        let node = |op, inputs, shape: &[usize]| Node { name: "n".into(), op, inputs, shape: shape.to_vec() };
        let nodes = vec![node(Op::Input, vec![], &[1, 2]), node(Op::Reshape, vec![0], &[2, 1])];
        let mut network =
            Network { name: "n".into(), output: 0, nodes, scaling: None, class_names: vec![], neurons: None };
        network.nodes[0].shape = vec![2, 2];
        let ann = AnnRun { samples: 1, classes: 4, logits: vec![3.0, 0.0, 4.0, 0.0], pre_activations: vec![] };
        let readout = vec![0.0, 0.0, 4.0, 0.0, 6.0, 0.0, 8.0, 0.0];
        let recording = Recording { steps: 2, samples: 1, classes: 4, layers: vec![], readout };
        let compared = OutputAgreement::new(&network, None, &ann, &recording).unwrap();
        assert_eq!(compared.of, OutputKind::Values);
        assert!((compared.error(1) - 0.6).abs() < 1e-6 && (compared.agreement(1) - 0.4).abs() < 1e-6);
        assert!(compared.differs(1, 0) && !compared.differs(2, 0));
        assert_eq!((compared.agreement(2), compared.steps_needed()), (1.0, Some(2)));
        network.nodes[0].shape = vec![4, 1, 1];
        assert_eq!(OutputAgreement::new(&network, None, &ann, &recording), None, "four classes");
        assert_eq!([relative_error(&[0.0], &[0.0]), relative_error(&[2.0], &[0.0])], [0.0, 1.0]);
    }
}
