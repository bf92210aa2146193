//! Options of a run: command line, TOML configuration file, and their conversion to settings.

mod layer_thresholds;
mod omitted;
mod sample_range;
mod values;

use std::path::PathBuf;

use clap::Args;
pub use layer_thresholds::edits;
pub use omitted::{check_theta, fit_default_ranges, use_stated_scaling};
pub use sample_range::{parse_range, range_text};
use serde::{Deserialize, Serialize};

use self::values::{one_of, parse_dt, parse_shape, parse_steps, with_architecture};
use crate::compute::Backend;
use crate::convert::{
    Correction, Granularity, InitialPotential, MaxPoolRule, NamedRecipe, NeuronModel, Readout, Reset, ThresholdRule,
    TieRule,
};
use crate::data::Scaling;
use crate::experiment::Settings;
use crate::{Error, Result};

/// Everything a run takes, from the command line or a TOML file with the same names.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct RunArgs {
    /// A TOML file with options of `run` by their names; options given here win
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    pub config: Option<PathBuf>,
    /// A network.
    #[arg(long, help = with_default("Network: an .onnx, .nir, .safetensors, .pt, .pth or .th file, or builtin:NAME", |s| s.model.clone()))]
    pub model: Option<String>,
    /// Architecture file of a network whose file has weights only; NAME.arch.toml next to it is used automatically
    #[arg(long, value_name = "FILE")]
    pub arch: Option<PathBuf>,
    /// Output that answers, of a network with several [default: the first with class scores]
    #[arg(long, value_name = "NAME")]
    pub output: Option<String>,
    /// Description of a detector's head [default: NAME.head.toml beside the network]
    #[arg(long, value_name = "FILE")]
    pub head: Option<String>,
    /// Shape of a sample, 3x224x224, for a network whose file leaves sizes open [default: that of the data]
    #[arg(long, value_name = "SHAPE")]
    pub input: Option<String>,
    /// Duration of a time step of a NIR file, in its unit of time [default: what the file says, else that of r = 1/dt, else 1]
    #[arg(long, value_name = "DT")]
    pub dt: Option<f64>,
    /// A data specification.
    #[arg(long, value_name = "SPEC", help = with_default(DATA, |s| s.data.clone()))]
    pub data: Option<String>,
    /// An input scaling.
    #[arg(long, help = with_default(SCALE, |s| s.scaling.to_string()))]
    pub scale: Option<String>,
    /// A range of samples.
    #[arg(long, value_name = "RANGE", help = with_default("Calibration samples, FIRST..END", |s| range_text(&s.calibrate)))]
    pub calibrate: Option<String>,
    /// Another data set for calibration [default: that of --data]
    #[arg(long, value_name = "SPEC")]
    pub calibrate_data: Option<String>,
    /// A range of samples.
    #[arg(long, value_name = "RANGE", help = with_default("Samples to run and measure, FIRST..END", |s| range_text(&s.samples)))]
    pub samples: Option<String>,
    /// A recipe file (TOML) instead of the defaults below; options given beside it win
    #[arg(long, value_name = "FILE")]
    pub recipe: Option<PathBuf>,
    /// A threshold rule.
    #[arg(long, value_name = "RULE", help = with_default(THRESHOLD, |s| s.recipe.threshold.to_string()))]
    pub threshold: Option<String>,
    /// Thresholds set by hand: LAYER=VALUE, several separated by commas; LAYER=rule resets one of a recipe file
    #[arg(long, value_name = "LAYER=VALUE")]
    #[serde(deserialize_with = "layer_thresholds::one_or_more")]
    pub theta: Vec<String>,
    /// layer or channel.
    #[arg(
        long,
        value_name = "layer|channel",
        help = with_default("One threshold per layer or per channel", |s| word(&s.recipe.granularity))
    )]
    pub granularity: Option<String>,
    /// A fraction of θ.
    #[arg(long, help = with_default("Initial potential as a fraction of the threshold, 0 to 1", |s| s.recipe.v_init.to_string()))]
    pub v_init: Option<f32>,
    /// ge or gt.
    #[arg(
        long,
        value_name = "ge|gt",
        help = with_default("Whether a potential exactly at the threshold fires", |s| word(&s.recipe.tie))
    )]
    pub tie: Option<String>,
    /// soft or hard.
    #[arg(
        long,
        value_name = "soft|hard",
        help = with_default("Reset of the potential by a spike: subtract θ (soft) or to zero (hard)", |s| word(&s.recipe.reset))
    )]
    pub reset: Option<String>,
    /// A spread of v(0).
    #[arg(
        long,
        value_name = "WORD",
        help = with_default("Distribution of v(0): constant | uniform | gaussian | calibrated", |s| word(&s.recipe.initial))
    )]
    pub initial: Option<String>,
    /// Decides a drawn v(0) (uniform, gaussian) [default: 0]
    #[arg(long, value_name = "N")]
    pub initial_seed: Option<u64>,
    /// A neuron model.
    #[arg(long, help = with_default("Neuron: if | lif:DECAY | signed | group:M | burst:G", |s| s.recipe.neuron.to_string()))]
    pub neuron: Option<String>,
    /// A correction of single neurons.
    #[arg(long, help = with_default(CORRECTION, |s| s.recipe.correction.to_string()))]
    pub correction: Option<String>,
    /// Add θ/(2N) to every neuron at every step (RTS) [default: nothing]
    #[arg(long, value_name = "N")]
    pub bias_shift: Option<usize>,
    /// Correct the biases on calibration samples: on | off [default: off]
    #[arg(long, value_name = "on|off")]
    pub bias_correction: Option<String>,
    /// Where max pools stand.
    #[arg(long, value_name = "WORD", help = with_default("Max pooling: pre-neuron | lateral", |s| word(&s.recipe.pooling)))]
    pub pooling: Option<String>,
    /// A readout.
    #[arg(
        long,
        help = with_default(
            "Readout of the logits: sum | delay:auto | delay:N | exit:CONFIDENCE",
            |s| s.recipe.readout.to_string()
        )
    )]
    pub readout: Option<String>,
    /// T.
    #[arg(long, value_name = "T", help = with_default("Time-steps T", |s| s.recipe.steps.to_string()))]
    pub steps: Option<usize>,
    /// Steps at which boxes are scored, of a race those in its table, separated by commas [default: the powers of two and T]
    #[arg(long, value_name = "STEPS")]
    pub at: Option<String>,
    /// A backend.
    #[arg(
        long,
        value_name = "flex|ndarray|wgpu",
        help = with_default("Burn backend that computes the dense layers", |s| word(&s.backend))
    )]
    pub backend: Option<String>,
    /// Folder for the results
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Also write counts.npz with the spike counts of every layer (run only): counts
    #[arg(long, value_name = "WHAT")]
    pub dump: Option<String>,
}

