//! The figures of a strip of neurons of one sample side by side: what can be worked out for all of them alike is, in loops
//! of a fixed length that the compiler turns into vector instructions; what is counted by kind comes after, neuron by neuron.

use super::sample::LayerSample;
use super::sums::{COUNTER_COPIES, Sums};
use crate::convert::{Reset, SpikingLayer, expected_spikes, to_u32};
use crate::measure::layer_report::{Categories, ConditionCounts};
use crate::measure::ledger::{Ledger, has_own_activation, ledger_against};
use crate::measure::quantization_bound::QuantizationBound;
use crate::measure::run_data::NeuronRef;
use crate::network::Activation;

/// Neurons of one strip.
pub(crate) const BATCH: usize = 64;
/// Sums that run beside each other, so that no addition waits for another.
const BESIDE: usize = 8;

type F64s = [f64; BATCH];

/// The figures of up to [`BATCH`] neurons; lanes without a neuron hold one that is silent.
pub(crate) struct NeuronBatch {
    first: usize,
    length: usize,
    z: [f32; BATCH],
    zin: [f32; BATCH],
    counts: [u32; BATCH],
    theta: [f32; BATCH],
    /// What one count is worth.
    unit: [f32; BATCH],
    /// v(0), before correction and after.
    own_start: [f32; BATCH],
    start: [f32; BATCH],
    /// q of ẑ, of z, and of z from the neuron's own v(0).
    same: [u32; BATCH],
    due: [u32; BATCH],
    evenly: [u32; BATCH],
    phi: F64s,
    a: F64s,
    mismatch: F64s,
    /// v(T) as the books have it.
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
            unit: [1.0; BATCH],
            own_start: [0.0; BATCH],
            start: [0.0; BATCH],
            same: [0; BATCH],
            due: [0; BATCH],
            evenly: [0; BATCH],
            phi: [0.0; BATCH],
            a: [0.0; BATCH],
            mismatch: [0.0; BATCH],
            potential: [0.0; BATCH],
        }
    }

    /// Takes the neurons from `first` on.
    #[inline(always)]
    pub fn read(&mut self, view: &LayerSample<'_>, first: usize) {
        let layer = view.layer;
        (self.first, self.length) = (first, (view.z.len() - first).min(BATCH));
        let span = first..first + self.length;
        if self.length < BATCH {
            (self.z, self.zin, self.counts) = ([0.0; BATCH], [0.0; BATCH], [0; BATCH]);
            (self.theta, self.start, self.own_start) = ([1.0; BATCH], [0.0; BATCH], [0.0; BATCH]);
        }
        self.z[..self.length].copy_from_slice(&view.z[span.clone()]);
        self.zin[..self.length].copy_from_slice(&view.zin[span.clone()]);
        self.counts[..self.length].copy_from_slice(&view.counts[span.clone()]);
        if let [theta] = layer.theta.as_slice() {
            self.theta[..self.length].fill(*theta);
        } else {
            for (theta, neuron) in self.theta.iter_mut().zip(span.clone()) {
                *theta = layer.theta[neuron / view.plane];
            }
        }
        for (unit, theta) in self.unit.iter_mut().zip(&self.theta) {
            *unit = layer.neuron.amplitude(*theta);
        }
        match &layer.v_init_values {
            Some(start) => self.own_start[..self.length].copy_from_slice(&start[span.clone()]),
            None => (0..self.length).for_each(|i| self.own_start[i] = layer.v_init * self.unit[i]),
        }
        match view.corrected {
            Some(start) => self.start[..self.length].copy_from_slice(&start[span]),
            None => self.start = self.own_start,
        }
    }

    /// Works out targets, rates and potentials.
    #[inline(always)]
    pub fn compute(&mut self, view: &LayerSample<'_>) {
        let (layer, steps, per_step) = (view.layer, view.steps, view.per_step);
        for i in 0..BATCH {
            self.same[i] = expected_spikes(self.zin[i], self.unit[i], steps, per_step, 0.5);
            self.due[i] = expected_spikes(self.z[i], self.unit[i], steps, per_step, 0.5);
        }
        // The activation is named in the loops, not looked up in every turn.
        match layer.activation {
            Activation::Relu => self.activations(|z| Activation::Relu.apply(z)),
            Activation::Clip { lambda } => self.activations(|z| Activation::Clip { lambda }.apply(z)),
            Activation::Qcfs { lambda, levels, shift } => {
                self.activations(|z| Activation::Qcfs { lambda, levels, shift }.apply(z));
            }
        }
        for i in 0..BATCH {
            let (unit, n) = (f64::from(self.unit[i]), f64::from(self.counts[i]));
            self.phi[i] = unit / steps as f64 * n;
            self.mismatch[i] = (self.phi[i] - self.a[i]).abs();
            let charge = f64::from(self.zin[i]) + f64::from(layer.bias_shift * self.theta[i]);
            self.potential[i] = f64::from(self.start[i]) + charge * steps as f64 - unit * n;
        }
        self.evenly = self.due;
        if !view.half {
            for i in 0..self.length {
                self.evenly[i] = on_constant(layer, self.theta[i], self.own_start[i], self.z[i], steps);
            }
        }
    }

    #[inline(always)]
    fn activations(&mut self, apply: impl Fn(f32) -> f32) {
        for i in 0..BATCH {
            self.a[i] = f64::from(apply(self.z[i]));
        }
    }

    /// Adds all of it to `sums`.
    #[inline(always)]
    pub fn add_to(&self, view: &LayerSample<'_>, sums: &mut Sums) {
        let steps = view.steps as f64;
        let (mut on_target, mut carried_in) = ([0.0; BATCH], [0.0; BATCH]);
        let mut products = [[0.0; BATCH]; 3];
        for i in 0..BATCH {
            let (phi, a, unit) = (self.phi[i], self.a[i], f64::from(self.unit[i]) / steps);
            on_target[i] = unit * f64::from(self.same[i]);
            carried_in[i] = phi - unit * f64::from(self.evenly[i]);
            (products[0][i], products[1][i], products[2][i]) = (phi * phi, a * a, phi * a);
        }
        let all = |values: &F64s| total(values, self.length);
        sums.spikes += self.counts.iter().map(|&n| u64::from(n)).sum::<u64>();
        sums.mismatch += all(&self.mismatch);
        sums.activation += all(&self.a);
        sums.propagated_by_rerun += all(&carried_in);
        let moments = [all(&self.phi), all(&products[0]), all(&products[1]), all(&products[2])];
        sums.moments.iter_mut().zip(moments).for_each(|(sum, moment)| *sum += moment);
        sums.ledger += self.ledger(view, Activation::Relu, &on_target);
        if has_own_activation(view.layer) {
            sums.ledger_activation += match view.layer.activation {
                Activation::Relu => Ledger::default(),
                Activation::Clip { lambda } => self.ledger(view, Activation::Clip { lambda }, &on_target),
                Activation::Qcfs { lambda, levels, shift } => {
                    self.ledger(view, Activation::Qcfs { lambda, levels, shift }, &on_target)
                }
            };
        }
        let span = self.first..self.first + self.length;
        if let Some(fan_out) = view.fan_out {
            let sent = view.events.as_ref().map_or(&self.counts[..self.length], |events| &events[span.clone()]);
            let mut operations = [0.0; BATCH];
            let pairs = sent.iter().zip(&fan_out[span.clone()]);
            operations.iter_mut().zip(pairs).for_each(|(sum, (&n, fan_out))| *sum = f64::from(n) * fan_out);
            sums.synops += total(&operations, self.length);
        }
        let off = self.due.iter().zip(&self.counts).map(|(&due, &n)| (due as i32 - n as i32) as f32);
        sums.offset_map[span.clone()].iter_mut().zip(off).for_each(|(sum, off)| *sum += off);
        sums.mismatch_map[span].iter_mut().zip(&self.mismatch).for_each(|(sum, off)| *sum += *off as f32);
        self.count(view, sums);
    }

    /// Whether a neuron is off by more than quantization explains.
    #[inline(always)]
    pub fn diverges(&self, view: &LayerSample<'_>) -> bool {
        let mut leaving = [0; BATCH];
        for (i, leaves) in leaving.iter_mut().enumerate() {
            let charge = view.layer.bias_shift * self.theta[i];
            let place = QuantizationBound { unit: self.unit[i], v_init: self.own_start[i], charge, steps: view.steps };
            // The activation was in single precision before.
            let (_, off) = place.excess(view.half_level, self.counts[i], self.z[i], self.a[i] as f32);
            *leaves = u32::from(off);
        }
        leaving[..self.length].iter().any(|&off| off != 0)
    }

    /// The sums of the parts of the errors against `activation`.
    #[inline(always)]
    fn ledger(&self, view: &LayerSample<'_>, activation: Activation, on_target: &F64s) -> Ledger {
        let mut parts = [[0.0; BATCH]; 5];
        for i in 0..BATCH {
            let ceiling = f64::from(self.unit[i] * view.per_step as f32);
            let one = ledger_against(activation, self.z[i], self.zin[i], ceiling, self.phi[i], on_target[i]);
            parts[0][i] = one.propagated;
            parts[1][i] = one.clipping;
            parts[2][i] = one.quantization;
            parts[3][i] = one.unevenness;
            parts[4][i] = one.total;
        }
        let sum = |k: usize| total(&parts[k], self.length);
        Ledger { propagated: sum(0), clipping: sum(1), quantization: sum(2), unevenness: sum(3), total: sum(4) }
    }

    /// What is counted by kind. There is no branch that depends on a neuron: they would be guessed wrong too often.
    #[inline(always)]
    fn count(&self, view: &LayerSample<'_>, sums: &mut Sums) {
        let most = view.most() as i32;
        let mut silenced = [0; BATCH];
        if view.record.silenced.is_some() {
            for (flag, neuron) in silenced.iter_mut().zip(self.first..self.first + self.length) {
                *flag = u32::from(view.record.silenced(view.sample, neuron));
            }
        }
        let Self { counts: n, same, due, potential: v, .. } = self;
        let (mut here, mut free) = ([0; BATCH], [0; BATCH]);
        let (mut over, mut under) = ([0; BATCH], [0; BATCH]);
        for i in 0..BATCH {
            here[i] = u32::from(i < self.length);
            free[i] = here[i] & (1 ^ silenced[i]);
            over[i] = u32::from(v[i] < 0.0) & u32::from(n[i] > 0) & free[i];
            under[i] = u32::from(v[i] >= f64::from(self.unit[i])) & u32::from((n[i] as i32) < most) & free[i];
        }
        if view.record.silenced.is_some() {
            sums.silenced.rightly += number(|i| silenced[i] & u32::from(due[i] == 0));
            sums.silenced.wrongly += number(|i| silenced[i] & u32::from(due[i] != 0));
        }
        for (residual, target) in [(&mut sums.residual, same), (&mut sums.residual_end_to_end, due)] {
            compare(&mut residual.over, &over, |i| u32::from(n[i] > target[i]) & free[i]);
            compare(&mut residual.under, &under, |i| u32::from(n[i] < target[i]) & free[i]);
        }
        let (mut kinds, mut end) = ([0; BATCH], [0; BATCH]);
        for i in 0..BATCH {
            kinds[i] = Categories::index(n[i], same[i]) as u32;
            end[i] = Categories::index(n[i], due[i]) as u32;
        }
        for k in 0..5 {
            let of = |kinds: &[u32; BATCH]| number(|i| u32::from(kinds[i] == k as u32) & here[i]);
            let found = of(&kinds);
            sums.same_input[k] += found;
            sums.end_to_end[k] += of(&end);
            if found > 0 && sums.examples[k].is_none() {
                let first = (0..self.length).find(|&i| kinds[i] as usize == k && (k != 0 || n[i] > 0));
                let example = |i| NeuronRef { layer: view.index, sample: view.sample, neuron: self.first + i };
                sums.examples[k] = first.map(example);
            }
        }
        let mut psi = [0; BATCH];
        for i in 0..BATCH {
            let off = due[i] as i32 - n[i] as i32;
            psi[i] = (if off == 0 { 2 * most + 1 + (i % COUNTER_COPIES) as i32 } else { off + most }) as u32;
        }
        psi[..self.length].iter().for_each(|&psi| sums.offsets[psi as usize] += 1);
        let cells = self.cells(sums.density.bins, sums.density.extent);
        cells[..self.length].iter().for_each(|&cell| sums.density.counts[cell as usize] += 1);
    }

    /// The cell of the density that each neuron belongs to; one of [`COUNTER_COPIES`] past the last where neither side is active.
    #[inline(always)]
    fn cells(&self, bins: usize, extent: f32) -> [u32; BATCH] {
        let mut cells = [0; BATCH];
        for (i, cell) in cells.iter_mut().enumerate() {
            let theta = f64::from(self.theta[i]);
            let scale = bins as f64 / (theta * f64::from(extent));
            let bin = |v: f64| to_u32((v * scale).floor().clamp(0.0, (bins - 1) as f64));
            let silent = (self.a[i] == 0.0) & (self.phi[i] == 0.0) | (theta <= 0.0);
            let inside = bin(self.phi[i]) * bins as u32 + bin(self.a[i]);
            *cell = if silent { (bins * bins + i % COUNTER_COPIES) as u32 } else { inside };
        }
        cells
    }
}

