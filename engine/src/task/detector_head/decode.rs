//! Boxes from the outputs of a detector, by the description of its head.

use super::bind::{BoundLevel, Grid, Output, bind};
use super::box_coding::{BoxCoding, BoxFunction, Coding, Units};
use super::description::{Background, CenterScore, HeadDescription, ScoreFunction};
use super::head_text::HeadText;
use super::layout::GridSize;
use super::level::Level;
use crate::Result;
use crate::error::format_shape;
use crate::network::Network;
use crate::network::outputs::OutputFunction;
use crate::task::detected_box::DetectedBox;
use crate::task::nms::suppress_by_class;

/// Of each level, at most this many boxes are compared with each other, as in torchvision.
const MAX_CANDIDATES: usize = 1000;
/// Largest exponent of a size, as in torchvision: a box of 62 times its prior.
const MAX_EXPONENT: f32 = 4.135_166_6;

/// A description bound to the outputs of a network.
#[derive(Clone, Debug)]
pub struct HeadDecoder {
    head: HeadDescription,
    levels: Vec<BoundLevel>,
    /// Width and height of the input in pixels.
    size: [f32; 2],
}

/// A box before overlaps are removed: corners in fractions of the input.
struct Candidate {
    class: usize,
    score: f32,
    corners: [f32; 4],
}

impl HeadDecoder {
    /// Binds the description `head`, read from `text`, to the outputs of `network`.
    ///
    /// # Errors
    /// [`crate::Error::File`] with the line for outputs that the network does not have, and for outputs of another shape.
    pub fn new(head: HeadDescription, text: &HeadText, network: &Network) -> Result<Self> {
        let &[_, height, width] = network.input_shape() else {
            let reason = format!("the network takes samples of {}, not pictures", format_shape(network.input_shape()));
            return Err(text.error(0..0, reason));
        };
        let outputs = network.outputs();
        let bind = |level: &Level| bind(&head, level, text, &outputs, [width, height]);
        let levels = head.levels.iter().map(bind).collect::<Result<Vec<_>>>()?;
        Ok(Self { head, levels, size: [width as f32, height as f32] })
    }

    /// Class names, in the order of [`DetectedBox::class`].
    pub fn class_names(&self) -> &[String] {
        &self.head.classes
    }

    /// Boxes above this score are drawn and compared.
    pub fn shown_score(&self) -> f32 {
        self.head.shown_score
    }

    /// Decodes the boxes of an output vector (before its output functions) above the lowest score, the most probable
    /// first. They are clipped to the picture.
    pub fn boxes(&self, output: &[f32]) -> Vec<DetectedBox> {
        self.boxes_above(output, self.head.min_score)
    }

    /// The boxes above `min_score`, which is not below that of the description.
    pub fn boxes_above(&self, output: &[f32], min_score: f32) -> Vec<DetectedBox> {
        let min_score = min_score.max(self.head.min_score);
        let found: Vec<Candidate> =
            self.levels.iter().flat_map(|level| self.candidates(level, output, min_score)).collect();
        let corners: Vec<[f32; 4]> =
            found.iter().map(|b| [0, 1, 2, 3].map(|k| b.corners[k] * self.size[k % 2])).collect();
        let scores: Vec<f32> = found.iter().map(|b| b.score).collect();
        let classes: Vec<usize> = found.iter().map(|b| b.class).collect();
        let kept = suppress_by_class(&corners, &scores, &classes, self.head.max_iou);
        let to_box = |index: usize| {
            let Candidate { class, score, corners: [left, top, right, bottom] } = found[index];
            DetectedBox { class, score, left, top, right, bottom }
        };
        kept.into_iter().take(self.head.top_k).map(to_box).collect()
    }

    fn candidates(&self, level: &BoundLevel, output: &[f32], min_score: f32) -> Vec<Candidate> {
        let mut found = Vec::new();
        let mut scores = vec![0.0; self.head.columns()];
        let mut first_place = 0;
        for grid in &level.grids {
            let GridSize { columns, anchors, .. } = grid.size;
            for (at, cell_anchor) in (0..grid.size.places()).map(|k| (k, (k / anchors, k % anchors))) {
                let (cell, anchor) = cell_anchor;
                let value =
                    |of: &Output, column| output[of.layout.index(cell, anchor, first_place + at, of.first + column)];
                scores.iter_mut().enumerate().for_each(|(column, score)| *score = value(&level.class, column));
                if !self.to_scores(&mut scores, level.class.end, min_score) {
                    continue;
                }
                let center = level.center.as_ref().map(|of| {
                    let mut value = [value(of, 0)];
                    if let Some(end) = of.end {
                        end.apply(&mut value, 1);
                    }
                    apply(self.head.center_activation, &mut value);
                    value[0]
                });
                let first = usize::from(self.head.background == Background::First);
                let classes = scores[first..].iter().take(self.head.classes.len()).enumerate();
                let combined = classes.map(|(class, &score)| (class, self.combined(score, center)));
                let above: Vec<(usize, f32)> = combined.filter(|(_, score)| *score > min_score).collect();
                if above.is_empty() {
                    continue;
                }
                let mut coded = [0, 1, 2, 3].map(|k| value(&level.boxes, k));
                if let Some(end) = level.boxes.end {
                    end.apply(&mut coded, 4);
                }
                let cell_at = [(cell % columns) as f32, (cell / columns) as f32];
                let corners = self.corners(coded, cell_at, grid, anchor);
                if corners.iter().all(|v| v.is_finite()) && corners[0] < corners[2] && corners[1] < corners[3] {
                    found.extend(above.into_iter().map(|(class, score)| Candidate { class, score, corners }));
                }
            }
            first_place += grid.size.places();
        }
        if found.len() > MAX_CANDIDATES {
            found.sort_by(|a, b| b.score.total_cmp(&a.score));
            found.truncate(MAX_CANDIDATES);
        }
        found
    }

