//! Sums over the neurons of one layer: what [`super::run_report`] makes its figures of.

use std::collections::BTreeMap;

use super::report::{Density, Ledger, NeuronRef, Residual, Silenced};
use super::run_report::Subject;
use super::strip::{SPREAD, STRIP, Strip};
use super::view::View;
use crate::Result;
use crate::compute::simd::dispatch;
use crate::compute::simd::isa::{Isa, Kernel};
use crate::convert::SpikingLayer;
use crate::network::Activation;
use crate::progress::Control;

/// Bins along each axis of the mismatch density.
const DENSITY_BINS: usize = 64;
/// The mismatch density shows activations up to this many θ: enough to see what is clipped.
const DENSITY_EXTENT: f32 = 1.5;

/// Neurons between two looks at the cancel flag.
const STRETCH: usize = 1 << 14;

/// Sums over the neurons of some samples; merged over threads in sample order, so that results do not depend on them.
#[derive(Clone)]
pub(super) struct Sums {
    pub spikes: u64,
    pub mismatch: f64,
    pub activation: f64,
    pub ledger: Ledger,
    /// The same against the ANN's own activation.
    pub ledger_activation: Ledger,
    pub carried_in: f64,
    pub residual: Residual,
    pub residual_end_to_end: Residual,
    pub silenced: Silenced,
    pub same_input: [u64; 5],
    pub end_to_end: [u64; 5],
    /// Counts of ψ + T, for ψ from −T to T (kT for neurons of up to k counts a step); those of ψ = 0 come behind.
    pub offsets: Vec<u64>,
    pub synops: f64,
    pub density: Density,
    pub offset_map: Vec<f32>,
    pub mismatch_map: Vec<f32>,
    pub examples: [Option<NeuronRef>; 5],
    /// Σφ, Σφ², Σa², Σφa for the correlation.
    pub moments: [f64; 4],
    /// Samples with a neuron that is off by more than quantization explains, in ascending order.
    pub leaving: Vec<usize>,
}

impl Sums {
    pub fn new(neurons: usize, most: usize) -> Self {
        let density = Density {
            bins: DENSITY_BINS,
            extent: DENSITY_EXTENT,
            // Those that are silent on both sides come behind the cells.
            counts: vec![0; DENSITY_BINS * DENSITY_BINS + SPREAD],
            silent: 0,
        };
        Self {
            spikes: 0,
            mismatch: 0.0,
            activation: 0.0,
            ledger: Ledger::default(),
            ledger_activation: Ledger::default(),
            carried_in: 0.0,
            residual: Residual::default(),
            residual_end_to_end: Residual::default(),
            silenced: Silenced::default(),
            same_input: [0; 5],
            end_to_end: [0; 5],
            offsets: vec![0; 2 * most + 1 + SPREAD],
            synops: 0.0,
            density,
            offset_map: vec![0.0; neurons],
            mismatch_map: vec![0.0; neurons],
            examples: [None; 5],
            moments: [0.0; 4],
            leaving: Vec::new(),
        }
    }

    /// Both; the samples of `other` come after.
    pub fn merge(mut self, other: Self) -> Self {
        self.spikes += other.spikes;
        self.mismatch += other.mismatch;
        self.activation += other.activation;
        self.ledger += other.ledger;
        self.ledger_activation += other.ledger_activation;
        self.carried_in += other.carried_in;
        self.residual += other.residual;
        self.residual_end_to_end += other.residual_end_to_end;
        self.silenced.rightly += other.silenced.rightly;
        self.silenced.wrongly += other.silenced.wrongly;
        self.synops += other.synops;
        for k in 0..5 {
            self.same_input[k] += other.same_input[k];
            self.end_to_end[k] += other.end_to_end[k];
            self.examples[k] = self.examples[k].or(other.examples[k]);
        }
        self.offsets.iter_mut().zip(other.offsets).for_each(|(a, b)| *a += b);
        self.density.counts.iter_mut().zip(other.density.counts).for_each(|(a, b)| *a += b);
        self.offset_map.iter_mut().zip(other.offset_map).for_each(|(a, b)| *a += b);
        self.mismatch_map.iter_mut().zip(other.mismatch_map).for_each(|(a, b)| *a += b);
        self.moments.iter_mut().zip(other.moments).for_each(|(a, b)| *a += b);
        self.leaving.extend(other.leaving);
        self
    }

    /// The density of all neurons.
    pub fn density(&self) -> Density {
        let (cells, silent) = self.density.counts.split_at(DENSITY_BINS * DENSITY_BINS);
        let silent = silent.iter().map(|&count| u64::from(count)).sum();
        Density { counts: cells.to_vec(), silent, ..self.density.clone() }
    }

    /// The histogram of ψ, which is `most` at most.
    pub fn offset_spikes(&self, most: usize) -> BTreeMap<i32, u64> {
        let (counts, even) = self.offsets.split_at(2 * most + 1);
        let psi = |(k, &count): (usize, &u64)| (k as i32 - most as i32, count);
        let all = counts.iter().enumerate().map(psi).chain([(0, even.iter().sum())]);
        all.filter(|(_, count)| *count > 0).collect()
    }

    /// Adds the neurons of layer `index` for one sample.
    pub fn add(
        &mut self,
        subject: &Subject<'_>,
        index: usize,
        steps: usize,
        sample: usize,
        control: &Control,
    ) -> Result<()> {
        dispatch(AddSample { subject, index, steps, sample, sums: self, control })
    }
}

struct AddSample<'a> {
    subject: &'a Subject<'a>,
    index: usize,
    steps: usize,
    sample: usize,
    sums: &'a mut Sums,
    control: &'a Control,
}

impl Kernel for AddSample<'_> {
    type Output = Result<()>;
    #[inline(always)]
    fn run<I: Isa>(self) -> Result<()> {
        let Self { subject, index, steps, sample, sums, control } = self;
        let view = View::of(subject, index, steps, sample);
        let mut strip = Strip::new();
        let mut leaves = false;
        for first in (0..view.z.len()).step_by(STRIP) {
            if first % STRETCH == 0 {
                control.check()?;
            }
            strip.read(&view, first);
            strip.work_out(&view);
            strip.add_to(&view, sums);
            leaves = leaves || strip.leaves(&view);
        }
        if leaves {
            sums.leaving.push(sample);
        }
        Ok(())
    }
}

/// Whether the ANN's own activation is another reference than ReLU(z).
pub(super) fn own_reference(layer: &SpikingLayer) -> bool {
    layer.activation != Activation::Relu
}
