//! Sums over the neurons of one layer, from which [`crate::measure::measure_run()`] computes its figures.

use std::collections::BTreeMap;

use crate::measure::layer_report::{Residual, Silenced};
use crate::measure::ledger::Ledger;
use crate::measure::run_data::NeuronRef;

/// Sums over the neurons of some samples; merged over threads in sample order, so that results do not depend on the number
/// of threads.
#[derive(Clone)]
pub(crate) struct Sums {
    pub spikes: u64,
    pub mismatch: f64,
    pub activation: f64,
    pub ledger: Ledger,
    /// The same against the ANN's own activation.
    pub ledger_activation: Ledger,
    pub propagated_by_rerun: f64,
    pub residual: Residual,
    pub residual_end_to_end: Residual,
    pub silenced: Silenced,
    pub same_input: [u64; 5],
    pub end_to_end: [u64; 5],
    /// Histogram over ψ + T, for ψ from −T to T (kT for neurons of up to k spikes a step); counters of ψ = 0 follow.
    pub offsets: Vec<u64>,
    pub synops: f64,
    pub examples: [Option<NeuronRef>; 5],
    /// Σφ, Σφ², Σa², Σφa for the correlation.
    pub moments: [f64; 4],
    /// Samples with a neuron whose error exceeds what quantization explains, in ascending order.
    pub diverging: Vec<usize>,
}

impl Sums {
    pub fn new(max_count: usize) -> Self {
        Self {
            spikes: 0,
            mismatch: 0.0,
            activation: 0.0,
            ledger: Ledger::default(),
            ledger_activation: Ledger::default(),
            propagated_by_rerun: 0.0,
            residual: Residual::default(),
            residual_end_to_end: Residual::default(),
            silenced: Silenced::default(),
            same_input: [0; 5],
            end_to_end: [0; 5],
            offsets: vec![0; 2 * max_count + 1 + COUNTER_COPIES],
            synops: 0.0,
            examples: [None; 5],
            moments: [0.0; 4],
            diverging: Vec::new(),
        }
    }

    /// The sum of both; the samples of `other` follow.
    pub fn merge(mut self, other: Self) -> Self {
        self.spikes += other.spikes;
        self.mismatch += other.mismatch;
        self.activation += other.activation;
        self.ledger += other.ledger;
        self.ledger_activation += other.ledger_activation;
        self.propagated_by_rerun += other.propagated_by_rerun;
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
        self.moments.iter_mut().zip(other.moments).for_each(|(a, b)| *a += b);
        self.diverging.extend(other.diverging);
        self
    }

    /// The histogram of ψ, for |ψ| up to `max_count`.
    pub fn offset_spikes(&self, max_count: usize) -> BTreeMap<i32, u64> {
        let (counts, zero_counts) = self.offsets.split_at(2 * max_count + 1);
        let psi = |(k, &count): (usize, &u64)| (k as i32 - max_count as i32, count);
        let all = counts.iter().enumerate().map(psi).chain([(0, zero_counts.iter().sum())]);
        all.filter(|(_, count)| *count > 0).collect()
    }
}

/// Copies of the counter of the most frequent value, so that adjacent neurons do not depend on each other's increment.
pub(crate) const COUNTER_COPIES: usize = 8;
