//! Cache of loaded files, calibrations, ANN values and finished runs, for reuse by later runs.
//!
//! Small results are cached by key. Finished runs, ANN values, calibrations and data sets are cached up to
//! [`MAX_CACHED_BYTES`] in all, so that undo and redo find their result at once.

mod keys;
mod lru_map;

use std::collections::{HashSet, VecDeque};
use std::ops::Range;
use std::sync::Arc;

pub use self::keys::{AnnKey, BalanceKey, CalibrationKey, ModelKey, SamplesKey, TuneKey};
use self::lru_map::{LruMap, keep_first};
use super::background_load::BackgroundLoads;
use super::run::{PreparedNetwork, Run, ann_buffers, buffer_of, sample_buffers};
use super::settings::Settings;
use crate::compute::AnnRun;
use crate::convert::{BalancedThresholds, Calibration, Finding, SpikingNetwork};
use crate::data::Samples;
use crate::network::left_open::InputSizes;

/// Maximum size of all that is cached and computed or read, in bytes; what several results share counts once. The newest
/// of each kind is kept whatever its size.
pub const MAX_CACHED_BYTES: usize = 640 << 20;
/// Maximum size of the final states of all runs but the newest, in bytes. Continuing from an older run is rare; showing it
/// again is not.
const MAX_FINAL_STATE_BYTES: usize = 64 << 20;
/// Maximum number of finished runs: while the user draws, every part of a stroke is a run.
const MAX_RUNS: usize = 256;

/// Networks and data sets that were opened.
#[derive(Debug)]
pub struct OpenedFiles {
    models: LruMap<ModelKey, Arc<PreparedNetwork>>,
    samples: LruMap<SamplesKey, Arc<Samples>>,
    sizes: LruMap<(String, String), InputSizes>,
}

/// Buffers that were counted, each once.
#[derive(Debug, Default)]
struct CountedBuffers {
    known: HashSet<usize>,
    bytes: usize,
}

impl CountedBuffers {
    fn add(&mut self, buffers: impl IntoIterator<Item = (usize, usize)>) {
        for (buffer, bytes) in buffers {
            if self.known.insert(buffer) {
                self.bytes += bytes;
            }
        }
    }
}

/// All results that are cached between runs.
#[derive(Debug)]
pub struct Cache {
    pub(super) models: LruMap<ModelKey, Arc<PreparedNetwork>>,
    pub(super) samples: LruMap<SamplesKey, Arc<Samples>>,
    /// Class names of data sets, by their specification: a drawing has those of the data that it replaces.
    pub(super) class_names: LruMap<String, Vec<String>>,
    /// Cancelled reads of networks and data sets that continue.
    pub(super) opening: BackgroundLoads<ModelKey, Arc<PreparedNetwork>>,
    pub(super) reading: BackgroundLoads<SamplesKey, Arc<Samples>>,
    /// Open sizes of a network, by its source and the data that determine them.
    pub(super) sizes: LruMap<(String, String), InputSizes>,
    pub(super) sizing: BackgroundLoads<(String, String), InputSizes>,
    calibrations: LruMap<CalibrationKey, Arc<Calibration>>,
    pub balanced: LruMap<BalanceKey, Arc<BalancedThresholds>>,
    pub tuned: LruMap<TuneKey, Arc<SpikingNetwork>>,
    /// Findings about the input scaling.
    pub scalings: LruMap<AnnKey, Option<Finding>>,
    anns: LruMap<AnnKey, (Arc<Vec<f32>>, Arc<AnnRun>)>,
    /// Calibration samples and samples of a run, by their data set, that were fitted to its size.
    pub(super) fitted_ranges: LruMap<String, (Range<usize>, Range<usize>)>,
    /// Newest first.
    runs: VecDeque<(AnnKey, Arc<Run>)>,
    /// Whether a classifier's run discards the values of its data set once they are scaled.
    pub(super) discards_samples: bool,
}

