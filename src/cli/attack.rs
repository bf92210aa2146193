//! Command `attack`: moves images within a ball and writes how the network's answers hold.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use serde::Serialize;

use super::prepared::{Prepared, prepare, tell_findings};
use super::run::StagingFolder;
use crate::attack::vulnerability::LINEAR;
use crate::attack::{AttackKind, GradientChoice, Norm, Outcome, Vulnerability};
use crate::compute::Backend;
use crate::convert::{Finding, Recipe};
use crate::data::npz::find_array;
use crate::data::write_npz_with;
use crate::error::format_shape;
use crate::experiment::attacked::{AttackOptions, AttackRequest, AttackSubject, Attacked, RuleResult, takes_a_rule};
use crate::experiment::diagnose::findings_of_use;
use crate::experiment::options::{RunArgs, range_text, settings_from_args, with_config};
use crate::files::write_bytes;
use crate::{Error, Result};

/// Attack a network by noise or by adversarial images.
#[derive(Args, Clone, Debug)]
pub struct AttackArgs {
    /// What `run` takes: network, data, and the recipe of the spiking network
    #[command(flatten)]
    pub run: RunArgs,
    #[command(flatten)]
    pub options: AttackOptions,
    /// Starting images: array `start`, `[N,C,H,W]` in pixel units, for fgsm, rfgsm, pgd and apgd
    #[arg(long, value_name = "FILE.npz")]
    pub start: Option<PathBuf>,
}

/// Content of `attack.json`.
#[derive(Debug, Serialize)]
struct Report<'a> {
    version: &'static str,
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<&'a [usize]>,
    /// Duration of a time step; only for NIR files.
    #[serde(skip_serializing_if = "Option::is_none")]
    dt: Option<f64>,
    data: &'a str,
    /// The samples that were attacked: fewer than asked for after Ctrl-C.
    samples: String,
    calibrate_data: &'a str,
    calibrate: String,
    scale: String,
    backend: Backend,
    recipe: &'a Recipe,
    on: Attacked,
    #[serde(flatten)]
    attack: Numbers<'a>,
    /// Whether Ctrl-C ended it before all samples or rules were done.
    stopped: bool,
    clean_accuracy: f64,
    /// Share of samples right before and after.
    robust_accuracy: f64,
    /// The same under a random perturbation of equal size: the changes at other pixels, with random signs.
    random_accuracy: f64,
    /// Samples that were right before and are wrong after: how many, and which of the data set.
    fooled: usize,
    fooled_samples: Vec<usize>,
    /// Of event recordings, whether all counts are whole numbers after the attack.
    #[serde(skip_serializing_if = "Option::is_none")]
    whole_counts: Option<bool>,
    mean_linf: f64,
    mean_l2: f64,
    /// Most times that the network was evaluated for one sample; the mean and the sum over all.
    queries: u32,
    mean_queries: f64,
    total_queries: u64,
    /// Robust accuracy by each gradient rule alone; `robust_accuracy` is that under all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rules: Vec<RuleResult>,
    /// The gradient of the two-class probability and the gap between chance and malice, on the first 64 samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    vulnerability: Option<Vulnerability>,
    /// What looks wrong about the network, the data and the recipe, as `check` finds it.
    findings: &'a [Finding],
    seconds: Seconds,
}

/// Duration of loading (with calibration and conversion) and of the attack, with all answers.
#[derive(Clone, Copy, Debug, Serialize)]
struct Seconds {
    load: f64,
    attack: f64,
}

/// The options of the attack, in the words of the command line.
#[derive(Debug, Serialize)]
struct Numbers<'a> {
    attack: AttackKind,
    norm: Norm,
    eps: f32,
    alpha: f32,
    attack_steps: usize,
    restarts: usize,
    #[serde(rename = "max_queries")]
    queries: usize,
    seed: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    gradient: Option<GradientChoice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<&'a PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<u16>,
}

