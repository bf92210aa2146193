//! BatchNorm with the sum and the activation that follow it, as one operation.

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, NodeGuard, Ops, OpsKind};
use burn::backend::{Autodiff, Flex};
use burn::tensor::Tensor;
use rayon::prelude::*;

use super::kernels::{Channel, Normalized, combine, combine_into, moments};
use crate::compute::gradient::rule::Rule;
use crate::compute::storage::{Tracked, Values, as_slice_of, from_vec, into_vec, shape_of, tracked};

/// What follows a normalization: another value `[N, F]` is added, then the activation is applied.
pub(super) struct After {
    pub addend: Option<Tensor<2>>,
    pub rule: Rule,
    /// The threshold `[1]` in place of the one in `rule`.
    pub lambda: Option<Tensor<1>>,
}

/// What the backward pass needs.
#[derive(Clone, Debug)]
struct State {
    x: Values,
    addend: Option<Values>,
    rule: Rule,
    has_lambda: bool,
    channels: Vec<Moments>,
}

/// Statistics and parameters of one channel.
#[derive(Clone, Copy, Debug)]
struct Moments {
    mean: f32,
    variance: f32,
    /// 1/√(variance + ε).
    inverse: f32,
    gamma: f32,
    beta: f32,
}

/// The sizes of a batch of channels.
#[derive(Clone, Copy)]
struct Sizes {
    columns: usize,
    plane: usize,
}

impl Sizes {
    /// The sizes of `values` `[N, C·plane]`.
    fn of(values: &Values, channels: usize) -> Self {
        let [_, columns] = shape_of(values);
        Self { columns, plane: columns / channels.max(1) }
    }

    fn channel(self, values: &[f32], c: usize) -> Channel<'_> {
        Channel { values, columns: self.columns, first: c * self.plane, plane: self.plane }
    }

    /// The planes of every channel.
    fn split(self, values: &mut [f32]) -> Vec<Vec<&mut [f32]>> {
        let rows = values.len() / self.columns.max(1);
        let mut channels: Vec<_> = (0..self.columns / self.plane).map(|_| Vec::with_capacity(rows)).collect();
        for row in values.chunks_exact_mut(self.columns) {
            channels.iter_mut().zip(row.chunks_exact_mut(self.plane)).for_each(|(planes, plane)| planes.push(plane));
        }
        channels
    }
}

impl State {
    /// The function of channel `c`, whose statistics are `at`.
    fn normalized(&self, at: Moments, c: usize, sizes: Sizes) -> Normalized<'_> {
        let Moments { mean, inverse, gamma, beta, .. } = at;
        Normalized {
            x: sizes.channel(as_slice_of(&self.x), c),
            addend: self.addend.as_ref().map(|addend| sizes.channel(as_slice_of(addend), c)),
            mean,
            scale: gamma * inverse,
            offset: beta,
            rule: self.rule,
        }
    }
}

/// The parents are x, γ, β, then λ and the addend where there are any.
#[derive(Debug)]
struct NormBackward;

impl<const N: usize> Backward<Flex, N> for NormBackward {
    type State = State;

    /// With g = the gradient of the normalized values, x̂ = (x − μ)/σ and M values a channel: ∂β = Σg, ∂γ = Σ g·x̂,
    /// ∂x = γ/σ·(g − ∂β/M − x̂·∂γ/M).
    fn backward(self, ops: Ops<State, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let mut gradient = into_vec(grads.consume::<Flex>(&ops.node));
        let state = ops.state;
        let [rows, columns] = shape_of(&state.x);
        let sizes = Sizes::of(&state.x, state.channels.len());
        let mut parents = ops.parents.into_iter().map(|node| node.map(|node| node.id));
        let mut next = || parents.next().flatten();
        let (node_x, node_gamma, node_beta) = (next(), next(), next());
        let node_lambda = if state.has_lambda { next() } else { None };
        let node_addend = next();
        // The gradient of the addend is that of the normalized values; then x needs an array of its own.
        let mut of_x = if node_addend.is_some() { vec![0.0; gradient.len()] } else { Vec::new() };
        let mut planes_of_x = if node_addend.is_some() { sizes.split(&mut of_x) } else { Vec::new() };
        planes_of_x.resize_with(state.channels.len(), Vec::new);
        let one = |c: usize, mut gradient: Vec<&mut [f32]>, mut of_x: Vec<&mut [f32]>| {
            let at = state.channels[c];
            let channel = state.normalized(at, c, sizes);
            let [beta, product, lambda] = channel.backward(&mut gradient);
            let (values, gamma) = ((rows * sizes.plane) as f32, product as f32 * at.inverse);
            let beta = beta as f32;
            // ∂x = a·g + k·x + b.
            let a = at.gamma * at.inverse;
            let k = -a * at.inverse * gamma / values;
            let line = [a, k, -a * beta / values - k * at.mean];
            match of_x.is_empty() {
                true => combine(&mut gradient, channel.x, line),
                false => combine_into(&mut of_x, &gradient, channel.x, line),
            }
            (gamma, beta, lambda)
        };
        let planes = sizes.split(&mut gradient).into_par_iter().zip(planes_of_x).enumerate();
        let sums: Vec<(f32, f32, f64)> = planes.map(|(c, (gradient, of_x))| one(c, gradient, of_x)).collect();
        let mut register = |node: Option<NodeId>, values: Values| {
            if let Some(node) = node {
                grads.register::<Flex>(node, values);
            }
        };
        let (of_x, of_addend) = if node_addend.is_some() { (of_x, gradient) } else { (gradient, Vec::new()) };
        register(node_x, from_vec(of_x, [rows, columns]));
        if node_addend.is_some() {
            register(node_addend, from_vec(of_addend, [rows, columns]));
        }
        register(node_gamma, from_vec(sums.iter().map(|sums| sums.0).collect(), [sums.len()]));
        register(node_beta, from_vec(sums.iter().map(|sums| sums.1).collect(), [sums.len()]));
        register(node_lambda, from_vec(vec![sums.iter().map(|sums| sums.2).sum::<f64>() as f32], [1]));
    }
}

