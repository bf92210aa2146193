//! Scores of a run on scenes: mean IoU of its class maps, or average precision of its boxes, over the time steps.
//!
//! `segmentation.rs` and `detection.rs` read both networks' outputs and compare them with the targets of the samples;
//! `class_match.rs` says which class of the data a detector's class is, `window.rs` has the mean readout at a step,
//! `band.rs` how far a score depends on the pictures, `findings.rs` what is known before a run.

mod band;
mod class_match;
mod detection;
mod findings;
mod scene_run;
mod segmentation;
mod window;

pub use detection::{DetectionScores, PictureDetections, default_steps};
pub use findings::scene_findings;
pub use scene_run::SceneRun;
pub use segmentation::SegmentationScores;
pub use window::{ReadoutWindow, window_start};

use crate::Result;
use crate::data::Targets;
use crate::network::Network;
use crate::progress::JobControl;
use crate::task::segmentation::Segmenter;

/// Scores of a run on scenes.
#[derive(Clone, Debug)]
pub enum SceneScores {
    Masks(SegmentationScores),
    Boxes(DetectionScores),
}

impl SceneScores {
    /// Mean IoU or average precision of the ANN, 0 to 1; `None` if nothing counts.
    pub fn ann_score(&self) -> Option<f64> {
        match self {
            Self::Masks(scores) => scores.ann.miou,
            Self::Boxes(scores) => counted(scores.ann.stats[0]),
        }
    }
    /// The same of the SNN at step `t`; of boxes at the last scored step up to `t`.
    pub fn snn_score(&self, t: usize) -> Option<f64> {
        match self {
            Self::Masks(scores) => scores.snn.get(t.checked_sub(1)?)?.miou,
            Self::Boxes(scores) => {
                let last = scores.at.iter().rposition(|step| *step <= t)?;
                counted(scores.snn.get(last)?.stats[0])
            }
        }
    }
}

/// A figure of COCO, which is -1 where nothing counts.
fn counted(figure: f64) -> Option<f64> {
    (figure >= 0.0).then_some(figure)
}

/// Scores the run; boxes at the steps `at`. `None` if the samples have no targets of the network's kind.
///
/// # Errors
/// [`crate::Error::Cancelled`], and [`crate::Error::Invalid`] for more boxes than can be scored.
pub fn scene_scores(run: &SceneRun<'_>, at: &[usize], control: &JobControl) -> Result<Option<SceneScores>> {
    if let (Some(detector), Some(boxes)) = (run.detector, run.targets.boxes()) {
        return detection::score(run, detector, boxes, at, control).map(|scores| Some(SceneScores::Boxes(scores)));
    }
    if run.detector.is_some() {
        return Ok(None);
    }
    match run.targets.masks().and_then(|masks| Some((masks, segmentation::reader(run, masks)?))) {
        Some((masks, segmenter)) => {
            segmentation::score(run, masks, segmenter, control).map(|scores| Some(SceneScores::Masks(scores)))
        }
        None => Ok(None),
    }
}

/// Bytes that scoring takes on `threads` threads, beside the recording.
pub fn scoring_bytes(network: &Network, targets: &Targets, threads: usize) -> usize {
    let masks = targets.masks();
    let segmenter = masks.and_then(|masks| Segmenter::new(network, [masks.height, masks.width]));
    segmenter.map_or(0, |segmenter| {
        let matrix = segmenter.classes() * segmenter.classes() * 8;
        threads * (segmenter.buffer_bytes() + network.classes() * 4 + matrix)
    })
}
