//! Options of a recipe: neuron model, correction, initial potential, max pooling, readout.
//!
//! Each has one short text form, the same on the command line, in TOML and on the screen.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Maximum number of members of a group neuron and of spikes in a burst.
pub const MAX_LEVELS: u8 = 64;
/// Maximum number of pre-steps of a correction.
pub const MAX_PRESTEPS: usize = 512;
/// Maximum number of COS passes.
pub const MAX_PASSES: usize = 32;

/// What a neuron can emit in one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum NeuronModel {
    /// At most one spike of θ.
    #[default]
    If,
    /// As IF, after a step has left this many thousandths of the potential: `m = τv + I` (leaky, trained SNNs).
    Lif(u16),
    /// One spike of θ, or one of −θ while the sum of emitted spikes is above zero (SNM, Wang et al., IJCAI 2022).
    Signed,
    /// `m` members share a potential and fire at θ/m, 2θ/m, …: up to `m` spikes of θ/m (group neuron, Lv et al., 2024).
    Group(u8),
    /// Up to Γ spikes of θ (burst spikes, Li & Zeng, IJCAI 2022).
    Burst(u8),
}

/// How the conversion error of single neurons is corrected for each sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Correction {
    /// Not at all.
    #[default]
    None,
    /// Neurons left with a negative residual potential after `steps` pre-steps are silenced (SRP, Hao et al., AAAI 2023).
    Srp { steps: usize, rule: SrpRule },
    /// v(0) is shifted by what removes or adds one spike in the first `steps` steps, `passes` times (COS, Hao et al., ICLR
    /// 2023).
    Cos { steps: usize, passes: usize, rule: CosRule },
}

/// Which residual potential silences a neuron.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SrpRule {
    /// v(τ) ≤ 0.001 θ, as in the authors' program.
    #[default]
    Code,
    /// v(τ) < 0, as in the theory.
    Theory,
}

/// How COS reads the residual potential, and what it does with neurons that fire at every step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CosRule {
    /// The conditions on v(ρ) of each pass's own run; saturated neurons are not shifted.
    #[default]
    KeepSaturated,
    /// The same conditions; saturated neurons get the published program's shift of 1001 θ.
    Published,
    /// The conditions on v(ρ) as it would be from the uncorrected v(0). With the rules above, later passes read a
    /// potential that contains the shift itself and can move the count past the target; this rule stops there. Not
    /// published: our own variant.
    Exact,
}

/// Distribution of v(0) over the neurons.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InitialPotential {
    /// The same fraction of θ for all neurons.
    #[default]
    Constant,
    /// Uniform in (0, θ), drawn for each neuron (ablation of OPI).
    Uniform,
    /// Normal around the fraction with standard deviation θ/4 (ablation of OPI).
    Gaussian,
    /// Per neuron, shifted by T times the mean missing activation on calibration samples (Li et al., ICML 2021).
    Calibrated,
}

impl InitialPotential {
    /// Whether v(0) is drawn at random, by the recipe's seed.
    pub fn is_drawn(self) -> bool {
        matches!(self, Self::Uniform | Self::Gaussian)
    }
}

/// Rule for max pooling.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MaxPoolRule {
    /// Before the neuron: the largest current of each step (Bu et al., CVPR 2025).
    #[default]
    PreNeuron,
    /// After the neuron: the increase of the largest accumulated output (LIPooling, Li & Zeng, IJCAI 2022).
    Lateral,
}

/// Which steps the readout sums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Readout {
    /// The logits of all steps.
    #[default]
    Sum,
    /// The logits after a delay in steps; `None` estimates it from the thresholds (Bu et al., CVPR 2025).
    Delayed(Option<usize>),
    /// Each sample stops at the first step whose largest probability reaches this confidence.
    EarlyExit(f32),
}

