//! The nine synthesis methods, by name.

use crate::{Error, Result};

/// A way to make pictures that show what a network reacts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Mask and pattern that lead to the target, with the regularizers of TABOR (Guo et al. 2019) that a mask of one patch has.
    Tabor,
    /// Waves that excite one neuron of the last hidden layer (Olah et al. 2017).
    FourierInner,
    /// Waves that excite the target's logit.
    FourierTarget,
    /// A drawing network that excites one neuron of the last hidden layer (Mordvintsev et al. 2018).
    CppnInner,
    /// A drawing network that excites the target's logit.
    CppnTarget,
    /// Pixels of a patch that leads to the target wherever it lies (Brown et al. 2017).
    AdversarialPatch,
    /// Latent numbers of a decoder of natural crops, moved until the crop leads to the target (Casper et al. 2022).
    RflaPerturb,
    /// A generator of such latent numbers from noise: a distribution of patches (Casper et al. 2023).
    RflaGenerator,
    /// Natural crops whose embedding is that of adversarial patches (Casper et al. 2022).
    Snafue,
}

impl Method {
    /// All methods, in the order of the benchmark's table.
    pub const ALL: [Self; 9] = [
        Self::Tabor,
        Self::FourierInner,
        Self::FourierTarget,
        Self::CppnInner,
        Self::CppnTarget,
        Self::AdversarialPatch,
        Self::RflaPerturb,
        Self::RflaGenerator,
        Self::Snafue,
    ];

    /// Its name on the command line and in files.
    pub fn word(self) -> &'static str {
        match self {
            Self::Tabor => "tabor",
            Self::FourierInner => "fourier-inner",
            Self::FourierTarget => "fourier-target",
            Self::CppnInner => "cppn-inner",
            Self::CppnTarget => "cppn-target",
            Self::AdversarialPatch => "adversarial-patch",
            Self::RflaPerturb => "rfla-perturb",
            Self::RflaGenerator => "rfla-generator",
            Self::Snafue => "snafue",
        }
    }

    /// Its name as a person reads it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Tabor => "TABOR-like mask and pattern",
            Self::FourierInner => "Fourier, inner neurons",
            Self::FourierTarget => "Fourier, target",
            Self::CppnInner => "CPPN, inner neurons",
            Self::CppnTarget => "CPPN, target",
            Self::AdversarialPatch => "Adversarial patch",
            Self::RflaPerturb => "Latent perturbation",
            Self::RflaGenerator => "Latent generator",
            Self::Snafue => "Natural crops (SNAFUE)",
        }
    }

    /// Whether its pictures are whole ones, in contrast to patches.
    pub fn draws_whole_pictures(self) -> bool {
        matches!(self, Self::Tabor | Self::FourierInner | Self::FourierTarget | Self::CppnInner | Self::CppnTarget)
    }

    /// The methods that `text` names: `all`, or words with commas between them.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an unknown word.
    pub fn parse_list(text: &str) -> Result<Vec<Self>> {
        if text.trim() == "all" {
            return Ok(Self::ALL.to_vec());
        }
        let find = |word: &str| {
            Self::ALL.into_iter().find(|method| method.word() == word.trim()).ok_or_else(|| {
                let known = Self::ALL.map(Self::word).join(", ");
                Error::Invalid(format!("Cannot use synthesis method '{word}': unknown word. Use all or {known}."))
            })
        };
        text.split(',').map(find).collect()
    }
}
