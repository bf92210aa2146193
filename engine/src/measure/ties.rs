//! Ties: steps at which a potential equals the threshold, so that other simulators differ by one spike.
//!
//! A simulator with another tie rule fires where this one does not, or the reverse.

use rayon::prelude::*;

use crate::compute::program::Program;
use crate::convert::{Finding, SpikingNetwork, TieRule};
use crate::simulate::Recording;
use crate::simulate::membrane_trace::{layer_currents, trace};

/// From this fraction of the decisions on, ties are a warning instead of a note.
const WARNING_FRACTION: f64 = 0.01;
/// Maximum number of traced neurons per layer.
const MAX_TRACED_NEURONS: usize = 512;

/// Ties of one layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Ties {
    pub layer: String,
    /// Number of samples that were counted.
    pub samples: usize,
    /// Steps × neurons × samples with a potential of at least 0.9 θ: close or positive decisions.
    pub decisions: u64,
    /// Those of them with m = θ.
    pub tied: u64,
    tie: TieRule,
}

impl Ties {
    /// Fraction of tied decisions.
    pub fn share(&self) -> f64 {
        self.tied as f64 / self.decisions.max(1) as f64
    }
    /// A finding if any decision is tied.
    pub fn finding(&self) -> Option<Finding> {
        if self.tied == 0 {
            return None;
        }
        let here = if self.tie == TieRule::Ge {
            "such neurons fire here, as in SpikingJelly, and are silent in snnTorch, Norse and NIR"
        } else {
            "such neurons are silent here, as in snnTorch, Norse and NIR, and fire in SpikingJelly"
        };
        let text = format!(
            "{:.2} % of the potentials from 0.9 θ on, counted on {}, are exactly θ: {here}; there spike counts will differ by one",
            self.share() * 100.0,
            if self.samples == 1 { "one sample".to_owned() } else { format!("{} samples", self.samples) }
        );
        let is_warning = self.share() >= WARNING_FRACTION;
        let of = if is_warning { Finding::warning } else { Finding::note };
        Some(of("tied thresholds", Some(&self.layer), text))
    }
}

/// The ties of spiking layer `layer` for `sample`, on at most 512 neurons; `currents` are those of
/// [`layer_currents`], `[T, F]`. A potential counts as tied when it is within one unit in the last place of θ.
pub fn count_ties(
    spiking: &SpikingNetwork,
    recording: &Recording,
    currents: &[f32],
    index: usize,
    sample: usize,
) -> Ties {
    let layer = &spiking.layers[index];
    let mut ties = Ties { layer: layer.name.clone(), samples: 1, decisions: 0, tied: 0, tie: layer.tie };
    let stride = layer.neurons().div_ceil(MAX_TRACED_NEURONS).max(1);
    for neuron in (0..layer.neurons()).step_by(stride) {
        let trace = trace(spiking, recording, currents, index, sample, neuron);
        let theta = trace.theta;
        if theta > 0.0 {
            let close = trace.before_reset.iter().filter(|&&m| m >= 0.9 * theta);
            ties.decisions += close.clone().count() as u64;
            ties.tied += close.filter(|&&m| (m - theta).abs() <= theta * f32::EPSILON).count() as u64;
        }
    }
    ties
}

/// The same for every layer, over all samples of `recording`.
pub fn ties(program: &Program, spiking: &SpikingNetwork, input: &[f32], recording: &Recording) -> Vec<Ties> {
    let one = |index: usize| {
        let each = (0..recording.samples).map(|sample| {
            let currents = layer_currents(program, spiking, input, recording, index, sample);
            count_ties(spiking, recording, &currents, index, sample)
        });
        each.reduce(|a, b| Ties {
            samples: a.samples + b.samples,
            decisions: a.decisions + b.decisions,
            tied: a.tied + b.tied,
            ..a
        })
    };
    (0..spiking.layers.len()).into_par_iter().filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::convert::{Recipe, Severity, ThresholdRule, calibrate};
    use crate::network::{Activation, Network, Node, Op, Weights};
    use crate::progress::JobControl;
    use crate::simulate::{SimulationPlan, simulate};

    #[test]
    fn input_of_half_theta_ties_and_irregular_input_does_not() {
        let linear = || Op::Linear { weight: Weights::new(vec![1, 1], vec![1.0]), bias: None };
        let node = |name: &str, op: Op, inputs: &[usize]| Node {
            name: name.into(),
            op,
            inputs: inputs.to_vec(),
            shape: vec![1],
        };
        let nodes = vec![
            node("x", Op::Input, &[]),
            node("fc", linear(), &[0]),
            node("a", Op::Activation(Activation::Relu), &[1]),
            node("out", linear(), &[2]),
        ];
        let network = Network { name: "n".into(), output: 3, nodes, scaling: None, class_names: vec![], neurons: None };
        let program = Program::new(Arc::new(network), &burn::tensor::Device::flex());
        let calibration = calibrate(&program, &[1.0], 1, &JobControl::default()).unwrap();
        let recipe = Recipe { threshold: ThresholdRule::Max, steps: 8, ..Recipe::default() };
        let spiking = SpikingNetwork::convert(&program, &calibration, None, &recipe).unwrap();
        let tied_at = |x: f32| {
            let input = [x];
            let plan = SimulationPlan {
                program: &program,
                spiking: &spiking,
                input: &input,
                samples: 1,
                steps: 8,
                previous: None,
                unchanged_layers: 0,
            };
            let recording = simulate(&plan, &JobControl::default()).unwrap();
            ties(&program, &spiking, &input, &recording).remove(0)
        };
        // v(0) = ½, I = ½: m = 1 at every other step.
        let quantized = tied_at(0.5);
        assert_eq!((quantized.decisions, quantized.tied), (4, 4));
        assert_eq!(quantized.finding().unwrap().severity, Severity::Warning);
        assert_eq!(tied_at(0.37).finding(), None);
    }
}
