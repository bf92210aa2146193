//! Measures of a batch of 64 neurons of one sample, computed with vector instructions.
//!
//! Figures that all neurons share run in loops of a fixed length, which the compiler vectorizes. Histograms follow, neuron by
//! neuron.

use super::sample::LayerSample;
use super::sums::{COUNTER_COPIES, Sums};
use crate::convert::{expected_spikes, to_u32};
use crate::measure::layer_report::{Categories, ConditionCounts};
use crate::measure::ledger::{Ledger, has_own_activation, ledger_against};
use crate::measure::quantization_bound::QuantizationBound;
use crate::measure::run_data::NeuronRef;
use crate::network::Activation;
use crate::simulate::neuron::Dynamics;

/// Neurons of one batch.
pub(crate) const BATCH: usize = 64;
/// Relative rounding of mean inputs and of what is computed from them.
const ROUNDING: f64 = 1e-6;
/// Independent partial sums, so that no addition depends on the previous one.
const BESIDE: usize = 8;

type F64s = [f64; BATCH];

/// The figures of up to [`BATCH`] neurons; unused lanes hold a silent neuron.
pub(crate) struct NeuronBatch {
    first: usize,
    length: usize,
    z: [f32; BATCH],
    zin: [f32; BATCH],
    counts: [u32; BATCH],
    theta: [f32; BATCH],
    /// Amplitude of one spike.
    amplitude: [f32; BATCH],
    /// v(0) before correction, and after it.
    own_v_init: [f32; BATCH],
    v_init: [f32; BATCH],
    /// Expected spikes q of ẑ, of z, and of z from the neuron's own v(0).
    expected_same_input: [u32; BATCH],
    expected: [u32; BATCH],
    count_on_constant: [u32; BATCH],
    phi: F64s,
    a: F64s,
    mismatch: F64s,
    /// v(T): recorded where the neurons lose charge, else from the balance v(0) + input − output.
    potential: F64s,
}

impl NeuronBatch {
    pub fn new() -> Self {
        Self {
            first: 0,
            length: 0,
            z: [0.0; BATCH],
            zin: [0.0; BATCH],
            counts: [0; BATCH],
            theta: [1.0; BATCH],
            amplitude: [1.0; BATCH],
            own_v_init: [0.0; BATCH],
            v_init: [0.0; BATCH],
            expected_same_input: [0; BATCH],
            expected: [0; BATCH],
            count_on_constant: [0; BATCH],
            phi: [0.0; BATCH],
            a: [0.0; BATCH],
            mismatch: [0.0; BATCH],
            potential: [0.0; BATCH],
        }
    }

    /// Reads the neurons from `first` on, at most `count`.
    #[inline(always)]
    pub fn read(&mut self, input: &LayerSample<'_>, first: usize, count: usize) {
        let layer = input.layer;
        (self.first, self.length) = (first, (input.z.len() - first).min(count).min(BATCH));
        let span = first..first + self.length;
        if self.length < BATCH {
            (self.z, self.zin, self.counts) = ([0.0; BATCH], [0.0; BATCH], [0; BATCH]);
            (self.theta, self.v_init, self.own_v_init) = ([1.0; BATCH], [0.0; BATCH], [0.0; BATCH]);
        }
        self.z[..self.length].copy_from_slice(&input.z[span.clone()]);
        self.zin[..self.length].copy_from_slice(&input.zin[span.clone()]);
        self.counts[..self.length].copy_from_slice(&input.counts[span.clone()]);
        if let [theta] = layer.theta.as_slice() {
            self.theta[..self.length].fill(*theta);
        } else {
            for (theta, neuron) in self.theta.iter_mut().zip(span.clone()) {
                *theta = layer.theta[neuron / input.plane];
            }
        }
        for (amplitude, theta) in self.amplitude.iter_mut().zip(&self.theta) {
            *amplitude = layer.neuron.amplitude(*theta);
        }
        match &layer.v_init_values {
            Some(v_init) => self.own_v_init[..self.length].copy_from_slice(&v_init[span.clone()]),
            None => (0..self.length).for_each(|i| self.own_v_init[i] = layer.v_init * self.amplitude[i]),
        }
        match input.corrected {
            Some(v_init) => self.v_init[..self.length].copy_from_slice(&v_init[span]),
            None => self.v_init = self.own_v_init,
        }
    }

