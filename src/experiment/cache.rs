//! What was computed and may serve again. Small things are kept by their key; finished runs up to a number of bytes, so
//! that undo and redo find their result at once.

use std::collections::{HashSet, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use super::background_load::BackgroundLoads;
use super::run::{PreparedNetwork, Run};
use super::settings::Settings;
use crate::compute::AnnRun;
use crate::compute::backend::Backend;
use crate::convert::{
    BalancedThresholds, BalancingOptions, Calibration, Finding, Granularity, MaxPoolRule, Recipe, SpikingNetwork,
};
use crate::data::{Samples, Scaling};

/// Finished runs are kept up to this many bytes of recordings.
const RUN_BYTES: usize = 512 << 20;
/// Of the runs before the newest, this many bytes of states after the last step are kept: going on from one of them is
/// rare, looking at it again is not.
const END_BYTES: usize = 64 << 20;
/// And up to this many: while one draws, every bit of a stroke is a run.
const RUNS: usize = 256;

/// What decides a loaded data set.
#[derive(Clone, Debug, PartialEq)]
pub struct SamplesKey {
    pub spec: String,
    /// The network's input shape, which pictures are fitted to.
    pub shape: Vec<usize>,
    /// The network's classes, which labels are checked against and folders named by.
    pub classes: usize,
    pub class_names: Vec<String>,
}

/// What decides a calibration.
#[derive(Clone, Debug, PartialEq)]
pub struct CalibrationKey {
    model: String,
    backend: Backend,
    pooling: MaxPoolRule,
    data: String,
    scaling: Scaling,
    range: Range<usize>,
}

/// What decides the ANN's values on the samples of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct AnnKey {
    model: String,
    backend: Backend,
    pooling: MaxPoolRule,
    data: String,
    scaling: Scaling,
    range: Range<usize>,
}

impl CalibrationKey {
    /// The part of `settings` that a calibration depends on.
    pub fn new(settings: &Settings) -> Self {
        let data = settings.calibration_data.as_ref().unwrap_or(&settings.data).clone();
        Self {
            model: settings.model.clone(),
            backend: settings.backend,
            pooling: settings.recipe.pooling,
            data,
            scaling: settings.scaling.clone(),
            range: settings.calibrate.clone(),
        }
    }
}

impl AnnKey {
    /// The part of `settings` that the ANN's values depend on.
    pub fn new(settings: &Settings) -> Self {
        Self {
            model: settings.model.clone(),
            backend: settings.backend,
            pooling: settings.recipe.pooling,
            data: settings.data.clone(),
            scaling: settings.scaling.clone(),
            range: settings.samples.clone(),
        }
    }
}

impl AnnKey {
    /// Whether `self` is of the samples of `other` and more behind them, all else being equal.
    fn extends(&self, other: &Self) -> bool {
        self.range.start == other.range.start
            && self.range.end > other.range.end
            && Self { range: other.range.clone(), ..self.clone() } == *other
    }
}

/// What decides an opened network: its source, backend, and what becomes of max-pools.
pub type ModelKey = (String, Backend, MaxPoolRule);
/// What decides balanced thresholds.
pub type BalanceKey = (CalibrationKey, BalancingOptions, Granularity);
/// What decides calibrated biases and potentials.
pub type TuneKey = (CalibrationKey, Recipe);

/// The last few values by key, newest first.
#[derive(Debug)]
pub struct LruMap<K, V> {
    room: usize,
    items: VecDeque<(K, V)>,
}

impl<K: PartialEq, V: Clone> LruMap<K, V> {
    fn new(room: usize) -> Self {
        Self { room, items: VecDeque::new() }
    }
    pub fn get(&mut self, key: &K) -> Option<V> {
        let at = self.items.iter().position(|(k, _)| k == key)?;
        let item = self.items.remove(at)?;
        self.items.push_front(item);
        self.items.front().map(|(_, value)| value.clone())
    }
    pub fn insert(&mut self, key: K, value: V) {
        self.items.retain(|(k, _)| *k != key);
        self.items.push_front((key, value));
        self.items.truncate(self.room);
    }
}

/// Everything kept between runs.
#[derive(Debug)]
pub struct Cache {
    pub(super) models: LruMap<ModelKey, Arc<PreparedNetwork>>,
    pub(super) samples: LruMap<SamplesKey, Arc<Samples>>,
    /// Networks and data sets that are being read.
    pub(super) opening: BackgroundLoads<ModelKey, Arc<PreparedNetwork>>,
    pub(super) reading: BackgroundLoads<SamplesKey, Arc<Samples>>,
    calibrations: LruMap<CalibrationKey, Arc<Calibration>>,
    pub balanced: LruMap<BalanceKey, Arc<BalancedThresholds>>,
    pub tuned: LruMap<TuneKey, Arc<SpikingNetwork>>,
    /// What was said of the input scaling.
    pub scalings: LruMap<AnnKey, Option<Finding>>,
    anns: LruMap<AnnKey, (Arc<Vec<f32>>, Arc<AnnRun>)>,
    /// Newest first.
    runs: VecDeque<(AnnKey, Arc<Run>)>,
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            models: LruMap::new(3),
            samples: LruMap::new(3),
            opening: BackgroundLoads::default(),
            reading: BackgroundLoads::default(),
            calibrations: LruMap::new(3),
            balanced: LruMap::new(4),
            tuned: LruMap::new(8),
            scalings: LruMap::new(8),
            anns: LruMap::new(2),
            runs: VecDeque::new(),
        }
    }
}

