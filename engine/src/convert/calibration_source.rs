//! The calibration samples as a source: passes over their activations, and layers whose values are kept.

use std::collections::VecDeque;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;

use super::activation_collector::{Detail, LayerCollector};
use super::largest_values::LargestValues;
use super::radix_sort::sort_ascending;
use crate::Result;
use crate::compute::program::Program;
use crate::network::NodeId;
use crate::progress::JobControl;

/// Maximum size of the sorted values that a calibration keeps, in bytes. Others are computed again when needed.
pub(super) const MAX_KEPT_BYTES: usize = 128 << 20;

/// The scaled calibration samples, `[rows, F]`, whenever they are needed: between passes nothing is kept of them.
pub type CalibrationInput = Box<dyn Fn() -> Arc<Vec<f32>> + Send + Sync>;

/// Values above zero, ascending: those of the layer, or of one channel.
#[derive(Clone, Debug, Default)]
pub struct SortedValues {
    sets: Arc<Vec<Vec<f32>>>,
    index: usize,
}

impl SortedValues {
    /// Set `index` of `sets`.
    pub(super) fn new(sets: &Arc<Vec<Vec<f32>>>, index: usize) -> Self {
        Self { sets: sets.clone(), index }
    }
    /// These values, which are ascending.
    pub(super) fn from_sorted(values: Vec<f32>) -> Self {
        Self { sets: Arc::new(vec![values]), index: 0 }
    }
}

impl Deref for SortedValues {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        self.sets.get(self.index).map_or(&[], Vec::as_slice)
    }
}

/// The calibration samples and the network that they run through.
pub(super) struct CalibrationSource {
    program: Program,
    input: CalibrationInput,
    pub rows: usize,
    pub layers: Vec<NodeId>,
    kept: Mutex<VecDeque<KeptLayer>>,
}

/// All values above zero of a layer, by channel or together.
struct KeptLayer {
    layer: usize,
    by_channel: bool,
    sets: Arc<Vec<Vec<f32>>>,
}

impl KeptLayer {
    fn bytes(&self) -> usize {
        self.sets.iter().map(|set| set.capacity() * 4).sum()
    }
}

impl std::fmt::Debug for CalibrationSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CalibrationSource").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl CalibrationSource {
    pub fn new(program: &Program, input: CalibrationInput, rows: usize) -> Self {
        let layers = program.network().activation_nodes().map(|(id, _)| id).collect();
        Self { program: program.clone(), input, rows, layers, kept: Mutex::default() }
    }

    /// One pass over the samples: collects the values of every layer that `detail` returns one for.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`] once `control` is cancelled.
    pub fn collect(
        &self,
        detail: impl Fn(usize) -> Option<Detail>,
        control: &JobControl,
    ) -> Result<Vec<Option<LayerCollector>>> {
        let network = self.program.network();
        let empty =
            |(k, &node): (usize, &NodeId)| Some(LayerCollector::new(&network.nodes[node], self.rows, detail(k)?));
        let empty: Vec<Option<LayerCollector>> = self.layers.iter().enumerate().map(empty).collect();
        // An activation's input is its pre-activation z.
        let source_of = |layer: &NodeId| network.nodes[*layer].inputs[0];
        let requested = self.layers.iter().zip(&empty).filter(|(_, layer)| layer.is_some());
        let mut targets: Vec<NodeId> = requested.map(|(layer, _)| source_of(layer)).collect();
        targets.sort_unstable();
        targets.dedup();
        let input = (self.input)();
        let observe = |state: &mut Vec<Option<LayerCollector>>, node: NodeId, sample: usize, values: &[f32]| {
            for (layer, collector) in self.layers.iter().zip(state) {
                if let Some(collector) = collector.as_mut().filter(|_| source_of(layer) == node) {
                    collector.add(sample, values);
                }
            }
            Ok(())
        };
        let state = || empty.clone();
        let (_, states) = self.program.run_samples(&input, &targets, "calibrating", control, state, observe)?;
        let merge = |a: Vec<Option<LayerCollector>>, b: Vec<Option<LayerCollector>>| {
            a.into_iter().zip(b).map(|(a, b)| Some(a?.merge(b?))).collect()
        };
        Ok(states.into_iter().reduce(merge).unwrap_or(empty))
    }

    /// All values above zero of layer `layer`, ascending: one set, or one for each channel. Kept while there is room.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`] once `control` is cancelled.
    pub fn sorted(&self, layer: usize, by_channel: bool, control: &JobControl) -> Result<Arc<Vec<Vec<f32>>>> {
        if let Some(known) = self.kept(layer, by_channel) {
            return Ok(known);
        }
        let all = Detail { fraction: 1.0, by_channel };
        let mut collected = self.collect(|k| (k == layer).then_some(all), control)?;
        let Some(collector) = collected.get_mut(layer).and_then(Option::take) else { return Ok(Arc::default()) };
        let sets = Arc::new(sort_sets(collector.sets, control)?);
        self.keep(layer, by_channel, sets.clone());
        Ok(sets)
    }

    /// Loads the values of all layers in one pass, if `bytes`, their size, is small enough to keep.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`] once `control` is cancelled.
    pub fn load_all(&self, by_channel: bool, bytes: usize, control: &JobControl) -> Result<()> {
        let is_known = (0..self.layers.len()).all(|layer| self.kept(layer, by_channel).is_some());
        if is_known || bytes > MAX_KEPT_BYTES {
            return Ok(());
        }
        let collected = self.collect(|_| Some(Detail { fraction: 1.0, by_channel }), control)?;
        let layers = collected.into_par_iter().enumerate().filter_map(|(layer, collector)| Some((layer, collector?)));
        layers.try_for_each(|(layer, collector)| {
            self.keep(layer, by_channel, Arc::new(sort_sets(collector.sets, control)?));
            Ok(())
        })
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<KeptLayer>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn kept(&self, layer: usize, by_channel: bool) -> Option<Arc<Vec<Vec<f32>>>> {
        let kept = self.lock();
        kept.iter().find(|kept| (kept.layer, kept.by_channel) == (layer, by_channel)).map(|kept| kept.sets.clone())
    }
    /// Keeps the values of a layer, and discards the oldest beyond the limit.
    fn keep(&self, layer: usize, by_channel: bool, sets: Arc<Vec<Vec<f32>>>) {
        let mut kept = self.lock();
        kept.retain(|kept| (kept.layer, kept.by_channel) != (layer, by_channel));
        kept.push_front(KeptLayer { layer, by_channel, sets });
        while kept.len() > 1 && kept.iter().map(KeptLayer::bytes).sum::<usize>() > MAX_KEPT_BYTES {
            kept.pop_back();
        }
    }
    /// Bytes of the kept values.
    pub fn bytes(&self) -> usize {
        self.lock().iter().map(KeptLayer::bytes).sum()
    }
}

/// The values of every set, ascending.
///
/// # Errors
/// [`crate::Error::Cancelled`] once `control` is cancelled.
pub(super) fn sort_sets(sets: Vec<LargestValues>, control: &JobControl) -> Result<Vec<Vec<f32>>> {
    sets.into_par_iter().map(|set| sort_ascending(set.into_bits(), control)).collect()
}