const DATA: &str = "Data: idx:IMAGES,LABELS | cifar10:FILE[,FILE] | cifar100:FILE[,FILE] | images:DIR | npz:FILE | \
                    npy:SAMPLES,LABELS | snntoolbox:DIR | masks:DIR | voc:DIR | yolo:DIR | coco:FILE.json[,IMAGES] | \
                    events:DIR[,frames=N][,us=N[,frames=N]][,polarity=split|sum|on|off][,sensor=WxH] | builtin:NAME; \
                    then options such as ,layout=nhwc";
const SCALE: &str =
    "Input scaling: 0..1 | 0..255 | /D | mean=M[,M,M];std=S[,S,S]; by default as stated in the network's file";
const THRESHOLD: &str = "Thresholds: percentile:P | max | learned (for clip and QCFS networks) | mse | \
                         balance:BATCHESxSIZE[,step=1][,clip-first][,cap]";
const CORRECTION: &str = "Correction of single neurons: none | srp:TAU[,theory] | cos:RHO[xPASSES][,published|,exact]";

/// A help text with the default of the option.
fn with_default(text: &str, default: impl Fn(&Settings) -> String) -> String {
    format!("{text} [default: {}]", default(&Settings::default()))
}

/// The command-line word of an enum value.
fn word(choice: &impl Serialize) -> String {
    serde_json::to_string(choice).unwrap_or_default().trim_matches('"').to_owned()
}

/// Fills the options that the command line omits from the configuration file.
///
/// # Errors
/// [`Error::Io`] or [`Error::File`] when the file cannot be read; [`Error::Invalid`] for a seed where v(0) is not drawn.
pub fn with_config(args: RunArgs) -> Result<RunArgs> {
    let args = merged_with_config(args)?;
    let draws = matches!(args.initial.as_deref().map(str::trim), Some("uniform" | "gaussian"));
    // A recipe file may say so itself.
    if args.initial_seed.is_some() && !draws && args.recipe.is_none() {
        return Err(Error::Invalid(
            "Cannot use --initial-seed: v(0) is not drawn. Add --initial uniform or gaussian, or leave it out.".into(),
        ));
    }
    Ok(args)
}

fn merged_with_config(args: RunArgs) -> Result<RunArgs> {
    let Some(path) = args.config.clone() else { return Ok(args) };
    let text = std::fs::read_to_string(&path).map_err(|e| Error::io(&path, e))?;
    let file: RunArgs = toml::from_str(&text).map_err(|e| Error::toml(&path, &text, &e))?;
    Ok(RunArgs {
        config: None,
        model: args.model.or(file.model),
        arch: args.arch.or(file.arch),
        output: args.output.or(file.output),
        head: args.head.or(file.head),
        input: args.input.or(file.input),
        dt: args.dt.or(file.dt),
        data: args.data.or(file.data),
        scale: args.scale.or(file.scale),
        calibrate: args.calibrate.or(file.calibrate),
        calibrate_data: args.calibrate_data.or(file.calibrate_data),
        samples: args.samples.or(file.samples),
        threshold: args.threshold.or(file.threshold),
        theta: if args.theta.is_empty() { file.theta } else { args.theta },
        granularity: args.granularity.or(file.granularity),
        v_init: args.v_init.or(file.v_init),
        tie: args.tie.or(file.tie),
        reset: args.reset.or(file.reset),
        recipe: args.recipe.or(file.recipe),
        initial: args.initial.or(file.initial),
        initial_seed: args.initial_seed.or(file.initial_seed),
        neuron: args.neuron.or(file.neuron),
        correction: args.correction.or(file.correction),
        bias_shift: args.bias_shift.or(file.bias_shift),
        bias_correction: args.bias_correction.or(file.bias_correction),
        pooling: args.pooling.or(file.pooling),
        readout: args.readout.or(file.readout),
        steps: args.steps.or(file.steps),
        at: args.at.or(file.at),
        backend: args.backend.or(file.backend),
        out: args.out.or(file.out),
        dump: args.dump.or(file.dump),
    })
}

