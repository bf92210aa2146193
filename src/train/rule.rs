//! Activation rules of training as plain functions: value, and the slopes toward input and threshold.

use crate::network::Activation;

/// An activation after a layer or a normalization.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Rule {
    /// z itself.
    Identity,
    /// `max(z, 0)`
    Relu,
    /// `min(max(z, 0), λ)`
    Clip { lambda: f32 },
    /// `λ·clip(⌊zL/λ + shift⌋/L, 0, 1)`
    Staircase { lambda: f32, levels: f32, shift: f32 },
}

impl Rule {
    /// The same rule with another threshold.
    pub(super) fn with_lambda(self, lambda: f32) -> Self {
        match self {
            Self::Identity | Self::Relu => self,
            Self::Clip { .. } => Self::Clip { lambda },
            Self::Staircase { levels, shift, .. } => Self::Staircase { lambda, levels, shift },
        }
    }
}

impl From<Activation> for Rule {
    fn from(activation: Activation) -> Self {
        match activation {
            Activation::Relu => Self::Relu,
            Activation::Clip { lambda } => Self::Clip { lambda },
            Activation::Qcfs { lambda, levels, shift } => Self::Staircase { lambda, levels: levels as f32, shift },
        }
    }
}

/// One rule, ready for many values.
pub(super) trait Activate: Copy {
    /// The activation's value.
    fn value(self, z: f32) -> f32;
    /// Whether the gradient passes to z, and the gradient of λ: [`super::activation`] has the table.
    fn slopes(self, z: f32) -> (bool, f32);
}

/// Calls `$go` with the rule as an [`Activate`], so that its loop is compiled for this rule alone.
macro_rules! with_rule {
    ($rule:expr, $activate:ident => $go:expr) => {
        match $rule {
            Rule::Identity => {
                let $activate = super::rule::Identity;
                $go
            }
            Rule::Relu => {
                let $activate = super::rule::Relu;
                $go
            }
            Rule::Clip { lambda } => {
                let $activate = super::rule::Clip(lambda);
                $go
            }
            Rule::Staircase { lambda, levels, shift } => {
                let $activate = super::rule::Staircase::new(lambda, levels, shift);
                $go
            }
        }
    };
}
pub(super) use with_rule;

#[derive(Clone, Copy)]
pub(super) struct Identity;

impl Activate for Identity {
    #[inline(always)]
    fn value(self, z: f32) -> f32 {
        z
    }
    #[inline(always)]
    fn slopes(self, _: f32) -> (bool, f32) {
        (true, 0.0)
    }
}

#[derive(Clone, Copy)]
pub(super) struct Relu;

impl Activate for Relu {
    #[inline(always)]
    fn value(self, z: f32) -> f32 {
        if z < 0.0 { 0.0 } else { z }
    }
    #[inline(always)]
    fn slopes(self, z: f32) -> (bool, f32) {
        (z > 0.0, 0.0)
    }
}

/// λ
#[derive(Clone, Copy)]
pub(super) struct Clip(pub f32);

impl Activate for Clip {
    #[inline(always)]
    fn value(self, z: f32) -> f32 {
        z.clamp(0.0, self.0)
    }
    #[inline(always)]
    fn slopes(self, z: f32) -> (bool, f32) {
        (z >= 0.0 && z <= self.0, if z > self.0 { 1.0 } else { 0.0 })
    }
}

#[derive(Clone, Copy)]
pub(super) struct Staircase {
    /// L/λ, λ/L, L, the shift
    per_level: f32,
    height: f32,
    levels: f32,
    shift: f32,
    /// 1/L and 1/λ
    share: f32,
    unit: f32,
}

impl Staircase {
    pub(super) fn new(lambda: f32, levels: f32, shift: f32) -> Self {
        let (per_level, height) = (levels / lambda, lambda / levels);
        Self { per_level, height, levels, shift, share: 1.0 / levels, unit: 1.0 / lambda }
    }
}

impl Activate for Staircase {
    #[inline(always)]
    fn value(self, z: f32) -> f32 {
        (z * self.per_level + self.shift).floor().clamp(0.0, self.levels) * self.height
    }
    #[inline(always)]
    fn slopes(self, z: f32) -> (bool, f32) {
        let x = z * self.per_level + self.shift;
        let passes = x >= 0.0 && x < self.levels + 1.0;
        let level = x.floor().clamp(0.0, self.levels);
        (passes, level * self.share - if passes { z * self.unit } else { 0.0 })
    }
}
