//! Fused training operations with their own gradients: staircase activation and BatchNorm.
//!
//! Each is one loop over its values forward and one backward, where tensor operations would take about ten each. They
//! work on the storage of Burn's tensors.
//!
//! Sums have a fixed number of parts in a fixed order: the same call gives the same numbers for any number of threads.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex};
use burn::tensor::{Tensor, TensorData};
use rayon::prelude::*;

use super::kernels::{Steps, center_and_scale, combine, sum, sum_of_products, sum_of_squares};

type Values = FloatTensor<Flex>;
type Tracked = FloatTensor<Autodiff<Flex>>;

/// Values that one thread processes at once.
const CHUNK: usize = 1 << 14;

/// The primitive of a tensor on the training device.
fn tracked<const D: usize>(tensor: Tensor<D>) -> Tracked {
    match tensor.try_into_primitive::<Autodiff<Flex>>() {
        Ok(primitive) => primitive,
        Err(error) => unreachable!("training runs on burn-flex with gradients: {error:?}"),
    }
}

/// The values, row-major; copied only if they are shared or a view.
fn into_vec(values: Values) -> Vec<f32> {
    match values.into_data().try_into_vec::<f32>() {
        Ok(numbers) => numbers,
        Err(error) => unreachable!("a float tensor that is not f32: {error:?}"),
    }
}

/// The slice of contiguous `values`.
fn as_slice_of(values: &Values) -> &[f32] {
    values.as_slice::<f32>().unwrap_or_else(|| unreachable!("values that were made contiguous are a view"))
}

fn from_vec<const D: usize>(numbers: Vec<f32>, shape: [usize; D]) -> Values {
    Values::from_data(TensorData::new(numbers, shape))
}

#[derive(Debug)]
struct StepsBackward;

impl Backward<Flex, 2> for StepsBackward {
    /// z and the staircase.
    type State = (Values, Steps);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let mut gradient = into_vec(grads.consume::<Flex>(&ops.node));
        let (z, steps) = ops.state;
        let [rows, columns] = z.shape_of();
        let parts = gradient.par_chunks_mut(CHUNK).zip(as_slice_of(&z).par_chunks(CHUNK));
        let parts = parts.map(|(gradient, z)| steps.backward(gradient, z));
        let of_lambda: Vec<f64> = parts.collect();
        let [node_z, node_lambda] = ops.parents;
        if let Some(node) = node_z {
            grads.register::<Flex>(node.id, from_vec(gradient, [rows, columns]));
        }
        if let Some(node) = node_lambda {
            grads.register::<Flex>(node.id, from_vec(vec![of_lambda.iter().sum::<f64>() as f32], [1]));
        }
    }
}

/// The activation of `z` `[N, F]` with the threshold `lambda` `[1]`; `quantized` as in [`Steps`].
pub(super) fn staircase(z: Tensor<2>, lambda: Tensor<1>, quantized: Option<(f32, f32)>) -> Tensor<2> {
    let (z, lambda) = (tracked(z), tracked(lambda));
    let nodes = [z.node(), lambda.node()];
    let steps = Steps { lambda: into_vec(lambda.into_primitive())[0], quantized };
    let z = z.into_primitive().to_contiguous();
    let mut out = vec![0.0; as_slice_of(&z).len()];
    out.par_chunks_mut(CHUNK).zip(as_slice_of(&z).par_chunks(CHUNK)).for_each(|(out, z)| steps.apply(out, z));
    let out = from_vec(out, z.shape_of::<2>());
    let out = match StepsBackward.prepare::<NoCheckpointing>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish((z, steps), out),
        OpsKind::UnTracked(prep) => prep.finish(out),
    };
    Tensor::from_primitive::<Autodiff<Flex>>(out)
}

/// What the backward pass of a normalization needs of each channel.
#[derive(Clone, Debug)]
struct Channels {
    mean: Vec<f32>,
    /// 1/√(variance + ε).
    inverse: Vec<f32>,
    gamma: Vec<f32>,
}

#[derive(Debug)]
struct NormBackward;

impl Backward<Flex, 3> for NormBackward {
    /// The input and its channels.
    type State = (Values, Channels);

