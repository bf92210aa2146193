//! Measures of neurons that share a threshold and start at half of it, sixteen at a time.
//!
//! All figures are sums that stay in registers. Spike counts are compared in f32, which is exact unless a value lies so near
//! a step of the staircase that rounding could decide; such neurons are measured by [`super::batch`] instead. Means are
//! summed in f64.
#![expect(clippy::needless_range_loop, reason = "registers and lanes are indexed by constants once loops are unrolled")]

use super::sample::LayerSample;
use super::sums::{COUNTER_COPIES, Sums};
use crate::convert::SpikingLayer;
use crate::measure::layer_report::ConditionCounts;
use crate::measure::ledger::Ledger;
use crate::measure::quantization_bound::{QuantizationBound, SLACK};
use crate::network::Activation;

/// Neurons that are measured together.
pub(crate) const CHUNK: usize = 16;
/// Lanes of f64.
const LANES: usize = 8;
/// Maximum count of a neuron: sums of counts of a sample stay below 2^32, and counts are exact in f32.
const MAX_COUNT: usize = 4096;
/// Fewer neurons than this per threshold are not worth their own sums.
const MIN_NEURONS: usize = 64;
/// 1.5·2^23: added to a small whole number, it leaves the number in the lowest bits.
const TO_INTEGER: f32 = 12_582_912.0;

type Counts = [u32; CHUNK];
type Means = [f64; LANES];

/// Sums over neurons with the same threshold, for one sample.
pub(crate) struct UniformNeurons {
    /// T/u of the amplitude u.
    scale: f32,
    /// Distance to a step of the staircase within which rounding could decide.
    tie: f32,
    /// u/T
    step: f64,
    saturation: f64,
    /// Largest error that quantization explains.
    bound: f64,
    max_count: u32,
    /// Neurons that were added.
    neurons: u64,
    count: Counts,
    expected_same_input: Counts,
    expected: Counts,
    /// Against the expected spikes of ẑ and of z.
    same_input: PackedCounts,
    end_to_end: PackedCounts,
    /// Neurons whose residual potential indicates over- and under-firing.
    conditions: PackedCounts,
    /// Offset spikes of chunks in which all lie within [`NEAR`].
    offsets: PackedCounts,
    /// Neurons of the other chunks, whose offset spikes are in the histogram already.
    neurons_in_histogram: u64,
    activation: Means,
    mean_input: Means,
    clipping: Means,
    mismatch: Means,
    squares: [Means; 2],
    product: Means,
    synops: Means,
    diverges: bool,
}

/// Several small counts in each lane, which then takes one register for all of them.
#[derive(Default)]
struct PackedCounts {
    /// Count f in bits [`FIELD_BITS`]·f and above.
    lanes: Counts,
    totals: [u64; FIELDS],
}

/// Counts in a lane, and bits of each.
const FIELDS: usize = 6;
const FIELD_BITS: usize = 5;
/// Chunks after which a count could leave its bits.
const MAX_CHUNKS: u64 = (1 << FIELD_BITS) - 1;

/// One in count `field` of a lane.
const fn one_in(field: usize) -> u32 {
    1 << (FIELD_BITS * field)
}

impl PackedCounts {
    /// Moves the lanes' counts to the totals.
    fn flush(&mut self) {
        for (field, total) in self.totals.iter_mut().enumerate() {
            let of_lane = |lane: &u32| u64::from(lane >> (FIELD_BITS * field) & MAX_CHUNKS as u32);
            *total += self.lanes.iter().map(of_lane).sum::<u64>();
        }
        self.lanes = [0; CHUNK];
    }
}

/// Counts of [`PackedCounts`] against the expected spikes: categories 1 to 4, then the neurons that fire too often and too
/// rarely and whose residual potential says so.
const C1: usize = 0;
const C2: usize = 1;
const C3: usize = 2;
const C4: usize = 3;
const OVER: usize = 4;
const UNDER: usize = 5;

