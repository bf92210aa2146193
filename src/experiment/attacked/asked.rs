//! Which attack the *Robustness* pane shows.

use serde::{Deserialize, Serialize};

use crate::attack::{Attack, AttackKind, GradientRule};

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
    /// Whether accuracy over ε is measured.
    pub curve: bool,
}

impl Default for AttackView {
    fn default() -> Self {
        Self { kind: AttackKind::Fgsm, eps: 16.0 / 255.0, steps: 10, rule: GradientRule::Rate, curve: false }
    }
}

impl AttackView {
    /// The attack with radius `eps`; PGD's step is a quarter of it.
    pub fn attack(&self, eps: f32) -> Attack {
        let eps = if eps.is_finite() { eps.clamp(0.0, 1.0) } else { 0.0 };
        let steps = self.steps.clamp(1, 1000);
        Attack { kind: self.kind, eps, alpha: eps / 4.0, steps, queries: 100, ..Attack::default() }
    }
}
