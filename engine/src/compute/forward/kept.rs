//! Places to which a forward pass stores the values of single nodes.

use std::sync::Mutex;

use crate::network::NodeId;

/// The place of every sample's values, each written by one worker.
pub type SamplePlaces<'a, T = f32> = Vec<Mutex<&'a mut [T]>>;

/// The places in `values`, `[N, len]`, one for each sample.
pub fn sample_places<T>(values: &mut [T], len: usize) -> SamplePlaces<'_, T> {
    values.chunks_mut(len.max(1)).map(Mutex::new).collect()
}

/// Where the values of a node are kept.
#[derive(Debug)]
pub struct Kept<'a> {
    pub node: NodeId,
    pub places: SamplePlaces<'a>,
}

impl Kept<'_> {
    /// Keeps `values` of `sample` if they are those of this node.
    pub fn take(&self, node: NodeId, sample: usize, values: &[f32]) {
        if let Some(Ok(mut place)) = self.places.get(sample).filter(|_| node == self.node).map(|place| place.lock()) {
            place.copy_from_slice(values);
        }
    }
}
