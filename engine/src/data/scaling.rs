//! Input scaling: converts file values to network input, as the user states it.
//!
//! The scaling is saved with the network.

use serde::{Deserialize, Serialize};

use super::layout::Layout;
use crate::{Error, Result};

/// Conversion of raw values to network input.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scaling {
    /// `0..1`: divided by the full scale of the source (255 for bytes).
    #[default]
    Unit,
    /// `0..255`: as in an 8-bit file; sources in 0..1 are multiplied by 255.
    Bytes,
    /// `/D`: file values divided by D.
    Divide(f32),
    /// `mean=…;std=…`: `(x/full_scale - mean[c]) / std[c]`, one number per channel c, or one for all.
    MeanStd { mean: Vec<f32>, std: Vec<f32> },
}

/// Form of the values that a scaling is applied to.
#[derive(Clone, Copy, Debug)]
pub struct ValueForm<'a> {
    /// Shape of one sample.
    pub shape: &'a [usize],
    /// Position of the channels in `shape`.
    pub layout: Layout,
    /// What 1 stands for in the file.
    pub full_scale: f32,
    /// The largest value of the source, at least `full_scale`.
    pub max: f32,
}

impl ValueForm<'_> {
    /// Number of channels: 1 for vectors.
    fn channels(&self) -> usize {
        match (self.shape, self.layout) {
            ([first, _, _, ..], Layout::ChannelsFirst) | ([first, _], _) => *first,
            ([_, _, .., last], Layout::ChannelsLast) => *last,
            _ => 1,
        }
    }
    /// Number of neighboring values of the same channel.
    fn run(&self) -> usize {
        match (self.shape, self.layout) {
            ([_, _, .., _], Layout::ChannelsLast) => 1,
            ([_, rest @ ..], _) => rest.iter().product(),
            _ => 1,
        }
    }
}

impl Scaling {
    /// Parses `0..1`, `0..255`, `/255` or `mean=.485,.456,.406;std=.229,.224,.225`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for other text, for lists of different lengths and for a std or divisor that is not above 0.
    pub fn parse(text: &str) -> Result<Self> {
        match text.trim() {
            "0..1" => return Ok(Self::Unit),
            "0..255" => return Ok(Self::Bytes),
            _ => {}
        }
        let bad = || {
            Error::Invalid(format!(
                "Cannot use scaling '{text}': unknown form. Use 0..1, 0..255, /D or mean=M[,M,M];std=S[,S,S]."
            ))
        };
        if let Some(divisor) = text.trim().strip_prefix('/') {
            let divisor: f32 = divisor.trim().parse().map_err(|_| bad())?;
            let is_valid = divisor.is_finite() && divisor > 0.0;
            let why = || Error::Invalid(format!("Cannot use scaling '{text}': the divisor must be above 0."));
            return Some(Self::Divide(divisor)).filter(|_| is_valid).ok_or_else(why);
        }
        let numbers =
            |list: &str| list.split(',').map(|n| n.trim().parse::<f32>()).collect::<std::result::Result<Vec<_>, _>>();
        let (mut mean, mut std) = (None, None);
        for part in text.split(';') {
            let (key, list) = part.split_once('=').ok_or_else(bad)?;
            let list = numbers(list).map_err(|_| bad())?;
            match key.trim() {
                "mean" => mean = Some(list),
                "std" => std = Some(list),
                _ => return Err(bad()),
            }
        }
        let (mean, std) = (mean.ok_or_else(bad)?, std.ok_or_else(bad)?);
        if mean.len() != std.len()
            || mean.iter().any(|m| !m.is_finite())
            || std.iter().any(|s| !s.is_finite() || *s <= 0.0)
        {
            return Err(Error::Invalid(format!(
                "Cannot use scaling '{text}': mean and std need the same number of values, and std must be above 0."
            )));
        }
        Ok(Self::MeanStd { mean, std })
    }

    /// Checks that the number of means fits samples of `form`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for neither one mean nor one per channel.
    pub fn check(&self, form: &ValueForm<'_>) -> Result<()> {
        let channels = form.channels();
        match self {
            Self::MeanStd { mean, .. } if mean.len() != 1 && mean.len() != channels => Err(Error::Invalid(format!(
                "Cannot scale the input: the scaling has {} channel means but samples of {} have {channels} channel(s). \
                 Change the scaling.",
                mean.len(),
                crate::error::format_shape(form.shape)
            ))),
            _ => Ok(()),
        }
    }

