//! What `train` trains for: classes, masks or boxes, with the defaults, the loss and the score of each.

use std::path::{Path, PathBuf};

use crate::data::Samples;
use crate::data::samples::targets::VOID;
use crate::network::Network;
use crate::task::scores::masks::Confusion;
use crate::train::{Classification, Flips, Objective, Segmentation};
use crate::{Error, Result};

/// The word of `--task`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    Classify,
    Segment,
    Detect,
}

impl Goal {
    /// Parses `classify`, `segment` or `detect`.
    pub(super) fn parse(text: &str) -> Result<Self> {
        match text {
            "classify" => Ok(Self::Classify),
            "segment" => Ok(Self::Segment),
            "detect" => Ok(Self::Detect),
            _ => Err(Error::Invalid(format!(
                "Cannot train for '{text}': unknown task. Use classify, segment or detect."
            ))),
        }
    }

    pub(super) fn default_arch(self) -> Option<&'static str> {
        match self {
            Self::Classify => None,
            Self::Segment => Some("fcn"),
            Self::Detect => Some("fcos"),
        }
    }

    pub(super) fn default_batch(self) -> usize {
        if self == Self::Classify { 64 } else { 16 }
    }

    pub(super) fn default_flips(self) -> Flips {
        if self == Self::Classify { Flips::None } else { Flips::Horizontal }
    }

    /// What the score is called.
    pub(super) fn score_name(self) -> &'static str {
        match self {
            Self::Classify => "accuracy",
            Self::Segment => "mIoU",
            Self::Detect => "mAP50",
        }
    }

    /// Number of classes of a new network for `samples`.
    pub(super) fn classes(self, samples: &Samples) -> Result<usize> {
        let none = |what: &str| {
            let source = &samples.source;
            Error::Invalid(format!("Cannot train on {source}: the samples have no {what}, which this task needs."))
        };
        match self {
            Self::Classify => {
                let last = samples.labels.iter().max().map_or(0, |&label| usize::from(label) + 1);
                Ok(samples.class_names.len().max(last))
            }
            Self::Segment => samples.targets.masks().map(|masks| masks.class_names.len()).ok_or_else(|| none("masks")),
            Self::Detect => samples.targets.boxes().map(|boxes| boxes.class_names.len()).ok_or_else(|| none("boxes")),
        }
    }

    /// The loss and the score for `network` and `samples`.
    pub(super) fn objective(
        self,
        network: &Network,
        samples: &Samples,
        class_weights: &[f32],
    ) -> Result<Box<dyn Objective>> {
        let _ = (network, samples);
        Ok(match self {
            Self::Classify => Box::new(Classification),
            Self::Segment => Box::new(Segmentation { class_weights: class_weights.to_vec(), score: &mask_score }),
            Self::Detect => todo!(),
        })
    }

    /// Writes the description of a detector's head beside `out`, and returns its path.
    pub(super) fn save_head(self, network: &Network, out: &Path) -> Result<Option<PathBuf>> {
        let _ = (network, out);
        Ok(None)
    }
}

/// Mean intersection over union of class maps, `[C, H, W]` each.
fn mask_score(outputs: &mut dyn Iterator<Item = (usize, Vec<f32>)>, samples: &Samples) -> Result<f32> {
    let Some(masks) = samples.targets.masks() else { return Ok(0.0) };
    let plane = (masks.height * masks.width).max(1);
    let mut confusion = None;
    for (index, logits) in outputs {
        let classes = logits.len() / plane;
        let confusion = confusion.get_or_insert_with(|| Confusion::new(classes, Some(u64::from(VOID))));
        let best = |at: usize| {
            let mut best = 0;
            for class in 1..classes {
                if logits[class * plane + at] > logits[best * plane + at] {
                    best = class;
                }
            }
            best as u16
        };
        let predicted: Vec<u16> = (0..plane).map(best).collect();
        let target: Vec<u16> = masks.of_sample(index).iter().map(|&class| u16::from(class)).collect();
        confusion.add(&target, &predicted).map_err(Error::Invalid)?;
    }
    Ok(confusion.and_then(|confusion| confusion.scores().miou).unwrap_or(0.0) as f32)
}
