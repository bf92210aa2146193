//! Measures of one spiking layer: mismatch, unevenness categories, offset spikes and error ledger.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use serde::Serialize;

use super::ledger::{Ledger, LedgerReference};
use super::run_data::NeuronRef;
use crate::network::NodeId;

/// Figures of one spiking layer. Symbols as in `golden`: z ANN pre-activation, a ANN activation, n spikes in t steps,
/// φ = θn/t, ẑ mean input current of the SNN layer.
#[derive(Clone, Debug, Default)]
pub struct LayerReport {
    pub name: String,
    pub node: NodeId,
    /// Shape of the layer for one sample.
    pub shape: Vec<usize>,
    /// One threshold, or one per channel.
    pub theta: Vec<f32>,
    /// Sum of n over neurons and samples.
    pub spikes: u64,
    /// Mean of n/t.
    pub rate: f64,
    /// Mean of a, the scale for the errors below.
    pub mean_activation: f64,
    /// Mean of |φ − a|.
    pub mean_abs_mismatch: f64,
    /// Pearson correlation of φ and a over neurons and samples; `None` if either is constant.
    pub correlation: Option<f64>,
    /// Unevenness categories, with the expected spikes of the SNN layer's own mean input.
    pub same_input: Categories,
    /// The same categories, with the expected spikes of the ANN's pre-activation.
    pub end_to_end: Categories,
    /// Histogram of offset spikes ψ = expected (end to end) − n over neurons × samples.
    pub offset_spikes: BTreeMap<i32, u64>,
    /// Means over neurons × samples of the five exact parts of φ − ReLU(z).
    pub ledger: Ledger,
    /// The same for φ − a, against the ANN's own activation; `None` if that is ReLU(z) itself.
    pub ledger_activation: Option<Ledger>,
    /// Mean of φ − φ', where φ' is the output of the same layer run on the ANN's own constant input z: the propagated error,
    /// as far as it changed the output.
    pub propagated_by_rerun: f64,
    /// How well the residual potential indicates over- and under-firing against the same-input expected spikes.
    pub residual: Residual,
    /// The same against the expected spikes of the ANN's pre-activation.
    pub residual_end_to_end: Residual,
    /// Neurons × samples that a correction silences.
    pub silenced: Silenced,
    /// Synaptic operations that this layer's spikes cause downstream, summed over samples and steps.
    pub synops: f64,
    /// Joint histogram of (a/θ, φ/θ); empty until [`LayerReport::compute_maps`].
    pub density: Density,
    /// Mean ψ over samples per neuron, `[F]`; empty likewise.
    pub offset_map: Vec<f32>,
    /// For each same-input category C0..C4, one neuron in it.
    pub examples: [Option<NeuronRef>; 5],
}

/// Counts of neurons × samples by the relation of n to the expected spikes q (Hao et al., AAAI 2023, SRP; the exact split is
/// ours):
/// C0 n = q, C1 q = 0 < n, C2 0 < q < n, C3 0 < n < q, C4 n = 0 < q.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub struct Categories {
    pub c0: u64,
    pub c1: u64,
    pub c2: u64,
    pub c3: u64,
    pub c4: u64,
}

/// Conditions on the residual potential v(t) against observed firing (Hao et al., AAAI 2023 and ICLR 2023). Against the
/// same-input expected spikes with v(0) = θ/2 they are exact: over-firing ⇔ v(t) < 0 and n ≥ 1, under-firing ⇔ v(t) ≥ θ and
/// n < t. Silenced neurons are not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Residual {
    pub over: ConditionCounts,
    pub under: ConditionCounts,
}

/// A condition against the event that it indicates, in neurons × samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ConditionCounts {
    /// The condition holds and the event happened.
    #[serde(rename = "caught")]
    pub hits: u64,
    /// The event happened, but the condition does not hold.
    pub missed: u64,
    /// The condition holds, but the event did not happen.
    pub false_alarm: u64,
}

/// Neurons × samples that a correction silenced, by whether the expected spikes of the ANN's z are zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Silenced {
    /// Expected spikes are zero: the ANN's neuron is silent as well.
    pub rightly: u64,
    /// Expected spikes are not zero: the ANN's neuron is active.
    pub wrongly: u64,
}

impl AddAssign for ConditionCounts {
    fn add_assign(&mut self, other: Self) {
        self.hits += other.hits;
        self.missed += other.missed;
        self.false_alarm += other.false_alarm;
    }
}

impl AddAssign for Residual {
    fn add_assign(&mut self, other: Self) {
        self.over += other.over;
        self.under += other.under;
    }
}

/// A joint histogram of ANN activation (columns) and SNN output (rows), both over θ.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Density {
    /// Bins along each axis.
    pub bins: usize,
    /// The axes run from 0 to this many θ.
    pub extent: f32,
    /// `[row φ/θ][column a/θ]`, row 0 is φ = 0; pairs where both are 0 are counted in `silent` instead.
    pub counts: Vec<u32>,
    /// Neurons × samples where both are exactly 0.
    pub silent: u64,
}

impl LayerReport {
    /// The ledger against `reference`.
    pub fn ledger_against(&self, reference: LedgerReference) -> Ledger {
        match reference {
            LedgerReference::Activation => self.ledger_activation.unwrap_or(self.ledger),
            LedgerReference::Relu => self.ledger,
        }
    }
}

impl Categories {
    /// Counts in order C0..C4.
    pub fn as_array(&self) -> [u64; 5] {
        [self.c0, self.c1, self.c2, self.c3, self.c4]
    }
    /// The category index 0..=4 of count `n` against expected spikes `q`.
    #[inline(always)]
    pub fn index(n: u32, q: u32) -> usize {
        match (n, q) {
            _ if n == q => 0,
            (_, 0) => 1,
            _ if n > q => 2,
            (0, _) => 4,
            _ => 3,
        }
    }
    /// Categories from counts C0..C4.
    pub fn from_array([c0, c1, c2, c3, c4]: [u64; 5]) -> Self {
        Self { c0, c1, c2, c3, c4 }
    }
    /// Sum of all counts: neurons × samples.
    pub fn total(&self) -> u64 {
        self.as_array().iter().sum()
    }
}
