//! Activation functions on vectors: value, and the slopes toward input and threshold.

use crate::compute::simd::isa::Isa;
use crate::network::Activation;

/// An activation, or none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// z itself.
    Identity,
    /// `max(z, 0)`
    Relu,
    /// `min(max(z, 0), λ)`
    Clip { lambda: f32 },
    /// `λ·clip(⌊zL/λ + shift⌋/L, 0, 1)`; its gradient is that of the ramp under the stairs (straight-through).
    Staircase { lambda: f32, levels: f32, shift: f32 },
}

impl Rule {
    /// The same rule with another threshold.
    pub fn with_lambda(self, lambda: f32) -> Self {
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

/// One rule, ready for many values. With a = its value, the gradients are those of `λ·clip(·, 0, 1)` of `z/λ`:
///
/// | | ∂a/∂z | ∂a/∂λ |
/// |---|---|---|
/// | below the window | 0 | 0 |
/// | in the window | 1 | (a − z)/λ |
/// | above the window | 0 | 1 |
pub trait Activate: Copy {
    /// The activation's value.
    fn value<I: Isa>(self, z: I::V) -> I::V;
    /// Bits of the lanes in the window, where the gradient passes to z, and the gradient of λ.
    fn slopes<I: Isa>(self, z: I::V) -> (u16, I::V);
}

/// Evaluates `$go` with the rule as an [`Activate`], so that its loop is compiled for this rule alone.
macro_rules! with_rule {
    ($rule:expr, $activate:ident => $go:expr) => {
        match $rule {
            $crate::compute::gradient::rule::Rule::Identity => {
                let $activate = $crate::compute::gradient::rule::Identity;
                $go
            }
            $crate::compute::gradient::rule::Rule::Relu => {
                let $activate = $crate::compute::gradient::rule::Relu;
                $go
            }
            $crate::compute::gradient::rule::Rule::Clip { lambda } => {
                let $activate = $crate::compute::gradient::rule::Clip(lambda);
                $go
            }
            $crate::compute::gradient::rule::Rule::Staircase { lambda, levels, shift } => {
                let $activate = $crate::compute::gradient::rule::Staircase::new(lambda, levels, shift);
                $go
            }
        }
    };
}
pub(crate) use with_rule;

/// See [`Rule::Identity`].
#[derive(Clone, Copy)]
pub struct Identity;

impl Activate for Identity {
    #[inline(always)]
    fn value<I: Isa>(self, z: I::V) -> I::V {
        z
    }
    #[inline(always)]
    fn slopes<I: Isa>(self, _: I::V) -> (u16, I::V) {
        (u16::MAX, I::splat(0.0))
    }
}

/// See [`Rule::Relu`].
#[derive(Clone, Copy)]
pub struct Relu;

impl Activate for Relu {
    #[inline(always)]
    fn value<I: Isa>(self, z: I::V) -> I::V {
        I::max(I::splat(0.0), z)
    }
    #[inline(always)]
    fn slopes<I: Isa>(self, z: I::V) -> (u16, I::V) {
        (I::gt(z, I::splat(0.0)), I::splat(0.0))
    }
}

/// See [`Rule::Clip`].
#[derive(Clone, Copy)]
pub struct Clip(pub f32);

impl Activate for Clip {
    #[inline(always)]
    fn value<I: Isa>(self, z: I::V) -> I::V {
        I::min(I::splat(self.0), I::max(I::splat(0.0), z))
    }
    #[inline(always)]
    fn slopes<I: Isa>(self, z: I::V) -> (u16, I::V) {
        let (zero, lambda) = (I::splat(0.0), I::splat(self.0));
        (I::ge(z, zero) & I::ge(lambda, z), I::select(I::gt(z, lambda), I::splat(1.0), zero))
    }
}

/// See [`Rule::Staircase`].
#[derive(Clone, Copy)]
pub struct Staircase {
    levels: f32,
    shift: f32,
    /// L/λ and λ/L
    per_level: f32,
    height: f32,
    /// 1/L and 1/λ
    share: f32,
    unit: f32,
}

impl Staircase {
    /// λ, L and the shift.
    pub fn new(lambda: f32, levels: f32, shift: f32) -> Self {
        let (per_level, height) = (levels / lambda, lambda / levels);
        Self { levels, shift, per_level, height, share: 1.0 / levels, unit: 1.0 / lambda }
    }

    /// `zL/λ + shift`
    #[inline(always)]
    fn scaled<I: Isa>(self, z: I::V) -> I::V {
        I::mul_then_add(z, I::splat(self.per_level), I::splat(self.shift))
    }

    /// The step, 0 to L; NaN stays NaN.
    #[inline(always)]
    fn level<I: Isa>(self, scaled: I::V) -> I::V {
        I::min(I::splat(self.levels), I::max(I::splat(0.0), I::floor(scaled)))
    }
}

impl Activate for Staircase {
    #[inline(always)]
    fn value<I: Isa>(self, z: I::V) -> I::V {
        I::mul(self.level::<I>(self.scaled::<I>(z)), I::splat(self.height))
    }
    #[inline(always)]
    fn slopes<I: Isa>(self, z: I::V) -> (u16, I::V) {
        let (scaled, zero) = (self.scaled::<I>(z), I::splat(0.0));
        // The window is where the floored value is in range.
        let passes = I::ge(scaled, zero) & !I::ge(scaled, I::splat(self.levels + 1.0));
        let level = self.level::<I>(scaled);
        let passed = I::select(passes, I::mul(z, I::splat(self.unit)), zero);
        (passes, I::sub(I::mul(level, I::splat(self.share)), passed))
    }
}
