//! Where the channels, rows and columns of an image are among its values.

use crate::data::Layout;

/// An image of channels, rows and columns; a vector is one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageForm {
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    layout: Layout,
}

impl ImageForm {
    /// The form of samples of `shape`; dimensions before the last two count as channels.
    pub fn of(shape: &[usize], layout: Layout) -> Self {
        let (channels, height, width, layout) = match (shape, layout) {
            (&[h, w, c], Layout::ChannelsLast) => (c, h, w, Layout::ChannelsLast),
            ([rest @ .., h, w], _) => (rest.iter().product(), *h, *w, Layout::ChannelsFirst),
            (rest, _) => (1, 1, rest.iter().product(), Layout::ChannelsFirst),
        };
        Self { channels, height, width, layout }
    }

    /// Index of a value.
    pub fn at(&self, channel: usize, row: usize, column: usize) -> usize {
        match self.layout {
            Layout::ChannelsFirst => (channel * self.height + row) * self.width + column,
            Layout::ChannelsLast => (row * self.width + column) * self.channels + channel,
        }
    }

    /// Images `[N, …]` in the order channels, rows, columns.
    pub fn channels_first(&self, images: &[f32]) -> Vec<f32> {
        let mut ordered = Vec::with_capacity(images.len());
        for image in images.chunks_exact(self.len().max(1)) {
            for channel in 0..self.channels {
                for row in 0..self.height {
                    ordered.extend((0..self.width).map(|column| image[self.at(channel, row, column)]));
                }
            }
        }
        ordered
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Whether the image has no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Pixels of one channel.
    pub fn area(&self) -> usize {
        self.height * self.width
    }
}
