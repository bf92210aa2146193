//! Command `explain`: writes which pixels the network's answers stand on, by all methods.

pub mod arrays;
mod report;

use std::path::PathBuf;

use clap::Args;

use self::arrays::{baselines, masks, write_maps};
use self::report::{AtSteps, Report};
use super::prepared::{Prepared, prepare};
use super::run::StagingFolder;
use crate::attack::GradientRule;
use crate::attack::snn::{GradientChoice, Surrogate};
use crate::experiment::attacked::Attacked;
use crate::experiment::attacked::options::word;
use crate::experiment::explained::sanity::sanity;
use crate::experiment::explained::{ExplainSubject, ExplanationRequest, TargetChoice};
use crate::experiment::options::{RunArgs, settings_from_args, with_config};
use crate::experiment::preview::is_prefix;
use crate::explain::backward::lrp::LrpRule;
use crate::explain::{ExplainOptions, Method};
use crate::files::write_bytes;
use crate::{Error, Result};

/// Explain the answers of a network by attribution maps.
#[derive(Args, Clone, Debug)]
pub struct ExplainArgs {
    /// What `run` takes: network, data, and the recipe of the spiking network. Several T with --at 4,8,16
    #[command(flatten)]
    pub run: RunArgs,
    /// The network that is explained: ann | snn
    #[arg(long, value_name = "ann|snn", default_value = "ann")]
    pub on: String,
    /// Methods: all, or names separated by commas
    #[arg(long, value_name = "NAMES", default_value = "all")]
    pub methods: String,
    /// Output that is explained: answer | label | the number of a class
    #[arg(long, value_name = "WORD", default_value = "answer")]
    pub target: String,
    /// What stands for nothing: zero, or a file with an array `baselines` or `baseline` of one or several samples
    #[arg(long, value_name = "zero|FILE.npz", default_value = "zero")]
    pub baseline: String,
    /// Side of the patches that are one feature [default: 1 up to 256 pixels, else an eighth of the image]
    #[arg(long, value_name = "SIZE")]
    pub patches: Option<usize>,
    /// Side of occlusion's window [default: 3 up to 256 pixels, else two patches]
    #[arg(long, value_name = "SIZE")]
    pub window: Option<usize>,
    /// Step from window to window [default: 1 up to 256 pixels or with --window, else one patch]
    #[arg(long, value_name = "N")]
    pub stride: Option<usize>,
    /// Points of integrated-gradients, draws of gradient-shap, orders of shapley-sampling, rows of kernel-shap and lime
    /// [default: 50, 5, 25, 200, 200]
    #[arg(long, value_name = "N")]
    pub budget: Option<usize>,
    /// Rule of lrp: gamma:G | epsilon:E | alpha1-beta0
    #[arg(long, value_name = "RULE", default_value = "gamma:0.25")]
    pub lrp: String,
    /// Layer of guided-grad-cam and spike-count [default: the last convolution]
    #[arg(long, value_name = "NAME")]
    pub layer: Option<String>,
    /// Decides all random draws
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Gradient of the spiking network: rate | surrogate | straight-through | ann
    #[arg(long, value_name = "WORD", default_value = "rate")]
    pub gradient: String,
    /// Known masks, array `masks` or `mask`: scores the maps against them
    #[arg(long, value_name = "FILE.npz")]
    pub masks: Option<PathBuf>,
    /// Also measure how much of a map is left once weights are random, layer by layer from the output
    #[arg(long)]
    pub sanity: bool,
}

