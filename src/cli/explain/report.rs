//! Content of `scores.json`: what was explained, and how well the maps find known masks.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::attack::ImageForm;
use crate::convert::Recipe;
use crate::experiment::attacked::Attacked;
use crate::experiment::explained::sanity::Sanity;
use crate::experiment::explained::{ExplainSubject, Explanation, ExplanationRequest};
use crate::experiment::options::range_text;
use crate::experiment::settings::Settings;
use crate::explain::Method;
use crate::explain::method::RECORDINGS;
use crate::explain::scores::Scores;

/// Content of `scores.json`.
#[derive(Serialize)]
pub struct Report<'a> {
    version: &'static str,
    model: &'a str,
    data: &'a str,
    samples: String,
    scale: String,
    on: Attacked,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipe: Option<&'a Recipe>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gradient: Option<&'static str>,
    target: &'a str,
    baseline: &'a str,
    patches: usize,
    window: usize,
    stride: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    budget: Option<usize>,
    lrp: String,
    seed: u64,
    /// What a reader of the maps should know.
    pub notes: Vec<&'static str>,
    /// Whether Ctrl-C ended it before all methods were done.
    stopped: bool,
    /// The only one, beside `at`.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    only: Option<AtSteps>,
    #[serde(skip_serializing_if = "more_than_one")]
    pub at: Vec<AtSteps>,
}

fn more_than_one(at: &[AtSteps]) -> bool {
    at.len() < 2
}

/// The results after a number of time steps, or those of the ANN.
#[derive(Clone, Serialize)]
pub struct AtSteps {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<usize>,
    targets: Vec<usize>,
    answers: Vec<usize>,
    logits: Vec<f32>,
    methods: BTreeMap<&'static str, MethodReport>,
    /// Scores of maps that know nothing of the network.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    baselines: BTreeMap<&'static str, Scores>,
    /// Frames of event recordings, whose mean is explained.
    #[serde(skip)]
    frames: Option<usize>,
    #[serde(skip)]
    pub explanation: Explanation,
}

/// One method.
#[derive(Clone, Debug, Serialize)]
struct MethodReport {
    seconds: f64,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    scores: Option<Scores>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sanity: Option<Sanity>,
}

impl AtSteps {
    /// The results of `explanation` of `subject`, scored against `masks`.
    pub fn new(
        subject: &ExplainSubject,
        explanation: Explanation,
        masks: Option<&[f32]>,
        sane: Vec<(Method, Sanity)>,
    ) -> Self {
        let form = subject.form();
        let of_method =
            |maps: &[f32]| masks.map(|masks| Scores::of(&form.channels_first(maps), form.channels, masks, form.area()));
        let mut methods = BTreeMap::new();
        let mut baselines = BTreeMap::new();
        for maps in &explanation.maps {
            let scores = of_method(&maps.maps);
            if let (true, Some(scores)) = (Method::BASELINES.contains(&maps.method), &scores) {
                baselines.insert(maps.method.word(), scores.clone());
            }
            let sanity = sane.iter().find(|(method, _)| *method == maps.method).map(|(_, sanity)| sanity.clone());
            methods.insert(maps.method.word(), MethodReport { seconds: maps.seconds, scores, sanity });
        }
        let (targets, answers, logits) =
            (explanation.targets.clone(), explanation.answers.clone(), explanation.logits.clone());
        let (steps, frames) = (subject.steps(), subject.frames);
        Self { steps, targets, answers, logits, methods, baselines, frames, explanation }
    }
}

impl<'a> Report<'a> {
    /// The report of all steps.
    pub fn new(
        settings: &'a Settings,
        on: Attacked,
        asked: &ExplanationRequest,
        [target, baseline]: [&'a str; 2],
        form: ImageForm,
        stopped: bool,
        at: Vec<AtSteps>,
    ) -> Self {
        let is_spiking = on == Attacked::Snn;
        let (window, stride) = asked.options.window_of(form.height, form.width);
        Self {
            version: env!("CARGO_PKG_VERSION"),
            model: &settings.model,
            data: &settings.data,
            samples: range_text(&settings.samples),
            scale: settings.scaling.to_string(),
            on,
            recipe: is_spiking.then_some(&settings.recipe),
            gradient: is_spiking.then_some(asked.rule.as_str()),
            target,
            baseline,
            patches: asked.options.patch_side(form.height, form.width),
            window,
            stride,
            budget: asked.options.budget,
            lrp: asked.options.lrp.word(),
            seed: asked.options.seed,
            notes: notes(asked, is_spiking, at.iter().any(|at| at.frames.is_some())),
            stopped,
            only: match at.as_slice() {
                [one] => Some(one.clone()),
                _ => None,
            },
            at,
        }
    }

    /// A line for each method: seconds, and medians where masks are known.
    pub fn table(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for at in &self.at {
            if let (true, Some(steps)) = (self.at.len() > 1, at.steps) {
                lines.push(format!("T = {steps}"));
            }
            let mut rows: Vec<_> = at.methods.iter().collect();
            let correlation = |row: &MethodReport| row.scores.as_ref().map_or(0.0, |scores| scores.median.correlation);
            rows.sort_by(|a, b| correlation(b.1).total_cmp(&correlation(a.1)));
            for (word, row) in rows {
                let scores = row.scores.as_ref().map(|scores| {
                    format!("  correlation {:6.3}  L1 {:.3}", scores.median.correlation, scores.median.l1)
                });
                let sanity = row.sanity.as_ref().map(|sanity| format!("  random weights {:6.3}", sanity.all));
                let rest = scores.unwrap_or_default() + &sanity.unwrap_or_default();
                lines.push(format!("{word:<22}{:8.2} s{rest}", row.seconds));
            }
        }
        lines
    }
}

/// What a reader of the maps should know.
fn notes(asked: &ExplanationRequest, is_spiking: bool, are_recordings: bool) -> Vec<&'static str> {
    let has = |method: Method| asked.methods.contains(&method);
    let mut notes = Vec::new();
    if are_recordings {
        notes.push(RECORDINGS);
    }
    if has(Method::Lrp) {
        notes.push("lrp: with epsilon near 0 (LRP-0) the map is that of input-x-gradient; the default is gamma");
    }
    if has(Method::DeepliftShap) && asked.baselines.is_none() {
        notes.push("deeplift-shap: with the one baseline zero it is deeplift; name several with --baseline FILE.npz");
    }
    if has(Method::Saliency) {
        notes.push("saliency: absolute values");
    }
    if is_spiking {
        let backward = [
            Method::Deeplift,
            Method::DeepliftShap,
            Method::GuidedBackprop,
            Method::Deconvolution,
            Method::GuidedGradCam,
            Method::Lrp,
        ];
        if backward.into_iter().any(has) {
            notes.push("methods with rules of their own read mean rates over T in place of activations");
        }
    }
    notes
}
