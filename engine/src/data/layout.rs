//! Layout of samples with channels: where the channel dimension is.

/// Position of the channel dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// `[C, H, W]`
    ChannelsFirst,
    /// `[H, W, C]`
    ChannelsLast,
}

impl Layout {
    /// Both layouts.
    pub const ALL: [Self; 2] = [Self::ChannelsFirst, Self::ChannelsLast];

    /// The word in a specification.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ChannelsFirst => "nchw",
            Self::ChannelsLast => "nhwc",
        }
    }
    /// The layout that the sizes `[A, B, C]` suggest: images have few channels.
    pub fn of_sizes(shape: &[usize]) -> Self {
        let few = |n: usize| (1..=4).contains(&n);
        match *shape {
            [first, _, last] if few(last) && !few(first) => Self::ChannelsLast,
            _ => Self::ChannelsFirst,
        }
    }
    /// The order of the dimensions in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::ChannelsFirst => "channel, height, width",
            Self::ChannelsLast => "height, width, channel",
        }
    }
    /// The other layout.
    pub fn other(self) -> Self {
        match self {
            Self::ChannelsFirst => Self::ChannelsLast,
            Self::ChannelsLast => Self::ChannelsFirst,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_channels_tell_the_layout() {
        for (shape, layout) in [
            ([3, 32, 32], Layout::ChannelsFirst),
            ([32, 32, 3], Layout::ChannelsLast),
            ([12, 12, 2], Layout::ChannelsLast),
            ([2, 20, 3], Layout::ChannelsFirst),
            ([64, 8, 8], Layout::ChannelsFirst),
        ] {
            assert_eq!(Layout::of_sizes(&shape), layout, "{shape:?}");
        }
        assert_eq!(Layout::of_sizes(&[28, 3]), Layout::ChannelsFirst);
    }
}