/// Offset spikes, without 0, that have a count of [`PackedCounts`] each: −3, −2, −1, 1, 2, 3.
const NEAR: i32 = FIELDS as i32 / 2;

/// Adds spike counts against `expected` ones, with the conditions on the potentials.
// One loop without nested arrays: else it is not vectorized.
#[inline(always)]
fn add_categories(packed: &mut PackedCounts, counts: &Counts, expected: &Counts, over: &Counts, under: &Counts) {
    for lane in 0..CHUNK {
        let (n, q) = (counts[lane], expected[lane]);
        let more = if q == 0 { one_in(C1) } else { one_in(C2) } + over[lane] * one_in(OVER);
        let less = if n > 0 { one_in(C3) } else { one_in(C4) } + under[lane] * one_in(UNDER);
        packed.lanes[lane] += if n > q { more } else { 0 } + if n < q { less } else { 0 };
    }
}

/// One value for each neuron of a chunk.
pub(crate) struct Chunk<'a> {
    pub z: &'a [f32; CHUNK],
    pub zin: &'a [f32; CHUNK],
    pub counts: &'a Counts,
    pub fan_out: &'a [f64; CHUNK],
}

/// Whether neurons of `input` can be measured here: ReLU without a correction, started at half an amplitude.
pub(crate) fn is_applicable(input: &LayerSample<'_>) -> bool {
    let layer = input.layer;
    let per_threshold = if layer.theta.len() == 1 { layer.neurons() } else { input.plane };
    layer.activation == Activation::Relu
        && input.starts_at_half
        && input.corrected.is_none()
        && input.events.is_none()
        && input.record.silenced.is_none()
        && input.fan_out.is_some()
        && input.max_count() <= MAX_COUNT
        && per_threshold >= MIN_NEURONS
}

impl UniformNeurons {
    /// Of threshold `theta` in the layer and sample `input`.
    pub fn new(input: &LayerSample<'_>, theta: f32) -> Self {
        let layer: &SpikingLayer = input.layer;
        let (amplitude, steps) = (layer.neuron.amplitude(theta), input.steps);
        let max_count = input.max_count() as u32;
        let bound = QuantizationBound { amplitude, v_init: layer.v_init * amplitude, charge: 0.0, steps };
        let (counts, means) = ([0; CHUNK], [0.0; LANES]);
        Self {
            scale: (steps as f64 / f64::from(amplitude)) as f32,
            // Scale, product and sum are rounded once each.
            // Without a threshold there is no staircase.
            tie: if amplitude > 0.0 { (max_count as f32 + 2.0) * 4e-7 } else { 1.0 },
            step: f64::from(amplitude) / steps as f64,
            saturation: f64::from(amplitude * input.per_step as f32),
            bound: bound.bound(input.half_level),
            max_count,
            neurons: 0,
            count: counts,
            expected_same_input: counts,
            expected: counts,
            same_input: PackedCounts::default(),
            end_to_end: PackedCounts::default(),
            conditions: PackedCounts::default(),
            offsets: PackedCounts::default(),
            neurons_in_histogram: 0,
            activation: means,
            mean_input: means,
            clipping: means,
            mismatch: means,
            squares: [means; 2],
            product: means,
            synops: means,
            diverges: false,
        }
    }

