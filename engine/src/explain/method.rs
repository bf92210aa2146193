//! The methods of attribution by their names on disk, and what each of them needs.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// What maps of event recordings show.
pub const RECORDINGS: &str = "event recordings: maps are of the mean over all frames, which the ANN reads; the spiking \
    network gets it at every step, so that no map shows what the order of events adds";

/// A method, or a baseline that knows nothing of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// |∂f/∂x| (Simonyan et al. 2014)
    Saliency,
    /// x ⊙ ∂f/∂x (Shrikumar et al. 2016)
    InputXGradient,
    /// (x − b) ⊙ ∫ ∂f/∂x along the line from b to x (Sundararajan et al. 2017)
    IntegratedGradients,
    /// Multipliers Δout/Δin, the rescale rule (Shrikumar et al. 2017)
    Deeplift,
    /// Mean of DeepLIFT over several baselines (Lundberg & Lee 2017)
    DeepliftShap,
    /// Expected gradients at random points between sample and baselines (Erion et al. 2021)
    GradientShap,
    /// Only positive gradients through positive inputs (Springenberg et al. 2015)
    GuidedBackprop,
    /// Only positive gradients, whatever the inputs (Zeiler & Fergus 2014)
    Deconvolution,
    /// Guided backprop where a layer's weighted channels are positive (Selvaraju et al. 2017)
    GuidedGradCam,
    /// Layer-wise relevance propagation (Bach et al. 2015)
    Lrp,
    /// f(x) − f(x without a feature)
    FeatureAblation,
    /// f(x) − f(x with a feature of another sample) (Fisher et al. 2019)
    FeaturePermutation,
    /// Feature ablation by a sliding window (Zeiler & Fergus 2014)
    Occlusion,
    /// Shapley values by random orders (Castro et al. 2009)
    ShapleySampling,
    /// Shapley values by weighted regression (Lundberg & Lee 2017)
    KernelShap,
    /// A sparse linear model around the sample (Ribeiro et al. 2016)
    Lime,
    /// Spikes of a layer, summed over channels and steps; of the ANN its activations
    SpikeCount,
    /// Baseline: size of the image's own gradient (Sobel)
    Edges,
    /// Baseline: a map of zeros
    Blank,
    /// Baseline: uniform random numbers
    Random,
}

/// How a method reaches its map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// From gradients of the whole network.
    Gradient,
    /// Back through the network with a rule of its own.
    Backward,
    /// From answers for changed samples.
    Perturbation,
    /// From the activity of a layer, whatever the target.
    Activity,
    /// From the image alone, or from nothing.
    Baseline,
}

impl Method {
    /// The sixteen methods of the benchmark, in its order.
    pub const SIXTEEN: [Self; 16] = [
        Self::Saliency,
        Self::InputXGradient,
        Self::IntegratedGradients,
        Self::Deeplift,
        Self::DeepliftShap,
        Self::GradientShap,
        Self::GuidedBackprop,
        Self::Deconvolution,
        Self::GuidedGradCam,
        Self::Lrp,
        Self::FeatureAblation,
        Self::FeaturePermutation,
        Self::Occlusion,
        Self::ShapleySampling,
        Self::KernelShap,
        Self::Lime,
    ];

    /// The baselines beside which scores are read.
    pub const BASELINES: [Self; 3] = [Self::Edges, Self::Blank, Self::Random];

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::SIXTEEN.into_iter().chain([Self::SpikeCount]).chain(Self::BASELINES)
    }

    /// The name on disk and on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Saliency => "saliency",
            Self::InputXGradient => "input-x-gradient",
            Self::IntegratedGradients => "integrated-gradients",
            Self::Deeplift => "deeplift",
            Self::DeepliftShap => "deeplift-shap",
            Self::GradientShap => "gradient-shap",
            Self::GuidedBackprop => "guided-backprop",
            Self::Deconvolution => "deconvolution",
            Self::GuidedGradCam => "guided-grad-cam",
            Self::Lrp => "lrp",
            Self::FeatureAblation => "feature-ablation",
            Self::FeaturePermutation => "feature-permutation",
            Self::Occlusion => "occlusion",
            Self::ShapleySampling => "shapley-sampling",
            Self::KernelShap => "kernel-shap",
            Self::Lime => "lime",
            Self::SpikeCount => "spike-count",
            Self::Edges => "edges",
            Self::Blank => "blank",
            Self::Random => "random",
        }
    }

    /// The name of the array in `maps.npz`.
    pub fn array(self) -> String {
        self.word().replace('-', "_")
    }

    /// How it reaches its map.
    pub fn family(self) -> Family {
        match self {
            Self::Saliency | Self::InputXGradient | Self::IntegratedGradients | Self::GradientShap => Family::Gradient,
            Self::Deeplift
            | Self::DeepliftShap
            | Self::GuidedBackprop
            | Self::Deconvolution
            | Self::GuidedGradCam
            | Self::Lrp => Family::Backward,
            Self::FeatureAblation
            | Self::FeaturePermutation
            | Self::Occlusion
            | Self::ShapleySampling
            | Self::KernelShap
            | Self::Lime => Family::Perturbation,
            Self::SpikeCount => Family::Activity,
            Self::Edges | Self::Blank | Self::Random => Family::Baseline,
        }
    }

    /// Whether it reads the layer of [`ExplainOptions`](super::ExplainOptions).
    pub fn reads_a_layer(self) -> bool {
        matches!(self, Self::GuidedGradCam | Self::SpikeCount)
    }

    /// Whether values below 0 have a meaning of their own: they speak against the target.
    pub fn is_signed(self) -> bool {
        !matches!(self, Self::Saliency | Self::SpikeCount | Self::Edges | Self::Blank | Self::Random)
    }

    /// Whether a list of words names this method itself, and not as one of `all`.
    pub fn is_named_in(self, text: &str) -> bool {
        text.split(',').any(|word| word.trim() == self.word())
    }

    /// The methods of a list of words with commas; `all` stands for the sixteen and the baselines.
    ///
    /// # Errors
    /// [`Error::Invalid`] for other words and for an empty list.
    pub fn parse_list(text: &str) -> Result<Vec<Self>> {
        let mut methods = Vec::new();
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            let of_word: Vec<Self> = match word {
                "all" => Self::all().collect(),
                _ => Self::all().filter(|method| method.word() == word).collect(),
            };
            if of_word.is_empty() {
                let known: Vec<&str> = Self::all().map(Self::word).collect();
                return Err(Error::Invalid(format!(
                    "Cannot use method '{word}': unknown word. Use all, or some of {}.",
                    known.join(", ")
                )));
            }
            for method in of_word {
                if !methods.contains(&method) {
                    methods.push(method);
                }
            }
        }
        if methods.is_empty() {
            return Err(Error::Invalid("Cannot explain: no method named. Use --methods all, or names.".into()));
        }
        Ok(methods)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_serde_and_lists_have_no_method_twice() {
        for method in Method::all() {
            assert_eq!(serde_json::to_string(&method).unwrap(), format!("\"{}\"", method.word()));
        }
        assert_eq!(Method::parse_list("lime, saliency,lime").unwrap(), [Method::Lime, Method::Saliency]);
        assert_eq!(Method::parse_list("all").unwrap().len(), 20);
        assert!(Method::parse_list("grad").unwrap_err().to_string().contains("deeplift-shap"));
        assert!(Method::parse_list(" , ").is_err());
    }
}
