//! Options of `train` beyond the plain network: spiking neurons, sparse gradients, adversarial images, early stop, resuming.

use std::path::{Path, PathBuf};

use crate::attack::parse_fraction;
use crate::attack::snn::Surrogate;
use crate::convert::Reset;
use crate::convert::recipe_options::parse_decay;
use crate::train::{Adversarial, SparseGradient, SparseNorm, Spiking, TrainOptions};
use crate::{Error, Result};

/// Steps of PGD in adversarial training.
const PGD_STEPS: usize = 7;

/// See the module.
#[derive(Clone, Debug, clap::Args)]
pub struct MethodArgs {
    /// ann, or snn: a spiking network by surrogate gradients through time, which runs with its own neurons afterwards.
    #[arg(long, default_value = "ann")]
    pub kind: String,
    /// Time steps T of a spiking network. Default: 8.
    #[arg(long, value_name = "T")]
    pub steps: Option<usize>,
    /// Neurons of a spiking network: if, or lif (leaky, see --decay). Default: if.
    #[arg(long)]
    pub neuron: Option<String>,
    /// What a step leaves of the potential of lif neurons. Default: 0.9.
    #[arg(long, value_name = "PART", allow_hyphen_values = true)]
    pub decay: Option<String>,
    /// Effect of a spike on the potential: hard (to 0) or soft (minus the threshold). Default: hard.
    #[arg(long)]
    pub reset: Option<String>,
    /// Slope in place of a spike's: triangle, sigmoid or arctan. Default: triangle.
    #[arg(long)]
    pub surrogate: Option<String>,
    /// Weight of the sparse-gradient regularizer (SR).
    #[arg(long, value_name = "LAMBDA", allow_hyphen_values = true)]
    pub sparse_gradient: Option<f32>,
    /// Penalty of the sparse-gradient regularizer: squared (the authors' program) or l1 (the paper). Default: squared.
    #[arg(long, value_name = "NORM")]
    pub sparse_norm: Option<String>,
    /// Adversarial training: every batch is moved by fgsm or pgd before the loss.
    #[arg(long, value_name = "ATTACK")]
    pub adversarial: Option<String>,
    /// Radius of adversarial training in pixel units, from 0 to 1. Default: 8/255.
    #[arg(long, allow_hyphen_values = true)]
    pub eps: Option<String>,
    /// Steps of pgd in adversarial training, each 0.32 of eps. Default: 7.
    #[arg(long, value_name = "N")]
    pub adversarial_steps: Option<usize>,
    /// Stop after so many epochs in a row without a better held-out score.
    #[arg(long, value_name = "EPOCHS")]
    pub patience: Option<usize>,
    /// Go on from a checkpoint: the file NAME.checkpoint that a training with the same options left when it was stopped or
    /// killed. The result is the same as without the interruption.
    #[arg(long, value_name = "FILE")]
    pub resume: Option<PathBuf>,
}

impl MethodArgs {
    /// `options` with the method, and the checkpoint beside `out`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a word or number that no option has.
    pub(super) fn add_to(&self, options: TrainOptions, out: &Path) -> Result<TrainOptions> {
        Ok(TrainOptions {
            spiking: self.spiking()?,
            sparse: self.sparse()?,
            adversarial: self.adversarial()?,
            patience: self.patience,
            checkpoint: Some(out.with_extension("checkpoint")),
            resume: self.resume.clone(),
            ..options
        })
    }

