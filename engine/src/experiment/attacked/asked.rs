//! Which attack the *Robustness* pane shows.

use serde::{Deserialize, Serialize};

use super::subject::AttackSubject;
use crate::attack::{Attack, AttackKind, GradientChoice, GradientRule};

/// What the pane shows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct AttackView {
    pub kind: AttackKind,
    /// Radius of the ℓ∞ ball, in pixel units.
    pub eps: f32,
    /// Steps of PGD and APGD.
    pub steps: usize,
    /// Gradient of the spiking network.
    pub rule: GradientRule,
    /// Whether the attack is run by every rule, `rule` first: a sample is robust only if all fail.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub worst: bool,
    /// Whether accuracy over ε is measured.
    pub curve: bool,
}

impl Default for AttackView {
    fn default() -> Self {
        Self {
            kind: AttackKind::Fgsm,
            eps: 16.0 / 255.0,
            steps: 10,
            rule: GradientRule::Rate,
            worst: false,
            curve: false,
        }
    }
}

impl AttackView {
    /// The rules by which `subject` is attacked.
    pub fn rules(&self, subject: &AttackSubject) -> Vec<GradientRule> {
        let mut rules = if self.worst { self.every_rule(subject) } else { vec![self.rule] };
        if !self.kind.needs_gradient() {
            rules.truncate(1);
        }
        rules
    }

    /// All rules by which `subject` has a gradient, the chosen one first.
    pub fn every_rule(&self, subject: &AttackSubject) -> Vec<GradientRule> {
        let rest = GradientChoice::Worst.rules().into_iter().filter(|rule| *rule != self.rule);
        let mut rules = std::iter::once(self.rule).chain(rest).collect();
        subject.keep_defined(&mut rules);
        rules
    }

    /// The word of the gradient in results.
    pub fn rule_word(&self) -> &'static str {
        if self.worst { GradientChoice::Worst.as_str() } else { self.rule.as_str() }
    }

    /// The attack with radius `eps`; PGD's step is a quarter of it.
    pub fn attack(&self, eps: f32) -> Attack {
        let eps = if eps.is_finite() { eps.clamp(0.0, 1.0) } else { 0.0 };
        let steps = self.steps.clamp(1, 1000);
        Attack { kind: self.kind, eps, alpha: eps / 4.0, steps, queries: 100, ..Attack::default() }
    }
}
