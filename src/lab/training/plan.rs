//! What the *Train* pane trains: data, network, neurons, regularizer and adversarial images.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::attack::snn::Surrogate;
use crate::convert::Reset;
use crate::data::spec::DataSpec;
use crate::data::{Samples, Scaling};
use crate::experiment::load::{channels_first, fit_samples};
use crate::network::zoo::ZooArchitecture;
use crate::network::{Activation, safetensors};
use crate::train::{
    Adversarial, Classification, SparseGradient, SparseNorm, Spiking, TrainOptions, TrainProgress, TrainResult, train,
};
use crate::{Error, Result};

/// What a network is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrainedKind {
    /// An ANN with ReLU.
    Ann,
    /// An ANN with QCFS activations of 8 levels.
    Qcfs,
    /// Spiking neurons, by surrogate gradients.
    #[default]
    Snn,
}

/// How images are moved before the loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AdversarialKind {
    #[default]
    None,
    Fgsm,
    Pgd,
}

/// What is trained, and how; the rest is as in `spikescope train`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct TrainingPlan {
    /// Data specification of the training samples.
    pub data: String,
    /// `mlp`, `cnn` or `resnet`.
    pub architecture: String,
    pub kind: TrainedKind,
    /// T
    pub steps: usize,
    /// What a step leaves of the potential; 1 for IF neurons.
    pub decay: f32,
    pub hard_reset: bool,
    pub surrogate: Surrogate,
    /// Weight of the sparse-gradient regularizer; 0 is none.
    pub sparse_gradient: f32,
    /// Whether its penalty is the magnitude (ℓ1) instead of the square.
    pub sparse_l1: bool,
    pub adversarial: AdversarialKind,
    /// Radius of adversarial training, in pixel units.
    pub eps: f32,
    /// Steps of PGD in adversarial training.
    pub adversarial_steps: usize,
    pub epochs: usize,
    pub learning_rate: f64,
    /// Ends after so many epochs without a better score; 0 is never.
    pub patience: usize,
    pub seed: u64,
}

impl Default for TrainingPlan {
    fn default() -> Self {
        Self {
            data: "builtin:digits-train".into(),
            architecture: "mlp".into(),
            kind: TrainedKind::Snn,
            steps: 8,
            decay: 1.0,
            hard_reset: true,
            surrogate: Surrogate::Triangle,
            sparse_gradient: 0.0,
            sparse_l1: false,
            adversarial: AdversarialKind::None,
            eps: 8.0 / 255.0,
            adversarial_steps: 5,
            epochs: 4,
            learning_rate: TrainOptions::default().learning_rate,
            patience: 0,
            seed: 1,
        }
    }
}

impl TrainingPlan {
    /// The options of the training, with its checkpoint beside `out`.
    pub fn options(&self, out: &Path, resume: bool) -> TrainOptions {
        let checkpoint = checkpoint_of(out);
        let sparse = (self.sparse_gradient != 0.0).then(|| {
            let norm = if self.sparse_l1 { SparseNorm::L1 } else { SparseNorm::Squared };
            SparseGradient { norm, ..SparseGradient::new(self.sparse_gradient) }
        });
        let adversarial = match self.adversarial {
            AdversarialKind::None => None,
            AdversarialKind::Fgsm => Some(Adversarial { eps: self.eps, pgd_steps: None }),
            AdversarialKind::Pgd => Some(Adversarial { eps: self.eps, pgd_steps: Some(self.adversarial_steps) }),
        };
        let reset = if self.hard_reset { Reset::Hard } else { Reset::Soft };
        let spiking = Spiking { steps: self.steps, decay: self.decay, reset, surrogate: self.surrogate };
        TrainOptions {
            epochs: self.epochs,
            learning_rate: self.learning_rate,
            seed: self.seed,
            spiking: (self.kind == TrainedKind::Snn).then_some(spiking),
            sparse,
            adversarial,
            patience: (self.patience > 0).then_some(self.patience),
            resume: (resume && checkpoint.is_file()).then(|| checkpoint.clone()),
            checkpoint: Some(checkpoint),
            measure_gradient: true,
            ..TrainOptions::default()
        }
    }

    /// Trains and writes the network to `out`; `resume` goes on from the checkpoint beside it. What was stopped leaves the
    /// best weights so far, if it has some, and the checkpoint.
    ///
    /// # Errors
    /// Those of reading the data, of training and of writing.
    pub fn carry_out(
        &self,
        out: &Path,
        resume: bool,
        progress: impl FnMut(TrainProgress) -> ControlFlow<()>,
    ) -> Result<TrainResult> {
        let spec = DataSpec::parse(&self.data)?;
        let samples = spec.load()?;
        let classes = classes(&samples)?;
        let activation = match self.kind {
            TrainedKind::Qcfs => crate::network::zoo::parse_activation("qcfs:8")?,
            _ => Activation::Relu,
        };
        let shape = channels_first(&samples, &spec);
        let mut network = ZooArchitecture::parse(&self.architecture)?.build(&shape, classes, activation, self.seed)?;
        network.name = out.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let samples = fit_samples(samples, &spec, &network)?;
        let options = self.options(out, resume);
        let trained = train(&network, &samples, &Scaling::default(), &options, &Classification, progress)?;
        safetensors::save(&trained.network, out)?;
        if let Some(checkpoint) = options.checkpoint.filter(|path| path.is_file() && !trained.stopped) {
            std::fs::remove_file(&checkpoint).map_err(|source| Error::io(&checkpoint, source))?;
        }
        Ok(trained)
    }

    /// A name for the trained network: architecture, kind and what makes it robust.
    pub fn name(&self) -> String {
        let kind = match self.kind {
            TrainedKind::Ann => "ann",
            TrainedKind::Qcfs => "qcfs",
            TrainedKind::Snn => "snn",
        };
        let sparse = if self.sparse_gradient != 0.0 { "-sr" } else { "" };
        let adversarial = if self.adversarial == AdversarialKind::None { "" } else { "-at" };
        format!("{}-{kind}{sparse}{adversarial}", self.architecture)
    }

    /// A file in `folder` that does not exist yet, for the network.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder cannot be made.
    pub fn new_file(&self, folder: &Path) -> Result<PathBuf> {
        std::fs::create_dir_all(folder).map_err(|source| Error::io(folder, source))?;
        let file = |number: usize| folder.join(format!("{}-{number}.safetensors", self.name()));
        let is_free = |path: &PathBuf| !path.exists() && !checkpoint_of(path).exists();
        Ok((1..).map(file).find(is_free).unwrap_or_else(|| file(0)))
    }

    /// The data to open the trained network with: the test set of a built-in training set.
    pub fn test_data(&self) -> String {
        match self.data.strip_prefix("builtin:").and_then(|name| name.strip_suffix("-train")) {
            Some(name) => format!("builtin:{name}"),
            None => self.data.clone(),
        }
    }
}

/// The checkpoint beside a network.
pub fn checkpoint_of(out: &Path) -> PathBuf {
    out.with_extension("checkpoint")
}

/// Number of classes of `samples`.
fn classes(samples: &Samples) -> Result<usize> {
    let last = samples.labels.iter().max().map(|&label| usize::from(label) + 1);
    last.map(|last| samples.class_names.len().max(last)).ok_or_else(|| {
        Error::Invalid(format!("Cannot train on {}: the samples have no labels. Use data with labels.", samples.source))
    })
}
