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
        let (chunks, rest) = self.values.as_chunks_mut::<LANES>();
        for chunk in chunks {
            I::store_slice(activate::<I>(self.activation, I::load_slice(chunk)), chunk);
        }
        let mut last = [0.0; LANES];
        last[..rest.len()].copy_from_slice(rest);
        I::store_slice(activate::<I>(self.activation, I::load_slice(&last)), &mut last);
        rest.copy_from_slice(&last[..rest.len()]);
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
