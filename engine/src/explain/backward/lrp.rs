//! Layer-wise relevance propagation: each node shares its relevance among its inputs in proportion to what they gave.
//!
//! R_in = a ⊙ W'ᵀ(R_out / (z' + ε·s)) with z' = W'a + bias and s its sign (+1 at 0). W' = W for ε, W + γ·max(W, 0) for γ and
//! max(W, 0) for α1β0. Activations pass relevance unchanged, pools and sums keep the first rule with ε = 1e-9. Relevance
//! begins as one at the target, and the map is multiplied by f(x). With ε = 1e-9 (LRP-0) the map is input × gradient, so γ
//! is the default here. Scales and shifts are folded into the weights before.

use serde::{Deserialize, Serialize};

use super::node_maps::NodeMaps;
use super::sweep::{Rule, one_hot, sweep};
use super::values::Values;
use crate::network::{NodeId, Op};
use crate::{Error, Result};

/// ε of pools, sums and the other rules.
const TINY: f32 = 1e-9;

/// The rule of layers with weights.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LrpRule {
    /// Relevance is lost where |z| is not much larger than ε.
    Epsilon(f32),
    /// Positive weights count 1 + γ times.
    Gamma(f32),
    /// Positive weights alone.
    Alpha1Beta0,
}

impl Default for LrpRule {
    fn default() -> Self {
        Self::Gamma(0.25)
    }
}

impl LrpRule {
    /// Parses `epsilon`, `epsilon:E`, `gamma`, `gamma:G` or `alpha1-beta0`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for other text.
    pub fn parse(text: &str) -> Result<Self> {
        let (word, number) = text.trim().split_once(':').map_or((text.trim(), None), |(word, n)| (word, Some(n)));
        let number_or = |default: f32| match number {
            None => Some(default),
            Some(text) => text.trim().parse::<f32>().ok(),
        };
        let rule = match word {
            "epsilon" => number_or(TINY).map(Self::Epsilon),
            "gamma" => number_or(0.25).map(Self::Gamma),
            "alpha1-beta0" if number.is_none() => Some(Self::Alpha1Beta0),
            _ => None,
        };
        let rule = rule.ok_or_else(|| {
            Error::Invalid(format!("Cannot use LRP rule '{text}'. Use epsilon:E, gamma:G or alpha1-beta0."))
        })?;
        rule.validate().map(|()| rule)
    }

    /// Checks the rule's number.
    ///
    /// # Errors
    /// [`Error::Invalid`] if it is not above 0 and finite.
    pub fn validate(&self) -> Result<()> {
        match self {
            Self::Epsilon(number) | Self::Gamma(number) if !(*number > 0.0 && number.is_finite()) => {
                Err(Error::Invalid(format!("Cannot use {number} in an LRP rule. Use a number above 0.")))
            }
            _ => Ok(()),
        }
    }

    /// ε of layers with weights.
    fn epsilon(self) -> f32 {
        match self {
            Self::Epsilon(epsilon) => epsilon,
            Self::Gamma(_) | Self::Alpha1Beta0 => TINY,
        }
    }

    /// W' of the weights of a layer.
    pub fn weights(self, weights: &[f32]) -> Vec<f32> {
        let change = |&w: &f32| match self {
            Self::Epsilon(_) => w,
            Self::Gamma(gamma) => w + gamma * w.max(0.0),
            Self::Alpha1Beta0 => w.max(0.0),
        };
        weights.iter().map(change).collect()
    }

    /// The rule in words, as [`LrpRule::parse`] reads it.
    pub fn word(self) -> String {
        match self {
            Self::Epsilon(epsilon) => format!("epsilon:{epsilon:e}"),
            Self::Gamma(gamma) => format!("gamma:{gamma}"),
            Self::Alpha1Beta0 => "alpha1-beta0".into(),
        }
    }
}

struct Relevance<'a> {
    values: &'a Values<'a>,
    /// The network with W'.
    changed: &'a NodeMaps,
    rule: LrpRule,
}