    /// Computes expected spikes, outputs and potentials.
    #[inline(always)]
    pub fn compute(&mut self, input: &LayerSample<'_>) {
        let (layer, steps, per_step) = (input.layer, input.steps, input.per_step);
        for i in 0..BATCH {
            self.expected_same_input[i] = expected_spikes(self.zin[i], self.amplitude[i], steps, per_step, 0.5);
            self.expected[i] = expected_spikes(self.z[i], self.amplitude[i], steps, per_step, 0.5);
        }
        // One loop per activation, so that no iteration branches on it.
        match layer.activation {
            Activation::Relu => self.activations(|z| Activation::Relu.apply(z)),
            Activation::Clip { lambda } => self.activations(|z| Activation::Clip { lambda }.apply(z)),
            Activation::Qcfs { lambda, levels, shift } => {
                self.activations(|z| Activation::Qcfs { lambda, levels, shift }.apply(z));
            }
        }
        for i in 0..BATCH {
            let (amplitude, n) = (f64::from(self.amplitude[i]), f64::from(self.counts[i]));
            self.phi[i] = amplitude / steps as f64 * n;
            self.mismatch[i] = (self.phi[i] - self.a[i]).abs();
            let charge = f64::from(self.zin[i]) + f64::from(layer.bias_shift * self.theta[i]);
            self.potential[i] = f64::from(self.v_init[i]) + charge * steps as f64 - amplitude * n;
        }
        if let Some(potential) = input.potential.as_ref().filter(|potential| !potential.is_empty()) {
            let own = self.potential.iter_mut().zip(&potential[self.first..self.first + self.length]);
            own.for_each(|(own, &v)| *own = f64::from(v));
        }
        if input.has_exact_charge {
            self.settle_ties(input);
        }
        self.count_on_constant = self.expected;
        if !input.starts_at_half {
            let dynamics = Dynamics::of(layer);
            for i in 0..self.length {
                let (theta, start) = (self.theta[i], self.own_v_init[i]);
                let current = self.z[i] + layer.bias_shift * theta;
                self.count_on_constant[i] = dynamics.count_on_constant(current, theta, start, steps);
            }
        }
    }

    /// Expected spikes and potentials where the rounding of the mean input could decide: from the recorded v(T).
    #[inline(always)]
    fn settle_ties(&mut self, input: &LayerSample<'_>) {
        let steps = input.steps as f64;
        let is_near = |x: f64| (x - x.round()).abs() <= ROUNDING * (1.0 + x.abs());
        for i in 0..self.length {
            let amplitude = f64::from(self.amplitude[i]);
            let expected = f64::from(self.zin[i]) * steps / amplitude + 0.5;
            if amplitude <= 0.0 || !is_near(expected) && !is_near(self.potential[i] / amplitude) {
                continue;
            }
            let Some(v) = input.record.potential_of(input.sample, self.first + i).map(f64::from) else { continue };
            let shift = f64::from(input.layer.bias_shift * self.theta[i]) * steps;
            let charge = v - f64::from(self.v_init[i]) + amplitude * f64::from(self.counts[i]) - shift;
            self.potential[i] = v;
            let expected = (charge / amplitude + 0.5).floor();
            self.expected_same_input[i] = to_u32(expected.clamp(0.0, input.max_count() as f64));
        }
    }

    #[inline(always)]
    fn activations(&mut self, apply: impl Fn(f32) -> f32) {
        for i in 0..BATCH {
            self.a[i] = f64::from(apply(self.z[i]));
        }
    }