    /// Adds the neurons of `chunk`, and their offset spikes to the histogram `offsets`. False, and nothing is added, if
    /// rounding could decide a count.
    #[inline(always)]
    pub fn add(&mut self, chunk: &Chunk<'_>, offsets: &mut [u64]) -> bool {
        let high = self.max_count as f32 + 1.0;
        let (scale, tie, max) = (self.scale, self.tie, self.max_count as i32);
        let (mut is_clear, mut unclipped) = ([0u32; CHUNK], [0i32; CHUNK]);
        let (mut same, mut end) = ([0u32; CHUNK], [0u32; CHUNK]);
        for lane in 0..CHUNK {
            // Beyond the ends of the staircase every value is as good.
            let x = (chunk.zin[lane] * scale).max(-1.0).min(high) + 0.5;
            let y = (chunk.z[lane] * scale).max(-1.0).min(high) + 0.5;
            let (floor_x, floor_y) = (x.floor(), y.floor());
            let (x, y) = (x - floor_x, y - floor_y);
            // Of NaN no comparison holds.
            is_clear[lane] =
                u32::from(x > tie) & u32::from(x < 1.0 - tie) & u32::from(y > tie) & u32::from(y < 1.0 - tie);
            let integer = |floor: f32| ((floor + TO_INTEGER).to_bits() & 0x7f_ffff) as i32 - 0x40_0000;
            let (x, y) = (integer(floor_x), integer(floor_y));
            unclipped[lane] = x;
            same[lane] = x.max(0).min(max) as u32;
            end[lane] = y.max(0).min(max) as u32;
        }
        if is_clear.iter().fold(1, |all, clear| all & clear) == 0 {
            return false;
        }
        self.compare(chunk.counts, &unclipped, &same, &end);
        self.add_offsets(chunk.counts, &end, offsets);
        self.add_means(chunk);
        self.neurons += CHUNK as u64;
        if self.neurons.is_multiple_of(MAX_CHUNKS * CHUNK as u64) {
            self.flush();
        }
        true
    }

    /// Counts categories and conditions. The potential v(T) follows from the staircase before clipping: it is below 0 if
    /// there are more spikes, at least u if there are fewer.
    #[inline(always)]
    fn compare(&mut self, counts: &Counts, unclipped: &[i32; CHUNK], same: &Counts, end: &Counts) {
        let max = self.max_count;
        let (mut over, mut under) = ([0; CHUNK], [0; CHUNK]);
        for lane in 0..CHUNK {
            let (n, raw) = (counts[lane], unclipped[lane]);
            over[lane] = u32::from(n as i32 > raw) & u32::from(n > 0);
            under[lane] = u32::from((n as i32) < raw) & u32::from(n < max);
            self.count[lane] += n;
            self.expected_same_input[lane] += same[lane];
            self.expected[lane] += end[lane];
            self.conditions.lanes[lane] += over[lane] * one_in(OVER) + under[lane] * one_in(UNDER);
        }
        add_categories(&mut self.same_input, counts, same, &over, &under);
        add_categories(&mut self.end_to_end, counts, end, &over, &under);
    }

    /// Counts offset spikes: in registers where all are small, else in the histogram `offsets`.
    #[inline(always)]
    fn add_offsets(&mut self, counts: &Counts, end: &Counts, offsets: &mut [u64]) {
        let (mut ones, mut is_far) = ([0u32; CHUNK], [0u32; CHUNK]);
        for lane in 0..CHUNK {
            let psi = end[lane] as i32 - counts[lane] as i32;
            let field = psi + NEAR - i32::from(psi > 0);
            is_far[lane] = u32::from(psi < -NEAR) | u32::from(psi > NEAR);
            ones[lane] = if psi == 0 { 0 } else { 1u32.wrapping_shl(field as u32 * FIELD_BITS as u32) };
        }
        if is_far.iter().fold(0, |any, far| any | far) == 0 {
            (0..CHUNK).for_each(|lane| self.offsets.lanes[lane] += ones[lane]);
            return;
        }
        self.neurons_in_histogram += CHUNK as u64;
        let (max, mut bins) = (self.max_count as i32, [0u32; CHUNK]);
        for lane in 0..CHUNK {
            let psi = end[lane] as i32 - counts[lane] as i32;
            let zero = 2 * max + 1 + (lane % COUNTER_COPIES) as i32;
            bins[lane] = if psi == 0 { zero } else { psi + max } as u32;
        }
        for bin in bins {
            if let Some(counter) = offsets.get_mut(bin as usize) {
                *counter += 1;
            }
        }
    }

    fn flush(&mut self) {
        let all = [&mut self.same_input, &mut self.end_to_end, &mut self.conditions, &mut self.offsets];
        all.into_iter().for_each(PackedCounts::flush);
    }

