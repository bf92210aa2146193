//! Result of a training.

use crate::network::Network;

/// Result of a training.
#[derive(Clone, Debug)]
pub struct TrainResult {
    /// The network with the best weights seen, by the score of the held-out samples.
    pub network: Network,
    /// Its score there.
    pub score: f32,
    /// The epoch of these weights, from 1.
    pub epoch: usize,
    /// True when the caller stopped it.
    pub stopped: bool,
}