    /// Turns values into scores; `false` if none can be above `min_score`.
    fn to_scores(&self, values: &mut [f32], end: Option<OutputFunction>, min_score: f32) -> bool {
        if let Some(end) = end {
            let columns = values.len();
            end.apply(values, columns);
        }
        let is_sigmoid = self.head.activation == ScoreFunction::Sigmoid;
        // The sigmoid of most places is not needed; the centre-ness only lowers a score, or lifts it by its root.
        let least = if self.head.center_score == CenterScore::Product { min_score } else { min_score * min_score };
        if is_sigmoid && least > 0.0 {
            let logit = (least / (1.0 - least)).ln() - 1e-3;
            if values.iter().all(|value| *value <= logit) {
                return false;
            }
        }
        apply(self.head.activation, values);
        true
    }

    fn combined(&self, score: f32, center: Option<f32>) -> f32 {
        match (center, self.head.center_score) {
            (None, _) => score,
            (Some(center), CenterScore::Product) => score * center,
            (Some(center), CenterScore::GeometricMean) => (score * center).max(0.0).sqrt(),
        }
    }

    /// Corners in fractions of the input, clipped to it. `cell` is x and y in cells.
    fn corners(&self, coded: [f32; 4], cell: [f32; 2], grid: &Grid, anchor: usize) -> [f32; 4] {
        let BoxCoding { coding, units, variances, offset, .. } = self.head.boxes;
        let function = self.head.boxes.function();
        let sigmoid = |value: f32| 1.0 / (1.0 + (-value).exp());
        let of = |value: f32| match function {
            BoxFunction::Exp => value.min(MAX_EXPONENT).exp(),
            BoxFunction::Relu => value.max(0.0),
            BoxFunction::Sigmoid => sigmoid(value),
            BoxFunction::None => value,
        };
        let point = cell.map(|cell| (cell + offset) * grid.stride);
        let unit = |axis: usize| match units {
            Units::Strides => grid.stride,
            Units::Pixels => 1.0,
            Units::Fractions => self.size[axis],
        };
        let prior = grid.priors.get(anchor).copied().unwrap_or([grid.stride; 2]);
        let around = |center: [f32; 2], side: [f32; 2]| {
            let half = side.map(|side| side / 2.0);
            [center[0] - half[0], center[1] - half[1], center[0] + half[0], center[1] + half[1]]
        };
        let pixels = match coding {
            Coding::Ltrb => {
                // Distances to far edges of a large stride pass the bound of sizes.
                let of = |value: f32| if function == BoxFunction::Exp { value.min(20.0).exp() } else { of(value) };
                let [left, top, right, bottom] = coded.map(of);
                let x = |distance: f32| point[0] + distance * unit(0);
                let y = |distance: f32| point[1] + distance * unit(1);
                [x(-left), y(-top), x(right), y(bottom)]
            }
            Coding::CenterSize => {
                let variances = variances.unwrap_or([1.0; 4]);
                let center = |axis: usize| point[axis] + coded[axis] * variances[axis] * prior[axis];
                let half = |axis: usize| of(coded[axis + 2] * variances[axis + 2]) * prior[axis] / 2.0;
                [center(0) - half(0), center(1) - half(1), center(0) + half(0), center(1) + half(1)]
            }
            Coding::Cxcywh => {
                let [x, y, w, h] = [0, 1, 2, 3].map(|k| of(coded[k]) * unit(k % 2));
                around([x, y], [w, h])
            }
            Coding::Yolov3 => {
                let center = [0, 1].map(|axis| (cell[axis] + sigmoid(coded[axis])) * grid.stride);
                around(center, [0, 1].map(|axis| coded[axis + 2].min(MAX_EXPONENT).exp() * prior[axis]))
            }
            Coding::Yolov5 => {
                let center = [0, 1].map(|axis| (cell[axis] + 2.0 * of(coded[axis]) - 0.5) * grid.stride);
                around(center, [0, 1].map(|axis| (2.0 * of(coded[axis + 2])).powi(2) * prior[axis]))
            }
            Coding::Corners => [0, 1, 2, 3].map(|k| of(coded[k]) * unit(k % 2)),
        };
        [0, 1, 2, 3].map(|k| (pixels[k] / self.size[k % 2]).clamp(0.0, 1.0))
    }
}

fn apply(function: ScoreFunction, values: &mut [f32]) {
    let columns = values.len();
    match function {
        ScoreFunction::Sigmoid => OutputFunction::Sigmoid.apply(values, columns),
        ScoreFunction::Softmax => OutputFunction::Softmax { log: false }.apply(values, columns),
        ScoreFunction::None => {}
    }
}

#[cfg(test)]
mod tests;