/// Runs the command.
///
/// # Errors
/// [`Error::Invalid`] for bad options, masks and baselines, those of the network and of writing; [`Error::Cancelled`] after
/// Ctrl-C, with the finished methods written.
pub fn run(args: ExplainArgs) -> Result<()> {
    let mut base = with_config(args.run.clone())?;
    if base.dump.is_some() {
        return Err(Error::Invalid("Cannot dump counts of an explanation. Omit --dump.".into()));
    }
    let on = word("on", &args.on, &[("ann", Attacked::Ann), ("snn", Attacked::Snn)])?;
    let at = base.at.take();
    let mut asked = request(&args)?;
    let mut settings = settings_from_args(&base)?;
    let steps = steps_of(at.as_deref(), on, settings.recipe.steps)?;
    settings.recipe.steps = steps.iter().copied().max().unwrap_or(1);
    settings.recipe.validate()?;
    let Prepared { out, progress, control, mut cache } = prepare(&mut settings, &base)?;
    let subject = ExplainSubject::load(&settings, on, &mut cache, &control)?;
    let after = |steps: usize| {
        let mut shorter = settings.clone();
        shorter.recipe.steps = steps;
        shorter
    };
    // One simulation answers for all of them.
    let shares = steps.iter().all(|&t| t == settings.recipe.steps || is_prefix(&after(t), &settings));
    let form = subject.form();
    asked.options.validate(form.height, form.width)?;
    if args.baseline.trim() != "zero" {
        asked.baselines = Some(baselines(args.baseline.as_ref(), &subject)?);
    }
    let masks = args.masks.as_ref().map(|path| masks(path, &subject)).transpose()?;
    if masks.is_some() {
        // Scores are read beside these.
        let missing = Method::BASELINES.into_iter().filter(|method| !asked.methods.contains(method));
        asked.methods.extend(missing.collect::<Vec<_>>());
    }
    let mut all: Vec<AtSteps> = Vec::new();
    let mut subject = if shares && steps.len() > 1 { subject.sharing(&steps) } else { subject };
    for &steps in &steps {
        if subject.steps().is_some_and(|known| known != steps) {
            settings.recipe.steps = steps;
            match shares {
                true => subject.set_steps(steps),
                false => subject = ExplainSubject::load(&settings, on, &mut cache, &control)?,
            }
        }
        let explanation = match subject.explain(&asked, &control, &mut |_| ()) {
            Ok(explanation) => explanation,
            // What was found at the steps before stays.
            Err(Error::Cancelled) if !all.is_empty() => break,
            Err(error) => return Err(error).inspect_err(|_| progress.clear()),
        };
        let sane = match args.sanity && !explanation.stopped {
            true => sanity(&settings, on, &asked, &explanation, &mut cache, &control).or_else(|error| match error {
                Error::Cancelled => Ok(Vec::new()),
                error => Err(error),
            }),
            false => Ok(Vec::new()),
        };
        all.push(AtSteps::new(&subject, explanation, masks.as_deref(), sane.inspect_err(|_| progress.clear())?));
        if control.is_cancelled() {
            break;
        }
    }
    progress.clear();
    let stopped = control.is_cancelled();
    let words = [args.target.trim(), args.baseline.trim()];
    let report = Report::new(&settings, on, &asked, words, form, stopped, all);
    let text = serde_json::to_string_pretty(&report).map_err(|e| Error::Internal(e.to_string()))?;
    let staging = StagingFolder::beside(&out)?;
    write_maps(&staging.path("maps.npz"), form, &report)?;
    write_bytes(&staging.path("scores.json"), text.as_bytes())?;
    staging.publish(&["maps.npz", "scores.json"])?;
    report.table().iter().for_each(|line| println!("{line}"));
    println!("wrote {}", out.display());
    if stopped { Err(Error::Cancelled) } else { Ok(()) }
}

/// What the options ask for, without baselines from a file.
fn request(args: &ExplainArgs) -> Result<ExplanationRequest> {
    let rule = match GradientChoice::parse(&args.gradient)? {
        GradientChoice::Surrogate => GradientRule::ThroughTime(Surrogate::Triangle),
        GradientChoice::Worst => {
            return Err(Error::Invalid(
                "Cannot explain by gradient worst: a map has one gradient. Use rate, surrogate, straight-through or ann."
                    .into(),
            ));
        }
        one => one.rules()[0],
    };
    let options = ExplainOptions {
        patches: args.patches,
        window: args.window,
        stride: args.stride,
        budget: args.budget,
        lrp: LrpRule::parse(&args.lrp)?,
        layer: args.layer.clone(),
        seed: args.seed,
        ..ExplainOptions::default()
    };
    let (methods, target) = (Method::parse_list(&args.methods)?, TargetChoice::parse(&args.target)?);
    Ok(ExplanationRequest { methods, target, rule, options, baselines: None })
}

/// The steps of `--at`, or T.
fn steps_of(at: Option<&str>, on: Attacked, steps: usize) -> Result<Vec<usize>> {
    let Some(text) = at else { return Ok(vec![steps]) };
    if on == Attacked::Ann {
        return Err(Error::Invalid(
            "Cannot explain the ANN at time-steps: it has none. Omit --at, or add --on snn.".into(),
        ));
    }
    let mut all = Vec::new();
    for part in text.split(',') {
        let steps = part.trim().parse::<usize>().ok().filter(|steps| *steps > 0);
        let steps = steps.ok_or_else(|| {
            Error::Invalid(format!("Cannot explain at '{}': not a number of time-steps. Use --at 4,8,16.", part.trim()))
        })?;
        if !all.contains(&steps) {
            all.push(steps);
        }
    }
    Ok(all)
}
