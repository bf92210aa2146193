//! Scores of a run on scenes: mean IoU of its class maps, or average precision of its boxes, over the time steps.
//!
//! `segmentation.rs` and `detection.rs` read both networks' outputs and compare them with the targets of the samples;
//! `window.rs` has the mean readout at a step.

mod detection;
mod segmentation;
mod window;

pub use detection::{DetectionScores, PictureDetections, default_steps};
pub use segmentation::SegmentationScores;
pub use window::{ReadoutWindow, window_start};

use crate::Result;
use crate::compute::AnnRun;
use crate::data::Targets;
use crate::network::Network;
use crate::progress::JobControl;
use crate::simulate::Recording;
use crate::task::detection::Detector;

/// What is scored: the outputs of both networks and the targets of the data set.
#[derive(Clone, Copy)]
pub struct SceneRun<'a> {
    /// The network as in its file, with the output that answers.
    pub network: &'a Network,
    pub detector: Option<&'a Detector>,
    pub ann: &'a AnnRun,
    pub recording: &'a Recording,
    pub targets: &'a Targets,
    /// Index in the data set of the run's first sample.
    pub first: usize,
    pub window: ReadoutWindow,
    /// Height and width of a sample.
    pub sample_size: [usize; 2],
}

/// Scores of a run on scenes.
#[derive(Clone, Debug)]
pub enum SceneScores {
    Masks(SegmentationScores),
    Boxes(DetectionScores),
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
    let segmenter =
        masks.and_then(|masks| crate::task::segmentation::Segmenter::new(network, [masks.height, masks.width]));
    segmenter.map_or(0, |segmenter| {
        let matrix = segmenter.classes() * segmenter.classes() * 8;
        threads * (segmenter.buffer_bytes() + network.classes() * 4 + matrix)
    })
}