/// How many are so.
#[inline(always)]
fn number(this: impl Fn(usize) -> u32) -> u64 {
    let mut sum = 0;
    for i in 0..BATCH {
        sum += this(i);
    }
    sum.into()
}

#[inline(always)]
fn compare(condition: &mut ConditionCounts, holds: &[u32; BATCH], happened: impl Fn(usize) -> u32) {
    condition.hits += number(|i| holds[i] & happened(i));
    condition.missed += number(|i| (1 ^ holds[i]) & happened(i));
    condition.false_alarm += number(|i| holds[i] & (1 ^ happened(i)));
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

/// The count that a neuron of the layer reaches in `steps` steps on the constant input `z`, from `v_init_values`, its v(0) before
/// correction.
#[inline(always)]
fn on_constant(layer: &SpikingLayer, theta: f32, start: f32, z: f32, steps: usize) -> u32 {
    let unit = layer.neuron.amplitude(theta);
    let current = z + layer.bias_shift * theta;
    if layer.reset == Reset::Hard && theta > 0.0 {
        // The first spike after ⌈(θ − v0)/I⌉ steps, each further one after ⌈θ/I⌉.
        let after = |charge: f32| ((f64::from(charge) / f64::from(current)).ceil() as usize).max(1);
        let first = if current > 0.0 { after(theta - start) } else { usize::MAX };
        return if first > steps { 0 } else { 1 + ((steps - first) / after(theta)) as u32 };
    }
    expected_spikes(current, unit, steps, layer.neuron.max_spikes_per_step(), f64::from(start) / f64::from(unit))
}
