//! Shape of the frames of events for a network's input.

use super::binning::{Binning, Polarity};
use crate::error::format_shape;
use crate::{Error, Result};

/// Target of the events: the shape `[P, H, W]` of a frame, and the sensor's `[width, height]`.
pub(super) struct FramePlan {
    pub shape: [usize; 3],
    pub sensor: [usize; 2],
    pub polarity: Polarity,
}

impl Binning {
    /// Frame shape and sensor for a network's input `fit`; `seen` returns the width and height that the events cover.
    pub(super) fn plan(&self, fit: Option<&[usize]>, seen: impl Fn() -> [usize; 2]) -> Result<FramePlan> {
        let (channels, [height, width]) = match fit {
            Some(&[channels @ (1 | 2), height, width]) => (Some(channels), [height, width]),
            Some(other) => {
                return Err(Error::Invalid(format!(
                    "Cannot use event data: the network's input is {}, not 2xHxW or 1xHxW. Open another network.",
                    format_shape(other)
                )));
            }
            None => {
                let [width, height] = self.sensor.unwrap_or_else(seen);
                (None, [height, width])
            }
        };
        let polarity = match (self.polarity, channels) {
            (Polarity::AsNetwork, Some(1)) => Polarity::Sum,
            (Polarity::AsNetwork, _) => Polarity::Split,
            (stated, _) => stated,
        };
        let planes = if polarity == Polarity::Split { 2 } else { 1 };
        if let Some(channels) = channels.filter(|&channels| channels != planes) {
            let word = Polarity::ALL.iter().find(|(known, _)| *known == polarity).map_or("", |known| known.1);
            return Err(Error::Invalid(format!(
                "Cannot use polarity={word}: it gives {planes} channel(s), but the network has {channels}. Omit it, or \
                 open another network."
            )));
        }
        Ok(FramePlan { shape: [planes, height, width], sensor: self.sensor.unwrap_or([width, height]), polarity })
    }
}
