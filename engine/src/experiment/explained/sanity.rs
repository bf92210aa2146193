//! Sanity check: how much of a map is left once the weights are random, layer by layer from the output.
//!
//! After Adebayo et al. (NeurIPS 2018). A map that stays when the network has forgotten everything shows the image, not what
//! the network learned.

use std::sync::Arc;

use rand::Rng;
use rand_distr::StandardNormal;
use serde::Serialize;

use super::asked::{Explanation, ExplanationRequest, MethodMaps};
use super::subject::ExplainSubject;
use crate::Result;
use crate::compute::program::Program;
use crate::convert::MaxPoolRule;
use crate::convert::rewrite::rewrite_for_conversion;
use crate::experiment::attacked::Attacked;
use crate::experiment::cache::Cache;
use crate::experiment::load;
use crate::experiment::run::PreparedNetwork;
use crate::experiment::settings::Settings;
use crate::explain::Method;
use crate::explain::backward::node_maps::with_weights;
use crate::explain::draws::{Purpose, stream};
use crate::explain::scores::{correlation, merged};
use crate::ground::median::median;
use crate::network::{Network, NodeId, Op};
use crate::progress::JobControl;

/// Samples that are looked at.
const SAMPLES: usize = 16;

/// What is left of the maps of one method.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Sanity {
    /// Median correlation of |map| before and after, with the weights of all layers random.
    pub all: f64,
    /// The same with those of a layer and all behind it random, from the last layer on.
    pub layers: Vec<LayerSanity>,
}

/// What is left once a layer and all behind it are random.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerSanity {
    pub layer: String,
    pub correlation: f64,
}

/// The check of every method of `asked` that reads the network, whose maps are in `known`, on the first samples.
///
/// # Errors
/// Those of loading, converting and explaining; [`crate::Error::Cancelled`].
pub fn sanity(
    settings: &Settings,
    on: Attacked,
    asked: &ExplanationRequest,
    known: &Explanation,
    cache: &mut Cache,
    control: &JobControl,
) -> Result<Vec<(Method, Sanity)>> {
    let model = load::load_network(settings, cache, control)?;
    let samples = load::load_samples(&settings.data, &model.original, cache, control)?;
    let mut settings = settings.clone();
    settings.samples.end = settings.samples.end.min(settings.samples.start + SAMPLES);
    let reads = |method: &Method| !Method::BASELINES.contains(method);
    let asked = ExplanationRequest { methods: asked.methods.iter().copied().filter(reads).collect(), ..asked.clone() };
    let has_weights = |id: &NodeId| {
        let op = &model.original.nodes[*id].op;
        matches!(op, Op::Conv2d { .. } | Op::ConvTranspose2d { .. } | Op::Linear { .. })
    };
    let mut layers: Vec<NodeId> = (0..model.original.nodes.len()).filter(has_weights).collect();
    layers.reverse();
    let mut all: Vec<(Method, Sanity)> = asked.methods.iter().map(|&method| (method, Sanity::default())).collect();
    for (k, &layer) in layers.iter().enumerate() {
        control.check()?;
        control.progress("sanity check", k as f32 / layers.len() as f32);
        let changed = prepared(&model, layer, settings.recipe.pooling, asked.options.seed)?;
        let subject = ExplainSubject::of_network(&changed, &samples, &settings, on, &control.without_events())?;
        // The same outputs as before: random weights answer anything.
        let form = subject.form();
        let found = subject.explain_targets(&asked, &known.targets[..subject.len()], &control.without_events())?;
        for (method, sanity) in &mut all {
            let of = |maps: &'_ [MethodMaps]| maps.iter().position(|maps| maps.method == *method);
            let (Some(before), Some(after)) = (of(&known.maps), of(&found)) else { continue };
            let (before, after) = (&known.maps[before].maps, &found[after].maps);
            let pairs = before.chunks_exact(form.len()).zip(after.chunks_exact(form.len()));
            let left = pairs.map(|(a, b)| correlation(&merged(a, form.len()), &merged(b, form.len())));
            let correlation = median(&left.collect::<Vec<_>>());
            sanity.layers.push(LayerSanity { layer: model.original.nodes[layer].name.clone(), correlation });
            sanity.all = correlation;
        }
    }
    Ok(all)
}

/// `model` with new weights from layer `from` on: normal numbers of the same mean and spread.
fn prepared(model: &PreparedNetwork, from: NodeId, pooling: MaxPoolRule, seed: u64) -> Result<PreparedNetwork> {
    let original = Arc::new(randomized(&model.original, from, seed));
    let rewritten = rewrite_for_conversion(&original, pooling);
    let rewritten = rewritten.map_or_else(|_| original.clone(), |(network, _)| Arc::new(network));
    let program = Program::new(rewritten, model.program.device());
    Ok(PreparedNetwork {
        original,
        outputs: model.outputs.clone(),
        answers: model.answers,
        detector: model.detector.clone(),
        stated_input: model.stated_input.clone(),
        time_step: model.time_step,
        program,
        notes: Vec::new(),
        fan_outs: model.fan_outs.clone(),
    })
}

/// `network` with new weights in layer `from` and behind it.
pub fn randomized(network: &Network, from: NodeId, seed: u64) -> Network {
    with_weights(network, |id, weights| {
        if id < from {
            return weights.to_vec();
        }
        let mut rng = stream(seed, id, Purpose::Weights);
        let count = weights.len().max(1) as f32;
        let mean = weights.iter().sum::<f32>() / count;
        let spread = (weights.iter().map(|w| (w - mean).powi(2)).sum::<f32>() / count).sqrt();
        weights.iter().map(|_| mean + spread * rng.sample::<f32, _>(StandardNormal)).collect()
    })
}
