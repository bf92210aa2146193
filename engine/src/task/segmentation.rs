//! Class maps from the outputs of segmentation networks, in the size of their targets.

use crate::network::Network;
use crate::network::score_map::ScoreMap;

/// How the class of every pixel is read from an output vector.
#[derive(Clone, Debug, PartialEq)]
pub struct Segmenter {
    /// Scores of a place: one per class, or a single one that is above 0 for class 1.
    channels: usize,
    /// Height and width of the output.
    size: [usize; 2],
    /// Whether the channels are the last dimension.
    channels_last: bool,
    /// Height and width of the class maps.
    target: [usize; 2],
    /// Interpolation along rows and columns; `None` where the sizes are equal.
    resize: Option<[Vec<Tap>; 2]>,
}

/// The two old values that a new value lies between.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Tap {
    low: usize,
    high: usize,
    /// Weight of the second.
    part: f32,
}

/// Space for [`Segmenter::classes_of`], to be kept between calls.
#[derive(Clone, Debug, Default)]
pub struct SegmenterBuffers {
    best: Vec<f32>,
    plane: Vec<f32>,
    rows: Vec<f32>,
}

impl Segmenter {
    /// The reader of the class maps of `network`, as in its file, for masks of `target` (height and width). `None` if its
    /// only output is not a map of scores in the proportions of its input.
    ///
    /// A smaller or larger output is interpolated linearly between the centers of its pixels, as torchvision does.
    pub fn new(network: &Network, target: [usize; 2]) -> Option<Self> {
        let outputs = network.outputs();
        let [output] = outputs.as_slice() else { return None };
        let ScoreMap { channels, size, channels_last } = ScoreMap::new(network.input_shape(), output)?;
        let resize = (size != target).then(|| [taps(size[0], target[0]), taps(size[1], target[1])]);
        Some(Self { channels, size, channels_last, target, resize })
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.channels.max(2)
    }

    /// Bytes of the buffers of one thread.
    pub fn buffer_bytes(&self) -> usize {
        let pixels = self.target[0] * self.target[1];
        let old: usize = self.size.iter().product();
        let resized = if self.resize.is_some() { pixels + self.size[0] * self.target[1] } else { 0 };
        (pixels + old + resized) * 4 + pixels
    }

    /// The class of every pixel, `[H, W]`, of an output vector (sums or means, before its output function); of equal scores
    /// the first. `classes` has as many places as there are pixels.
    pub fn classes_of(&self, scores: &[f32], classes: &mut [u8], buffers: &mut SegmenterBuffers) {
        let pixels = classes.len();
        let old: usize = self.size.iter().product();
        let SegmenterBuffers { best, plane, rows } = buffers;
        best.clear();
        best.resize(pixels, if self.channels == 1 { 0.0 } else { f32::NEG_INFINITY });
        classes.fill(0);
        for channel in 0..self.channels {
            // The only score stands for class 1 against 0.
            let class = if self.channels == 1 { 1 } else { channel as u8 };
            let own: &[f32] = if self.channels_last {
                plane.clear();
                plane.extend(scores.iter().skip(channel).step_by(self.channels));
                plane
            } else {
                scores.get(channel * old..(channel + 1) * old).unwrap_or_default()
            };
            let mut take = |at: usize, score: f32| {
                if score > best[at] {
                    (best[at], classes[at]) = (score, class);
                }
            };
            match &self.resize {
                None => own.iter().enumerate().for_each(|(at, &score)| take(at, score)),
                Some([down, across]) => {
                    // Columns first: rows are then read whole.
                    rows.clear();
                    for row in own.chunks_exact(self.size[1].max(1)) {
                        rows.extend(across.iter().map(|tap| tap.between(row[tap.low], row[tap.high])));
                    }
                    let width = across.len();
                    for (y, tap) in down.iter().enumerate() {
                        let row = |k: usize| &rows[k * width..(k + 1) * width];
                        for (x, (low, high)) in row(tap.low).iter().zip(row(tap.high)).enumerate() {
                            take(y * width + x, tap.between(*low, *high));
                        }
                    }
                }
            }
        }
    }
}

