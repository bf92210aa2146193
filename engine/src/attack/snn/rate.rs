//! A layer's mean output over time as one operation, with the slope of a ramp at its mean input.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::{Autodiff, Flex};
use burn::tensor::Tensor;

use crate::compute::storage::{Values, as_slice_of, from_vec, into_vec, shape_of, tracked};

/// Where a neuron passes the gradient, and how much of it.
#[derive(Clone, Debug)]
pub enum Window {
    /// Everywhere.
    All,
    /// `share` from a mean input of 0 to the neuron's `upper`; `added` is what the layer adds to the input, `[F]` both.
    Ramp { upper: Vec<f32>, added: Vec<f32>, share: f32 },
}

impl Window {
    /// The slope at each of the mean inputs `z` `[N, F]`.
    pub fn slopes(&self, z: &[f32]) -> Vec<f32> {
        let Self::Ramp { upper, added, share } = self else { return vec![1.0; z.len()] };
        let mut slopes = Vec::with_capacity(z.len());
        for z in z.chunks(upper.len().max(1)) {
            slopes.extend(z.iter().zip(upper).zip(added).map(|((z, upper), added)| {
                let passes = (0.0..=*upper).contains(&(z + added)) && *upper > 0.0;
                if passes { *share } else { 0.0 }
            }));
        }
        slopes
    }
}

#[derive(Debug)]
struct RateBackward;

impl Backward<Flex, 1> for RateBackward {
    /// The mean inputs, where they pass the gradient, and the neurons that pass none.
    type State = (Values, Window, Vec<bool>);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let mut gradient = into_vec(grads.consume::<Flex>(&ops.node));
        let (z, window, silenced) = ops.state;
        let [parent] = ops.parents;
        let Some(parent) = parent else { return };
        if matches!(window, Window::Ramp { .. }) {
            gradient.iter_mut().zip(window.slopes(as_slice_of(&z))).for_each(|(gradient, slope)| *gradient *= slope);
        }
        gradient.iter_mut().zip(silenced).filter(|(_, silenced)| *silenced).for_each(|(gradient, _)| *gradient = 0.0);
        grads.register::<Flex>(parent.id, from_vec(gradient, shape_of::<2>(&z)));
    }
}

/// `rates` `[N, F]` in place of the activation of `z`, on burn-flex; `silenced` neurons, `[N, F]` or none, pass no gradient.
pub fn rate(z: Tensor<2>, rates: Vec<f32>, window: Window, silenced: Vec<bool>) -> Tensor<2> {
    let z = tracked(z);
    let node = z.node();
    let z = z.into_primitive().to_contiguous();
    let out = from_vec(rates, shape_of::<2>(&z));
    let out = match Backward::<Flex, 1>::prepare::<NoCheckpointing>(RateBackward, [node]).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish((z, window, silenced), out),
        OpsKind::UnTracked(prep) => prep.finish(out),
    };
    Tensor::from_primitive::<Autodiff<Flex>>(out)
}
