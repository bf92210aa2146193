//! What an attack does: its kind, norm and size, and its steps, restarts and queries.

use serde::{Deserialize, Serialize};

use super::form::ValueRange;
use super::norm::Norm;
use crate::{Error, Result};

/// Largest number of steps, queries and restarts.
const MAX_COUNT: usize = 1_000_000;

/// The kinds of attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttackKind {
    /// The images as they are.
    None,
    /// Noise, uniform in the ball.
    Uniform,
    /// Normal noise, σ = ε per pixel (ℓ₂: of length ε on average).
    Gaussian,
    /// One step along the sign of the gradient (Goodfellow et al., ICLR 2015).
    Fgsm,
    /// FGSM's steps from a random corner of the α-ball (Tramèr et al., ICLR 2018).
    Rfgsm,
    /// Projected gradient descent from a random start (Madry et al., ICLR 2018).
    Pgd,
    /// APGD on the cross entropy: momentum and a step size of its own (Croce & Hein, ICML 2020).
    Apgd,
    /// Random squares, without gradients (Andriushchenko et al., ECCV 2020).
    Square,
}

impl AttackKind {
    /// All kinds with their words.
    pub const ALL: [(&'static str, Self); 8] = [
        ("none", Self::None),
        ("uniform", Self::Uniform),
        ("gaussian", Self::Gaussian),
        ("fgsm", Self::Fgsm),
        ("rfgsm", Self::Rfgsm),
        ("pgd", Self::Pgd),
        ("apgd", Self::Apgd),
        ("square", Self::Square),
    ];

    /// The word on the command line.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }
    /// Whether the attack reads gradients.
    pub fn needs_gradient(self) -> bool {
        matches!(self, Self::Fgsm | Self::Rfgsm | Self::Pgd | Self::Apgd)
    }
    /// Whether the attack starts at random images, so that restarts differ.
    pub fn is_random(self) -> bool {
        !matches!(self, Self::None | Self::Fgsm)
    }
    /// Checks that the attack can move toward a class.
    ///
    /// # Errors
    /// [`Error::Invalid`] for one that has no targeted form.
    pub fn check_goal(self) -> Result<()> {
        let why = match self {
            Self::Fgsm | Self::Rfgsm | Self::Pgd => return Ok(()),
            Self::None | Self::Uniform | Self::Gaussian => "it moves toward no class",
            Self::Apgd | Self::Square => "it has no targeted form",
        };
        let reason = format!("Cannot aim {} at a class: {why}. Use fgsm, rfgsm or pgd.", self.as_str());
        Err(Error::Invalid(reason))
    }
    /// Whether only samples that are answered right are attacked; others return as they are.
    pub fn attacks_right_only(self) -> bool {
        matches!(self, Self::Apgd | Self::Square)
    }
}

/// An attack with all its numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Attack {
    pub kind: AttackKind,
    pub norm: Norm,
    /// Radius of the ball around each image, in pixel units.
    pub eps: f32,
    /// Length of a step (R-FGSM, PGD), in pixel units.
    pub alpha: f32,
    /// Steps of R-FGSM, PGD and APGD.
    pub steps: usize,
    pub restarts: usize,
    /// Queries of Square.
    pub queries: usize,
    pub seed: u64,
}

impl Default for Attack {
    fn default() -> Self {
        Self {
            kind: AttackKind::Fgsm,
            norm: Norm::Linf,
            eps: 8.0 / 255.0,
            alpha: 2.0 / 255.0,
            steps: 10,
            restarts: 1,
            queries: 5000,
            seed: 0,
        }
    }
}

impl Attack {
    /// α where none is stated: 2/255, and ε/5 for ℓ₂ (torchattacks' PGD and PGDL2).
    pub fn default_alpha(norm: Norm, eps: f32) -> f32 {
        match norm {
            Norm::Linf => 2.0 / 255.0,
            Norm::L2 => eps / 5.0,
        }
    }

    /// Checks every number, for images with values in `range`.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the reason and what to use instead.
    pub fn validate(&self, range: ValueRange) -> Result<()> {
        let refuse = |reason: String| Err(Error::Invalid(reason));
        for (name, value) in [("eps", self.eps), ("alpha", self.alpha)] {
            range.check_change(name, value, self.norm)?;
        }
        if self.kind == AttackKind::Rfgsm && self.norm == Norm::L2 {
            return refuse(
                "Cannot use rfgsm with norm l2: it is defined by signs, in linf alone. Use pgd, or norm linf.".into(),
            );
        }
        for (name, count) in [("attack-steps", self.steps), ("restarts", self.restarts), ("queries", self.queries)] {
            if !(1..=MAX_COUNT).contains(&count) {
                return refuse(format!("Cannot use {name} {count}: use 1 to {MAX_COUNT}."));
            }
        }
        Ok(())
    }
}

/// Parses a number or a fraction: `0.03`, `8/255`. `option` is the option's name in the error.
///
/// # Errors
/// [`Error::Invalid`] for other text.
pub fn parse_fraction(option: &str, text: &str) -> Result<f32> {
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|v| v.is_finite());
    let value = match text.split_once('/') {
        Some((a, b)) => number(a).zip(number(b).filter(|b| *b != 0.0)).map(|(a, b)| a / b),
        None => number(text),
    };
    value.map(|v| v as f32).ok_or_else(|| {
        Error::Invalid(format!(
            "Cannot use {option} '{text}': not a number. Use a fraction or a number, such as 8/255."
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attack::ImageForm;
    use crate::data::Layout;

    #[test]
    fn only_counts_of_events_change_by_more_than_one() {
        let images = ImageForm::of(&[1, 2, 2], Layout::ChannelsFirst);
        let counts = images.of_counts(3);
        let check = |norm, eps: f32, range| Attack { norm, eps, ..Attack::default() }.validate(range);
        for (form, is_open) in [(images.range(), false), (counts.range(), true)] {
            assert_eq!(check(Norm::Linf, 1.5, form).is_ok(), is_open);
            assert_eq!(check(Norm::L2, 2.5, form).is_ok(), is_open);
            for eps in [-0.5, f32::NAN, f32::INFINITY] {
                assert!(check(Norm::Linf, eps, form).is_err(), "{eps}");
            }
        }
        assert!(check(Norm::Linf, -1.0, counts.range()).unwrap_err().to_string().contains("Use 0 or more"));
        assert!(check(Norm::Linf, 1.5, images.range()).unwrap_err().to_string().contains("Use 0 to 1,"));
        assert!(check(Norm::Linf, 1.5, ValueRange::Pixels(None)).is_err());
        assert!(check(Norm::L2, 2.5, ValueRange::Pixels(None)).is_ok(), "the size decides");
    }
}
