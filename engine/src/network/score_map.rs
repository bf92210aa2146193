//! Outputs that are maps of class scores: their channels, size and order.

use super::Network;
use super::outputs::NetworkOutput;

/// Maximum number of classes: the last number of a mask stands for void.
const MAX_CLASSES: usize = 255;

/// An output with a score of each class at every place of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScoreMap {
    /// Scores of a place: one per class, or a single one that is above 0 for class 1.
    pub channels: usize,
    /// Height and width of the output.
    pub size: [usize; 2],
    /// Whether the channels are the last dimension.
    pub channels_last: bool,
}

impl ScoreMap {
    /// The map of scores that `output` is for samples of shape `input` (`[C, H, W]` or `[H, W, C]`); `None` if it has not the
    /// proportions of the input.
    pub fn new(input: &[usize], output: &NetworkOutput) -> Option<Self> {
        let mut shape = output.shape.as_slice();
        while shape.len() > 3 && shape[0] == 1 {
            shape = &shape[1..];
        }
        let sides = input_sides(input)?;
        let &[a, b, c] = shape else {
            // One score of each pixel, without a dimension for channels.
            let &[height, width] = shape else { return None };
            let is_whole = height > 1 && width > 1 && sides.contains(&[height, width]);
            return is_whole.then_some(Self { channels: 1, size: [height, width], channels_last: false });
        };
        let fits = |channels: usize, size: [usize; 2]| {
            let is_scaled = |[height, width]: [usize; 2]| {
                // A side of the output is a share of the input's, up to a cell.
                let (down, across) = (height as f64 / size[0] as f64, width as f64 / size[1] as f64);
                size[0] > 1 && size[1] > 1 && (down / across - 1.0).abs() * (size[0].min(size[1]) as f64) < 1.0
            };
            (1..=MAX_CLASSES).contains(&channels) && sides.into_iter().any(is_scaled)
        };
        if fits(a, [b, c]) {
            return Some(Self { channels: a, size: [b, c], channels_last: false });
        }
        fits(c, [a, b]).then_some(Self { channels: c, size: [a, b], channels_last: true })
    }

    /// The only output of `network` if it is a map of scores in another size than its input, which is interpolated.
    pub fn interpolated(network: &Network) -> Option<Self> {
        let outputs = network.outputs();
        let [output] = outputs.as_slice() else { return None };
        let map = Self::new(network.input_shape(), output)?;
        input_sides(network.input_shape()).filter(|sides| !sides.contains(&map.size)).map(|_| map)
    }
}

/// Height and width of an input of three dimensions, with its channels first or last.
fn input_sides(input: &[usize]) -> Option<[[usize; 2]; 2]> {
    let &[first, second, third] = input else { return None };
    Some([[second, third], [first, second]])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(input: &[usize], shape: &[usize]) -> Option<(usize, [usize; 2], bool)> {
        let range = 0..shape.iter().product();
        let output = NetworkOutput { name: "y".into(), shape: shape.to_vec(), range, end: None, node: 0, flat: 0 };
        ScoreMap::new(input, &output).map(|map| (map.channels, map.size, map.channels_last))
    }

    #[test]
    fn maps_of_scores_are_told_by_their_proportions() {
        assert_eq!(found(&[3, 8, 12], &[5, 8, 12]), Some((5, [8, 12], false)));
        assert_eq!(found(&[3, 8, 12], &[1, 5, 4, 6]), Some((5, [4, 6], false)));
        assert_eq!(found(&[8, 12, 3], &[8, 12, 5]), Some((5, [8, 12], true)));
        assert_eq!(found(&[3, 65, 97], &[2, 9, 13]), Some((2, [9, 13], false)), "rounded sides");
        assert_eq!((found(&[3, 8, 12], &[5]), found(&[3, 8, 12], &[5, 1, 1])), (None, None));
        assert_eq!(found(&[3, 8, 12], &[3, 12, 8]), None);
        assert_eq!(found(&[3, 8, 12], &[8, 12]), Some((1, [8, 12], false)), "no dimension for the only channel");
        assert_eq!((found(&[3, 8, 12], &[4, 6]), found(&[3, 8, 12], &[96, 3])), (None, None));
    }
}