impl Rule for Relevance<'_> {
    fn pass(&self, id: NodeId, mut relevance: Vec<f32>) -> Vec<Vec<f32>> {
        let (values, rows) = (self.values, self.values.rows);
        let node = &values.maps.network().nodes[id];
        let inputs = values.inputs(id);
        let epsilon = match node.op {
            Op::Conv2d { .. } | Op::ConvTranspose2d { .. } | Op::Linear { .. } => self.rule.epsilon(),
            Op::Affine { .. }
            | Op::MaxPool2d { .. }
            | Op::AvgPool2d { .. }
            | Op::Mean { .. }
            | Op::Resample { .. }
            | Op::Add => TINY,
            // What only moves values moves their relevance.
            _ => return values.maps.transposed(id, &inputs, &relevance, rows),
        };
        let z = self.changed.apply(id, &inputs, rows);
        relevance.iter_mut().zip(z).for_each(|(r, z)| *r /= z + if z >= 0.0 { epsilon } else { -epsilon });
        let mut shares = self.changed.transposed(id, &inputs, &relevance, rows);
        for (share, a) in shares.iter_mut().zip(inputs) {
            share.iter_mut().zip(a).for_each(|(share, a)| *share *= a);
        }
        shares
    }
}

/// The relevance of each row's values for its target, `[rows, F]`; `changed` is the network with W'.
pub fn lrp(values: &Values<'_>, changed: &NodeMaps, rule: LrpRule, targets: &[usize]) -> Vec<f32> {
    let classes = values.maps.network().classes().max(1);
    let mut map = sweep(values, one_hot(targets, classes), 0, &Relevance { values, changed, rule });
    let width = map.len() / values.rows.max(1);
    let rows = map.chunks_exact_mut(width.max(1)).zip(targets).zip(values.outputs().chunks_exact(classes));
    rows.for_each(|((map, &target), outputs)| map.iter_mut().for_each(|r| *r *= outputs[target]));
    map
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use burn::tensor::Device;

    use super::*;
    use crate::attack::{AnnTarget, PixelSpace};
    use crate::compute::program::Program;
    use crate::data::Layout;
    use crate::explain::{ExplainOptions, Explained, Method, Request, explain};
    use crate::network::{Activation, Network, Node, Weights};
    use crate::progress::JobControl;

    /// relu(W x) + x, then a linear layer: f = (6, 2) at x = (1, 2).
    fn residual() -> Network {
        let linear = |weight: &[f32]| Op::Linear { weight: Weights::new(vec![2, 2], weight.to_vec()), bias: None };
        let node = |name: &str, op: Op, inputs: &[usize]| Node {
            name: name.into(),
            op,
            inputs: inputs.to_vec(),
            shape: vec![2],
        };
        let nodes = vec![
            node("input", Op::Input, &[]),
            node("branch", linear(&[1.0, 1.0, 2.0, -1.0]), &[0]),
            node("act", Op::Activation(Activation::Relu), &[1]),
            node("sum", Op::Add, &[2, 0]),
            node("out", linear(&[1.0, 1.0, 1.0, -1.0]), &[3]),
        ];
        let name = "residual".into();
        Network { name, nodes, output: 4, scaling: None, class_names: Vec::new(), neurons: None }
    }

    #[test]
    fn sums_split_relevance_in_proportion_and_conserve_it() {
        let network = Arc::new(residual());
        let (program, space) =
            (Program::new(network.clone(), &Device::flex()), PixelSpace::of_input(&[2], Layout::ChannelsFirst));
        let target = AnnTarget::new(&program, &space);
        let explained = Explained::ann(&target, network);
        let (input, baselines, control) = ([1.0, 2.0], [0.0; 2], JobControl::default());
        let request = Request { input: &input, targets: &[0], form: space.form(), baselines: &baselines, first: 0 };
        for rule in [LrpRule::Epsilon(1e-9), LrpRule::Gamma(0.25)] {
            let options = ExplainOptions { lrp: rule, ..ExplainOptions::default() };
            let map = explain(Method::Lrp, &explained, &request, &options, &control).unwrap();
            // The sum is (3 + 1, 0 + 2): its relevance 4 goes 3 to the branch and 1 past it; all of 2 goes past it. The
            // branch gives 1 and 2 of its 3 to the inputs.
            assert!((map[0] - 2.0).abs() < 1e-4 && (map[1] - 4.0).abs() < 1e-4, "{rule:?}: {map:?}");
            assert!((map.iter().sum::<f32>() - 6.0).abs() < 1e-4);
        }
    }

    #[test]
    fn rules_are_read_as_they_are_written() {
        for text in ["gamma:0.25", "epsilon:1e-9", "alpha1-beta0"] {
            assert_eq!(LrpRule::parse(text).unwrap().word(), text);
        }
        assert_eq!(LrpRule::parse("gamma").unwrap(), LrpRule::default());
        for text in ["gamma:0", "gamma:x", "alpha1-beta0:2", "lrp", "epsilon:-1", "epsilon:inf"] {
            assert!(LrpRule::parse(text).is_err(), "{text}");
        }
    }
}
