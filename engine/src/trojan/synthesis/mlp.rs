//! A small fully connected network with tanh, and Adam: what drawing networks and generators are made of.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// Layers of `sizes`, tanh between them; all weights in one vector.
#[derive(Clone, Debug)]
pub(super) struct Mlp {
    sizes: Vec<usize>,
    pub params: Vec<f32>,
}

impl Mlp {
    /// Weights from N(0, `gain`²/fan_in), no biases yet.
    pub(super) fn new(sizes: &[usize], gain: f32, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut params = Vec::new();
        for pair in sizes.windows(2) {
            let scale = gain / (pair[0] as f32).sqrt();
            let draw = |_| scale * <StandardNormal as Distribution<f32>>::sample(&StandardNormal, &mut rng);
            params.extend((0..pair[0] * pair[1]).map(draw));
            params.extend(std::iter::repeat_n(0.0, pair[1]));
        }
        Self { sizes: sizes.to_vec(), params }
    }

    /// The values of every layer for `rows` rows of `input`; the last is the output.
    pub(super) fn forward(&self, input: &[f32]) -> Vec<Vec<f32>> {
        let mut layers = vec![input.to_vec()];
        let mut at = 0;
        for (k, pair) in self.sizes.windows(2).enumerate() {
            let (weights, biases) = self.params[at..].split_at(pair[0] * pair[1]);
            let is_last = k + 2 == self.sizes.len();
            let row = |x: &[f32]| {
                let unit = |(weights, bias): (&[f32], &f32)| {
                    let sum = weights.iter().zip(x).map(|(w, x)| w * x).sum::<f32>() + bias;
                    if is_last { sum } else { sum.tanh() }
                };
                weights.chunks_exact(pair[0]).zip(&biases[..pair[1]]).map(unit).collect::<Vec<f32>>()
            };
            let next = layers[k].chunks_exact(pair[0]).flat_map(row).collect();
            layers.push(next);
            at += pair[0] * pair[1] + pair[1];
        }
        layers
    }

    /// The gradient of the weights for `slope`, the gradient of the output of `layers`.
    pub(super) fn backward(&self, layers: &[Vec<f32>], slope: &[f32]) -> Vec<f32> {
        let mut gradient = vec![0.0; self.params.len()];
        let mut slope = slope.to_vec();
        let mut at = self.params.len();
        for (k, pair) in self.sizes.windows(2).enumerate().rev() {
            let (inputs, outputs) = (pair[0], pair[1]);
            at -= inputs * outputs + outputs;
            if k + 2 < self.sizes.len() {
                slope.iter_mut().zip(&layers[k + 1]).for_each(|(slope, y)| *slope *= 1.0 - y * y);
            }
            let mut back = vec![0.0; layers[k].len()];
            let rows = layers[k].chunks_exact(inputs).zip(slope.chunks_exact(outputs));
            for ((x, slope), back) in rows.zip(back.chunks_exact_mut(inputs)) {
                for (unit, &slope) in slope.iter().enumerate() {
                    let weights = &self.params[at + unit * inputs..at + (unit + 1) * inputs];
                    let own = &mut gradient[at + unit * inputs..at + (unit + 1) * inputs];
                    own.iter_mut().zip(x).for_each(|(g, x)| *g += slope * x);
                    back.iter_mut().zip(weights).for_each(|(back, w)| *back += slope * w);
                    gradient[at + inputs * outputs + unit] += slope;
                }
            }
            slope = back;
        }
        gradient
    }
}

/// Adam with the usual decays (Kingma & Ba 2015), downhill.
#[derive(Clone, Debug)]
pub(super) struct Adam {
    rate: f32,
    step: i32,
    mean: Vec<f32>,
    square: Vec<f32>,
}

impl Adam {
    pub(super) fn new(rate: f32, len: usize) -> Self {
        Self { rate, step: 0, mean: vec![0.0; len], square: vec![0.0; len] }
    }

    /// Moves `params` against `gradient`.
    pub(super) fn step(&mut self, params: &mut [f32], gradient: &[f32]) {
        self.step += 1;
        let (first, second) = (1.0 - 0.9f32.powi(self.step), 1.0 - 0.999f32.powi(self.step));
        let moments = self.mean.iter_mut().zip(&mut self.square);
        for ((param, &g), (mean, square)) in params.iter_mut().zip(gradient).zip(moments) {
            *mean = 0.9 * *mean + 0.1 * g;
            *square = 0.999 * *square + 0.001 * g * g;
            *param -= self.rate * (*mean / first) / ((*square / second).sqrt() + 1e-8);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradients_are_those_of_differences_and_adam_goes_down() {
        let mut mlp = Mlp::new(&[2, 5, 4, 3], 1.0, 3);
        let input = [0.3, -0.8, 1.2, 0.1];
        let loss = |mlp: &Mlp| mlp.forward(&input).last().unwrap().iter().map(|y| y * y).sum::<f32>();
        let gradient = |mlp: &Mlp| {
            let layers = mlp.forward(&input);
            let slope: Vec<f32> = layers.last().unwrap().iter().map(|y| 2.0 * y).collect();
            mlp.backward(&layers, &slope)
        };
        let exact = gradient(&mlp);
        for (k, exact) in exact.into_iter().enumerate() {
            let mut moved = |by: f32| {
                let before = mlp.params[k];
                mlp.params[k] = before + by;
                let value = loss(&mlp);
                mlp.params[k] = before;
                value
            };
            let measured = (moved(1e-2) - moved(-1e-2)) / 2e-2;
            assert!((measured - exact).abs() < 2e-2 * exact.abs().max(0.1), "{k}: {measured} {exact}");
        }
        let (before, mut adam) = (loss(&mlp), Adam::new(0.05, mlp.params.len()));
        for _ in 0..50 {
            let gradient = gradient(&mlp);
            adam.step(&mut mlp.params, &gradient);
        }
        assert!(loss(&mlp) < 0.1 * before);
    }
}
