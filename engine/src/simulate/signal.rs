//! A value of the spiking network over time: constant, or one tensor per step.
//!
//! A constant value is stored and computed once.

use burn::tensor::Tensor;

use crate::compute::program::Program;
use crate::convert::MaxPoolRule;
use crate::network::{Network, NodeId, Op};

/// A value over T steps for B samples.
#[derive(Clone, Debug)]
pub enum Signal {
    /// The same at every step, `[B, F]`.
    Constant(Tensor<2>),
    /// Step by step, `[T·B, F]`, time outermost.
    Sequence(Tensor<2>),
}

impl Signal {
    /// The value at every step, `[T·B, F]`.
    pub fn sequence(self, steps: usize) -> Tensor<2> {
        match self {
            Self::Constant(x) => x.repeat_dim(0, steps),
            Self::Sequence(x) => x,
        }
    }
}

/// Frames per sample of `program`'s input; 1 for input that does not change over time.
pub fn frame_count(program: &Program, input: &[f32], samples: usize) -> usize {
    let width: usize = program.network().input_shape().iter().product();
    input.len().checked_div(samples * width).unwrap_or(1).max(1)
}

/// The network's input for `rows` samples from `first` on, from `[samples, F]` (constant) or `[samples, frames, F]`:
/// then step t (0-based, from `from_step` on) shows frame t modulo the number of frames.
pub fn input_signal(
    program: &Program,
    input: &[f32],
    samples: usize,
    (first, rows): (usize, usize),
    (from_step, steps): (usize, usize),
) -> Signal {
    let width: usize = program.network().input_shape().iter().product();
    let frames = frame_count(program, input, samples);
    if frames == 1 {
        return Signal::Constant(program.tensor(input[first * width..(first + rows) * width].to_vec(), rows));
    }
    let frame = |t: usize, sample: usize| {
        let start = (sample * frames + (from_step + t) % frames) * width;
        &input[start..start + width]
    };
    let shown = (0..steps).flat_map(|t| (first..first + rows).flat_map(move |sample| frame(t, sample)));
    Signal::Sequence(program.tensor(shown.copied().collect(), steps * rows))
}

/// Whether spikes reach node `id`.
pub(super) fn receives_spikes(network: &Network, id: NodeId) -> bool {
    let node = &network.nodes[id];
    matches!(node.op, Op::Activation(_)) || node.inputs.iter().any(|&input| receives_spikes(network, input))
}

/// Applies node `id` of `program`, which has no neurons, to its inputs over `steps` steps, starting at the first one; the
/// result is constant if all inputs are.
pub fn apply_signal(program: &Program, id: NodeId, inputs: Vec<Signal>, steps: usize, pooling: MaxPoolRule) -> Signal {
    if inputs.iter().all(|input| matches!(input, Signal::Constant(_))) {
        let inputs = inputs.into_iter().map(|input| input.sequence(1)).collect();
        return Signal::Constant(program.apply(id, inputs));
    }
    let mut inputs: Vec<_> = inputs.into_iter().map(|input| input.sequence(steps)).collect();
    match (&program.network().nodes[id].op, pooling, inputs.len()) {
        (Op::MaxPool2d { .. }, MaxPoolRule::Lateral, 1) => {
            let pool = |x| program.apply(id, vec![x]);
            Signal::Sequence(lateral(inputs.remove(0), steps, pool))
        }
        _ => Signal::Sequence(program.apply(id, inputs)),
    }
}

/// LIPooling (Li & Zeng, IJCAI 2022): the inputs of a window accumulate; the largest sum is emitted and subtracted from
/// all of them (lateral inhibition). The sum emitted by step t is then the maximum of the sums so far. Each step
/// therefore emits the increase of that maximum, and the mean output is exactly the maximum of the mean inputs. `x` is
/// `[T·B, F]`.
fn lateral(x: Tensor<2>, steps: usize, pool: impl Fn(Tensor<2>) -> Tensor<2>) -> Tensor<2> {
    let [rows, width] = x.dims();
    let batch = rows / steps.max(1);
    let sums = x.reshape([steps, batch * width]).cumsum(0).reshape([rows, width]);
    let emitted = pool(sums);
    if steps < 2 {
        return emitted;
    }
    let first = emitted.clone().slice(0..batch);
    let increase = emitted.clone().slice(batch..rows) - emitted.slice(0..rows - batch);
    Tensor::cat(vec![first, increase], 0)
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;

    #[test]
    fn lateral_pooling_outputs_the_maximum_of_the_means() {
        // Two inputs of one window: (1,0), (0,1), (1,0), (0,1). The largest at each step would be 1 every time.
        let data = TensorData::new(vec![1.0f32, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0], [4, 2]);
        let x = Tensor::<2>::from_data(data, &Device::flex());
        let out = lateral(x.clone(), 4, |x| x.max_dim(1));
        assert_eq!(crate::compute::dense::tensor_to_vec(out), [1.0, 0.0, 1.0, 0.0]);
        let stepwise = crate::compute::dense::tensor_to_vec(x.max_dim(1));
        assert_eq!(stepwise.iter().sum::<f32>() / 4.0, 1.0, "the pool of currents over-estimates");
    }
}
