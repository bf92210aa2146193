//! Adam for Burn's module optimizer, in one pass over the storage of each parameter.
//!
//! Burn's own takes about twelve tensor operations for a parameter, and small networks have many small ones.

use burn::backend::Flex;
use burn::optim::{LearningRate, Optimizer, RecordState, StateSink, StateSource};
use burn::tensor::{Device, Tensor};

use super::kernels::AdamStep;
use crate::compute::storage::{Values, as_slice_of};

const BETAS: [f32; 2] = [0.9, 0.999];
/// Added to the root of the second moment, as in Burn.
const EPSILON: f32 = 1e-5;

/// Adam (Kingma & Ba 2015), with an L2 penalty.
#[derive(Clone, Debug)]
pub(super) struct Adam {
    pub weight_decay: f32,
}

/// Running means of a parameter's gradient and of its square, and the number of steps.
#[derive(Clone, Debug, Default)]
pub(super) struct Moments {
    time: i32,
    first: Vec<f32>,
    second: Vec<f32>,
}

/// Trainings are not stored halfway.
impl RecordState for Moments {
    fn state_flatten(&self, _: &str, _: &mut StateSink) {}
    fn state_unflatten(_: &str, _: &mut StateSource, _: &Device) -> Option<Self> {
        None
    }
}

impl Optimizer for Adam {
    type State<const D: usize> = Moments;

    fn step<const D: usize>(
        &self,
        rate: LearningRate,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<Moments>,
    ) -> (Tensor<D>, Option<Moments>) {
        let (mut values, gradient) = (storage(parameter), storage(gradient));
        let gradient = as_slice_of(&gradient);
        let mut state = state.unwrap_or_default();
        state.first.resize(gradient.len(), 0.0);
        state.second.resize(gradient.len(), 0.0);
        state.time += 1;
        let root = (1.0 - BETAS[1].powi(state.time)).sqrt();
        AdamStep {
            values: values.storage_mut::<f32>(),
            gradient,
            first: &mut state.first,
            second: &mut state.second,
            betas: BETAS,
            weight_decay: self.weight_decay,
            rate: rate as f32,
            correction: root / (1.0 - BETAS[0].powi(state.time)),
            epsilon: EPSILON * root,
        }
        .run();
        (Tensor::from_primitive::<Flex>(values), Some(state))
    }

    fn to_device<const D: usize>(state: Moments, _: &Device) -> Moments {
        state
    }
}

/// The contiguous values of a parameter or of its gradient.
fn storage<const D: usize>(tensor: Tensor<D>) -> Values {
    match tensor.try_into_primitive::<Flex>() {
        Ok(values) => values.to_contiguous(),
        Err(error) => unreachable!("training runs on burn-flex: {error:?}"),
    }
}

#[cfg(test)]
mod tests {
    use burn::optim::AdamConfig;
    use burn::optim::decay::WeightDecayConfig;
    use burn::tensor::TensorData;

    use super::*;
    use crate::compute::dense::tensor_to_vec;

    #[test]
    fn the_steps_are_those_of_burn() {
        for weight_decay in [0.0, 0.01] {
            let decay = (weight_decay > 0.0).then(|| WeightDecayConfig::new(weight_decay));
            let theirs = AdamConfig::new().with_weight_decay(decay).build();
            let ours = Adam { weight_decay };
            let tensor = |seed: u32| {
                let values: Vec<f32> = (0..35u32).map(|i| (i * seed % 17) as f32 * 0.3 - 2.0).collect();
                Tensor::<2>::from_data(TensorData::new(values, [5, 7]), &Device::flex())
            };
            // The first parameter is a transposed view.
            let (mut a, mut b) = (tensor(3).transpose(), tensor(3).transpose());
            let (mut state_a, mut state_b) = (None, None);
            for step in 1..20 {
                let gradient = tensor(step).transpose();
                (a, state_a) = ours.step(0.01, a, gradient.clone(), state_a);
                (b, state_b) = theirs.step(0.01, b, gradient, state_b);
                let (a, b) = (tensor_to_vec(a.clone()), tensor_to_vec(b.clone()));
                assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-6), "{step}: {a:?} {b:?}");
            }
        }
    }
}