/// The settings of the options; omitted ones have their defaults.
///
/// # Errors
/// [`Error::Invalid`] for an invalid option; the errors of reading the recipe file.
pub fn settings_from_args(args: &RunArgs) -> Result<Settings> {
    let mut settings = Settings::default();
    if let Some(path) = &args.recipe {
        settings.recipe = NamedRecipe::load(path)?.recipe;
    }
    let recipe = &mut settings.recipe;
    if let Some(text) = &args.threshold {
        recipe.threshold = ThresholdRule::parse(text)?;
    }
    layer_thresholds::apply(&args.theta, recipe)?;
    if let Some(text) = &args.granularity {
        recipe.granularity =
            one_of("granularity", text, &[("layer", Granularity::Layer), ("channel", Granularity::Channel)])?;
    }
    if let Some(text) = &args.tie {
        recipe.tie = one_of("tie", text, &[("ge", TieRule::Ge), ("gt", TieRule::Gt)])?;
    }
    if let Some(text) = &args.reset {
        recipe.reset = one_of("reset", text, &[("soft", Reset::Soft), ("hard", Reset::Hard)])?;
    }
    if let Some(text) = &args.initial {
        let words = [
            ("constant", InitialPotential::Constant),
            ("uniform", InitialPotential::Uniform),
            ("gaussian", InitialPotential::Gaussian),
            ("calibrated", InitialPotential::Calibrated),
        ];
        recipe.initial = one_of("initial", text, &words)?;
    }
    if let Some(text) = &args.neuron {
        recipe.neuron = NeuronModel::parse(text)?;
    }
    if let Some(text) = &args.correction {
        recipe.correction = Correction::parse(text)?;
    }
    if let Some(text) = &args.bias_correction {
        recipe.bias_correction = one_of("bias-correction", text, &[("on", true), ("off", false)])?;
    }
    if let Some(text) = &args.pooling {
        let words = [("pre-neuron", MaxPoolRule::PreNeuron), ("lateral", MaxPoolRule::Lateral)];
        recipe.pooling = one_of("pooling", text, &words)?;
    }
    if let Some(text) = &args.readout {
        recipe.readout = Readout::parse(text)?;
    }
    recipe.bias_shift = args.bias_shift.or(recipe.bias_shift);
    recipe.v_init = args.v_init.unwrap_or(recipe.v_init);
    recipe.seed = args.initial_seed.unwrap_or(recipe.seed);
    recipe.steps = args.steps.unwrap_or(recipe.steps);
    if let Some(text) = &args.at {
        settings.score_at = parse_steps(text, settings.recipe.steps)?;
    }
    if let Some(text) = &args.backend {
        settings.backend = one_of("backend", text, &Backend::ALL)?;
    }
    if let Some(text) = &args.samples {
        settings.samples = parse_range(text)?;
    }
    if let Some(text) = &args.calibrate {
        settings.calibrate = parse_range(text)?;
    }
    settings.model = args.model.clone().unwrap_or(settings.model);
    if let Some(arch) = &args.arch {
        settings.model = with_architecture(&settings.model, arch)?;
    }
    settings.output = args.output.clone();
    settings.head = args.head.clone();
    settings.input = args.input.as_deref().map(parse_shape).transpose()?;
    settings.dt = args.dt.map(parse_dt).transpose()?;
    settings.data = args.data.clone().unwrap_or(settings.data);
    // Some data sets have calibration samples of their own.
    let default_calibration =
        || crate::data::DataSpec::parse(&settings.data).ok()?.default_calibration().map(String::from);
    settings.calibration_data = args.calibrate_data.clone().or_else(default_calibration);
    if let Some(text) = &args.scale {
        settings.scaling = Scaling::parse(text)?;
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_needs_a_drawn_potential() {
        let with = |initial: Option<&str>, recipe: Option<&str>| {
            let args = RunArgs { initial_seed: Some(1), initial: initial.map(String::from), ..RunArgs::default() };
            with_config(RunArgs { recipe: recipe.map(PathBuf::from), ..args })
        };
        assert!(with(Some("uniform"), None).is_ok() && with(None, Some("drawn.toml")).is_ok());
        for initial in [None, Some("constant"), Some("calibrated")] {
            assert!(with(initial, None).unwrap_err().to_string().contains("--initial-seed"), "{initial:?}");
        }
    }
}