    /// Adds all figures to `sums`.
    #[inline(always)]
    pub fn add_to(&self, input: &LayerSample<'_>, sums: &mut Sums) {
        let steps = input.steps as f64;
        let (mut on_target, mut propagated) = ([0.0; BATCH], [0.0; BATCH]);
        let mut products = [[0.0; BATCH]; 3];
        for i in 0..BATCH {
            let (phi, a, amplitude) = (self.phi[i], self.a[i], f64::from(self.amplitude[i]) / steps);
            on_target[i] = amplitude * f64::from(self.expected_same_input[i]);
            propagated[i] = phi - amplitude * f64::from(self.count_on_constant[i]);
            (products[0][i], products[1][i], products[2][i]) = (phi * phi, a * a, phi * a);
        }
        let all = |values: &F64s| total(values, self.length);
        sums.mismatch += all(&self.mismatch);
        sums.activation += all(&self.a);
        sums.propagated_by_rerun += all(&propagated);
        let moments = [all(&self.phi), all(&products[0]), all(&products[1]), all(&products[2])];
        sums.moments.iter_mut().zip(moments).for_each(|(sum, moment)| *sum += moment);
        sums.ledger += self.ledger(input, Activation::Relu, &on_target);
        if has_own_activation(input.layer) {
            sums.ledger_activation += match input.layer.activation {
                Activation::Relu => Ledger::default(),
                Activation::Clip { lambda } => self.ledger(input, Activation::Clip { lambda }, &on_target),
                Activation::Qcfs { lambda, levels, shift } => {
                    self.ledger(input, Activation::Qcfs { lambda, levels, shift }, &on_target)
                }
            };
        }
        let span = self.first..self.first + self.length;
        let emitted = input.events.as_ref().map_or(&self.counts[..self.length], |events| &events[span.clone()]);
        sums.spikes += emitted.iter().map(|&n| u64::from(n)).sum::<u64>();
        if let Some(fan_out) = input.fan_out {
            let mut operations = [0.0; BATCH];
            let pairs = emitted.iter().zip(&fan_out[span.clone()]);
            operations.iter_mut().zip(pairs).for_each(|(sum, (&n, fan_out))| *sum = f64::from(n) * fan_out);
            sums.synops += total(&operations, self.length);
        }
        self.count(input, sums);
    }

    /// Adds the offset spikes of every neuron to `sums`, `[F]`.
    #[inline(always)]
    pub fn add_offsets(&self, sums: &mut [f32]) {
        let difference =
            self.expected.iter().zip(&self.counts).map(|(&expected, &n)| (expected as i32 - n as i32) as f32);
        let sums = &mut sums[self.first..self.first + self.length];
        sums.iter_mut().zip(difference).for_each(|(sum, difference)| *sum += difference);
    }

    /// Whether the error of any neuron exceeds what quantization explains.
    #[inline(always)]
    pub fn diverges(&self, input: &LayerSample<'_>) -> bool {
        let mut diverging = [0; BATCH];
        for (i, flag) in diverging.iter_mut().enumerate() {
            let charge = input.layer.bias_shift * self.theta[i];
            let bound = QuantizationBound {
                amplitude: self.amplitude[i],
                v_init: self.own_v_init[i],
                charge,
                steps: input.steps,
            };
            // The activation is exact in f32: it was computed in f32.
            let (_, exceeds) = bound.excess(input.half_level, self.counts[i], self.z[i], self.a[i] as f32);
            *flag = u32::from(exceeds);
        }
        diverging[..self.length].iter().any(|&flag| flag != 0)
    }

    /// Sums of the error parts against `activation`.
    #[inline(always)]
    fn ledger(&self, input: &LayerSample<'_>, activation: Activation, on_target: &F64s) -> Ledger {
        let mut parts = [[0.0; BATCH]; 5];
        for i in 0..BATCH {
            let saturation = f64::from(self.amplitude[i] * input.per_step as f32);
            let one = ledger_against(activation, self.z[i], self.zin[i], saturation, self.phi[i], on_target[i]);
            parts[0][i] = one.propagated;
            parts[1][i] = one.clipping;
            parts[2][i] = one.quantization;
            parts[3][i] = one.unevenness;
            parts[4][i] = one.total;
        }
        let sum = |k: usize| total(&parts[k], self.length);
        Ledger {
            propagated: sum(0),
            clipping: sum(1),
            quantization: sum(2),
            unevenness: sum(3),
            pooling: 0.0,
            total: sum(4),
        }
    }