    fn spiking(&self) -> Result<Option<Spiking>> {
        let spikes = word("kind", &self.kind, &[("ann", false), ("snn", true)])?;
        if !spikes {
            return self.refuse_spiking_options().map(|()| None);
        }
        let leaks = word("neuron", text(&self.neuron, "if"), &[("if", false), ("lif", true)])?;
        let surrogates =
            [("triangle", Surrogate::Triangle), ("sigmoid", Surrogate::Sigmoid), ("arctan", Surrogate::Arctan)];
        let surrogate = word("surrogate", text(&self.surrogate, "triangle"), &surrogates)?;
        let reset = word("reset", text(&self.reset, "hard"), &[("hard", Reset::Hard), ("soft", Reset::Soft)])?;
        if self.decay.is_some() && !leaks {
            return Err(Error::Invalid("Cannot use --decay: neurons 'if' have no leak. Add --neuron lif.".into()));
        }
        let decay = if leaks { parse_decay(self.decay.as_deref().unwrap_or("0.9"))? } else { 1000 };
        Ok(Some(Spiking { steps: self.steps.unwrap_or(8), decay: f32::from(decay) / 1000.0, reset, surrogate }))
    }

    /// Refuses what an ANN does not have.
    fn refuse_spiking_options(&self) -> Result<()> {
        let stated = [
            ("--steps", self.steps.is_some()),
            ("--neuron", self.neuron.is_some()),
            ("--decay", self.decay.is_some()),
            ("--reset", self.reset.is_some()),
            ("--surrogate", self.surrogate.is_some()),
        ];
        match stated.iter().find(|(_, is_stated)| *is_stated) {
            Some((option, _)) => Err(Error::Invalid(format!(
                "Cannot use {option}: an ANN has no spiking neurons. Add --kind snn, or leave it out."
            ))),
            None => Ok(()),
        }
    }

    fn sparse(&self) -> Result<Option<SparseGradient>> {
        let norms = [("squared", SparseNorm::Squared), ("l1", SparseNorm::L1)];
        let norm = word("sparse-norm", text(&self.sparse_norm, "squared"), &norms)?;
        if self.sparse_norm.is_some() && self.sparse_gradient.is_none() {
            return Err(without(
                "--sparse-norm",
                "there is no sparse-gradient regularizer",
                "--sparse-gradient LAMBDA",
            ));
        }
        // A weight of 0 is plain training.
        Ok(self
            .sparse_gradient
            .filter(|lambda| *lambda != 0.0)
            .map(|lambda| SparseGradient { norm, ..SparseGradient::new(lambda) }))
    }

    fn adversarial(&self) -> Result<Option<Adversarial>> {
        let eps = parse_fraction("eps", text(&self.eps, "8/255"))?;
        if !(0.0..=1.0).contains(&eps) {
            let reason = format!("Cannot use eps {eps}: pixels are from 0 to 1. Use 0 to 1, for example 8/255.");
            return Err(Error::Invalid(reason));
        }
        let attack = self.adversarial.as_deref();
        let pgd = attack.map(|attack| word("adversarial", attack, &[("fgsm", false), ("pgd", true)])).transpose()?;
        if self.eps.is_some() && pgd.is_none() {
            return Err(without("--eps", "training is not adversarial", "--adversarial fgsm or pgd"));
        }
        if self.adversarial_steps.is_some() && pgd != Some(true) {
            let why = if pgd.is_some() { "fgsm takes one step" } else { "training is not adversarial" };
            return Err(without("--adversarial-steps", why, "--adversarial pgd"));
        }
        let steps = self.adversarial_steps.unwrap_or(PGD_STEPS);
        Ok(pgd.map(|pgd| Adversarial { eps, pgd_steps: pgd.then_some(steps) }))
    }
}

/// The error about an option that does nothing without `needed`.
fn without(option: &str, why: &str, needed: &str) -> Error {
    Error::Invalid(format!("Cannot use {option}: {why}. Add {needed}, or leave it out."))
}

/// What was stated, or `usual`.
fn text<'a>(stated: &'a Option<String>, usual: &'a str) -> &'a str {
    stated.as_deref().unwrap_or(usual)
}

/// The value of the word `text` among `words`.
fn word<T: Copy>(option: &str, text: &str, words: &[(&str, T)]) -> Result<T> {
    words.iter().find(|(word, _)| *word == text.trim()).map(|(_, value)| *value).ok_or_else(|| {
        let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        Error::Invalid(format!("Cannot use {option} '{text}': unknown word. Use one of {}.", known.join(", ")))
    })
}
