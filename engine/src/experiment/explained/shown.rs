//! Maps of one sample as the *Attribution* pane shows them, with their scores, one method after the other.

use std::time::Instant;

use super::choice::{PageKey, Side};
use super::subject::ExplainSubject;
use crate::experiment::run::Run;
use crate::explain::deletion::{areas, changed};
use crate::explain::scores::{correlation, l1, merged};
use crate::explain::{ExplainOptions, Explained, Method, Request, explain};
use crate::network::outputs;
use crate::progress::JobControl;
use crate::task::classification::probabilities;
use crate::{Error, Result};

/// Samples among which feature permutation exchanges features.
pub const COMPANIONS: usize = 8;

/// The map of one method for one sample of one network.
#[derive(Clone, Debug, PartialEq)]
pub struct ShownMap {
    pub method: Method,
    /// Sum over channels, with its sign, `[area]`.
    pub map: Vec<f32>,
    /// Sum over channels of the sizes, which scores compare, `[area]`.
    pub size: Vec<f32>,
    pub scores: MapScores,
    pub seconds: f64,
}

/// Scores of one map.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MapScores {
    /// Area under the target's probability while pixels are removed, and while they are put in; of classifiers.
    pub deletion: Option<f64>,
    pub insertion: Option<f64>,
    /// Against a known mask: mean L1 distance and Pearson's correlation.
    pub l1: Option<f64>,
    pub correlation: Option<f64>,
}

impl MapScores {
    /// By what maps are ranked: correlation with the mask where there is one, else insertion − deletion. Larger is better.
    pub fn rank(&self) -> f64 {
        let difference = || Some(self.insertion? - self.deletion?);
        self.correlation.or_else(difference).unwrap_or(f64::NEG_INFINITY)
    }
}

/// What one network answers for the sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShownAnswer {
    /// The explained output.
    pub target: usize,
    pub answer: usize,
    /// The probability of the answer; the logit itself where outputs are not classes.
    pub probability: f64,
}

/// The picture that is explained.
#[derive(Clone, Debug, PartialEq)]
pub struct ShownPicture {
    pub width: usize,
    pub height: usize,
    /// `[height, width, 4]`
    pub rgba: Vec<u8>,
    /// Pixels of the trigger, `[area]`; `None` where no mask is known.
    pub mask: Option<Vec<f32>>,
    pub label: Option<usize>,
    /// Which picture it is, and of how many.
    pub index: usize,
    pub of: usize,
}

/// The sample of a page, as the network reads it.
#[derive(Clone, Debug, Default)]
pub struct PageInput {
    /// The sample and others for comparison, `[1 + others, F]`.
    pub values: Vec<f32>,
    /// Of the sample alone, or empty.
    pub labels: Vec<u16>,
    /// Pixels of the trigger, `[area]`, which may cover nothing or all.
    pub mask: Option<Vec<f32>>,
}

/// What comes of a page, one by one.
#[derive(Clone, Debug)]
pub enum PagePart {
    Answer(Side, ShownAnswer),
    Map(Side, Method, std::result::Result<Box<ShownMap>, String>),
}

impl PageInput {
    /// Sample `sample` of `run` with others behind it; of event recordings their means over time.
    pub fn of_run(run: &Run, sample: usize) -> Self {
        let all = run.ann.samples.max(1);
        let width = run.input.len() / all;
        let len: usize = run.network.original.input_shape().iter().product();
        let frames = (width / len.max(1)).max(1);
        let mut values = Vec::with_capacity(all.min(COMPANIONS) * len);
        for k in (0..all.min(COMPANIONS)).map(|k| (sample + k) % all) {
            let mut mean = vec![0.0; width / frames];
            for frame in run.input[k * width..(k + 1) * width].chunks_exact(mean.len().max(1)) {
                mean.iter_mut().zip(frame).for_each(|(sum, value)| *sum += value);
            }
            values.extend(mean.into_iter().map(|sum| sum / frames as f32));
        }
        Self { values, labels: run.labels.get(sample).copied().into_iter().collect(), mask: None }
    }
}

