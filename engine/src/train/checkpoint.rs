//! Checkpoints of a training: all that the next epoch depends on, so that a resumed training gives the same bytes.
//!
//! A safetensors file: the parameters, what the optimizer remembers, running statistics, the order of the samples, the best
//! network so far, and as metadata `spikescope.training` what was trained on what, how far it is, and its curves.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use burn::backend::Flex;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use serde::{Deserialize, Serialize};

use super::adam::Slot;
use super::batch_norm::Statistics;
use super::trainable_network::TrainableNetwork;
use crate::compute::storage::into_vec;
use crate::files::write_bytes;
use crate::network::{Network, safetensors as network_file};
use crate::{Error, Result};

const TRAINING: &str = "spikescope.training";
/// Names the digest of the samples, which a training goes by if it is known, wherever the file lies.
pub(super) const CONTENT: &str = "content of the data";

/// Where a training is after an epoch.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Position {
    /// What is trained on what and how, by name.
    pub of: BTreeMap<String, String>,
    /// Epochs that are finished.
    pub epoch: usize,
    /// Position of the random numbers, in words.
    pub word: String,
    /// Bits of the best score, and its epoch.
    pub best: (u32, usize),
    /// Bits of loss and score, and of the accuracy where there is one, of every epoch.
    pub curves: Vec<(u32, u32, Option<u32>)>,
    /// Steps that the optimizer took on each parameter.
    times: Vec<u32>,
}

/// A checkpoint.
pub(super) struct Checkpoint {
    pub at: Position,
    pub best: Network,
    /// Order of the training samples.
    pub order: Vec<usize>,
    parameters: Vec<Vec<f32>>,
    pub slots: Vec<Slot>,
    running: Vec<Option<Statistics>>,
}

impl Position {
    pub(super) fn new(of: BTreeMap<String, String>, epoch: usize, word: u128, best: (f32, usize)) -> Self {
        let best = (best.0.to_bits(), best.1);
        Self { of, epoch, word: word.to_string(), best, curves: Vec::new(), times: Vec::new() }
    }
}

