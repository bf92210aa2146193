//! Where the channels, rows and columns of an image are among its values, and what their range is.

use super::norm::Norm;
use crate::data::Layout;
use crate::{Error, Result};

/// An image of channels, rows and columns; a vector is one row. Frames over time are images with the channels of all
/// frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageForm {
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    layout: Layout,
    frames: usize,
    /// Whether values have no upper limit, as counts of events.
    counts: bool,
}

/// How far the values of samples may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueRange {
    /// From 0 on without a limit, as counts of events, or not known.
    Open,
    /// Pixels from 0 to 1, so many an image where that is known.
    Pixels(Option<usize>),
}

impl ValueRange {
    /// Checks that `value`, the size of a change that `option` states, is possible.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the reason and what to use instead.
    pub fn check_change(self, option: &str, value: f32, norm: Norm) -> Result<()> {
        let (largest, why, range) = match (self, norm) {
            (Self::Open, _) | (Self::Pixels(None), Norm::L2) => {
                (f32::MAX, "a change is 0 or more".to_owned(), "0 or more".to_owned())
            }
            (Self::Pixels(_), Norm::Linf) => (1.0, "pixels are from 0 to 1".to_owned(), "0 to 1".to_owned()),
            (Self::Pixels(Some(pixels)), Norm::L2) => {
                let largest = (pixels.max(1) as f32).sqrt();
                (largest, format!("no two images of {pixels} values are further apart"), format!("0 to {largest:.2}"))
            }
        };
        if (0.0..=largest).contains(&value) {
            return Ok(());
        }
        Err(Error::Invalid(format!("Cannot use {option} {value}: {why}. Use {range}, for example 8/255.")))
    }
}

impl ImageForm {
    /// The form of samples of `shape`; dimensions before the last two count as channels.
    pub fn of(shape: &[usize], layout: Layout) -> Self {
        let (channels, height, width, layout) = match (shape, layout) {
            (&[h, w, c], Layout::ChannelsLast) => (c, h, w, Layout::ChannelsLast),
            ([rest @ .., h, w], _) => (rest.iter().product(), *h, *w, Layout::ChannelsFirst),
            (rest, _) => (1, 1, rest.iter().product(), Layout::ChannelsFirst),
        };
        Self { channels, height, width, layout, frames: 1, counts: false }
    }

    /// The form of `frames` such images one after the other, whose values are counts of events.
    pub fn of_counts(self, frames: usize) -> Self {
        Self { channels: self.channels * frames, frames: frames.max(1), counts: true, ..self }
    }

    /// The largest value of a pixel: 1; counts of events have no limit.
    pub fn limit(&self) -> f32 {
        if self.counts { f32::INFINITY } else { 1.0 }
    }

    /// How far values may go.
    pub fn range(&self) -> ValueRange {
        if self.counts { ValueRange::Open } else { ValueRange::Pixels(Some(self.len())) }
    }

    /// Index of a value.
    pub fn at(&self, channel: usize, row: usize, column: usize) -> usize {
        match self.layout {
            Layout::ChannelsFirst => (channel * self.height + row) * self.width + column,
            Layout::ChannelsLast => {
                let channels = (self.channels / self.frames).max(1);
                let (frame, channel) = (channel / channels, channel % channels);
                ((frame * self.height + row) * self.width + column) * channels + channel
            }
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
