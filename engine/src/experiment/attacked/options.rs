//! Options of an attack as text, from the command line or a plan, and the attack they ask for.

use clap::Args;
use serde::{Deserialize, Deserializer, Serialize};

use super::subject::{AttackSubject, Attacked, RuleResult, takes_a_rule};
use crate::attack::{Attack, AttackKind, Given, GradientChoice, Norm, Outcome, ValueRange, parse_fraction};
use crate::progress::JobControl;
use crate::{Error, Result};

/// The options of an attack, beside those of the network, the data and the recipe.
#[derive(Args, Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct AttackOptions {
    /// The network that is attacked: ann | snn
    #[arg(long, value_name = "ann|snn", default_value = "ann")]
    pub on: String,
    /// Attack: none | uniform | gaussian | fgsm | rfgsm | pgd | apgd | square
    #[arg(long, value_name = "WORD")]
    pub attack: String,
    /// Norm of the ball: linf | l2
    #[arg(long, value_name = "linf|l2", default_value = "linf")]
    pub norm: String,
    /// Radius of the ball in pixel units, where pixels are from 0 to 1: a number or a fraction [default: 8/255]
    #[arg(long, value_name = "E", allow_hyphen_values = true)]
    #[serde(deserialize_with = "some_text")]
    pub eps: Option<String>,
    /// Length of a step of rfgsm and pgd, in pixel units [default: 2/255, with l2 a fifth of eps]
    #[arg(long, value_name = "A", allow_hyphen_values = true)]
    #[serde(deserialize_with = "some_text")]
    pub alpha: Option<String>,
    /// Steps of rfgsm, pgd and apgd [default: 10]
    #[arg(long, value_name = "N")]
    pub attack_steps: Option<usize>,
    /// Starts of a random attack; samples that are fooled need no further one [default: 1]
    #[arg(long, value_name = "N")]
    pub restarts: Option<usize>,
    /// Queries of square [default: 5000]
    #[arg(long, value_name = "N")]
    pub queries: Option<usize>,
    /// Class to move toward (fgsm, rfgsm, pgd), instead of away from the label
    #[arg(long, value_name = "CLASS")]
    pub target: Option<u16>,
    /// Decides all random draws
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Gradient of the spiking network: rate | surrogate | straight-through | ann | worst [default: rate]
    #[arg(long, value_name = "WORD")]
    pub gradient: Option<String>,
}

impl Default for AttackOptions {
    /// What the command line takes where an option is not stated; no attack is named.
    fn default() -> Self {
        Self {
            on: "ann".into(),
            attack: String::new(),
            norm: "linf".into(),
            eps: None,
            alpha: None,
            attack_steps: None,
            restarts: None,
            queries: None,
            target: None,
            seed: 0,
            gradient: None,
        }
    }
}

/// An attack with what it is carried out on and by.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AttackRequest {
    pub on: Attacked,
    pub attack: Attack,
    pub gradient: GradientChoice,
    /// Class to move toward, instead of away from the label.
    pub target: Option<u16>,
}

impl AttackOptions {
    /// The attack of the options, checked as far as it does not depend on the images.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an option with an invalid value.
    pub fn request(&self) -> Result<AttackRequest> {
        let kind = word("attack", &self.attack, &AttackKind::ALL)?;
        let norm = word("norm", &self.norm, &[("linf", Norm::Linf), ("l2", Norm::L2)])?;
        let usual = Attack::default();
        let eps = self.eps.as_deref().map_or(Ok(usual.eps), |text| parse_fraction("eps", text))?;
        let alpha = self.alpha.as_deref().map(|text| parse_fraction("alpha", text)).transpose()?;
        let attack = Attack {
            kind,
            norm,
            eps,
            alpha: alpha.unwrap_or(Attack::default_alpha(norm, eps)),
            steps: self.attack_steps.unwrap_or(usual.steps),
            restarts: self.restarts.unwrap_or(usual.restarts),
            queries: self.queries.unwrap_or(usual.queries),
            seed: self.seed,
        };
        attack.validate(ValueRange::Open)?;
        if self.target.is_some() {
            kind.check_goal()?;
        }
        Ok(AttackRequest {
            on: word("on", &self.on, &[("ann", Attacked::Ann), ("snn", Attacked::Snn)])?,
            attack,
            gradient: GradientChoice::parse(self.gradient.as_deref().unwrap_or("rate"))?,
            target: self.target,
        })
    }

    /// The options that are stated although the attack `asked` does not read them, as on the command line.
    pub fn unread(&self, asked: &AttackRequest) -> Vec<&'static str> {
        use AttackKind::{Apgd, Fgsm, None, Pgd, Rfgsm, Square};
        let kind = asked.attack.kind;
        let stated = [
            ("--eps", self.eps.is_some(), kind == None),
            ("--alpha", self.alpha.is_some(), !matches!(kind, Rfgsm | Pgd)),
            ("--attack-steps", self.attack_steps.is_some(), !matches!(kind, Rfgsm | Pgd | Apgd)),
            ("--restarts", self.restarts.is_some(), matches!(kind, None | Fgsm)),
            ("--queries", self.queries.is_some(), kind != Square),
            ("--gradient", self.gradient.is_some(), !takes_a_rule(kind, asked.on)),
        ];
        stated.into_iter().filter(|(_, is_stated, is_unread)| *is_stated && *is_unread).map(|(name, ..)| name).collect()
    }
}

