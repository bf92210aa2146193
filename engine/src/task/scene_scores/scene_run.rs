//! What scores of scenes are computed from: the outputs of both networks and the targets.

use super::window::ReadoutWindow;
use crate::compute::AnnRun;
use crate::data::Targets;
use crate::network::Network;
use crate::simulate::Recording;
use crate::task::detection::Detector;
use crate::task::segmentation::{Segmenter, SegmenterBuffers};

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

impl SceneRun<'_> {
    /// The class maps of ANN and SNN for `sample`, the latter after `t` steps, `[H, W]` of the sample, whether there are
    /// targets or not; `None` if the output is no map of scores.
    pub fn class_maps(&self, sample: usize, t: usize) -> Option<[Vec<u8>; 2]> {
        let segmenter = Segmenter::new(self.network, self.sample_size)?;
        let map = |scores: &[f32]| {
            let mut map = vec![0; self.sample_size.iter().product()];
            segmenter.classes_of(scores, &mut map, &mut SegmenterBuffers::default());
            map
        };
        Some([map(self.ann.logits_of(sample)), map(&self.window.mean(self.recording, t, sample))])
    }
}