impl Tap {
    fn between(self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.part
    }
}

/// The taps of a resize from `from` to `to` values between centers (`align_corners=False`).
fn taps(from: usize, to: usize) -> Vec<Tap> {
    let scale = from as f64 / to as f64;
    let tap = |i: usize| {
        let at = ((i as f64 + 0.5) * scale - 0.5).max(0.0);
        let low = (at as usize).min(from - 1);
        Tap { low, high: (low + 1).min(from - 1), part: (at - low as f64) as f32 }
    };
    (0..to).map(tap).collect()
}

/// Index of the output of `network` that is its map of scores, if it has several of equal shape: that called `out`, as
/// torchvision names it, else the first. Others are heads for training.
pub fn score_map_output(network: &Network) -> Option<usize> {
    let outputs = network.outputs();
    let first = outputs.first()?;
    let ScoreMap { channels, .. } = ScoreMap::new(network.input_shape(), first)?;
    let are_alike = outputs.len() > 1 && channels > 1 && outputs.iter().all(|output| output.shape == first.shape);
    are_alike.then(|| outputs.iter().position(|output| output.name == "out").unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Node, Op};

    fn network(input: &[usize], output: &[usize]) -> Network {
        let node = |op, inputs: &[usize], shape: &[usize]| Node {
            name: "y".into(),
            op,
            inputs: inputs.to_vec(),
            shape: shape.to_vec(),
        };
        let scale = Op::Affine { scale: vec![1.0], shift: vec![0.0] };
        let nodes = vec![node(Op::Input, &[], input), node(scale, &[0], output)];
        Network { name: "n".into(), nodes, output: 1, scaling: None, class_names: vec![], neurons: None }
    }

    fn read(segmenter: &Segmenter, scores: &[f32]) -> Vec<u8> {
        let mut classes = vec![9; segmenter.target.iter().product()];
        segmenter.classes_of(scores, &mut classes, &mut SegmenterBuffers::default());
        classes
    }

    #[test]
    fn classes_are_the_largest_scores_and_one_channel_is_split_at_zero() {
        let three = Segmenter::new(&network(&[1, 2, 2], &[3, 2, 2]), [2, 2]).unwrap();
        assert_eq!(read(&three, &[1.0, 0.0, 2.0, -3.0, 1.0, 1.0, 0.0, -2.0, 0.0, 1.0, 3.0, -4.0]), [0, 1, 2, 1]);
        let last = Segmenter::new(&network(&[2, 2, 1], &[2, 2, 3]), [2, 2]).unwrap();
        assert_eq!(read(&last, &[1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 2.0, 0.0, 3.0, -3.0, -2.0, -4.0]), [0, 1, 2, 1]);
        let one = Segmenter::new(&network(&[1, 2, 2], &[1, 2, 2]), [2, 2]).unwrap();
        assert_eq!((read(&one, &[-1.0, 0.0, 0.1, 9.0]), one.classes()), (vec![0, 0, 1, 1], 2));
    }

    #[test]
    fn small_outputs_are_interpolated_between_centers() {
        // torch: interpolate([[0, 4]], size=(1, 4), mode="bilinear") is 0, 1, 3, 4.
        let values: Vec<f32> =
            taps(2, 4).iter().map(|tap| tap.between([0.0, 4.0][tap.low], [0.0, 4.0][tap.high])).collect();
        assert_eq!(values, [0.0, 1.0, 3.0, 4.0]);
        let segmenter = Segmenter::new(&network(&[1, 4, 4], &[2, 2, 2]), [4, 4]).unwrap();
        // Class 1 wins where its score is above 2: beyond the middle.
        assert_eq!(read(&segmenter, &[2.0, 2.0, 2.0, 2.0, 0.0, 4.0, 0.0, 4.0]), [0, 0, 1, 1].repeat(4));
    }
}
