//! Options of a training, their checks, and what of them decides its bytes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::data::{Samples, Scaling};
use crate::network::{Network, safetensors};
use crate::train::augment::Augmentation;
use crate::train::checkpoint::CONTENT;
use crate::train::optimizer::Optimizer;
use crate::train::robust::{self, Adversarial, SparseGradient};
use crate::train::spiking::Spiking;
use crate::{Error, Result};

/// Options of training.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainOptions {
    /// Passes over the training samples.
    pub epochs: usize,
    /// Samples per step.
    pub batch: usize,
    pub optimizer: Optimizer,
    /// The learning rate at the start; it falls to 0 along half a cosine.
    pub learning_rate: f64,
    /// L2 penalty on every parameter.
    pub weight_decay: f32,
    /// Fraction of the samples that is held out to choose the best weights.
    pub validation_fraction: f32,
    /// Random changes of each training picture.
    pub augmentation: Augmentation,
    /// Seed of the split, the order and the changes.
    pub seed: u64,
    /// Spiking neurons in place of the activations.
    pub spiking: Option<Spiking>,
    /// The sparse-gradient regularizer.
    pub sparse: Option<SparseGradient>,
    /// Adversarial images in place of the clean ones.
    pub adversarial: Option<Adversarial>,
    /// Ends after so many epochs in a row without a better score.
    pub patience: Option<usize>,
    /// Where to write a checkpoint after every epoch.
    pub checkpoint: Option<PathBuf>,
    /// The checkpoint to go on from.
    pub resume: Option<PathBuf>,
    /// Whether the gradient of the input is measured after every epoch, on samples with labels. It changes no weight.
    pub measure_gradient: bool,
}

impl Default for TrainOptions {
    fn default() -> Self {
        let optimizer = Optimizer::default();
        Self {
            epochs: 10,
            batch: 64,
            optimizer,
            learning_rate: optimizer.default_learning_rate(),
            weight_decay: 0.0,
            validation_fraction: 0.1,
            augmentation: Augmentation::default(),
            seed: 1,
            spiking: None,
            sparse: None,
            adversarial: None,
            patience: None,
            checkpoint: None,
            resume: None,
            measure_gradient: false,
        }
    }
}

/// What decides the bytes of a training, by name: a checkpoint is of the same ones.
pub(in crate::train) fn identity(
    network: &Network,
    samples: &Samples,
    scaling: &Scaling,
    options: &TrainOptions,
) -> Result<BTreeMap<String, String>> {
    let bytes = safetensors::to_bytes(&Network { name: String::new(), ..network.clone() })?;
    let hash = hash(bytes.iter().map(|&byte| byte.into()));
    let TrainOptions { epochs, batch, optimizer, learning_rate, weight_decay, validation_fraction, seed, .. } = options;
    Ok([
        ("network", format!("{} parameters in {} nodes ({hash:016x})", network.parameter_count(), network.nodes.len())),
        ("data", format!("{} samples of {}", samples.len(), samples.source)),
        (CONTENT, format!("{} samples ({:016x})", samples.len(), content_of(samples))),
        ("scaling", scaling.to_string()),
        ("epochs", epochs.to_string()),
        ("batch", batch.to_string()),
        ("optimizer", format!("{optimizer:?} rate {learning_rate} decay {weight_decay}")),
        ("validation", validation_fraction.to_string()),
        ("augmentation", format!("{:?}", options.augmentation)),
        ("seed", seed.to_string()),
        ("neurons", format!("{:?}", options.spiking)),
        ("sparse-gradient", format!("{:?}", options.sparse)),
        ("adversarial", format!("{:?}", options.adversarial)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into())
}

/// A digest of all values and answers of `samples`.
fn content_of(samples: &Samples) -> u64 {
    let values = samples.values.iter().map(|value| value.to_bits().into());
    let labels = samples.labels.iter().map(|&label| label.into());
    let masks = samples.targets.masks().map(|masks| hash(masks.classes.iter().map(|&class| class.into())));
    let boxes = samples.targets.boxes().map(|boxes| hash(format!("{:?}", boxes.of_sample).bytes().map(u64::from)));
    hash([hash(values), hash(labels), masks.unwrap_or(0), boxes.unwrap_or(0)].into_iter())
}

/// FNV-1a.
fn hash(values: impl Iterator<Item = u64>) -> u64 {
    values.fold(0xcbf2_9ce4_8422_2325, |hash, value| (hash ^ value).wrapping_mul(0x100_0000_01b3))
}

/// Refuses options out of range for `samples`.
///
/// # Errors
/// [`Error::Invalid`] with what to use instead.
pub(in crate::train) fn check_options(options: &TrainOptions, samples: &Samples) -> Result<()> {
    let invalid = |reason: &str| Err(Error::Invalid(reason.into()));
    if samples.len() < 2 {
        return invalid("Cannot train: at least 2 samples needed, one to train on and one held out.");
    }
    if options.epochs == 0 || options.batch == 0 {
        return invalid("Cannot train: epochs and batch must be at least 1.");
    }
    if !(options.learning_rate.is_finite() && options.learning_rate > 0.0) {
        return invalid("Cannot train: the learning rate must be above 0.");
    }
    if !(options.weight_decay.is_finite() && options.weight_decay >= 0.0) {
        return invalid("Cannot train: the weight decay must be 0 or more.");
    }
    if !(0.0..1.0).contains(&options.validation_fraction) {
        return invalid("Cannot train: the held-out part must be at least 0 and below 1.");
    }
    if let Some(spiking) = &options.spiking {
        spiking.validate()?;
    }
    robust::validate(options.sparse.as_ref(), options.adversarial.as_ref(), samples.frames.is_some())?;
    if options.measure_gradient && samples.labels.len() != samples.len() {
        return invalid("Cannot measure gradients of the label's probability: the samples have no labels.");
    }
    if (options.sparse.is_some() || options.adversarial.is_some()) && samples.labels.len() != samples.len() {
        return invalid("Cannot train for robustness: it moves away from the label, and the samples have none.");
    }
    if options.patience == Some(0) {
        return invalid("Cannot stop early after 0 epochs: use a patience of 1 or more.");
    }
    let crop = options.augmentation.crop;
    if !(crop > 0.0 && crop <= 1.0) {
        return invalid("Cannot train: the smallest crop must be above 0 and at most 1.");
    }
    Ok(())
}