impl Default for Cache {
    fn default() -> Self {
        Self {
            models: LruMap::new(3),
            samples: LruMap::new(3),
            class_names: LruMap::new(8),
            opening: BackgroundLoads::default(),
            reading: BackgroundLoads::default(),
            sizes: LruMap::new(8),
            sizing: BackgroundLoads::default(),
            calibrations: LruMap::new(3),
            balanced: LruMap::new(4),
            tuned: LruMap::new(8),
            scalings: LruMap::new(8),
            anns: LruMap::new(2),
            fitted_ranges: LruMap::new(8),
            runs: VecDeque::new(),
            discards_samples: false,
        }
    }
}

impl Cache {
    /// For a run that is the only one: a classifier's samples are discarded once they are scaled.
    pub fn for_one_run() -> Self {
        Self { discards_samples: true, ..Self::default() }
    }
    /// The finished run of exactly these settings.
    pub fn run(&mut self, settings: &Settings) -> Option<Arc<Run>> {
        let at = self.runs.iter().position(|(_, run)| run.settings == *settings)?;
        let item = self.runs.remove(at)?;
        let run = item.1.clone();
        self.runs.push_front(item);
        Some(run)
    }
    /// `run` as the cache keeps it: older runs without their final state, as those that it has discarded.
    pub fn kept_form(&self, run: &Arc<Run>) -> Arc<Run> {
        match self.runs.iter().find(|(_, kept)| kept.settings == run.settings) {
            Some((_, kept)) => kept.clone(),
            None if run.recording.final_state_bytes() > 0 => Arc::new(run.without_final_state()),
            None => run.clone(),
        }
    }
    /// The cached run of the same network from which a run of `spiking` over `steps` can reuse the most layers, and the
    /// number of unchanged leading layers. It has the same samples, or more or fewer from the same first one.
    pub fn reusable_run(&self, key: &AnnKey, spiking: &SpikingNetwork, steps: usize) -> Option<(Arc<Run>, usize)> {
        let all = spiking.layers.len();
        let reusable = |run: &Run| {
            let unchanged = run.spiking.first_difference(spiking).unwrap_or(all);
            // A shorter run is reusable only if it can continue, which needs all layers unchanged.
            if run.steps() < steps && unchanged < all { 0 } else { unchanged }
        };
        let reusable_samples = |run: &Run| if run.steps() == steps && reusable(run) == all { all } else { 0 };
        let with_state = self.runs.iter().filter(|(_, run)| run.recording.has_final_state());
        let known = with_state.filter_map(|(k, run)| {
            let other_samples = || k.extends(key) || key.extends(k);
            let layers = if k == key {
                reusable(run)
            } else if other_samples() {
                reusable_samples(run)
            } else {
                return None;
            };
            Some((run.clone(), layers))
        });
        // The best run; of equal ones the newest.
        known.reduce(|best, next| if next.1 > best.1 { next } else { best })
    }
    /// Inserts a finished run and discards the oldest results beyond the limits.
    pub fn insert_run(&mut self, key: AnnKey, run: Arc<Run>) {
        self.runs.push_front((key, run));
        self.runs.truncate(MAX_RUNS);
        let mut state_bytes = 0;
        for (_, run) in self.runs.iter_mut().skip(1) {
            state_bytes += run.recording.final_state_bytes();
            if run.recording.final_state_bytes() > 0 && state_bytes > MAX_FINAL_STATE_BYTES {
                *run = Arc::new(run.without_final_state());
            }
        }
        self.discard_surplus();
    }
    /// Discards the oldest results beyond [`MAX_CACHED_BYTES`]. The newest run, ANN values, calibration and data set count
    /// first and stay.
    fn discard_surplus(&mut self) {
        let mut counted = CountedBuffers::default();
        let newest = |counted: &mut CountedBuffers, cache: &Self| {
            cache.runs.iter().take(1).for_each(|(_, run)| counted.add(run.shared_buffers()));
            cache.anns.iter().take(1).for_each(|(_, (input, ann))| counted.add(ann_buffers(input, ann)));
            cache.calibrations.iter().take(1).for_each(|(_, calibration)| counted.add([buffer_of(calibration)]));
            cache.samples.iter().take(1).for_each(|(_, samples)| counted.add(sample_buffers(samples)));
        };
        newest(&mut counted, self);
        let mut keep = |is_first: bool, buffers: Vec<(usize, usize)>| {
            counted.add(buffers);
            is_first || counted.bytes <= MAX_CACHED_BYTES
        };
        self.samples.keep_first(|k, (_, samples)| keep(k == 0, sample_buffers(samples)));
        self.anns.keep_first(|k, (_, (input, ann))| keep(k == 0, ann_buffers(input, ann).to_vec()));
        self.calibrations.keep_first(|k, (_, calibration)| keep(k == 0, vec![buffer_of(calibration)]));
        keep_first(&mut self.runs, |k, (_, run)| keep(k == 0, run.shared_buffers()));
    }
    /// Bytes of all that counts against [`MAX_CACHED_BYTES`].
    pub fn bytes(&self) -> usize {
        let mut counted = CountedBuffers::default();
        self.runs.iter().for_each(|(_, run)| counted.add(run.shared_buffers()));
        self.anns.iter().for_each(|(_, (input, ann))| counted.add(ann_buffers(input, ann)));
        self.calibrations.iter().for_each(|(_, calibration)| counted.add([buffer_of(calibration)]));
        self.samples.iter().for_each(|(_, samples)| counted.add(sample_buffers(samples)));
        counted.bytes
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
    /// The cached ANN values on the longest prefix of the samples of `key`.
    pub fn ann_prefix(&self, key: &AnnKey) -> Option<Arc<AnnRun>> {
        let known = self.anns.iter().filter(|(k, _)| key.extends(k)).map(|(_, (_, ann))| ann);
        known.max_by_key(|ann| ann.samples).cloned()
    }
    pub fn insert_ann(&mut self, key: AnnKey, input: Arc<Vec<f32>>, ann: Arc<AnnRun>) {
        self.anns.insert(key, (input, ann));
    }
    /// Discards everything, so that files are read again; returns what was opened.
    pub fn reload(&mut self) -> OpenedFiles {
        let before = std::mem::take(self);
        self.discards_samples = before.discards_samples;
        OpenedFiles { models: before.models, samples: before.samples, sizes: before.sizes }
    }
    /// Takes opened files back that could not be read again: they may have been moved or deleted since.
    pub fn take_back(&mut self, files: OpenedFiles) {
        self.models.insert_older(files.models);
        self.samples.insert_older(files.samples);
        self.sizes.insert_older(files.sizes);
    }
    /// Discards the finished runs; keeps the results that they were computed from.
    pub fn forget_runs(&mut self) {
        self.runs.clear();
    }
    /// Discards everything read or computed from `source`, so that a changed file is read again.
    pub fn forget_model(&mut self, source: &str) {
        self.models.retain(|(key, _)| key.source != source);
        self.opening.discard(|key| key.source == source);
        self.sizes.retain(|((model, _), _)| model != source);
        self.sizing.discard(|(model, _)| model == source);
        self.calibrations.retain(|(key, _)| key.model != source);
        self.balanced.retain(|((key, ..), _)| key.model != source);
        self.tuned.retain(|((key, _), _)| key.model != source);
        self.scalings.retain(|(key, _)| key.model != source);
        self.anns.retain(|(key, _)| key.model != source);
        self.runs.retain(|(key, _)| key.model != source);
    }
    /// Discards everything read or computed from a data set, so that changed files are read again.
    pub fn forget_data(&mut self, spec: &str) {
        self.samples.retain(|(key, _)| key.spec != spec);
        self.reading.discard(|key| key.spec == spec);
        self.class_names.retain(|(data, _)| data != spec);
        self.sizes.retain(|((_, data), _)| data != spec);
        self.sizing.discard(|(_, data)| data == spec);
        self.calibrations.retain(|(key, _)| key.data != spec);
        self.balanced.retain(|((key, ..), _)| key.data != spec);
        self.tuned.retain(|((key, _), _)| key.data != spec);
        self.scalings.retain(|(key, _)| key.data != spec);
        self.anns.retain(|(key, _)| key.data != spec);
        self.runs.retain(|(key, run)| key.data != spec && run.settings.calibration_data.as_deref() != Some(spec));
    }
}
