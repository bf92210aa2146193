//! DeepLIFT by the rescale rule: multipliers Δout/Δin between a sample and a baseline.
//!
//! Linear nodes pass multipliers as gradients. An activation multiplies by Δout/Δin, or by its slope where |Δin| < 1e-10. A
//! max pool puts m(t − out_b) at the sample's maximum and m(out − t) at the baseline's, with t = max(out, out_b), and divides
//! by Δin. The map (x − b)⊙m sums to f(x) − f(b): the rule of captum where no layer with a rule of its own feeds another
//! directly (there captum loses that sum).

use super::max_pool::{put, take};
use super::sweep::{Rule, one_hot, sweep};
use super::values::Values;
use crate::network::NodeId;

/// Differences below this count as none.
const TINY: f32 = 1e-10;

struct Rescale<'a> {
    sample: &'a Values<'a>,
    /// One row.
    baseline: &'a Values<'a>,
}

impl Rule for Rescale<'_> {
    fn pass(&self, id: NodeId, multipliers: Vec<f32>) -> Vec<Vec<f32>> {
        if let Some(slopes) = self.sample.slopes(id) {
            return vec![self.through_activation(id, multipliers, &slopes)];
        }
        if self.sample.maps.max_pool(id).is_some() {
            return vec![self.through_pool(id, &multipliers)];
        }
        self.sample.maps.transposed(id, &self.sample.inputs(id), &multipliers, self.sample.rows)
    }
}

impl Rescale<'_> {
    fn through_activation(&self, id: NodeId, mut multipliers: Vec<f32>, slopes: &[f32]) -> Vec<f32> {
        let input = self.sample.maps.network().nodes[id].inputs[0];
        let (z, z_base) = (&self.sample.of[input], &self.baseline.of[input]);
        let (a, a_base) = (&self.sample.of[id], &self.baseline.of[id]);
        let width = z_base.len().max(1);
        for (i, multiplier) in multipliers.iter_mut().enumerate() {
            let base = i % width;
            let (input, output) = (z[i] - z_base[base], a[i] - a_base[base]);
            *multiplier *= if input.abs() < TINY { slopes[i] } else { output / input };
        }
        multipliers
    }

    fn through_pool(&self, id: NodeId, multipliers: &[f32]) -> Vec<f32> {
        let input = self.sample.maps.network().nodes[id].inputs[0];
        let (x, base) = (&self.sample.of[input], &self.baseline.of[input]);
        let Some(pool) = self.sample.maps.max_pool(id) else { return x.clone() };
        let base_winners = pool.winners(base);
        let base_out = take(base, &base_winners);
        let (in_width, out_width) = (base.len().max(1), base_out.len().max(1));
        let mut of_input = vec![0.0; x.len()];
        let rows = of_input.chunks_exact_mut(in_width).zip(x.chunks_exact(in_width));
        for ((of_input, x), multipliers) in rows.zip(multipliers.chunks_exact(out_width)) {
            let winners = pool.winners(x);
            let out = take(x, &winners);
            let parts = || multipliers.iter().zip(out.iter().zip(&base_out));
            put(parts().map(|(m, (out, base))| m * (out.max(*base) - base)), &winners, of_input);
            put(parts().map(|(m, (out, base))| m * (out - out.max(*base))), &base_winners, of_input);
            let mut plain = vec![0.0; in_width];
            put(multipliers.iter().copied(), &winners, &mut plain);
            for ((of_input, plain), (x, base)) in of_input.iter_mut().zip(plain).zip(x.iter().zip(base)) {
                let difference = x - base;
                *of_input = if difference.abs() < TINY { plain } else { *of_input / difference };
            }
        }
        of_input
    }
}

/// The map of each row of `sample` against the one row of `baseline`, `[rows, F]`.
pub fn deeplift(sample: &Values<'_>, baseline: &Values<'_>, targets: &[usize]) -> Vec<f32> {
    let start = one_hot(targets, sample.maps.network().classes());
    let mut map = sweep(sample, start, 0, &Rescale { sample, baseline });
    let (x, base) = (&sample.of[0], &baseline.of[0]);
    let width = base.len().max(1);
    map.iter_mut().enumerate().for_each(|(i, m)| *m *= x[i] - base[i % width]);
    map
}
