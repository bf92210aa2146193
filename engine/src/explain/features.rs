//! Features of a sample: groups of values that are changed together.

use super::options::ExplainOptions;
use crate::attack::ImageForm;

/// The feature of every value.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    /// `[F]`
    of: Vec<u32>,
    /// Values of each feature.
    members: Vec<Vec<u32>>,
}

impl Features {
    /// From the number of each value's feature, 0 and up. Numbers without a value are features that change nothing.
    pub fn new(of: Vec<u32>) -> Self {
        let count = of.iter().map(|&feature| feature as usize + 1).max().unwrap_or(0);
        let mut members = vec![Vec::new(); count];
        of.iter().enumerate().for_each(|(value, &feature)| members[feature as usize].push(value as u32));
        Self { of, members }
    }

    /// Squares of `side` pixels in all channels, from the top left; those at the end may be smaller.
    pub fn patches(form: &ImageForm, side: usize) -> Self {
        let across = form.width.div_ceil(side.max(1));
        let mut of = vec![0; form.len()];
        for channel in 0..form.channels {
            for row in 0..form.height {
                for column in 0..form.width {
                    of[form.at(channel, row, column)] = (row / side * across + column / side) as u32;
                }
            }
        }
        Self::new(of)
    }

    /// The patches of `options`.
    pub fn of_options(form: &ImageForm, options: &ExplainOptions) -> Self {
        Self::patches(form, options.patch_side(form.height, form.width).max(1))
    }

    /// Number of features.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is no feature.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The values of a feature.
    pub fn members(&self, feature: usize) -> impl Iterator<Item = usize> + '_ {
        self.members[feature].iter().map(|&value| value as usize)
    }

    /// Gives each value the number of its feature.
    pub fn spread(&self, of_features: &[f32]) -> Vec<f32> {
        self.of.iter().map(|&feature| of_features[feature as usize]).collect()
    }

    /// Writes `from` where the feature of a value is `chosen`.
    pub fn write(&self, to: &mut [f32], from: &[f32], chosen: impl Fn(usize) -> bool) {
        for (feature, members) in self.members.iter().enumerate().filter(|(feature, _)| chosen(*feature)) {
            debug_assert!(feature < self.members.len());
            members.iter().for_each(|&value| to[value as usize] = from[value as usize]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Layout;

    #[test]
    fn patches_cover_all_channels_and_are_cut_at_the_end() {
        let form = ImageForm::of(&[2, 3, 3], Layout::ChannelsFirst);
        let features = Features::patches(&form, 2);
        assert_eq!(features.len(), 4);
        assert_eq!(features.members(0).collect::<Vec<_>>(), [0, 1, 3, 4, 9, 10, 12, 13]);
        assert_eq!(features.members(3).collect::<Vec<_>>(), [8, 17]);
        let spread = features.spread(&[1.0, 2.0, 3.0, 4.0]);
        assert_eq!(&spread[..9], [1.0, 1.0, 2.0, 1.0, 1.0, 2.0, 3.0, 3.0, 4.0]);
        let mut to = vec![0.0; 18];
        features.write(&mut to, &[1.0; 18], |feature| feature == 3);
        assert_eq!(to.iter().sum::<f32>(), 2.0);
    }
}