impl Checkpoint {
    /// Writes `trainee` and the rest to `path`, atomically.
    pub(super) fn write(
        path: &Path,
        mut at: Position,
        trainee: &TrainableNetwork,
        slots: &[Slot],
        order: &[usize],
        best: &Network,
    ) -> Result<()> {
        let mut read = ReadAll::default();
        trainee.layers.visit(&mut read);
        at.times = slots.iter().map(|slot| slot.time).collect();
        let floats = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        let mut parts: Vec<(String, Dtype, Vec<u8>)> = Vec::new();
        for (k, values) in read.0.iter().enumerate() {
            parts.push((format!("parameter.{k}"), Dtype::F32, floats(values)));
        }
        for (k, slot) in slots.iter().enumerate() {
            parts.push((format!("first.{k}"), Dtype::F32, floats(&slot.first)));
            parts.push((format!("second.{k}"), Dtype::F32, floats(&slot.second)));
        }
        for (k, running) in trainee.running.iter().enumerate() {
            if let Some(Statistics { mean, variance }) = running {
                parts.push((format!("mean.{k}"), Dtype::F32, floats(mean)));
                parts.push((format!("variance.{k}"), Dtype::F32, floats(variance)));
            }
        }
        parts.push(("order".into(), Dtype::U32, order.iter().flat_map(|&k| (k as u32).to_le_bytes()).collect()));
        parts.push(("best".into(), Dtype::U8, network_file::to_bytes(best)?));
        let internal = |e: String| Error::Internal(format!("cannot write a checkpoint: {e}"));
        let views: Result<Vec<(&str, TensorView<'_>)>> = parts
            .iter()
            .map(|(name, dtype, bytes)| {
                let size = if *dtype == Dtype::U8 { 1 } else { 4 };
                let view = TensorView::new(*dtype, vec![bytes.len() / size], bytes);
                Ok((name.as_str(), view.map_err(|e| internal(e.to_string()))?))
            })
            .collect();
        let text = serde_json::to_string(&at).map_err(|e| internal(e.to_string()))?;
        let metadata = HashMap::from([(TRAINING.to_owned(), text)]);
        let bytes = safetensors::serialize(views?, Some(metadata)).map_err(|e| internal(e.to_string()))?;
        write_bytes(path, &bytes)
    }

    /// Reads the checkpoint at `path` of the training `of`.
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be read, [`Error::File`] when it is no checkpoint or of another training.
    pub(super) fn read(path: &Path, of: &BTreeMap<String, String>) -> Result<Self> {
        let fail = |place: &str, reason: String| Error::file(path, place, reason);
        let bytes = std::fs::read(path).map_err(|source| Error::io(path, source))?;
        let broken = |e: safetensors::SafeTensorError| {
            fail("header", format!("no complete checkpoint ({e}). Start anew without --resume"))
        };
        let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(broken)?;
        let text = metadata.metadata().as_ref().and_then(|entries| entries.get(TRAINING));
        let text = text.ok_or_else(|| {
            let reason = format!(
                "'{TRAINING}' is missing: this is no checkpoint of a training. Use the .checkpoint file that train \
                 writes after each epoch; to go on training a finished network, use --init."
            );
            fail("metadata", reason)
        })?;
        let at: Position = serde_json::from_str(text).map_err(|e| fail(TRAINING, format!("cannot be parsed ({e})")))?;
        // Checkpoints of earlier versions know the data by name alone.
        let compared = |name: &str| name != if at.of.contains_key(CONTENT) { "data" } else { CONTENT };
        let differ = of.iter().filter(|(name, value)| compared(name) && at.of.get(*name) != Some(value));
        // Another seed or neuron makes another network, too: the option says more.
        if let Some((name, now)) = differ.min_by_key(|(name, _)| *name == "network") {
            let then = at.of.get(name).map_or_else(|| "unknown".to_owned(), |then| in_words(then));
            let reason = format!(
                "it is of another training: {name} was {then}, and is {} now. Use the same network, data and options, \
                 or start anew without --resume.",
                in_words(now)
            );
            return Err(fail(TRAINING, reason));
        }
        let tensors = SafeTensors::deserialize(&bytes).map_err(broken)?;
        let raw = |name: &str| {
            let view = tensors.tensor(name).map_err(|_| fail(&format!("tensor '{name}'"), "is missing".into()))?;
            Ok::<_, Error>(view.data().to_vec())
        };
        let words = |name: &str| {
            Ok::<_, Error>(raw(name)?.chunks_exact(4).map(|b| [b[0], b[1], b[2], b[3]]).collect::<Vec<_>>())
        };
        let floats = |name: &str| Ok::<_, Error>(words(name)?.into_iter().map(f32::from_le_bytes).collect::<Vec<_>>());
        let count = |prefix: &str| (0..).take_while(|k| tensors.tensor(&format!("{prefix}.{k}")).is_ok()).count();
        let parameters = (0..count("parameter")).map(|k| floats(&format!("parameter.{k}"))).collect::<Result<_>>()?;
        let slot = |(k, &time): (usize, &u32)| {
            Ok(Slot { time, first: floats(&format!("first.{k}"))?, second: floats(&format!("second.{k}"))? })
        };
        let slots = at.times.iter().enumerate().map(slot).collect::<Result<_>>()?;
        let nodes = tensors.names().iter().filter_map(|name| name.strip_prefix("mean.")?.parse::<usize>().ok()).max();
        let running = (0..nodes.map_or(0, |last| last + 1)).map(|k| match floats(&format!("mean.{k}")) {
            Ok(mean) => Ok(Some(Statistics { mean, variance: floats(&format!("variance.{k}"))? })),
            Err(_) => Ok(None),
        });
        let running = running.collect::<Result<_>>()?;
        let order = words("order")?.into_iter().map(|b| u32::from_le_bytes(b) as usize).collect();
        let best = network_file::from_bytes(&raw("best")?, path)?;
        Ok(Self { at, best, order, parameters, slots, running })
    }

    /// Puts the stored parameters and statistics into `trainee`.
    ///
    /// # Errors
    /// [`Error::File`] if they are of other sizes.
    pub(super) fn restore(&mut self, trainee: &mut TrainableNetwork, path: &Path) -> Result<()> {
        let mut own = ReadAll::default();
        trainee.layers.visit(&mut own);
        let sizes = |all: &[Vec<f32>]| all.iter().map(Vec::len).collect::<Vec<_>>();
        let mut running = std::mem::take(&mut self.running);
        running.resize(trainee.running.len(), None);
        let widths = |all: &[Option<Statistics>]| {
            all.iter().map(|s| s.as_ref().map(|s| [s.mean.len(), s.variance.len()])).collect::<Vec<_>>()
        };
        let fits = sizes(&own.0) == sizes(&self.parameters) && widths(&running) == widths(&trainee.running);
        let slots = self.slots.iter().zip(&self.parameters);
        let fits = fits && self.slots.len() <= self.parameters.len();
        if !fits || slots.into_iter().any(|(slot, of)| slot.time > 0 && slot.first.len() != of.len()) {
            return Err(Error::file(path, "tensors", "its parameters are not those of this network".to_owned()));
        }
        let parameters = std::mem::take(&mut self.parameters).into_iter();
        trainee.layers = std::mem::take(&mut trainee.layers).map(&mut WriteAll(parameters));
        trainee.running = running;
        Ok(())
    }
}

/// Options of a training, kept as Rust writes them, as a person reads them: `Some(A { b: 1 })` as `b 1`.
fn in_words(options: &str) -> String {
    if options == "None" {
        return "off".into();
    }
    let Some(inner) = options.strip_prefix("Some(").and_then(|rest| rest.strip_suffix(')')) else {
        return options.into();
    };
    let fields = inner.split_once("{ ").map_or(inner, |(_, fields)| fields).trim_end_matches(" }");
    fields.replace(": ", " ").replace("Some(", "").replace(')', "")
}

/// The values of all parameters, in the order of the module.
#[derive(Default)]
struct ReadAll(Vec<Vec<f32>>);

impl ModuleVisitor for ReadAll {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        match parameter.val().inner().try_into_primitive::<Flex>() {
            Ok(values) => self.0.push(into_vec(values.to_contiguous())),
            Err(error) => unreachable!("training runs on burn-flex: {error:?}"),
        }
    }
}

/// Replaces the values of all parameters.
struct WriteAll(std::vec::IntoIter<Vec<f32>>);

impl ModuleMapper for WriteAll {
    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, tensor, mapper) = parameter.consume();
        let tensor = match self.0.next() {
            Some(values) => Tensor::from_data(TensorData::new(values, tensor.dims()), &tensor.device()).require_grad(),
            None => tensor,
        };
        Param::from_mapped_value(id, tensor, mapper)
    }
}