    /// With x̂ = (x − μ)/σ and M values a channel: ∂β = Σg, ∂γ = Σ g·x̂, ∂x = γ/σ·(g − ∂β/M − x̂·∂γ/M).
    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let mut gradient = into_vec(grads.consume::<Flex>(&ops.node));
        let (input, Channels { mean, inverse, gamma }) = ops.state;
        let [rows, columns] = input.shape_of();
        let (x, count) = (as_slice_of(&input), mean.len());
        let plane = columns / count;
        let sums = |c: usize| {
            let of = |row: usize| row * columns + c * plane..row * columns + (c + 1) * plane;
            let (mut beta, mut product) = (0.0, 0.0);
            for span in (0..rows).map(of) {
                let (g, x) = (&gradient[span.clone()], &x[span]);
                beta += sum(g);
                product += sum_of_products(g, x, mean[c]);
            }
            (beta as f32, product as f32 * inverse[c])
        };
        let sums: Vec<(f32, f32)> = (0..count).into_par_iter().map(sums).collect();
        let values = (rows * plane) as f32;
        // ∂x = a·g + k·x + b of each channel.
        let lines: Vec<[f32; 3]> = (0..count)
            .map(|c| {
                let (a, (beta, gain)) = (gamma[c] * inverse[c], sums[c]);
                let k = -a * inverse[c] * gain / values;
                [a, k, -a * beta / values - k * mean[c]]
            })
            .collect();
        gradient.par_chunks_mut(columns).zip(x.par_chunks(columns)).for_each(|(gradient, x)| {
            let planes = gradient.chunks_mut(plane).zip(x.chunks(plane));
            planes.zip(&lines).for_each(|((gradient, x), &line)| combine(gradient, x, line));
        });
        let [node_x, node_gamma, node_beta] = ops.parents;
        if let Some(node) = node_x {
            grads.register::<Flex>(node.id, from_vec(gradient, [rows, columns]));
        }
        if let Some(node) = node_gamma {
            grads.register::<Flex>(node.id, from_vec(sums.iter().map(|sums| sums.1).collect(), [count]));
        }
        if let Some(node) = node_beta {
            grads.register::<Flex>(node.id, from_vec(sums.iter().map(|sums| sums.0).collect(), [count]));
        }
    }
}

/// `x` `[N, C·plane]` normalized by its own statistics, with gain `gamma` and offset `beta` `[C]`; and the mean and biased
/// variance of each channel.
pub(super) fn batch_norm(
    x: Tensor<2>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    epsilon: f32,
) -> (Tensor<2>, Vec<f32>, Vec<f32>) {
    let (x, gamma, beta) = (tracked(x), tracked(gamma), tracked(beta));
    let nodes = [x.node(), gamma.node(), beta.node()];
    let (gamma, beta) = (into_vec(gamma.into_primitive()), into_vec(beta.into_primitive()));
    let input = x.into_primitive().to_contiguous();
    let [rows, columns] = input.shape_of();
    let (x, count) = (as_slice_of(&input), gamma.len());
    let plane = columns / count;
    let moments = |c: usize| {
        let planes = || (0..rows).map(|row| &x[row * columns + c * plane..][..plane]);
        let values = (rows * plane) as f64;
        let mean = (planes().map(sum).sum::<f64>() / values) as f32;
        let variance = planes().map(|x| sum_of_squares(x, mean)).sum::<f64>() / values;
        (mean, variance as f32)
    };
    let (mean, variance): (Vec<f32>, Vec<f32>) = (0..count).into_par_iter().map(moments).unzip();
    let inverse: Vec<f32> = variance.iter().map(|v| 1.0 / (v + epsilon).sqrt()).collect();
    let mut out = vec![0.0; x.len()];
    out.par_chunks_mut(columns).zip(x.par_chunks(columns)).for_each(|(out, x)| {
        for (c, (out, x)) in out.chunks_mut(plane).zip(x.chunks(plane)).enumerate() {
            center_and_scale(out, x, [mean[c], gamma[c] * inverse[c], beta[c]]);
        }
    });
    let out = from_vec(out, [rows, columns]);
    let out = match NormBackward.prepare::<NoCheckpointing>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish((input, Channels { mean: mean.clone(), inverse, gamma }), out),
        OpsKind::UnTracked(prep) => prep.finish(out),
    };
    (Tensor::from_primitive::<Autodiff<Flex>>(out), mean, variance)
}

/// The shape as an array.
trait ShapeOf {
    fn shape_of<const D: usize>(&self) -> [usize; D];
}

