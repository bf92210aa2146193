//! What happens to the sums of a convolution before they are stored: bias, residual and activation.

use crate::compute::simd::isa::{Isa, Kernel};
use crate::compute::simd::lanes::LANES;
use crate::network::Activation;

/// `activation(sum + bias + residual)`, in this order.
#[derive(Clone, Copy, Debug, Default)]
pub struct Epilogue<'a> {
    /// One value per output channel; empty for none.
    pub bias: &'a [f32],
    /// Values in the layout of the output.
    pub residual: Option<&'a [f32]>,
    pub activation: Option<Activation>,
}

impl<'a> Epilogue<'a> {
    /// The part from output channel `channel` on, whose values begin at `start`.
    pub fn from_channel(&self, channel: usize, start: usize) -> Self {
        let bias = self.bias.get(channel..).unwrap_or_default();
        Self { bias, residual: self.residual.map(|values| &values[start..]), activation: self.activation }
    }
    /// The limits to which the activation clamps values. QCFS has none; it is applied by [`ActivateInPlace`].
    pub fn limits(&self) -> (f32, f32) {
        match self.activation {
            Some(Activation::Relu) => (0.0, f32::INFINITY),
            Some(Activation::Clip { lambda }) => (0.0, lambda),
            Some(Activation::Qcfs { .. }) | None => (f32::NEG_INFINITY, f32::INFINITY),
        }
    }
    /// The activation, if it is more than limits.
    pub fn steps(&self) -> Option<Activation> {
        self.activation.filter(|activation| matches!(activation, Activation::Qcfs { .. }))
    }
}

/// Replaces pre-activations by their activations. A NaN stays one.
pub struct ActivateInPlace<'a> {
    pub activation: Activation,
    pub values: &'a mut [f32],
}

impl Kernel for ActivateInPlace<'_> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { activation, values } = self;
        KeepAndActivate { activation, values, keep: None, limit: f32::INFINITY }.run::<I>();
    }
}

/// Replaces pre-activations by their activations, and keeps the pre-activations elsewhere if that is asked for. Returns whether
/// all activations are at most `limit`: false with a NaN among them.
pub struct KeepAndActivate<'a> {
    pub activation: Activation,
    pub values: &'a mut [f32],
    /// As many places as values.
    pub keep: Option<&'a mut [f32]>,
    pub limit: f32,
}

impl Kernel for KeepAndActivate<'_> {
    type Output = bool;
    #[inline(always)]
    fn run<I: Isa>(self) -> bool {
        let Self { activation, values, keep, limit } = self;
        let limit = I::splat(limit);
        let mut below = u16::MAX;
        let (chunks, rest) = values.as_chunks_mut::<LANES>();
        let whole = chunks.len() * LANES;
        let (kept, kept_rest) = keep.unwrap_or_default().split_at_mut_checked(whole).unwrap_or_default();
        if kept.is_empty() {
            for values in chunks {
                let value = activate::<I>(activation, I::load_slice(values));
                below &= I::ge(limit, value);
                I::store_slice(value, values);
            }
        } else {
            for (values, kept) in chunks.iter_mut().zip(kept.as_chunks_mut().0) {
                let z = I::load_slice(values);
                I::store_slice(z, kept);
                let value = activate::<I>(activation, z);
                below &= I::ge(limit, value);
                I::store_slice(value, values);
            }
        }
        kept_rest.copy_from_slice(&rest[..kept_rest.len()]);
        let value = activate::<I>(activation, I::load_part(rest));
        I::store_part(value, rest);
        below & I::ge(limit, value) == u16::MAX
    }
}

/// The activation at sixteen pre-activations.
#[inline(always)]
fn activate<I: Isa>(activation: Activation, z: I::V) -> I::V {
    let zero = I::splat(0.0);
    match activation {
        Activation::Relu => I::max(zero, z),
        Activation::Clip { lambda } => I::min(I::splat(lambda), I::max(zero, z)),
        Activation::Qcfs { lambda, levels, shift } => {
            let levels = levels as f32;
            let scaled = I::mul_then_add(z, I::splat(levels / lambda), I::splat(shift));
            let level = I::min(I::splat(levels), I::max(zero, I::floor(scaled)));
            I::mul(level, I::splat(lambda / levels))
        }
    }
}
