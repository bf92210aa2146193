//! Error ledger: splits a neuron's error φ − A(z) into five parts that add up exactly.
//!
//! Symbols: z ANN pre-activation, ẑ mean input of the SNN layer, θ its saturation, φ its output, (θ/T)·q(ẑ) its output for
//! the same input at a constant current, and A a reference that clips at λ (ReLU: λ = ∞):
//!
//! ```text
//! propagated    A(z*) − A(z)
//! pooling       A(ẑ) − A(z*)
//! clipping      clip(ẑ, 0, θ) − clip(ẑ, 0, λ)
//! quantization  [(θ/T)·q(ẑ) − clip(ẑ, 0, θ)] − [A(ẑ) − clip(ẑ, 0, λ)]
//! unevenness    φ − (θ/T)·q(ẑ)
//! total         φ − A(z)
//! ```
//!
//! z* differs from ẑ only where a max pool stands before the neuron. With I_i(t) the currents in its window,
//! ẑ = mean_t max_i I_i(t): the pool takes the largest of fluctuating currents at each step, and z* = max_i mean_t I_i(t)
//! is what it would take of their means. Elsewhere, and with lateral pooling, z* = ẑ and nothing is lost by pooling.
//!
//! For A = ReLU the other parts are the parts of Bu et al., ICLR 2022 §3 (there with ẑ = z). For A = QCFS of L levels and θ = λ there
//! is no clipping and quantization is QCFS_T(ẑ) − QCFS_L(ẑ): zero if L = T.

use std::ops::{Add, AddAssign};

use serde::Serialize;

use crate::convert::SpikingLayer;
use crate::network::Activation;

/// The parts of one neuron's error against the reference `activation`. `z`, `zin` (ẑ), `saturation` (θ), `phi` and
/// `on_target` ((θ/T)·q(ẑ)) are in activation units.
#[inline(always)]
pub fn ledger_against(activation: Activation, z: f32, zin: f32, saturation: f64, phi: f64, on_target: f64) -> Ledger {
    let lambda = activation.lambda().map_or(f64::INFINITY, f64::from);
    let a = |z: f32| f64::from(activation.apply(z));
    let mean = f64::from(zin).max(0.0);
    let clipping = mean.min(saturation) - mean.min(lambda);
    Ledger {
        propagated: a(zin) - a(z),
        pooling: 0.0,
        clipping,
        quantization: on_target - a(zin) - clipping,
        unevenness: phi - on_target,
        total: phi - a(z),
    }
}

impl Add for Ledger {
    type Output = Self;
    fn add(self, o: Self) -> Self {
        Self {
            propagated: self.propagated + o.propagated,
            clipping: self.clipping + o.clipping,
            quantization: self.quantization + o.quantization,
            unevenness: self.unevenness + o.unevenness,
            pooling: self.pooling + o.pooling,
            total: self.total + o.total,
        }
    }
}

impl AddAssign for Ledger {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Ledger {
    /// The parts in the order propagated, clipping, quantization, unevenness, pooling.
    pub fn parts(&self) -> [f64; 5] {
        [self.propagated, self.clipping, self.quantization, self.unevenness, self.pooling]
    }
    /// The same with `pooling`, A(ẑ) − A(z*), as a part of its own instead of in the propagated part.
    pub fn with_pooling(self, pooling: f64) -> Self {
        Self { propagated: self.propagated - pooling, pooling: self.pooling + pooling, ..self }
    }
    /// All figures times `factor`.
    pub fn scaled(self, factor: f64) -> Self {
        Self {
            propagated: self.propagated * factor,
            clipping: self.clipping * factor,
            quantization: self.quantization * factor,
            unevenness: self.unevenness * factor,
            pooling: self.pooling * factor,
            total: self.total * factor,
        }
    }
}

/// The part of max pooling, A(ẑ) − A(z*), of a neuron whose max pool reads fluctuating currents; `zin` is ẑ, `pooled` is z*.
#[inline(always)]
pub fn pooling_part(activation: Activation, zin: f32, pooled: f32) -> f64 {
    f64::from(activation.apply(zin)) - f64::from(activation.apply(pooled))
}

/// Reference for the outputs of a spiking layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LedgerReference {
    /// The ANN's own activation a: QCFS, clip or ReLU of z.
    #[default]
    Activation,
    /// ReLU(z), whatever the ANN's activation is.
    Relu,
}

