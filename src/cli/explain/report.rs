//! Content of `scores.json`: what was explained, and how well the maps find known masks.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use crate::attack::ImageForm;
use crate::compute::Backend;
use crate::convert::{Finding, Recipe};
use crate::experiment::attacked::Attacked;
use crate::experiment::explained::sanity::Sanity;
use crate::experiment::explained::{AttributionOptions, ExplainSubject, Explanation, ExplanationRequest};
use crate::experiment::options::range_text;
use crate::experiment::settings::Settings;
use crate::explain::Method;
use crate::explain::backward::lrp::LrpRule;
use crate::explain::features::Features;
use crate::explain::method::RECORDINGS;
use crate::explain::scores::Scores;

/// ε of LRP up to which its map is that of input × gradient.
const NEAR_0: f32 = 1e-3;

/// Content of `scores.json`.
#[derive(Serialize)]
pub struct Report<'a> {
    version: &'static str,
    model: &'a str,
    data: &'a str,
    samples: String,
    calibrate_data: &'a str,
    calibrate: String,
    scale: String,
    backend: Backend,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    layer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    masks: Option<&'a Path>,
    seed: u64,
    /// What a reader of the maps should know; the first of them are told on the screen, too.
    notes: Vec<String>,
    #[serde(skip)]
    told: usize,
    /// What looks wrong about the network, the data and the recipe, as `check` finds it.
    findings: Vec<Finding>,
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
        (stated, asked): (&'a AttributionOptions, &ExplanationRequest),
        form: ImageForm,
        stopped: bool,
        (left_out, findings): (Vec<String>, Vec<Finding>),
        at: Vec<AtSteps>,
    ) -> Self {
        let is_spiking = on == Attacked::Snn;
        let told = told(asked, &form, at.iter().any(|at| at.frames.is_some()), left_out);
        let (window, stride) = asked.options.window_of(form.height, form.width);
        Self {
            version: env!("CARGO_PKG_VERSION"),
            model: &settings.model,
            data: &settings.data,
            samples: range_text(&settings.samples),
            calibrate_data: settings.calibration_data.as_ref().unwrap_or(&settings.data),
            calibrate: range_text(&settings.calibrate),
            scale: settings.scaling.to_string(),
            backend: settings.backend,
            on,
            recipe: is_spiking.then_some(&settings.recipe),
            gradient: is_spiking.then_some(asked.rule.as_str()),
            target: stated.target.trim(),
            baseline: stated.baseline.trim(),
            patches: asked.options.patch_side(form.height, form.width),
            window,
            stride,
            budget: asked.options.budget,
            lrp: asked.options.lrp.word(),
            layer: stated.layer.as_deref(),
            masks: stated.masks.as_deref(),
            seed: asked.options.seed,
            told: told.len(),
            notes: told.into_iter().chain(notes(asked, is_spiking).into_iter().map(String::from)).collect(),
            findings,
            stopped,
            only: match at.as_slice() {
                [one] => Some(one.clone()),
                _ => None,
            },
            at,
        }
    }

    /// The notes that matter before the maps are read.
    pub fn told(&self) -> impl Iterator<Item = &str> {
        self.notes[..self.told].iter().map(String::as_str)
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

/// Notes on what maps lack, `left_out` among them.
fn told(asked: &ExplanationRequest, form: &ImageForm, are_recordings: bool, left_out: Vec<String>) -> Vec<String> {
    let mut notes = left_out;
    if are_recordings {
        notes.push(RECORDINGS.into());
    }
    let features = Features::of_options(form, &asked.options).len();
    for method in [Method::KernelShap, Method::Lime] {
        let rows = asked.options.budget_of(method);
        if asked.methods.contains(&method) && rows < features {
            notes.push(format!(
                "{}: {rows} rows for {features} features leave its regression undecided; use --budget {features} or more, \
                 or larger --patches",
                method.word()
            ));
        }
    }
    notes
}

/// What a reader of the maps should know.
fn notes(asked: &ExplanationRequest, is_spiking: bool) -> Vec<&'static str> {
    let has = |method: Method| asked.methods.contains(&method);
    let mut notes = Vec::new();
    if has(Method::Lrp) && matches!(asked.options.lrp, LrpRule::Epsilon(epsilon) if epsilon <= NEAR_0) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Layout;

    #[test]
    fn notes_are_of_the_rules_and_numbers_that_are_asked_for() {
        let form = ImageForm::of(&[1, 16, 16], Layout::ChannelsFirst);
        let mut asked = ExplanationRequest::of(vec![Method::Lrp, Method::KernelShap, Method::Lime]);
        assert!(!notes(&asked, false).iter().any(|note| note.starts_with("lrp")), "gamma has no epsilon");
        asked.options.lrp = LrpRule::Epsilon(1e-9);
        assert!(notes(&asked, false).iter().any(|note| note.starts_with("lrp")));
        let undecided = told(&asked, &form, false, Vec::new());
        assert!(undecided.len() == 2 && undecided[0].contains("200 rows for 256 features"), "{undecided:?}");
        asked.options.budget = Some(256);
        assert!(told(&asked, &form, false, Vec::new()).is_empty());
    }
}