/// Makes the maps of `methods` on `side` of `run` for the sample of `page`; `part` hears of each.
///
/// # Errors
/// [`Error::Cancelled`]; [`Error::Invalid`] for a target that does not fit. A method that does not fit is a part with the
/// reason.
pub fn explain_page(
    run: &Run,
    (page, input): (&PageKey, &PageInput),
    side: Side,
    methods: &[Method],
    control: &JobControl,
    part: &mut dyn FnMut(PagePart),
) -> Result<()> {
    let subject = ExplainSubject::of_run(run, side.on, 0..1, side.steps.max(1))?;
    let width = subject.form().len().max(1);
    let subject = subject.with_samples(input.values[..width.min(input.values.len())].to_vec(), input.labels.clone())?;
    subject.with_network(page.rule, |network| {
        let logits = network.target().logits(&subject.input, &control.without_events())?;
        let answer = outputs::argmax(&logits);
        let target = subject.targets(page.target, &[answer], network.classes())?[0];
        let probability = match subject.are_classes() {
            // A single score has two probabilities.
            true => probabilities(&logits, 1).into_iter().fold(0.0, f64::max),
            false => f64::from(logits[target]),
        };
        part(PagePart::Answer(side, ShownAnswer { target, answer, probability }));
        for &method in methods {
            control.check()?;
            let begun = Instant::now();
            let found = map_of(&subject, network, method, (page, input), target, control);
            let found = match found {
                Err(Error::Cancelled) => return Err(Error::Cancelled),
                Err(error) => Err(error.to_string()),
                Ok(map) => {
                    let seconds = begun.elapsed().as_secs_f64();
                    Ok(Box::new(shown(&subject, network, method, (map, seconds), (target, input), control)?))
                }
            };
            part(PagePart::Map(side, method, found));
        }
        Ok(())
    })
}

/// The map of the sample, `[F]`.
fn map_of(
    subject: &ExplainSubject,
    network: &Explained<'_>,
    method: Method,
    (page, input): (&PageKey, &PageInput),
    target: usize,
    control: &JobControl,
) -> Result<Vec<f32>> {
    let width = subject.form().len();
    // This one alone looks at other samples.
    let values = if method == Method::FeaturePermutation { &input.values } else { &subject.input };
    let targets = vec![target; values.len() / width.max(1)];
    let baselines = vec![0.0; width];
    let (form, first) = (subject.form(), page.sample);
    let request = Request { input: values, targets: &targets, form, baselines: &baselines, first };
    let mut map = explain(method, network, &request, &ExplainOptions::default(), control)?;
    map.truncate(width);
    Ok(map)
}

/// `map` with its scores.
fn shown(
    subject: &ExplainSubject,
    network: &Explained<'_>,
    method: Method,
    (map, seconds): (Vec<f32>, f64),
    (target, input): (usize, &PageInput),
    control: &JobControl,
) -> Result<ShownMap> {
    let form = subject.form();
    let map = form.channels_first(&map);
    let size = merged(&map, form.area());
    let mut signed = vec![0.0; form.area()];
    for channel in map.chunks_exact(form.area().max(1)) {
        signed.iter_mut().zip(channel).for_each(|(sum, value)| *sum += value);
    }
    let mut scores = MapScores::default();
    if subject.are_classes() {
        let images = changed(&signed, &form, &subject.input, &vec![0.0; form.len()]);
        let logits = network.target().logits(&images, &control.without_events())?;
        let of_target = |row: &[f32]| {
            let all = probabilities(row, 1);
            // A single score is that of class 1.
            all[if row.len() == 1 { 1 } else { target }]
        };
        let [deletion, insertion] =
            areas(&logits.chunks_exact(network.classes().max(1)).map(of_target).collect::<Vec<_>>());
        (scores.deletion, scores.insertion) = (Some(deletion), Some(insertion));
    }
    // A style covers all: no map is right or wrong about it.
    let mask = input.mask.as_ref().filter(|mask| mask.contains(&0.0) && mask.iter().any(|&m| m > 0.0));
    if let Some(mask) = mask {
        (scores.l1, scores.correlation) = (Some(l1(&size, mask)), Some(correlation(&size, mask)));
    }
    Ok(ShownMap { method, map: signed, size, scores, seconds })
}