/// The exact parts of the error φ − A(z) of a neuron or a layer, in activation units, for a reference A
/// ([`super::ledger`]; after Bu et al., ICLR 2022 §3). Each field states the part for A = ReLU first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Ledger {
    /// Error of earlier layers: ReLU(ẑ) − ReLU(z); in general A(ẑ) − A(z), and with a max pool before the neuron A(z*) − A(z).
    pub propagated: f64,
    /// Lost above the layer's saturation (θ; Γθ for bursts): min(ReLU(ẑ), θ) − ReLU(ẑ). If A itself clips at λ, only the
    /// difference between the two limits.
    pub clipping: f64,
    /// Rounding to θ/T: (θ/T)·q(ẑ) − clip(ẑ, 0, θ). If A itself is quantized, the difference between the two roundings.
    pub quantization: f64,
    /// Order of the input: φ − (θ/T)·q(ẑ).
    pub unevenness: f64,
    /// The neuron's own max pool, which takes the largest of fluctuating currents at each step: A(ẑ) − A(z*).
    pub pooling: f64,
    /// φ − A(z), measured directly, not summed from the parts.
    pub total: f64,
}

/// Whether the ANN's own activation differs from ReLU(z).
pub(super) fn has_own_activation(layer: &SpikingLayer) -> bool {
    layer.activation != Activation::Relu
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parts_of_the_worked_examples() {
        let of = |z: f32, phi: f64, on_target: f64| ledger_against(Activation::Relu, z, z, 1.0, phi, on_target);
        let parts = of(1.3, 1.0, 1.0);
        assert!((parts.clipping + 0.3).abs() < 1e-6 && parts.quantization.abs() < 1e-12 && parts.unevenness == 0.0);
        assert!((of(0.33, 0.25, 0.25).quantization + 0.08).abs() < 1e-6);
        // Five steps, input +2 at 1,2,3 and −2 at 4,5: ẑ = 0.4, target 2/5, output 4/5.
        assert!((of(0.4, 0.8, 0.4).unevenness - 0.4).abs() < 1e-12);
    }

    #[test]
    fn a_qcfs_layer_has_no_quantization_error_where_its_levels_equal_the_steps() {
        let qcfs = Activation::Qcfs { lambda: 1.0, levels: 4, shift: 0.5 };
        // z = 1.3 gives 1 in the ANN as well; 0.33 gives ⌊1.32 + ½⌋/4 = ¼.
        for (z, output) in [(1.3, 1.0), (0.33, 0.25)] {
            assert_eq!(ledger_against(qcfs, z, z, 1.0, output, output), Ledger::default());
        }
        // T = 2 where L = 4: QCFS_2(0.375) − QCFS_4(0.375) = ½ − ½, and of 0.125: 0 − ¼.
        assert_eq!(ledger_against(qcfs, 0.375, 0.375, 1.0, 0.5, 0.5).parts(), [0.0; 5]);
        assert_eq!(ledger_against(qcfs, 0.125, 0.125, 1.0, 0.0, 0.0).parts(), [0.0, 0.0, -0.25, 0.0, 0.0]);
    }

    #[test]
    fn a_threshold_other_than_the_learned_one_is_clipping() {
        let clip = Activation::Clip { lambda: 1.0 };
        assert_eq!(ledger_against(clip, 1.5, 1.5, 0.75, 0.75, 0.75).parts(), [0.0, -0.25, 0.0, 0.0, 0.0]);
        assert_eq!(ledger_against(clip, 1.5, 1.5, 2.0, 1.5, 1.5).parts(), [0.0, 0.5, 0.0, 0.0, 0.0]);
    }

    proptest! {
        #[test]
        fn parts_add_up_to_the_total(
            z in -3f32..3.0, zin in -3f32..3.0, lambda in 0.01f32..3.0, levels in 1u32..33, kind in 0..3,
            theta in 0.01f64..3.0, n in 0u32..33, q in 0u32..33, pooled in -3f32..3.0,
        ) {
            let activation = [
                Activation::Relu,
                Activation::Clip { lambda },
                Activation::Qcfs { lambda, levels, shift: 0.5 },
            ][kind as usize];
            let unit = theta / 32.0;
            let (phi, on_target) = (unit * f64::from(n), unit * f64::from(q));
            let parts = ledger_against(activation, z, zin, theta, phi, on_target);
            prop_assert!((parts.parts().iter().sum::<f64>() - parts.total).abs() < 1e-12);
            prop_assert_eq!(parts.total, phi - f64::from(activation.apply(z)));
            let five = parts.with_pooling(pooling_part(activation, zin, pooled));
            prop_assert!((five.parts().iter().sum::<f64>() - five.total).abs() < 1e-12);
            let propagated = f64::from(activation.apply(pooled)) - f64::from(activation.apply(z));
            prop_assert!((five.propagated - propagated).abs() < 1e-12 && five.total == parts.total);
        }
    }
}