/// `x` `[N, C·plane]` normalized by its own statistics, with gain `gamma` and offset `beta` `[C]`, and what comes `after`;
/// and the mean and biased variance of each channel.
pub(super) fn batch_norm(
    x: Tensor<2>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    epsilon: f32,
    after: After,
) -> (Tensor<2>, Vec<f32>, Vec<f32>) {
    let [x, gamma, beta] = [tracked(x), tracked(gamma), tracked(beta)];
    let (addend, lambda) = (after.addend.map(tracked), after.lambda.map(tracked));
    let mut nodes = vec![x.node(), gamma.node(), beta.node()];
    nodes.extend(lambda.iter().chain(&addend).map(Tracked::node));
    let (gamma, beta) = (into_vec(gamma.into_primitive()), into_vec(beta.into_primitive()));
    let lambda = lambda.map(|lambda| into_vec(lambda.into_primitive())[0]);
    let state = State {
        x: x.into_primitive().to_contiguous(),
        addend: addend.map(|addend| addend.into_primitive().to_contiguous()),
        rule: lambda.map_or(after.rule, |lambda| after.rule.with_lambda(lambda)),
        has_lambda: lambda.is_some(),
        channels: Vec::new(),
    };
    let sizes = Sizes::of(&state.x, gamma.len());
    let [rows, columns] = shape_of(&state.x);
    let mut out = vec![0.0; rows * columns];
    let one = |(c, mut out): (usize, Vec<&mut [f32]>)| {
        let (mean, variance) = moments(sizes.channel(as_slice_of(&state.x), c));
        let inverse = 1.0 / (variance + epsilon).sqrt();
        let channel = Moments { mean, variance, inverse, gamma: gamma[c], beta: beta[c] };
        state.normalized(channel, c, sizes).apply(&mut out);
        channel
    };
    let channels: Vec<Moments> = sizes.split(&mut out).into_par_iter().enumerate().map(one).collect();
    let (mean, variance) = channels.iter().map(|channel| (channel.mean, channel.variance)).unzip();
    let state = State { channels, ..state };
    let out = finish(nodes, state, from_vec(out, [rows, columns]));
    (Tensor::from_primitive::<Autodiff<Flex>>(out), mean, variance)
}