impl NeuronModel {
    /// The weight of each plane of recorded bits, in units of [`NeuronModel::amplitude`].
    pub fn plane_weights(self) -> &'static [i32] {
        const POWERS: [i32; 7] = [1, 2, 4, 8, 16, 32, 64];
        match self {
            Self::If | Self::Lif(_) => &POWERS[..1],
            Self::Signed => &[1, -1],
            Self::Group(m) | Self::Burst(m) => &POWERS[..(m.max(1).ilog2() + 1).min(7) as usize],
        }
    }
    /// The amplitude of one count at threshold θ.
    pub fn amplitude(self, theta: f32) -> f32 {
        match self {
            Self::Group(m) => theta / f32::from(m.max(1)),
            _ => theta,
        }
    }
    /// The largest count in one step.
    pub fn max_spikes_per_step(self) -> usize {
        match self {
            Self::If | Self::Lif(_) | Self::Signed => 1,
            Self::Group(m) | Self::Burst(m) => usize::from(m.max(1)),
        }
    }
    /// What a step leaves of the potential before the current comes.
    pub fn decay(self) -> f32 {
        match self {
            Self::Lif(thousandths) => f32::from(thousandths) / 1000.0,
            _ => 1.0,
        }
    }
    /// Whether it is an integrate-and-fire neuron, leaky or not: one spike a step, and either reset.
    pub fn integrates_and_fires(self) -> bool {
        matches!(self, Self::If | Self::Lif(_))
    }
    /// The neuron that keeps `decay` thousandths of its potential.
    pub fn with_decay(thousandths: u16) -> Self {
        if thousandths >= 1000 { Self::If } else { Self::Lif(thousandths) }
    }
    /// Parses `if`, `lif:DECAY`, `signed`, `group:M` or `burst:G`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for any other text.
    pub fn parse(text: &str) -> Result<Self> {
        let count = |text: &str| match text.trim().parse::<u8>() {
            Ok(n) if (1..=MAX_LEVELS).contains(&n) => Ok(n),
            _ => Err(Error::Invalid(format!("Cannot use neuron '{text}': the number must be 1 to {MAX_LEVELS}."))),
        };
        match text.trim() {
            "if" => Ok(Self::If),
            "signed" => Ok(Self::Signed),
            other => match other.split_once(':') {
                Some(("lif", decay)) => parse_decay(decay).map(Self::Lif),
                Some(("group", m)) => Ok(Self::Group(count(m)?)),
                Some(("burst", g)) => Ok(Self::Burst(count(g)?)),
                _ => Err(Error::Invalid(format!(
                    "Cannot use neuron '{text}': unknown word. Use if, lif:DECAY, signed, group:M or burst:G."
                ))),
            },
        }
    }
}

/// The thousandths of a decay above 0 and below 1, such as 0.9.
///
/// # Errors
/// [`Error::Invalid`] for other text.
pub fn parse_decay(text: &str) -> Result<u16> {
    match text.trim().parse::<f32>().map(|decay| (decay * 1000.0).round()) {
        Ok(thousandths) if (1.0..1000.0).contains(&thousandths) => Ok(thousandths as u16),
        _ => Err(Error::Invalid(format!(
            "Cannot use decay '{text}': it is what a step leaves of the potential. Use 0.001 to 0.999, such as 0.9."
        ))),
    }
}

impl Correction {
    /// Steps before the first counted one, as the papers count (ρ or τ once).
    pub fn presteps(self) -> usize {
        match self {
            Self::None => 0,
            Self::Srp { steps, .. } | Self::Cos { steps, .. } => steps,
        }
    }
    /// Steps that event-driven hardware spends before the first counted one with `layers` spiking layers. COS
    /// calibrates each layer on the corrected output of the one before, and each pass runs the pre-steps once more.
    pub fn hardware_presteps(self, layers: usize) -> usize {
        match self {
            Self::None => 0,
            Self::Srp { steps, .. } => steps,
            Self::Cos { steps, passes, .. } => steps * layers * passes,
        }
    }
    /// Parses `none`, `srp:4`, `srp:4,theory`, `cos:4`, `cos:4x3`, `cos:4x3,published` or `cos:4x3,exact`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for any other text.
    pub fn parse(text: &str) -> Result<Self> {
        let unknown = || {
            Error::Invalid(format!(
                "Cannot use correction '{text}': unknown word. Use none, srp:TAU, srp:TAU,theory, cos:RHO or \
                 cos:RHOxPASSES, the last two also with ,published or ,exact."
            ))
        };
        let whole = text.trim();
        if whole == "none" {
            return Ok(Self::None);
        }
        let (kind, rest) = whole.split_once(':').ok_or_else(unknown)?;
        let (numbers, option) = rest.split_once(',').map_or((rest, None), |(n, o)| (n, Some(o.trim())));
        let number = |text: &str, limit: usize| match text.trim().parse::<usize>() {
            Ok(n) if n <= limit => Ok(n),
            _ => Err(Error::Invalid(format!(
                "Cannot use correction '{whole}': '{text}' must be a number up to {limit}."
            ))),
        };
        match (kind, option) {
            ("srp", None | Some("code" | "theory")) => {
                let steps = number(numbers, MAX_PRESTEPS)?;
                if steps == 0 {
                    return Err(Error::Invalid(format!(
                        "Cannot use correction '{whole}': SRP needs at least one pre-step. Give one, or use none."
                    )));
                }
                let rule = if option == Some("theory") { SrpRule::Theory } else { SrpRule::Code };
                Ok(Self::Srp { steps, rule })
            }
            ("cos", None | Some("published" | "exact")) => {
                let (steps, passes) = numbers.split_once('x').unwrap_or((numbers, "1"));
                let (steps, passes) = (number(steps, MAX_PRESTEPS)?, number(passes, MAX_PASSES)?);
                if steps == 0 || passes == 0 {
                    return Err(Error::Invalid(format!(
                        "Cannot use correction '{whole}': COS needs at least one step and one pass."
                    )));
                }
                let rule = match option {
                    Some("published") => CosRule::Published,
                    Some("exact") => CosRule::Exact,
                    _ => CosRule::KeepSaturated,
                };
                Ok(Self::Cos { steps, passes, rule })
            }
            _ => Err(unknown()),
        }
    }
}

