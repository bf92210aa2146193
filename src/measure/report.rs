//! The report: what the panes draw and what `run` writes. Plain numbers about one run after t steps.

use std::collections::BTreeMap;
use std::ops::AddAssign;
use std::sync::Arc;

use serde::Serialize;

use super::answers::Answers;
use super::divergence::FirstLayers;
use super::likeness::Likeness;
use crate::network::NodeId;

/// Everything measured about a run after [`Report::steps`] steps.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The step t the figures are for.
    pub steps: usize,
    pub samples: usize,
    /// Share of samples the ANN answers rightly; `None` without labels.
    pub ann_accuracy: Option<f64>,
    /// One point for every t from 1 to the end of the run (not only to `steps`).
    pub curve: Vec<CurvePoint>,
    /// What the SNN answers after every step of the run under the recipe's readout.
    pub answers: Arc<Answers>,
    /// The answers beside the ANN's, where they are no classes.
    pub likeness: Option<Arc<Likeness>>,
    pub layers: Vec<LayerReport>,
    /// The layers in which samples first leave the ANN within [`Report::steps`] steps.
    pub first_layers: Arc<FirstLayers>,
    /// The samples that leave the ANN in each layer, in ascending order.
    pub(crate) leaving: Vec<Arc<Vec<usize>>>,
}

/// The state of the readout after `t` steps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CurvePoint {
    pub t: usize,
    /// Share of samples answered rightly; `None` without labels.
    pub accuracy: Option<f64>,
    /// Share of samples where the SNN answers as the ANN does; of answers that are no classes how alike they are
    /// ([`Likeness::agreement`]).
    pub agreement: f64,
}

/// The first t from which on the SNN stays within one point of the ANN.
pub fn steps_needed(curve: &[CurvePoint], ann: f64) -> Option<usize> {
    let short = |p: &CurvePoint| p.accuracy.is_none_or(|a| a < ann - 0.01 - 1e-9);
    let last_short = curve.iter().rposition(short);
    match last_short {
        None => curve.first().map(|p| p.t),
        Some(i) => curve.get(i + 1).map(|p| p.t),
    }
}

/// Figures of one spiking layer. Symbols as in `golden`: z ANN pre-activation, a ANN activation, n spikes in t steps,
/// φ = θn/t, ẑ mean input current of the SNN layer.
#[derive(Clone, Debug)]
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
    /// Pearson correlation of φ and a over neurons and samples; `None` when either is constant.
    pub correlation: Option<f64>,
    /// Unevenness categories with the target count from the SNN layer's own mean input.
    pub same_input: Categories,
    /// The same categories with the target count from the ANN's pre-activation.
    pub end_to_end: Categories,
    /// Histogram of ψ = target (end to end) − n over neurons × samples.
    pub offset_spikes: BTreeMap<i32, u64>,
    /// Means over neurons × samples of the four exact parts of φ − ReLU(z).
    pub ledger: Ledger,
    /// The same of φ − a, against the ANN's own activation; `None` where that is ReLU(z) itself.
    pub ledger_activation: Option<Ledger>,
    /// Mean of φ − φ', φ' being the output of the same layer run on the ANN's own constant input z: what came in wrong, as
    /// far as it changed the output.
    pub carried_in: f64,
    /// What the residual potential says about over- and under-firing against the same-input target.
    pub residual: Residual,
    /// The same against the target from the ANN's pre-activation.
    pub residual_end_to_end: Residual,
    /// Neurons × samples whose output a correction holds back.
    pub silenced: Silenced,
    /// Synaptic operations that this layer's spikes cause downstream, summed over samples and steps.
    pub synops: f64,
    /// Joint histogram of (a/θ, φ/θ).
    pub density: Density,
    /// Mean ψ over samples per neuron, `[F]`.
    pub offset_map: Vec<f32>,
    /// Mean |φ − a| over samples per neuron, `[F]`.
    pub mismatch_map: Vec<f32>,
    /// For each same-input category C0..C4, one neuron in it.
    pub examples: [Option<NeuronRef>; 5],
}

/// One neuron for one sample. `neuron` is its index in the flattened layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, serde::Deserialize)]
pub struct NeuronRef {
    /// Index of the spiking layer in network order.
    pub layer: usize,
    /// Index of the sample in the run (0 is the first that ran).
    pub sample: usize,
    pub neuron: usize,
}

/// Counts of neurons × samples by how n stands to its target q (Hao et al., AAAI 2023, SRP; the exact split is ours):
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

/// How the conditions on the residual potential v(t) stand to what happened (Hao et al., AAAI 2023 and ICLR 2023). Against
/// the same-input target with v(0) = θ/2 they are exact: over-firing ⇔ v(t) < 0 and n ≥ 1, under-firing ⇔ v(t) ≥ θ and
/// n < t. Silenced neurons are not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Residual {
    pub over: Condition,
    pub under: Condition,
}

/// A condition against the event it stands for, in neurons × samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// The condition holds and the event happened.
    pub caught: u64,
    /// The event happened, but the condition does not hold.
    pub missed: u64,
    /// The condition holds, but the event did not happen.
    pub false_alarm: u64,
}

/// Neurons × samples that a correction silenced, by whether the ANN's target is zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Silenced {
    /// The ANN's neuron is silent as well.
    pub rightly: u64,
    /// The ANN's neuron is active.
    pub wrongly: u64,
}

impl AddAssign for Condition {
    fn add_assign(&mut self, other: Self) {
        self.caught += other.caught;
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

/// What the answers of a spiking layer are held against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reference {
    /// The ANN's own activation a: QCFS, clip or ReLU of z.
    #[default]
    Activation,
    /// ReLU(z), whatever the ANN makes of z.
    Relu,
}

/// The exact parts of the error φ − A(z) of a neuron or a layer, in activation units, for a reference A
/// ([`super::ledger`]; after Bu et al., ICLR 2022 §3). For A = ReLU each part is what stands first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Ledger {
    /// Came in wrong from the layers before: ReLU(ẑ) − ReLU(z); in general A(ẑ) − A(z).
    pub propagated: f64,
    /// Lost above the layer's ceiling (θ; Γθ for bursts): min(ReLU(ẑ), θ) − ReLU(ẑ). Where A itself clips at λ, only the
    /// difference between the two ceilings.
    pub clipping: f64,
    /// θ/T steps: (θ/T)·q(ẑ) − clip(ẑ, 0, θ). Where A itself has steps, the difference between the two roundings.
    pub quantization: f64,
    /// Order of arrival: φ − (θ/T)·q(ẑ).
    pub unevenness: f64,
    /// φ − A(z), measured on its own, not summed from the parts.
    pub total: f64,
}

/// A joint histogram of ANN activation (columns) and SNN rate (rows), both over θ.
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
    pub fn ledger_against(&self, reference: Reference) -> Ledger {
        match reference {
            Reference::Activation => self.ledger_activation.unwrap_or(self.ledger),
            Reference::Relu => self.ledger,
        }
    }
}

impl Categories {
    /// Counts in order C0..C4.
    pub fn as_array(&self) -> [u64; 5] {
        [self.c0, self.c1, self.c2, self.c3, self.c4]
    }
    /// The category index 0..=4 of count `n` against target `q`.
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
    /// All neurons × samples counted.
    pub fn total(&self) -> u64 {
        self.as_array().iter().sum()
    }
}
