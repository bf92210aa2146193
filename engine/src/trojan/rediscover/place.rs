//! One network of the attribution bench: its maps of the pictures of a trojan, scored against the trigger's mask.

use std::sync::Arc;
use std::time::Instant;

use burn::tensor::Device;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::options::BenchOptions;
use super::scores::ScoreRow;
use crate::attack::{AnnTarget, GradientRule, PixelSpace};
use crate::compute::program::Program;
use crate::convert::Recipe;
use crate::data::{Layout, Scaling};
use crate::experiment::attacked::Attacked;
use crate::experiment::cache::Cache;
use crate::experiment::explained::ExplainSubject;
use crate::explain::scores::{Scores, correlation};
use crate::explain::{Explained, Method, Request, explain};
use crate::ground::median::median;
use crate::network::{Op, Weights, predicted_class};
use crate::progress::JobControl;
use crate::trojan::folder::Planted;
use crate::trojan::survival;
use crate::{Error, Result};

/// The networks of a bench with the pictures of one trojan.
pub(super) struct Networks {
    ann: Option<ExplainSubject>,
    /// The spiking networks, each for some time-steps.
    snn: Vec<(Vec<usize>, ExplainSubject)>,
    /// The ANN with random weights, for the sanity check.
    random: Vec<Program>,
    /// Pixels of the trigger, `[N, area]`.
    masks: Vec<f32>,
}

impl Networks {
    /// Loads and converts what the `places` need: the ANN (`None`), and the spiking network after some steps.
    pub(super) fn new(
        planted: &Planted,
        places: &[Option<usize>],
        options: &BenchOptions,
        control: &JobControl,
    ) -> Result<Self> {
        let (mut cache, quiet) = (Cache::for_one_run(), control.without_events());
        let has_ann = places.contains(&None);
        let ann = has_ann.then(|| {
            ExplainSubject::load(&survival::settings(planted, Recipe::default()), Attacked::Ann, &mut cache, &quiet)
        });
        let random = if options.sanity && has_ann { randomized(planted, options.seed) } else { Vec::new() };
        let at: Vec<usize> = places.iter().copied().flatten().collect();
        let mut cache = Cache::for_one_run();
        let snn = survival::subjects(planted, &options.recipe, &at, &mut cache, &quiet)?;
        Ok(Self { ann: ann.transpose()?, snn, random, masks: Vec::new() })
    }

    /// Puts up to `pictures` pictures of `trojan` before all networks.
    pub(super) fn show(&mut self, planted: &Planted, trojan: usize, pictures: usize) -> Result<()> {
        let triggered = planted.triggered(trojan, pictures);
        let input = triggered.samples.scaled(0..triggered.samples.len(), &Scaling::Unit);
        for subject in self.ann.iter_mut().chain(self.snn.iter_mut().map(|(_, subject)| subject)) {
            subject.forget();
            subject.set_samples(input.clone(), Vec::new())?;
        }
        self.masks = triggered.masks;
        Ok(())
    }

    /// The scores of `method` in the ANN (`None`) or after `steps` steps.
    pub(super) fn score(
        &mut self,
        planted: &Planted,
        trojan: usize,
        (method, steps): (Method, Option<usize>),
        options: &BenchOptions,
        control: &JobControl,
    ) -> Result<ScoreRow> {
        let missing = || Error::Internal("a network of the bench is missing".into());
        let subject = match steps {
            None => self.ann.as_ref().ok_or_else(missing)?,
            Some(steps) => {
                let found = self.snn.iter_mut().find(|(at, _)| at.contains(&steps)).ok_or_else(missing)?;
                found.1.set_steps(steps);
                &found.1
            }
        };
        let target = usize::from(planted.classes[trojan].0);
        let (form, count) = (subject.form(), subject.len());
        let (targets, zeros) = (vec![target; count], vec![0.0; form.len()]);
        let request = Request { input: &subject.input, targets: &targets, form, baselines: &zeros, first: 0 };
        let explaining = options.explaining(method, &form);
        let quiet = control.without_events();
        let begun = Instant::now();
        let (maps, success, seconds) = subject.with_network(GradientRule::Rate, |explained| {
            let logits = explained.target().logits(&subject.input, &quiet)?;
            let rows = logits.chunks_exact(explained.classes().max(1));
            let hits = rows.filter(|row| predicted_class(row) == target).count();
            let asked = begun.elapsed();
            let maps = explain(method, explained, &request, &explaining, &quiet)?;
            Ok((maps, hits as f64 / count.max(1) as f64, (begun.elapsed() - asked).as_secs_f64()))
        })?;
        let mut sanity = Vec::new();
        for program in self.random.iter().filter(|_| steps.is_none()) {
            let space = PixelSpace::of_input(&subject.shape, Layout::ChannelsFirst);
            let target = AnnTarget::new(program, &space);
            let explained = Explained::ann(&target, program.network().clone());
            let other = explain(method, &explained, &request, &explaining, &quiet)?;
            sanity.push(similarity(&maps, &other, form.len()));
        }
        let scores = Scores::of(&maps, form.channels, &self.masks, form.area());
        let named = &planted.plan.trojans[trojan];
        Ok(ScoreRow {
            trojan: named.name.clone(),
            kind: named.trigger.kind(),
            secret: named.secret,
            on: if steps.is_some() { "snn" } else { "ann" }.to_owned(),
            steps,
            method: method.word().to_owned(),
            median_l1: scores.median.l1,
            median_correlation: scores.median.correlation,
            l1: scores.l1,
            correlation: scores.correlation,
            success,
            randomized: sanity,
            seconds,
        })
    }
}

/// The network with random weights from the output down: the last layer, a third, two thirds, and all layers.
fn randomized(planted: &Planted, seed: u64) -> Vec<Program> {
    let has_weights = |op: &Op| matches!(op, Op::Conv2d { .. } | Op::Linear { .. } | Op::ConvTranspose2d { .. });
    let layers: Vec<usize> =
        (0..planted.network.nodes.len()).filter(|&id| has_weights(&planted.network.nodes[id].op)).collect();
    let counts = [1, layers.len().div_ceil(3), (2 * layers.len()).div_ceil(3), layers.len()];
    let of = |count: usize| {
        let mut network = planted.network.clone();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        for &id in layers.iter().rev().take(count) {
            // Shuffled weights keep their distribution.
            let mut shuffle = |weights: &mut Weights| {
                let mut data = weights.data.to_vec();
                data.shuffle(&mut rng);
                *weights = Weights::new(weights.shape.clone(), data);
            };
            match &mut network.nodes[id].op {
                Op::Conv2d { weight, .. } | Op::Linear { weight, .. } | Op::ConvTranspose2d { weight, .. } => {
                    shuffle(weight);
                }
                _ => {}
            }
        }
        Program::new(Arc::new(network), &Device::flex())
    };
    counts.map(of).into()
}

/// Median over pictures of the correlation of the sizes of two maps, `[N, F]` each.
fn similarity(a: &[f32], b: &[f32], width: usize) -> f64 {
    let sizes = |map: &[f32]| map.iter().map(|value| value.abs()).collect::<Vec<f32>>();
    let each = a.chunks_exact(width).zip(b.chunks_exact(width));
    median(&each.map(|(a, b)| correlation(&sizes(a), &sizes(b))).collect::<Vec<_>>())
}