impl AttackRequest {
    /// Times that it evaluates the network for a sample at most, gradients included; about.
    pub fn evaluations(&self) -> usize {
        let Attack { kind, steps, restarts, queries, .. } = &self.attack;
        let rules = if takes_a_rule(*kind, self.on) { self.gradient.rules().len() } else { 1 };
        let once = match kind {
            AttackKind::None | AttackKind::Uniform | AttackKind::Gaussian => 1,
            AttackKind::Fgsm => 2,
            AttackKind::Rfgsm | AttackKind::Pgd | AttackKind::Apgd => steps.saturating_add(1),
            AttackKind::Square => queries.saturating_add(1),
        };
        once.saturating_mul(*restarts).saturating_mul(rules)
    }

    /// Checks what depends on the network and the size of the images.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a radius that is too large, and a class that the network does not have.
    pub fn check(&self, subject: &AttackSubject) -> Result<()> {
        self.attack.validate(subject.pixels.form().range())?;
        let classes = subject.model.original.classes().max(2);
        match self.target {
            Some(target) if usize::from(target) >= classes => {
                Err(Error::Invalid(format!("Cannot move toward class {target}: the network has {classes} classes.")))
            }
            _ => Ok(()),
        }
    }

    /// Carries it out on `subject`, from the images `start` `[N, F]` where there are some.
    ///
    /// # Errors
    /// Those of [`Self::check`] and [`AttackSubject::attack`].
    pub fn carry_out(
        &self,
        subject: &AttackSubject,
        start: Option<&[f32]>,
        control: &JobControl,
    ) -> Result<(Outcome, Vec<RuleResult>)> {
        self.check(subject)?;
        let goal = self.target.map(|target| vec![target; subject.labels.len()]);
        subject.attack(&self.attack, self.gradient, Given { start, goal: goal.as_deref() }, control)
    }
}

/// The value of the word `text` among `words`.
pub fn word<T: Copy>(option: &str, text: &str, words: &[(&str, T)]) -> Result<T> {
    words.iter().find(|(word, _)| *word == text.trim()).map(|(_, value)| *value).ok_or_else(|| {
        let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        Error::Invalid(format!("Cannot use {option} '{text}': unknown word. Use one of {}.", known.join(", ")))
    })
}

/// A text, or a number in its place.
#[derive(Deserialize)]
#[serde(untagged, expecting = "not a number or a fraction in quotes")]
enum TextOrNumber {
    Text(String),
    Whole(i64),
    Number(f64),
}

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match TextOrNumber::deserialize(deserializer)? {
        TextOrNumber::Text(text) => text,
        TextOrNumber::Whole(number) => number.to_string(),
        TextOrNumber::Number(number) => number.to_string(),
    })
}

fn some_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    text(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        options: AttackOptions,
    }

    #[test]
    fn defaults_of_plans_are_those_of_the_command_line() {
        let line = <Line as clap::Parser>::parse_from(["", "--attack", "pgd"]).options;
        let plan: AttackOptions = toml::from_str("attack = \"pgd\"").unwrap();
        assert_eq!(line, plan);
        let attack = plan.request().unwrap().attack;
        assert_eq!((attack.eps, attack.alpha), (8.0 / 255.0, 2.0 / 255.0));
        let numbers: AttackOptions = toml::from_str("attack = \"pgd\"\neps = 0.1\nalpha = 0").unwrap();
        assert_eq!(numbers.request().unwrap().attack.eps, 0.1);
        assert!(toml::from_str::<AttackOptions>("eps = true").is_err());
    }

    #[test]
    fn options_that_an_attack_does_not_read_are_found_and_a_class_needs_a_targeted_attack() {
        let options = |text: &str| toml::from_str::<AttackOptions>(text).unwrap();
        let all = "alpha = 0.1\nattack-steps = 3\nrestarts = 2\nqueries = 9\ngradient = \"ann\"\neps = 0.1\n";
        for (attack, unread) in [
            ("none", vec!["--eps", "--alpha", "--attack-steps", "--restarts", "--queries", "--gradient"]),
            ("fgsm", vec!["--alpha", "--attack-steps", "--restarts", "--queries"]),
            ("pgd", vec!["--queries"]),
            ("apgd", vec!["--alpha", "--queries"]),
            ("square", vec!["--alpha", "--attack-steps", "--gradient"]),
        ] {
            let stated = options(&format!("{all}on = \"snn\"\nattack = \"{attack}\""));
            assert_eq!(stated.unread(&stated.request().unwrap()), unread, "{attack}");
            let plain = options(&format!("attack = \"{attack}\""));
            assert!(plain.unread(&plain.request().unwrap()).is_empty());
        }
        for attack in ["none", "uniform", "gaussian", "apgd", "square"] {
            let error = options(&format!("attack = \"{attack}\"\ntarget = 1")).request().unwrap_err().to_string();
            assert!(error.contains(&format!("aim {attack} at a class")), "{error}");
        }
        assert!(options("attack = \"rfgsm\"\ntarget = 1").request().is_ok());
    }
}
