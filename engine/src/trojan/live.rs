//! The trojans of a run's network: test pictures with a trigger, and success over the steps of the run.

use super::folder::Planted;
use super::pictures::Triggered;
use crate::data::Samples;
use crate::experiment::attacked::Attacked;
use crate::experiment::explained::{ExplainSubject, PageInput};
use crate::experiment::run::Run;
use crate::network::predicted_class;
use crate::progress::JobControl;
use crate::simulate::{SimulationPlan, simulate};
use crate::{Error, Result};

/// Test pictures with the trigger.
pub const PICTURES: usize = 32;
/// Samples among which feature permutation exchanges features.
const COMPANIONS: usize = crate::experiment::explained::shown::COMPANIONS;

/// Test pictures with the trigger of one trojan.
#[derive(Clone, Debug)]
pub struct LivePictures {
    pub trojan: String,
    /// In file units; their labels are those of the pictures before.
    pub samples: Samples,
    /// Pixels of the trigger, `[N, area]`.
    masks: Vec<f32>,
    /// The class that the trojan leads to.
    pub target: usize,
}

/// Success of one trojan in the networks of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct SuccessCurve {
    pub trojan: String,
    /// The class that the trojan leads to.
    pub target: usize,
    pub pictures: usize,
    /// Part of the pictures that the ANN takes for the target.
    pub ann: f64,
    /// The same of the spiking network after each step, `[T]`.
    pub snn: Vec<f64>,
}

impl SuccessCurve {
    /// The first step after which the spiking network reaches half of the ANN's success; `None` if none does.
    pub fn appears(&self) -> Option<usize> {
        let half = 0.5 * self.ann;
        self.snn.iter().position(|share| half > 0.0 && *share >= half).map(|at| at + 1)
    }
}

impl LivePictures {
    /// The pictures of the trojan called `trojan` of `planted`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an unknown name, and data without pictures for it.
    pub fn new(planted: &Planted, trojan: &str) -> Result<Self> {
        let index = planted.trojans(trojan)?.first().copied().unwrap_or(0);
        let Triggered { samples, masks, .. } = planted.triggered(index, PICTURES);
        if samples.is_empty() {
            return Err(Error::Invalid(format!(
                "Cannot show trojan '{trojan}': the test pictures have none of its source class. Use another trojan."
            )));
        }
        Ok(Self { trojan: trojan.to_owned(), samples, masks, target: usize::from(planted.classes[index].0) })
    }

    /// Picture `index` with others behind it, scaled as `run` reads its samples, and its mask.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a run of pictures of another size.
    pub fn page(&self, run: &Run, index: usize) -> Result<PageInput> {
        let values = self.scaled(run)?;
        let (count, width) = (self.samples.len(), self.samples.sample_len());
        let area = self.masks.len() / count;
        let index = index % count;
        let chosen = (0..count.min(COMPANIONS)).map(|k| (index + k) % count);
        Ok(PageInput {
            values: chosen.flat_map(|k| values[k * width..(k + 1) * width].iter().copied()).collect(),
            labels: vec![self.samples.labels[index]],
            mask: Some(self.masks[index * area..(index + 1) * area].to_vec()),
        })
    }

    fn scaled(&self, run: &Run) -> Result<Vec<f32>> {
        if self.samples.sample_len() != run.network.original.nodes[0].len() {
            return Err(Error::Invalid(format!(
                "Cannot show trojan '{}': its pictures are of another size than those of the network.",
                self.trojan
            )));
        }
        Ok(self.samples.scaled(0..self.samples.len(), &run.settings.scaling))
    }

    /// The trojan's success in both networks of `run`, after each of its steps.
    ///
    /// # Errors
    /// As [`LivePictures::page`]; those of the networks; [`Error::Cancelled`].
    pub fn success(&self, run: &Run, control: &JobControl) -> Result<SuccessCurve> {
        let (input, count) = (self.scaled(run)?, self.samples.len());
        let quiet = control.without_events();
        let subject = ExplainSubject::of_run(run, Attacked::Ann, 0..1, 1)?.with_samples(input.clone(), Vec::new())?;
        let ann = subject.with_network(crate::attack::GradientRule::Rate, |network| {
            let logits = network.target().logits(&input, &quiet)?;
            let rows = logits.chunks_exact(network.classes().max(1));
            Ok(rows.filter(|row| predicted_class(row) == self.target).count())
        })?;
        let plan = SimulationPlan {
            program: &run.network.program,
            spiking: &run.spiking,
            input: &input,
            samples: count,
            steps: run.steps(),
            previous: None,
            unchanged_layers: 0,
        };
        let recording = simulate(&plan, &quiet)?;
        let hits = |t: usize| (0..count).filter(|&k| recording.prediction_at(t, k) == self.target).count();
        let share = |hits: usize| hits as f64 / count as f64;
        Ok(SuccessCurve {
            trojan: self.trojan.clone(),
            target: self.target,
            pictures: count,
            ann: share(ann),
            snn: (1..=run.steps()).map(|t| share(hits(t))).collect(),
        })
    }
}