impl Cache {
    /// The finished run of exactly these settings.
    pub fn run(&mut self, settings: &Settings) -> Option<Arc<Run>> {
        let at = self.runs.iter().position(|(_, run)| run.settings == *settings)?;
        let item = self.runs.remove(at)?;
        let run = item.1.clone();
        self.runs.push_front(item);
        Some(run)
    }
    /// The kept run of the same network that most of a run of `spiking` over `steps` can be taken from, and the number of its
    /// layers that are the same. It is of the same samples, or of more or fewer from the same first one on.
    pub fn reusable_run(&self, key: &AnnKey, spiking: &SpikingNetwork, steps: usize) -> Option<(Arc<Run>, usize)> {
        let all = spiking.layers.len();
        let worth = |run: &Run| {
            let same = run.spiking.first_difference(spiking).unwrap_or(all);
            // Of a shorter run nothing serves unless it can go on.
            if run.steps() < steps && same < all { 0 } else { same }
        };
        let other = |run: &Run| if run.steps() == steps && worth(run) == all { all } else { 0 };
        let whole = self.runs.iter().filter(|(_, run)| run.recording.has_final_state());
        let known = whole.filter_map(|(k, run)| {
            let others = || k.extends(key) || key.extends(k);
            let worth = if k == key {
                worth(run)
            } else if others() {
                other(run)
            } else {
                return None;
            };
            Some((run.clone(), worth))
        });
        // Newest first, and the first of equals.
        known.reduce(|best, next| if next.1 > best.1 { next } else { best })
    }
    /// Keeps a finished run and drops the oldest beyond the limit.
    pub fn insert_run(&mut self, key: AnnKey, run: Arc<Run>) {
        self.runs.push_front((key, run));
        let (mut bytes, mut ends, mut kept) = (0, 0, 0);
        let mut seen = HashSet::new();
        for (_, run) in &mut self.runs {
            if kept > 0 {
                ends += run.recording.final_state_bytes();
                if ends > END_BYTES {
                    *run = Arc::new(run.without_final_state());
                }
            }
            // What runs share is held once.
            bytes += run
                .recording
                .shared_buffers()
                .filter(|(part, _)| seen.insert(*part))
                .map(|(_, bytes)| bytes)
                .sum::<usize>();
            if kept > 0 && (bytes > RUN_BYTES || kept >= RUNS) {
                break;
            }
            kept += 1;
        }
        self.runs.truncate(kept);
    }
    pub fn calibration(&mut self, key: &CalibrationKey) -> Option<Arc<Calibration>> {
        self.calibrations.get(key)
    }
    pub fn insert_calibration(&mut self, key: CalibrationKey, calibration: Arc<Calibration>) {
        self.calibrations.insert(key, calibration);
    }
    pub fn ann(&mut self, key: &AnnKey) -> Option<(Arc<Vec<f32>>, Arc<AnnRun>)> {
        self.anns.get(key)
    }
    /// The ANN's values on the most samples at the beginning of those of `key`, where some are kept.
    pub fn ann_prefix(&self, key: &AnnKey) -> Option<Arc<AnnRun>> {
        let known = self.anns.items.iter().filter(|(k, _)| key.extends(k)).map(|(_, (_, ann))| ann);
        known.max_by_key(|ann| ann.samples).cloned()
    }
    pub fn insert_ann(&mut self, key: AnnKey, input: Arc<Vec<f32>>, ann: Arc<AnnRun>) {
        self.anns.insert(key, (input, ann));
    }
    /// Forgets the finished runs; what they were made of stays.
    pub fn forget_runs(&mut self) {
        self.runs.clear();
    }
    /// Forgets what was read from `source`, so that a changed file is read again.
    pub fn forget_model(&mut self, source: &str) {
        self.models.items.retain(|((name, ..), _)| name != source);
        self.opening.discard(|(name, ..)| name == source);
        self.calibrations.items.retain(|(key, _)| key.model != source);
        self.balanced.items.retain(|((key, ..), _)| key.model != source);
        self.tuned.items.retain(|((key, _), _)| key.model != source);
        self.scalings.items.retain(|(key, _)| key.model != source);
        self.anns.items.retain(|(key, _)| key.model != source);
        self.runs.retain(|(key, _)| key.model != source);
    }
    /// Forgets a data set, so that changed files are read again.
    pub fn forget_data(&mut self, spec: &str) {
        self.samples.items.retain(|(key, _)| key.spec != spec);
        self.reading.discard(|key| key.spec == spec);
        self.calibrations.items.retain(|(key, _)| key.data != spec);
        self.balanced.items.retain(|((key, ..), _)| key.data != spec);
        self.tuned.items.retain(|((key, _), _)| key.data != spec);
        self.scalings.items.retain(|(key, _)| key.data != spec);
        self.anns.items.retain(|(key, _)| key.data != spec);
        self.runs.retain(|(key, run)| key.data != spec && run.settings.calibration_data.as_deref() != Some(spec));
    }
}
