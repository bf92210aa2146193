//! What `train` trains for: classes, masks or boxes, with the defaults, the loss and the score of each.

use std::path::{Path, PathBuf};

use super::scores::{BoxScorer, mask_score};
use crate::data::Samples;
use crate::network::Network;
use crate::task::detector_head::beside;
use crate::train::{Classification, Detection, FcosLayout, Flips, Objective, Segmentation};
use crate::{Error, Result, files};

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
            Error::Invalid(format!(
                "Cannot train on {source}: the samples have no {what}, which this task needs. Use data with {what}."
            ))
        };
        match self {
            Self::Classify if samples.labels.is_empty() => Err(none("labels")),
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
        Ok(match self {
            Self::Classify => Box::new(Classification),
            Self::Segment => {
                Box::new(Segmentation { class_weights: class_weights.to_vec(), score: Box::new(mask_score) })
            }
            Self::Detect => {
                let layout = FcosLayout::of(network).ok_or_else(|| {
                    let why = FcosLayout::misfit(network);
                    Error::Invalid(format!("Cannot train on {}: {why}. Use --arch fcos.", samples.source))
                })?;
                let names = samples.targets.boxes().map_or(&[][..], |boxes| &boxes.class_names);
                let scorer = BoxScorer::new(network, &head_text(&layout, names))?;
                Box::new(Detection { layout, score: Box::new(move |outputs, samples| scorer.score(outputs, samples)) })
            }
        })
    }

    /// Writes the description of a detector's head beside `out`, and returns its path.
    pub(super) fn save_head(self, network: &Network, out: &Path) -> Result<Option<PathBuf>> {
        match FcosLayout::of(network).filter(|_| self == Self::Detect) {
            Some(layout) => {
                let path = beside(out);
                files::write_bytes(&path, head_text(&layout, &network.class_names).as_bytes())?;
                Ok(Some(path))
            }
            None => Ok(None),
        }
    }
}

/// The description of a head with `layout`, for classes of these names.
fn head_text(layout: &FcosLayout, names: &[String]) -> String {
    // A network may have more classes than the data.
    let names = (0..layout.classes).map(|k| names.get(k).cloned().unwrap_or_else(|| format!("class {k}")));
    let names: Vec<String> = names.map(|name| toml::Value::String(name).to_string()).collect();
    let mut text = format!("classes = [{}]\ncenter-score = \"geometric-mean\"\n\n", names.join(", "));
    text += "[boxes]\ncoding = \"ltrb\"\nunits = \"strides\"\nfunction = \"relu\"\n";
    for level in &layout.levels {
        let [classes, boxes, centerness] = &level.names;
        text += &format!("\n[[level]]\nclass = \"{classes}\"\nbox = \"{boxes}\"\ncenter = \"{centerness}\"\n");
        text += &format!("stride = {}\n", level.stride);
    }
    text
}