impl Readout {
    /// Parses `sum`, `delay:auto`, `delay:N` or `exit:CONFIDENCE`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for any other text.
    pub fn parse(text: &str) -> Result<Self> {
        let unknown = || {
            Error::Invalid(format!(
                "Cannot use readout '{text}': unknown word. Use sum, delay:auto, delay:N or exit:0.9."
            ))
        };
        match text.trim().split_once(':') {
            None if text.trim() == "sum" => Ok(Self::Sum),
            Some(("delay", "auto")) => Ok(Self::Delayed(None)),
            Some(("delay", n)) => n.trim().parse().map(|n| Self::Delayed(Some(n))).map_err(|_| unknown()),
            Some(("exit", c)) => match c.trim().parse::<f32>() {
                Ok(c) if (0.0..=1.0).contains(&c) => Ok(Self::EarlyExit(c)),
                _ => Err(unknown()),
            },
            _ => Err(unknown()),
        }
    }
}

impl std::fmt::Display for NeuronModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::If => f.write_str("if"),
            Self::Lif(_) => write!(f, "lif:{}", self.decay()),
            Self::Signed => f.write_str("signed"),
            Self::Group(m) => write!(f, "group:{m}"),
            Self::Burst(g) => write!(f, "burst:{g}"),
        }
    }
}

impl std::fmt::Display for Correction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Self::None => f.write_str("none"),
            Self::Srp { steps, rule: SrpRule::Code } => write!(f, "srp:{steps}"),
            Self::Srp { steps, rule: SrpRule::Theory } => write!(f, "srp:{steps},theory"),
            Self::Cos { steps, passes, rule } => {
                write!(f, "cos:{steps}")?;
                if passes != 1 {
                    write!(f, "x{passes}")?;
                }
                match rule {
                    CosRule::KeepSaturated => Ok(()),
                    CosRule::Published => f.write_str(",published"),
                    CosRule::Exact => f.write_str(",exact"),
                }
            }
        }
    }
}

impl std::fmt::Display for Readout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sum => f.write_str("sum"),
            Self::Delayed(None) => f.write_str("delay:auto"),
            Self::Delayed(Some(n)) => write!(f, "delay:{n}"),
            Self::EarlyExit(c) => write!(f, "exit:{c}"),
        }
    }
}

/// Uses the text form as the serde form.
macro_rules! as_text {
    ($($kind:ty),*) => {$(
        impl From<$kind> for String {
            fn from(value: $kind) -> Self {
                value.to_string()
            }
        }
        impl TryFrom<String> for $kind {
            type Error = Error;
            fn try_from(text: String) -> Result<Self> {
                Self::parse(&text)
            }
        }
    )*};
}
as_text!(NeuronModel, Correction, Readout);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_round_trip() {
        for text in ["none", "srp:4", "srp:1,theory", "cos:4", "cos:4x3", "cos:8x2,published", "cos:8x4,exact"] {
            assert_eq!(Correction::parse(text).unwrap().to_string(), text);
        }
        for text in ["if", "lif:0.9", "lif:0.125", "signed", "group:4", "burst:5"] {
            assert_eq!(NeuronModel::parse(text).unwrap().to_string(), text);
        }
        for text in ["sum", "delay:auto", "delay:7", "exit:0.9"] {
            assert_eq!(Readout::parse(text).unwrap().to_string(), text);
        }
        for text in ["srp", "srp:0", "srp:0,theory", "cos:0", "cos:4x0", "cos:4,theory", "cos:4xx", "srp:9999", "fix:3"]
        {
            assert!(Correction::parse(text).is_err(), "{text}");
        }
        assert!(NeuronModel::parse("group:0").is_err() && NeuronModel::parse("burst").is_err());
    }

    #[test]
    fn planes_can_represent_every_count() {
        for neuron in [
            NeuronModel::If,
            NeuronModel::Group(1),
            NeuronModel::Group(4),
            NeuronModel::Burst(5),
            NeuronModel::Group(64),
        ] {
            let most: i32 = neuron.plane_weights().iter().sum();
            assert!(most >= neuron.max_spikes_per_step() as i32);
        }
        assert_eq!(NeuronModel::Group(4).amplitude(1.0), 0.25);
    }

    #[test]
    fn cos_prestep_counts_of_paper_and_hardware() {
        let cos = Correction::parse("cos:4x3").unwrap();
        assert_eq!((cos.presteps(), cos.hardware_presteps(5)), (4, 60));
        assert_eq!(Correction::parse("srp:4").unwrap().hardware_presteps(5), 4);
    }
}