impl ShapeOf for Values {
    fn shape_of<const D: usize>(&self) -> [usize; D] {
        burn::backend::TensorMetadata::shape(self).dims()
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::compute::dense::tensor_to_vec;

    fn random(count: usize, seed: u64) -> Vec<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        (0..count).map(|_| rng.random_range(-1.5..2.5)).collect()
    }

    fn leaf<const D: usize>(values: &[f32], shape: [usize; D]) -> Tensor<D> {
        Tensor::from_data(TensorData::new(values.to_vec(), shape), &Device::flex().autodiff()).require_grad()
    }

    /// The normalization in tensor operations, which Burn differentiates itself.
    fn norm_by_tensors(x: Tensor<2>, gamma: Tensor<1>, beta: Tensor<1>, epsilon: f32) -> Tensor<2> {
        let (dims, channels) = (x.dims(), gamma.dims()[0]);
        let x = x.reshape([dims[0] as i32, channels as i32, -1]);
        let over_channel = |x: Tensor<3>| x.mean_dim(2).mean_dim(0);
        let centered = x.clone() - over_channel(x);
        let variance = over_channel(centered.clone() * centered.clone());
        let wide = |v: Tensor<1>| v.reshape([1, channels, 1]);
        (centered * (wide(gamma) / (variance + epsilon).sqrt()) + wide(beta)).reshape(dims)
    }

    fn assert_close(a: &[f32], b: &[f32], what: &str) {
        let worst = a.iter().zip(b).map(|(a, b)| (a - b).abs() / (1.0 + b.abs())).fold(0.0, f32::max);
        assert!(a.len() == b.len() && worst < 2e-5, "{what} is off by {worst}");
    }

    #[test]
    fn batch_norm_has_the_gradients_of_its_tensor_operations() {
        for (rows, channels, plane) in [(5, 3, 49), (64, 2, 1), (2, 1, 1000), (7, 16, 16)] {
            let columns = channels * plane;
            let (x, weights) = (random(rows * columns, 1), random(rows * columns, 2));
            let (gamma, beta) = (random(channels, 3), random(channels, 4));
            let run = |fused: bool| {
                let x = leaf(&x, [rows, columns]);
                let (gamma, beta) = (leaf(&gamma, [channels]), leaf(&beta, [channels]));
                let y = match fused {
                    true => batch_norm(x.clone(), gamma.clone(), beta.clone(), 1e-5).0,
                    false => norm_by_tensors(x.clone(), gamma.clone(), beta.clone(), 1e-5),
                };
                // A different weight for every output, so that errors do not cancel.
                let weights = Tensor::from_data(TensorData::new(weights.clone(), [rows, columns]), &y.device());
                let grads = (y.clone() * weights).sum().backward();
                let of = |v: Tensor<1>| tensor_to_vec(v.grad(&grads).unwrap().reshape([1, channels]));
                (tensor_to_vec(y.detach()), tensor_to_vec(x.grad(&grads).unwrap()), of(gamma), of(beta))
            };
            let (ours, theirs) = (run(true), run(false));
            assert_close(&ours.0, &theirs.0, "y");
            assert_close(&ours.1, &theirs.1, "∂x");
            assert_close(&ours.2, &theirs.2, "∂γ");
            assert_close(&ours.3, &theirs.3, "∂β");
        }
    }

    #[test]
    fn gradients_add_up_through_views_and_shared_values() {
        // z is a transposed view, read twice; the gradients of both reads must add up.
        let z = leaf(&[0.1, 0.3, 0.6, 0.9, -1.0, 2.0], [2, 3]);
        let lambda = leaf(&[1.0], [1]);
        let view = z.clone().transpose();
        let y = staircase(view.clone(), lambda.clone(), Some((4.0, 0.5))) + view;
        let grads = y.sum().backward();
        let dz = tensor_to_vec(z.grad(&grads).unwrap());
        assert_eq!(dz, [2.0, 2.0, 2.0, 2.0, 1.0, 1.0]);
    }

    #[test]
    fn nan_stays_nan() {
        let y = staircase(leaf(&[f32::NAN, f32::INFINITY], [1, 2]), leaf(&[1.0], [1]), Some((4.0, 0.5)));
        let y = tensor_to_vec(y.detach());
        assert!(y[0].is_nan() && y[1] == 1.0);
    }
}
