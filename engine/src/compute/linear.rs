//! Fully connected layers by the tiles of convolutions: output features in the lanes, samples in the rows.

use crate::compute::convolution::Epilogue;
use crate::compute::convolution::tile::Tiles;
use crate::compute::convolution::weights::{MAX_WIDTH, TileRow};
use crate::compute::simd::dispatch;
use crate::compute::simd::lanes::LANES;

/// Output features of one panel.
const PANEL: usize = 2 * LANES;

/// A fully connected layer with its weights in panels `[out / 32][in + 1][32]`; the last row of each is the bias.
#[derive(Debug)]
pub struct Linear {
    panels: Vec<f32>,
    offsets: Vec<u32>,
    inputs: usize,
    outputs: usize,
}

impl Linear {
    /// Arranges `weights` `[out, in]` and `bias` `[out]`.
    pub fn new(weights: &[f32], bias: Option<&[f32]>, inputs: usize) -> Self {
        let outputs = weights.len() / inputs.max(1);
        let rows = inputs + 1;
        let mut panels = vec![0.0; outputs.div_ceil(PANEL) * rows * PANEL];
        for (panel, first) in panels.chunks_mut(rows * PANEL).zip((0..outputs).step_by(PANEL)) {
            for lane in 0..PANEL.min(outputs - first) {
                let weights = &weights[(first + lane) * inputs..][..inputs];
                panel[lane..].iter_mut().step_by(PANEL).zip(weights).for_each(|(to, from)| *to = *from);
                panel[inputs * PANEL + lane] = bias.map_or(0.0, |bias| bias[first + lane]);
            }
        }
        let offsets = (0..rows).map(|k| (k * PANEL) as u32).collect();
        Self { panels, offsets, inputs, outputs }
    }

    /// `x` `[samples, in]` to `out` `[samples, out]`. `packed` is memory to reuse. The values of a sample do not depend
    /// on the others.
    pub fn forward(&self, x: &[f32], samples: usize, packed: &mut Vec<f32>, out: &mut [f32]) {
        let rows = self.inputs + 1;
        for first in (0..samples).step_by(MAX_WIDTH) {
            let count = (samples - first).min(MAX_WIDTH);
            let width = count.next_power_of_two();
            packed.clear();
            packed.resize(rows * width, 0.0);
            for (k, x) in x[first * self.inputs..].chunks(self.inputs.max(1)).take(count).enumerate() {
                packed[k..].iter_mut().step_by(width).zip(x).for_each(|(to, from)| *to = *from);
            }
            // The factor of the bias.
            packed[self.inputs * width..].fill(1.0);
            let row = TileRow { first: 0, count, width, start: 0 };
            for (panel, place) in self.panels.chunks(rows * PANEL).zip((0..self.outputs).step_by(PANEL)) {
                dispatch(Tiles {
                    row: &row,
                    weights: packed,
                    offsets: &self.offsets,
                    packed: panel,
                    places: PANEL.min(self.outputs - place),
                    rows: [PANEL, 0],
                    sums: &mut out[first * self.outputs + place..],
                    step: self.outputs,
                    continued: false,
                    epilogue: Epilogue::default(),
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_feature_is_its_chain_of_additions() {
        for (inputs, outputs, samples) in [(1, 1, 1), (7, 33, 3), (50, 10, 20), (64, 96, 9)] {
            let value = |k: usize| ((k * 37 % 101) as f32 - 50.0) / 50.0;
            let weights: Vec<f32> = (0..inputs * outputs).map(value).collect();
            let bias: Vec<f32> = (0..outputs).map(|k| value(k + 5)).collect();
            let x: Vec<f32> = (0..inputs * samples).map(|k| value(k + 11)).collect();
            let mut out = vec![f32::NAN; samples * outputs];
            Linear::new(&weights, Some(&bias), inputs).forward(&x, samples, &mut Vec::new(), &mut out);
            for (k, got) in out.iter().enumerate() {
                let (x, weights) = (&x[k / outputs * inputs..][..inputs], &weights[k % outputs * inputs..][..inputs]);
                let sum = x.iter().zip(weights).fold(0.0f32, |sum, (x, w)| x.mul_add(*w, sum));
                assert!((got - (sum + bias[k % outputs])).abs() < 1e-5, "{inputs} {outputs} {samples}: {k}");
            }
        }
    }
}