    #[inline(always)]
    fn add_means(&mut self, chunk: &Chunk<'_>) {
        let mut exceeds = [0u32; LANES];
        for first in [0, LANES] {
            for lane in 0..LANES {
                let at = first + lane;
                // Counts are below 2^31; the conversion of signed numbers is one instruction.
                let (z, n) = (f64::from(chunk.z[at]), f64::from(chunk.counts[at] as i32));
                let (a, mean) = (z.max(0.0), f64::from(chunk.zin[at]).max(0.0));
                let mismatch = (self.step * n - a).abs();
                self.activation[lane] += a;
                self.mean_input[lane] += mean;
                self.clipping[lane] += mean.min(self.saturation) - mean;
                self.mismatch[lane] += mismatch;
                self.squares[0][lane] += n * n;
                self.squares[1][lane] += a * a;
                self.product[lane] += n * a;
                self.synops[lane] += n * chunk.fan_out[at];
                exceeds[lane] |= u32::from(mismatch > self.bound + SLACK * (self.bound + z.abs()));
            }
        }
        self.diverges |= exceeds.iter().any(|&exceeds| exceeds != 0);
    }

    /// Adds everything to `sums`. Returns whether the error of any neuron exceeds what quantization explains.
    pub fn finish(mut self, sums: &mut Sums) -> bool {
        self.flush();
        let count = |lanes: &Counts| lanes.iter().map(|&n| u64::from(n)).sum::<u64>();
        let sum = |lanes: &Means| lanes.iter().sum::<f64>();
        let spikes = count(&self.count);
        let [n, q, p] = [&self.count, &self.expected_same_input, &self.expected].map(|lanes| count(lanes) as f64);
        let (step, a, mean, clipping) = (self.step, sum(&self.activation), sum(&self.mean_input), sum(&self.clipping));
        sums.spikes += spikes;
        sums.mismatch += sum(&self.mismatch);
        sums.activation += a;
        sums.propagated_by_rerun += step * (n - p);
        let [nn, aa] = self.squares.each_ref().map(sum);
        let moments = [step * n, step * step * nn, aa, step * sum(&self.product)];
        sums.moments.iter_mut().zip(moments).for_each(|(sum, moment)| *sum += moment);
        sums.ledger += Ledger {
            propagated: mean - a,
            clipping,
            quantization: step * q - mean - clipping,
            unevenness: step * (n - q),
            pooling: 0.0,
            total: step * n - a,
        };
        sums.synops += sum(&self.synops);
        let max = self.max_count as i32;
        let near = (-NEAR..=NEAR).filter(|&psi| psi != 0);
        for (psi, found) in near.zip(self.offsets.totals) {
            // A bin that is not there stands for more spikes than are possible: none was found.
            if let Some(counter) = usize::try_from(psi + max).ok().and_then(|bin| sums.offsets.get_mut(bin)) {
                *counter += found;
            }
        }
        sums.offsets[2 * self.max_count as usize + 1] +=
            self.neurons - self.neurons_in_histogram - self.offsets.totals.iter().sum::<u64>();
        let sides = [
            (&mut sums.same_input, &mut sums.residual, &self.same_input),
            (&mut sums.end_to_end, &mut sums.residual_end_to_end, &self.end_to_end),
        ];
        for (all, residual, counted) in sides {
            let [c1, c2, c3, c4, over, under] = counted.totals;
            let found = [self.neurons - c1 - c2 - c3 - c4, c1, c2, c3, c4];
            all.iter_mut().zip(found).for_each(|(all, found)| *all += found);
            residual.over += condition(self.conditions.totals[OVER], c1 + c2, over);
            residual.under += condition(self.conditions.totals[UNDER], c3 + c4, under);
        }
        self.diverges
    }
}

/// A condition that holds for `holds` neurons, against an event that happened to `happened`, to `hits` of them where it
/// holds.
fn condition(holds: u64, happened: u64, hits: u64) -> ConditionCounts {
    ConditionCounts { hits, missed: happened - hits, false_alarm: holds - hits }
}

#[cfg(test)]
mod tests;