/// Runs the command.
///
/// # Errors
/// [`Error::Invalid`] for bad options, those of the attack and of writing; [`Error::Cancelled`] after Ctrl-C, with the
/// finished samples written.
pub fn run(args: AttackArgs) -> Result<()> {
    let base = with_config(args.run.clone())?;
    if base.dump.is_some() {
        return Err(Error::Invalid("Cannot dump counts of an attack. Omit --dump.".into()));
    }
    if base.at.is_some() {
        return Err(Error::Invalid(
            "Cannot attack at several time-steps: the answers are those after --steps. Omit --at.".into(),
        ));
    }
    let request = args.options.request()?;
    let unread = args.options.unread(&request);
    if !unread.is_empty() {
        eprintln!("note: {} does not read {}", request.attack.kind.as_str(), unread.join(", "));
    }
    let AttackRequest { on, attack: options, gradient: choice, target } = &request;
    let (on, choice) = (*on, *choice);
    let mut settings = settings_from_args(&base)?;
    settings.recipe.validate()?;
    let begun = Instant::now();
    let Prepared { out, progress, control, mut cache } = prepare(&mut settings, &base)?;
    let subject = AttackSubject::load(&settings, on, &mut cache, &control)?;
    request.check(&subject)?;
    let start = args.start.as_ref().map(|path| start_images(path, &subject)).transpose()?;
    let findings = findings_of_use(&settings, on, &mut cache, &control)?;
    let load = begun.elapsed().as_secs_f64();
    let result = request.carry_out(&subject, start.as_deref(), &control);
    let (outcome, rules) = result.inspect_err(|_| progress.clear())?;
    let seconds = Seconds { load, attack: begun.elapsed().as_secs_f64() - load };
    // Of what was stopped, only the answers.
    let measured = options.kind.needs_gradient() && !control.is_cancelled();
    let rule = choice.rules()[0];
    // The bounds are those of the ℓ∞ ball; an ℓ₂ ball counts as one of the same mean square.
    let eps = match options.norm {
        Norm::Linf => options.eps,
        Norm::L2 => options.eps / (subject.pixels.len().max(1) as f32).sqrt(),
    };
    let vulnerability =
        measured.then(|| subject.vulnerability(rule, eps.min(LINEAR), options.seed, &control)).transpose()?;
    progress.clear();
    tell_findings(&findings);
    let count = outcome.samples.len();
    let stopped = control.is_cancelled();
    let first = settings.samples.start;
    let report = Report {
        version: env!("CARGO_PKG_VERSION"),
        model: &settings.model,
        output: subject.model.answers.and_then(|output| subject.model.outputs.get(output)).map(String::as_str),
        input: subject.model.stated_input.as_deref(),
        dt: subject.model.time_step.map(|step| step.dt),
        data: &settings.data,
        samples: range_text(&(first..first + count)),
        calibrate_data: settings.calibration_data.as_ref().unwrap_or(&settings.data),
        calibrate: range_text(&settings.calibrate),
        scale: settings.scaling.to_string(),
        backend: settings.backend,
        recipe: &settings.recipe,
        on,
        attack: Numbers {
            attack: options.kind,
            norm: options.norm,
            eps: options.eps,
            alpha: options.alpha,
            attack_steps: options.steps,
            restarts: options.restarts,
            queries: options.queries,
            seed: options.seed,
            gradient: takes_a_rule(options.kind, on).then_some(choice),
            start: args.start.as_ref(),
            target: *target,
        },
        stopped,
        clean_accuracy: outcome.clean_accuracy(),
        robust_accuracy: outcome.robust_accuracy(),
        random_accuracy: outcome.random_accuracy(),
        fooled: outcome.fooled().len(),
        fooled_samples: outcome.fooled().into_iter().map(|k| first + k).collect(),
        whole_counts: subject.pixels.has_counts().then(|| outcome.adversarial.iter().all(|v| v.fract() == 0.0)),
        mean_linf: outcome.mean(|sample| f64::from(sample.linf)),
        mean_l2: outcome.mean(|sample| f64::from(sample.l2)),
        queries: outcome.samples.iter().map(|sample| sample.queries).max().unwrap_or(0),
        mean_queries: outcome.mean(|sample| f64::from(sample.queries)),
        total_queries: outcome.samples.iter().map(|sample| u64::from(sample.queries)).sum(),
        rules,
        vulnerability,
        findings: &findings,
        seconds,
    };
    let text = serde_json::to_string_pretty(&report).map_err(|e| Error::Internal(e.to_string()))?;
    let staging = StagingFolder::beside(&out)?;
    write_images(&staging.path("adversarial.npz"), &subject, &outcome)?;
    write_bytes(&staging.path("attack.json"), text.as_bytes())?;
    staging.publish(&["adversarial.npz", "attack.json"])?;
    println!("{}", sentence(&report, count));
    println!("wrote {}", out.display());
    if stopped { Err(Error::Cancelled) } else { Ok(()) }
}