    /// Scales `values` (`[N, …shape]`) in place, from file units.
    pub fn apply(&self, values: &mut [f32], form: &ValueForm<'_>) {
        let full_scale = form.full_scale;
        match self {
            Self::Unit if full_scale == 1.0 => {}
            Self::Unit => values.iter_mut().for_each(|v| *v /= full_scale),
            // Sources beyond 0..1 are not multiplied.
            Self::Bytes if full_scale == 255.0 || form.max > full_scale => {}
            Self::Bytes => values.iter_mut().for_each(|v| *v = *v / full_scale * 255.0),
            Self::Divide(divisor) => values.iter_mut().for_each(|v| *v /= divisor),
            Self::MeanStd { mean, std } => {
                let run = if mean.len() == 1 { values.len() } else { form.run() };
                for (i, chunk) in values.chunks_mut(run.max(1)).enumerate() {
                    let c = i % mean.len().max(1);
                    let (Some(mean), Some(std)) = (mean.get(c), std.get(c)) else { return };
                    chunk.iter_mut().for_each(|v| *v = (*v / full_scale - mean) / std);
                }
            }
        }
    }
}

impl Scaling {
    /// How much each value of a sample of `form` changes when its file value changes by 1, `[F]`.
    pub fn slopes(&self, form: &ValueForm<'_>) -> Vec<f32> {
        let len: usize = form.shape.iter().product();
        let factor = match self {
            Self::Unit => 1.0 / form.full_scale,
            Self::Bytes if form.full_scale == 255.0 || form.max > form.full_scale => 1.0,
            Self::Bytes => 255.0 / form.full_scale,
            Self::Divide(divisor) => 1.0 / divisor,
            Self::MeanStd { mean, std } => {
                let run = if mean.len() == 1 { len } else { form.run() }.max(1);
                let of =
                    |i: usize| std.get(i / run % std.len().max(1)).map_or(1.0, |std| 1.0 / (std * form.full_scale));
                return (0..len).map(of).collect();
            }
        };
        vec![factor; len]
    }
}

impl std::fmt::Display for Scaling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let join = |list: &[f32]| list.iter().map(f32::to_string).collect::<Vec<_>>().join(",");
        match self {
            Self::Unit => write!(f, "0..1"),
            Self::Bytes => write!(f, "0..255"),
            Self::Divide(divisor) => write!(f, "/{divisor}"),
            Self::MeanStd { mean, std } => write!(f, "mean={};std={}", join(mean), join(std)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(shape: &[usize], layout: Layout) -> ValueForm<'_> {
        ValueForm { shape, layout, full_scale: 1.0, max: 1.0 }
    }

    #[test]
    fn text_round_trips_and_invalid_text_is_refused() {
        for text in ["0..1", "0..255", "/255", "/65535", "mean=0.5,0.25;std=1,2"] {
            assert_eq!(Scaling::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "/", "/0", "/-1", "/x", "mean=1", "mean=1;std=0", "mean=1,2;std=1"] {
            assert!(Scaling::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn means_belong_to_channels_wherever_they_are() {
        let scaling = Scaling::parse("mean=0,10;std=1,2").unwrap();
        let scaled = |shape: &[usize], layout| {
            let mut values = vec![10.0; 8];
            assert!(scaling.check(&form(shape, layout)).is_ok(), "{shape:?}");
            scaling.apply(&mut values, &form(shape, layout));
            values
        };
        assert_eq!(scaled(&[2, 1, 2], Layout::ChannelsFirst), [10.0, 10.0, 0.0, 0.0, 10.0, 10.0, 0.0, 0.0]);
        assert_eq!(scaled(&[1, 2, 2], Layout::ChannelsLast), [10.0, 0.0, 10.0, 0.0, 10.0, 0.0, 10.0, 0.0]);
        assert_eq!(scaled(&[2, 4], Layout::ChannelsFirst), [10.0, 10.0, 10.0, 10.0, 0.0, 0.0, 0.0, 0.0]);
        for (shape, layout) in [(&[8][..], Layout::ChannelsFirst), (&[2, 2, 3], Layout::ChannelsLast)] {
            assert!(scaling.check(&form(shape, layout)).unwrap_err().to_string().contains("2 channel means"));
        }
    }

    #[test]
    fn values_beyond_one_are_not_multiplied() {
        let scaled = |scaling: Scaling, max: f32, full_scale: f32| {
            let mut values = [max];
            scaling.apply(&mut values, &ValueForm { shape: &[1], layout: Layout::ChannelsFirst, full_scale, max });
            values[0]
        };
        assert_eq!(scaled(Scaling::Bytes, 1.0, 1.0), 255.0);
        assert_eq!(scaled(Scaling::Bytes, 200.0, 1.0), 200.0);
        assert_eq!(scaled(Scaling::Bytes, 255.0, 255.0), 255.0);
        assert_eq!((scaled(Scaling::Unit, 6.0, 1.0), scaled(Scaling::Divide(255.0), 255.0, 255.0)), (6.0, 1.0));
    }
}
