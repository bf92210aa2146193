//! What scores of scenes are computed from: the outputs of both networks and the targets.

use super::window::ReadoutWindow;
use crate::compute::AnnRun;
use crate::data::Targets;
use crate::network::Network;
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
