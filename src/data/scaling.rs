//! Input scaling: converts file values to network input, as the user states it.
//!
//! The scaling is saved with the network.

use serde::{Deserialize, Serialize};

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
    /// `mean=…;std=…`: `(x/full_scale - mean[c]) / std[c]`, one number per channel c, or one for all.
    MeanStd { mean: Vec<f32>, std: Vec<f32> },
}

impl Scaling {
    /// Parses `0..1`, `0..255` or `mean=.485,.456,.406;std=.229,.224,.225`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for other text, for lists of different lengths and for a std that is not above 0.
    pub fn parse(text: &str) -> Result<Self> {
        match text.trim() {
            "0..1" => return Ok(Self::Unit),
            "0..255" => return Ok(Self::Bytes),
            _ => {}
        }
        let bad = || {
            Error::Invalid(format!(
                "Cannot use scaling '{text}': unknown form. Use 0..1, 0..255 or mean=M[,M,M];std=S[,S,S]."
            ))
        };
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

    /// Checks that the number of means fits samples of `shape`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for neither one mean nor one per channel.
    pub fn check(&self, shape: &[usize]) -> Result<()> {
        let channels = if shape.len() >= 3 { shape[0] } else { 1 };
        match self {
            Self::MeanStd { mean, .. } if mean.len() != 1 && mean.len() != channels => Err(Error::Invalid(format!(
                "Cannot scale the input: the scaling has {} channel means but the samples have {channels} channel(s). \
                 Change the scaling.",
                mean.len()
            ))),
            _ => Ok(()),
        }
    }

    /// Scales `values` (`[N, …shape]`) in place, from file units where `full_scale` is white.
    pub fn apply(&self, values: &mut [f32], shape: &[usize], full_scale: f32) {
        match self {
            Self::Unit => values.iter_mut().for_each(|v| *v /= full_scale),
            Self::Bytes if full_scale == 255.0 => {}
            Self::Bytes => values.iter_mut().for_each(|v| *v = *v / full_scale * 255.0),
            Self::MeanStd { mean, std } => {
                let plane =
                    if shape.len() >= 3 { shape[1..].iter().product() } else { shape.iter().product::<usize>() };
                for (i, chunk) in values.chunks_mut(plane.max(1)).enumerate() {
                    let c = i % mean.len();
                    chunk.iter_mut().for_each(|v| *v = (*v / full_scale - mean[c]) / std[c]);
                }
            }
        }
    }
}

impl std::fmt::Display for Scaling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let join = |list: &[f32]| list.iter().map(f32::to_string).collect::<Vec<_>>().join(",");
        match self {
            Self::Unit => write!(f, "0..1"),
            Self::Bytes => write!(f, "0..255"),
            Self::MeanStd { mean, std } => write!(f, "mean={};std={}", join(mean), join(std)),
        }
    }
}