/// The output with its place in the graph, for any number of parents.
fn finish(nodes: Vec<NodeGuard>, state: State, out: Values) -> Tracked {
    fn with<const N: usize>(nodes: [NodeGuard; N], state: State, out: Values) -> Tracked {
        match Backward::<Flex, N>::prepare::<NoCheckpointing>(NormBackward, nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(state, out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }
    match <[NodeGuard; 3]>::try_from(nodes) {
        Ok(nodes) => with(nodes, state, out),
        Err(nodes) => match <[NodeGuard; 4]>::try_from(nodes) {
            Ok(nodes) => with(nodes, state, out),
            Err(nodes) => match <[NodeGuard; 5]>::try_from(nodes) {
                Ok(nodes) => with(nodes, state, out),
                Err(_) => unreachable!("a normalization has three to five parents"),
            },
        },
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::compute::dense::tensor_to_vec;
    use crate::compute::gradient::activation::activation;

    const STAIRCASE: Rule = Rule::Staircase { lambda: 1.3, levels: 4.0, shift: 0.5 };

    fn random(count: usize, seed: u64) -> Vec<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        (0..count).map(|_| rng.random_range(-1.5..2.5)).collect()
    }

    fn leaf<const D: usize>(values: &[f32], shape: [usize; D]) -> Tensor<D> {
        Tensor::from_data(TensorData::new(values.to_vec(), shape), &Device::flex().autodiff()).require_grad()
    }

    /// The same in tensor operations, which Burn differentiates itself.
    fn by_tensors(x: Tensor<2>, gamma: Tensor<1>, beta: Tensor<1>, epsilon: f32, after: After) -> Tensor<2> {
        let (dims, channels) = (x.dims(), gamma.dims()[0]);
        let x = x.reshape([dims[0] as i32, channels as i32, -1]);
        let over_channel = |x: Tensor<3>| x.mean_dim(2).mean_dim(0);
        let centered = x.clone() - over_channel(x);
        let variance = over_channel(centered.clone() * centered.clone());
        let wide = |v: Tensor<1>| v.reshape([1, channels, 1]);
        let y = (centered * (wide(gamma) / (variance + epsilon).sqrt()) + wide(beta)).reshape(dims);
        let z = after.addend.map_or(y.clone(), |addend| y + addend);
        match (after.rule, after.lambda) {
            (_, lambda @ Some(_)) => activation(z, lambda, after.rule),
            (Rule::Relu, None) => z.clamp_min(0.0),
            _ => z,
        }
    }

    fn assert_close(a: &[f32], b: &[f32], what: &str) {
        let worst = a.iter().zip(b).map(|(a, b)| (a - b).abs() / (1.0 + b.abs())).fold(0.0, f32::max);
        assert!(a.len() == b.len() && worst < 3e-5, "{what} is off by {worst}");
    }

    #[test]
    fn the_gradients_are_those_of_the_tensor_operations() {
        let sizes = [(5, 3, 49), (64, 2, 1), (2, 1, 1000), (7, 16, 16), (20, 5, 33)];
        let afters = [(Rule::Identity, false, false), (Rule::Identity, false, true), (Rule::Relu, false, false)];
        let afters = afters.into_iter().chain([(STAIRCASE, true, false), (STAIRCASE, true, true)]);
        for ((rule, learned, adds), (rows, channels, plane)) in
            afters.flat_map(|after| sizes.map(|sizes| (after, sizes)))
        {
            let columns = channels * plane;
            let (x, weights) = (random(rows * columns, 1), random(rows * columns, 2));
            let (gamma, beta) = (random(channels, 3), random(channels, 4));
            let addend = random(rows * columns, 5);
            let run = |fused: bool| {
                let x = leaf(&x, [rows, columns]);
                let (gamma, beta, lambda) = (leaf(&gamma, [channels]), leaf(&beta, [channels]), leaf(&[1.3], [1]));
                let addend = leaf(&addend, [rows, columns]);
                let after =
                    After { addend: adds.then(|| addend.clone()), rule, lambda: learned.then(|| lambda.clone()) };
                let y = match fused {
                    true => batch_norm(x.clone(), gamma.clone(), beta.clone(), 1e-5, after).0,
                    false => by_tensors(x.clone(), gamma.clone(), beta.clone(), 1e-5, after),
                };
                // A different weight for every output, so that errors do not cancel.
                let weights = Tensor::from_data(TensorData::new(weights.clone(), [rows, columns]), &y.device());
                let grads = (y.clone() * weights).sum().backward();
                let of = |v: Tensor<1>| v.grad(&grads).map(|v| tensor_to_vec(v.unsqueeze())).unwrap_or_default();
                let wide = |v: Tensor<2>| v.grad(&grads).map(tensor_to_vec).unwrap_or_default();
                [tensor_to_vec(y.detach()), wide(x), wide(addend), of(gamma), of(beta), of(lambda)]
            };
            let (ours, theirs) = (run(true), run(false));
            // A value at the edge of a step may fall to either side of it.
            let steps = ours[0].iter().zip(&theirs[0]).filter(|(a, b)| (*a - *b).abs() > 1e-3).count();
            if steps == 0 {
                for (what, (ours, theirs)) in
                    ["y", "∂x", "∂addend", "∂γ", "∂β", "∂λ"].into_iter().zip(ours.iter().zip(&theirs))
                {
                    let scale = if what == "∂λ" { (rows * columns) as f32 } else { 1.0 };
                    let scaled = |values: &[f32]| values.iter().map(|v| v / scale).collect::<Vec<_>>();
                    assert_close(&scaled(ours), &scaled(theirs), what);
                }
            }
            assert!(steps < 3, "{steps} values are on another step");
        }
    }
}
