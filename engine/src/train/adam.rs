//! Steps of Adam and of SGD with momentum over the values of one parameter.
//!
//! Burn's own take about twelve tensor operations for a parameter, and their states cannot be stored by name.

use super::kernels::AdamStep;

const BETAS: [f32; 2] = [0.9, 0.999];
/// Added to the root of the second moment, as in Burn.
const EPSILON: f32 = 1e-5;
/// Momentum of SGD.
const MOMENTUM: f32 = 0.9;

/// What an optimizer remembers of a parameter: the number of steps, and running means of the gradient and of its square
/// (Adam), or the velocity (SGD).
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Slot {
    pub time: u32,
    pub first: Vec<f32>,
    pub second: Vec<f32>,
}

/// One step of Adam (Kingma & Ba 2015), with an L2 penalty.
pub(super) fn adam_step(values: &mut [f32], gradient: &[f32], slot: &mut Slot, rate: f32, weight_decay: f32) {
    slot.first.resize(gradient.len(), 0.0);
    slot.second.resize(gradient.len(), 0.0);
    slot.time += 1;
    let time = slot.time as i32;
    let root = (1.0 - BETAS[1].powi(time)).sqrt();
    AdamStep {
        values,
        gradient,
        first: &mut slot.first,
        second: &mut slot.second,
        betas: BETAS,
        weight_decay,
        rate,
        correction: root / (1.0 - BETAS[0].powi(time)),
        epsilon: EPSILON * root,
    }
    .run();
}

/// One step of SGD with momentum, with an L2 penalty.
pub(super) fn sgd_step(values: &mut [f32], gradient: &[f32], slot: &mut Slot, rate: f32, weight_decay: f32) {
    slot.first.resize(gradient.len(), 0.0);
    slot.time += 1;
    for ((value, gradient), velocity) in values.iter_mut().zip(gradient).zip(&mut slot.first) {
        let gradient = gradient + weight_decay * *value;
        *velocity = MOMENTUM * *velocity + gradient;
        *value -= rate * *velocity;
    }
}

#[cfg(test)]
mod tests {
    use burn::optim::decay::WeightDecayConfig;
    use burn::optim::momentum::MomentumConfig;
    use burn::optim::{AdamConfig, Optimizer, SgdConfig};
    use burn::tensor::{Device, Tensor, TensorData};

    use super::*;
    use crate::compute::dense::tensor_to_vec;

    fn values(seed: u32) -> Vec<f32> {
        (0..35u32).map(|i| (i * seed % 17) as f32 * 0.3 - 2.0).collect()
    }

    /// Compares twenty steps with those of Burn's `theirs`.
    fn compare<O: Optimizer>(theirs: &O, ours: impl Fn(&mut [f32], &[f32], &mut Slot)) {
        let tensor = |values: Vec<f32>| Tensor::<2>::from_data(TensorData::new(values, [5, 7]), &Device::flex());
        let (mut a, mut b) = (values(3), tensor(values(3)));
        let (mut slot, mut state) = (Slot::default(), None);
        for step in 1..20 {
            ours(&mut a, &values(step), &mut slot);
            (b, state) = theirs.step(0.01, b, tensor(values(step)), state);
            let b = tensor_to_vec(b.clone());
            assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-6), "{step}: {a:?} {b:?}");
        }
    }

    #[test]
    fn the_steps_are_those_of_burn() {
        for decay in [0.0, 0.01] {
            let penalty = (decay > 0.0).then(|| WeightDecayConfig::new(decay));
            let adam = AdamConfig::new().with_weight_decay(penalty.clone()).build();
            compare(&adam, |a, g, slot| adam_step(a, g, slot, 0.01, decay));
            let momentum = MomentumConfig::new().with_momentum(0.9).with_dampening(0.0);
            let sgd = SgdConfig::new().with_momentum(Some(momentum)).with_weight_decay(penalty).build();
            compare(&sgd, |a, g, slot| sgd_step(a, g, slot, 0.01, decay));
        }
    }
}