    /// Adds histograms and categories. No branch depends on a neuron: they would be mispredicted too often.
    #[inline(always)]
    fn count(&self, input: &LayerSample<'_>, sums: &mut Sums) {
        let max_count = input.max_count() as i32;
        let mut silenced = [0; BATCH];
        if input.record.silenced.is_some() {
            for (flag, neuron) in silenced.iter_mut().zip(self.first..self.first + self.length) {
                *flag = u32::from(input.record.silenced(input.sample, neuron));
            }
        }
        let Self { counts: n, expected_same_input, expected, potential: v, .. } = self;
        let (mut here, mut free) = ([0; BATCH], [0; BATCH]);
        let (mut over, mut under) = ([0; BATCH], [0; BATCH]);
        for i in 0..BATCH {
            here[i] = u32::from(i < self.length);
            free[i] = here[i] & (1 ^ silenced[i]);
            over[i] = u32::from(v[i] < 0.0) & u32::from(n[i] > 0) & free[i];
            under[i] = u32::from(v[i] >= f64::from(self.amplitude[i])) & u32::from((n[i] as i32) < max_count) & free[i];
        }
        if input.record.silenced.is_some() {
            sums.silenced.rightly += count_lanes(|i| silenced[i] & u32::from(expected[i] == 0));
            sums.silenced.wrongly += count_lanes(|i| silenced[i] & u32::from(expected[i] != 0));
        }
        let residuals = [(&mut sums.residual, expected_same_input), (&mut sums.residual_end_to_end, expected)];
        // A potential that is not known tells nothing.
        let is_known = input.potential.as_ref().is_none_or(|potential| !potential.is_empty());
        for (residual, target) in residuals.into_iter().filter(|_| is_known) {
            compare(&mut residual.over, &over, |i| u32::from(n[i] > target[i]) & free[i]);
            compare(&mut residual.under, &under, |i| u32::from(n[i] < target[i]) & free[i]);
        }
        let (mut categories_same_input, mut categories_end_to_end) = ([0; BATCH], [0; BATCH]);
        for i in 0..BATCH {
            categories_same_input[i] = Categories::index(n[i], expected_same_input[i]) as u32;
            categories_end_to_end[i] = Categories::index(n[i], expected[i]) as u32;
        }
        for k in 0..5 {
            let in_category =
                |categories: &[u32; BATCH]| count_lanes(|i| u32::from(categories[i] == k as u32) & here[i]);
            let found = in_category(&categories_same_input);
            sums.same_input[k] += found;
            sums.end_to_end[k] += in_category(&categories_end_to_end);
            if found > 0 && sums.examples[k].is_none() {
                let first = (0..self.length).find(|&i| categories_same_input[i] as usize == k && (k != 0 || n[i] > 0));
                let example = |i| NeuronRef { layer: input.index, sample: input.sample_of_run, neuron: self.first + i };
                sums.examples[k] = first.map(example);
            }
        }
        let mut psi = [0; BATCH];
        for i in 0..BATCH {
            let difference = expected[i] as i32 - n[i] as i32;
            psi[i] = (if difference == 0 {
                2 * max_count + 1 + (i % COUNTER_COPIES) as i32
            } else {
                difference + max_count
            }) as u32;
        }
        psi[..self.length].iter().for_each(|&psi| sums.offsets[psi as usize] += 1);
    }

    /// The density cell of each neuron, of `bins` along each axis up to `extent` θ; one of `copies` past the last if
    /// neither network is active.
    #[inline(always)]
    pub fn cells(&self, bins: usize, extent: f32, copies: usize) -> impl Iterator<Item = u32> + use<> {
        let mut cells = [0; BATCH];
        for (i, cell) in cells.iter_mut().enumerate() {
            let theta = f64::from(self.theta[i]);
            let scale = bins as f64 / (theta * f64::from(extent));
            let bin = |v: f64| to_u32((v * scale).floor().clamp(0.0, (bins - 1) as f64));
            let silent = (self.a[i] == 0.0) & (self.phi[i] == 0.0) | (theta <= 0.0);
            let inside = bin(self.phi[i]) * bins as u32 + bin(self.a[i]);
            *cell = if silent { (bins * bins + i % copies) as u32 } else { inside };
        }
        cells.into_iter().take(self.length)
    }
}

/// Number of lanes of the batch for which `flag` returns 1.
#[inline(always)]
fn count_lanes(flag: impl Fn(usize) -> u32) -> u64 {
    let mut sum = 0;
    for i in 0..BATCH {
        sum += flag(i);
    }
    sum.into()
}

#[inline(always)]
fn compare(condition: &mut ConditionCounts, holds: &[u32; BATCH], happened: impl Fn(usize) -> u32) {
    condition.hits += count_lanes(|i| holds[i] & happened(i));
    condition.missed += count_lanes(|i| (1 ^ holds[i]) & happened(i));
    condition.false_alarm += count_lanes(|i| holds[i] & (1 ^ happened(i)));
}

#[inline(always)]
fn total(values: &F64s, length: usize) -> f64 {
    if length < BATCH {
        return values[..length].iter().sum();
    }
    let mut sums = [0.0; BESIDE];
    for values in values.as_chunks::<BESIDE>().0 {
        (0..BESIDE).for_each(|k| sums[k] += values[k]);
    }
    sums.iter().sum()
}