/// The array `start` of the file at `path`, checked against the samples.
fn start_images(path: &Path, subject: &AttackSubject) -> Result<Vec<f32>> {
    let wrong = |reason: String| Error::file(path, "start.npy", reason);
    let Some((shape, values)) = find_array(path, &["start"])? else {
        return Err(Error::file(path, "archive", "contains no array 'start'"));
    };
    let one = subject.pixels.len();
    let samples = shape.first().copied().unwrap_or(0);
    if samples * one != values.len() || samples == 0 {
        return Err(wrong(format!(
            "has shape {}; starting images are {} each",
            format_shape(&shape),
            format_shape(&subject.pixels.shape())
        )));
    }
    match values.iter().position(|v| !(0.0..=subject.pixels.form().limit()).contains(v)) {
        Some(at) => Err(wrong(format!(
            "image {} has a pixel of {}; it must be from 0 to {}",
            at / one,
            values[at],
            subject.pixels.form().limit()
        ))),
        None => Ok(values),
    }
}

/// Writes `x`, `adversarial` `[N, …shape]`, `label`, `answer_before` and `answer_after` `[N]`.
fn write_images(path: &Path, subject: &AttackSubject, outcome: &Outcome) -> Result<()> {
    let count = outcome.samples.len();
    let shape: Vec<usize> = std::iter::once(count).chain(subject.pixels.shape()).collect();
    let column = |of: &dyn Fn(&crate::attack::outcome::SampleOutcome) -> usize| {
        outcome.samples.iter().map(|sample| of(sample) as i64).collect::<Vec<i64>>()
    };
    write_npz_with(path, |npz| {
        npz.array("x", &shape, &subject.images[..outcome.adversarial.len()])?;
        npz.array("adversarial", &shape, &outcome.adversarial)?;
        npz.array("label", &[count], &column(&|sample| usize::from(sample.label)))?;
        npz.array("answer_before", &[count], &column(&|sample| sample.before))?;
        npz.array("answer_after", &[count], &column(&|sample| sample.after))
    })
}

/// The result in one line.
fn sentence(report: &Report<'_>, count: usize) -> String {
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let network = if report.on == Attacked::Ann { "ANN" } else { "SNN" };
    let counts = match report.whole_counts {
        Some(true) => "; counts are whole numbers",
        Some(false) => "; counts are no longer whole numbers",
        None => "",
    };
    format!(
        "{network} under {} ({}, ε = {:.4}): accuracy {} (clean {}; random perturbation of equal size {}) on {count} samples{counts}",
        report.attack.attack.as_str(),
        if report.attack.norm == Norm::Linf { "linf" } else { "l2" },
        report.attack.eps,
        percent(report.robust_accuracy),
        percent(report.clean_accuracy),
        percent(report.random_accuracy),
    )
}
