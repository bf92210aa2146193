//! `spikescope run`: converts, simulates and measures without a window; writes `summary.json` and, if asked, the counts.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Deserialize;

use super::{parse_range, summary};
use crate::convert::{
    Correction, Granularity, InitialPotential, NamedRecipe, Neuron, Pooling, Readout, Reset, ThresholdRule, Tie,
};
use crate::data::{NpzData, Scaling, write_npz};
use crate::files::write_bytes;
use crate::lab::cache::Cache;
use crate::lab::compute::{compute, model};
use crate::lab::{Backend, Run, Settings};
use crate::simulate::Control;
use crate::simulate::control::Event;
use crate::{Error, Result};

/// Everything a run takes, from the command line or a TOML file with the same names.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct RunArgs {
    /// A TOML file with these options by name; options given here win
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    pub config: Option<PathBuf>,
    /// Network: an .onnx, .safetensors, .pt, .pth or .th file, or builtin:NAME
    #[arg(long)]
    pub model: Option<String>,
    /// What the network is, where its file holds weights alone; NAME.arch.toml beside it is taken without asking
    #[arg(long, value_name = "FILE")]
    pub arch: Option<PathBuf>,
    /// A data specification.
    #[arg(
        long,
        value_name = "SPEC",
        help = "Data: idx:IMAGES,LABELS | cifar10:FILE[,FILE] | images:DIR | npz:FILE | builtin:NAME"
    )]
    pub data: Option<String>,
    /// An input scaling.
    #[arg(
        long,
        help = "Input scaling: 0..1 | 0..255 | mean=M[,M,M];std=S[,S,S]; what the network's file states if left out"
    )]
    pub scale: Option<String>,
    /// Calibration samples, FIRST..END
    #[arg(long, value_name = "RANGE")]
    pub calibrate: Option<String>,
    /// Another data set for calibration
    #[arg(long, value_name = "SPEC")]
    pub calibrate_data: Option<String>,
    /// Samples to run and measure, FIRST..END
    #[arg(long, value_name = "RANGE")]
    pub samples: Option<String>,
    /// A recipe file (TOML); options given beside it win
    #[arg(long, value_name = "FILE")]
    pub recipe: Option<PathBuf>,
    /// A threshold rule.
    #[arg(
        long,
        value_name = "RULE",
        help = "Thresholds: percentile:P | max | learned | mse | balance:BATCHESxSIZE[,step=1][,clip-first][,cap]"
    )]
    pub threshold: Option<String>,
    /// One threshold per layer or per channel
    #[arg(long, value_name = "layer|channel")]
    pub granularity: Option<String>,
    /// Initial potential as a fraction of the threshold, 0 to 1
    #[arg(long)]
    pub v_init: Option<f32>,
    /// Whether a potential exactly at the threshold fires: ge | gt
    #[arg(long, value_name = "ge|gt")]
    pub tie: Option<String>,
    /// What a spike does to the potential: soft | hard
    #[arg(long, value_name = "soft|hard")]
    pub reset: Option<String>,
    /// How v(0) is spread over the neurons: constant | uniform | gaussian | calibrated
    #[arg(long, value_name = "WORD")]
    pub initial: Option<String>,
    /// Neuron: if | signed | group:M | burst:G
    #[arg(long)]
    pub neuron: Option<String>,
    /// A correction of single neurons.
    #[arg(long, help = "Correction of single neurons: none | srp:TAU[,theory] | cos:RHO[xPASSES][,published|,exact]")]
    pub correction: Option<String>,
    /// Add θ/(2N) to every neuron at every step (RTS)
    #[arg(long, value_name = "N")]
    pub bias_shift: Option<usize>,
    /// Correct the biases on calibration samples: on | off
    #[arg(long, value_name = "on|off")]
    pub bias_correction: Option<String>,
    /// Max pooling: pre-neuron | lateral
    #[arg(long, value_name = "WORD")]
    pub pooling: Option<String>,
    /// What the answer is read from: sum | delay:auto | delay:N | exit:CONFIDENCE
    #[arg(long)]
    pub readout: Option<String>,
    /// Time-steps T
    #[arg(long, value_name = "T")]
    pub steps: Option<usize>,
    /// Burn backend of the dense layers: flex | ndarray
    #[arg(long, value_name = "flex|ndarray")]
    pub backend: Option<String>,
    /// Folder for the results
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Also write counts.npz with the spike counts of every layer: counts
    #[arg(long, value_name = "WHAT")]
    pub dump: Option<String>,
}

/// Runs the command.
pub fn run(args: RunArgs) -> Result<()> {
    let args = with_config(args)?;
    let mut settings = settings_of(&args)?;
    let out =
        args.out.clone().ok_or_else(|| Error::Invalid("--out DIR is missing: where should the results go?".into()))?;
    let dump = match args.dump.as_deref() {
        None => false,
        Some("counts") => true,
        Some(other) => return Err(Error::Invalid(format!("dump '{other}' is not known; use counts"))),
    };
    let mut cache = Cache::default();
    take_scaling(&mut settings, &args, &mut cache)?;
    let run = compute(&settings, &mut cache, &progress())?;
    write_results(&run, &out, dump)?;
    println!("{}", summary::sentence(&run));
    run.model.notes.iter().for_each(|note| println!("note: {}: {}", note.layer, note.text));
    println!("written to {}", out.display());
    Ok(())
}

/// Progress in one line of a terminal. A log file gets results and errors only.
pub(super) fn progress() -> Control {
    if !std::io::stderr().is_terminal() {
        return Control::default();
    }
    Control::listening(|event| {
        if let Event::Progress { stage, fraction } = event {
            eprint!("\r{:<60}\r{stage} {:3.0} %", "", fraction * 100.0);
        }
    })
}

/// Fills what the command line leaves open from the config file.
pub(super) fn with_config(args: RunArgs) -> Result<RunArgs> {
    let Some(path) = args.config.clone() else { return Ok(args) };
    let text = std::fs::read_to_string(&path).map_err(|e| Error::io(&path, e))?;
    let file: RunArgs = toml::from_str(&text).map_err(|e| {
        let line = e.span().map_or(1, |span| text[..span.start.min(text.len())].lines().count().max(1));
        Error::file(&path, format!("line {line}"), e.message())
    })?;
    Ok(RunArgs {
        config: None,
        model: args.model.or(file.model),
        arch: args.arch.or(file.arch),
        data: args.data.or(file.data),
        scale: args.scale.or(file.scale),
        calibrate: args.calibrate.or(file.calibrate),
        calibrate_data: args.calibrate_data.or(file.calibrate_data),
        samples: args.samples.or(file.samples),
        threshold: args.threshold.or(file.threshold),
        granularity: args.granularity.or(file.granularity),
        v_init: args.v_init.or(file.v_init),
        tie: args.tie.or(file.tie),
        reset: args.reset.or(file.reset),
        recipe: args.recipe.or(file.recipe),
        initial: args.initial.or(file.initial),
        neuron: args.neuron.or(file.neuron),
        correction: args.correction.or(file.correction),
        bias_shift: args.bias_shift.or(file.bias_shift),
        bias_correction: args.bias_correction.or(file.bias_correction),
        pooling: args.pooling.or(file.pooling),
        readout: args.readout.or(file.readout),
        steps: args.steps.or(file.steps),
        backend: args.backend.or(file.backend),
        out: args.out.or(file.out),
        dump: args.dump.or(file.dump),
    })
}

/// The settings that the options ask for; what is not named has its default.
pub fn settings_of(args: &RunArgs) -> Result<Settings> {
    let mut settings = Settings::default();
    if let Some(path) = &args.recipe {
        settings.recipe = NamedRecipe::load(path)?.recipe;
    }
    let recipe = &mut settings.recipe;
    if let Some(text) = &args.threshold {
        recipe.threshold = ThresholdRule::parse(text)?;
    }
    if let Some(text) = &args.granularity {
        recipe.granularity =
            one_of("granularity", text, &[("layer", Granularity::Layer), ("channel", Granularity::Channel)])?;
    }
    if let Some(text) = &args.tie {
        recipe.tie = one_of("tie", text, &[("ge", Tie::Ge), ("gt", Tie::Gt)])?;
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
        recipe.neuron = Neuron::parse(text)?;
    }
    if let Some(text) = &args.correction {
        recipe.correction = Correction::parse(text)?;
    }
    if let Some(text) = &args.bias_correction {
        recipe.bias_correction = one_of("bias-correction", text, &[("on", true), ("off", false)])?;
    }
    if let Some(text) = &args.pooling {
        let words = [("pre-neuron", Pooling::PreNeuron), ("lateral", Pooling::Lateral)];
        recipe.pooling = one_of("pooling", text, &words)?;
    }
    if let Some(text) = &args.readout {
        recipe.readout = Readout::parse(text)?;
    }
    recipe.bias_shift = args.bias_shift.or(recipe.bias_shift);
    recipe.v_init = args.v_init.unwrap_or(recipe.v_init);
    recipe.steps = args.steps.unwrap_or(recipe.steps);
    if let Some(text) = &args.backend {
        settings.backend = one_of("backend", text, &[("flex", Backend::Flex), ("ndarray", Backend::Ndarray)])?;
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
    settings.data = args.data.clone().unwrap_or(settings.data);
    settings.calibration_data = args.calibrate_data.clone();
    if let Some(text) = &args.scale {
        settings.scaling = Scaling::parse(text)?;
    }
    Ok(settings)
}

/// Without `--scale`, takes the input scaling that the network's file or its architecture file states, if any.
pub(super) fn take_scaling(settings: &mut Settings, args: &RunArgs, cache: &mut Cache) -> Result<()> {
    if args.scale.is_none() {
        let model = model(&settings.model, settings.backend, settings.recipe.pooling, cache)?;
        settings.scaling = model.original.scaling.clone().unwrap_or(settings.scaling.clone());
    }
    Ok(())
}

/// The name under which the weights `model` are opened with the architecture file `arch`.
fn with_architecture(model: &str, arch: &Path) -> Result<String> {
    let known = arch.extension().is_some_and(|ending| ending == "toml");
    if !known || !arch.is_file() {
        return Err(Error::file(arch, "--arch", "is no file ending in .toml; see docs/architecture-files.md"));
    }
    Ok(format!("{model}@{}", arch.display()))
}

/// The value of the word `text` among `words`.
fn one_of<T: Copy>(option: &str, text: &str, words: &[(&str, T)]) -> Result<T> {
    words.iter().find(|(word, _)| *word == text.trim()).map(|(_, value)| *value).ok_or_else(|| {
        let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        Error::Invalid(format!("{option} '{text}' is not known; use {}", known.join(" or ")))
    })
}

/// Writes `summary.json` and, if asked, `counts.npz`.
fn write_results(run: &Run, out: &Path, dump: bool) -> Result<()> {
    let text = serde_json::to_string_pretty(&summary::summary(run)).map_err(|e| Error::Internal(e.to_string()))?;
    let stage = Stage::beside(out)?;
    // Counts first: a summary is the sign that a result is whole.
    if dump {
        write_counts(run, &stage.path("counts.npz"))?;
    }
    write_bytes(&stage.path("summary.json"), text.as_bytes())?;
    stage.publish(&["counts.npz", "summary.json"])
}

/// Writes files into the folder `out` so that it holds all of them or none.
pub(super) fn write_folder(out: &Path, files: &[(&str, &[u8])]) -> Result<()> {
    let stage = Stage::beside(out)?;
    for (name, bytes) in files {
        write_bytes(&stage.path(name), bytes)?;
    }
    let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
    stage.publish(&names)
}

/// A folder beside the one for the results, where they are written until they are whole.
struct Stage<'a> {
    out: &'a Path,
    folder: tempfile::TempDir,
}

impl<'a> Stage<'a> {
    fn beside(out: &'a Path) -> Result<Self> {
        if out.exists() && !out.is_dir() {
            return Err(Error::file(out, "--out", "this is a file; name a folder"));
        }
        let parent = out.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(parent).map_err(|e| Error::io(parent, e))?;
        let folder =
            tempfile::Builder::new().prefix(".spikescope-").tempdir_in(parent).map_err(|e| Error::io(parent, e))?;
        Ok(Self { out, folder })
    }
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
    /// Moves those of `names` that were written to their place, in order.
    fn publish(self, names: &[&str]) -> Result<()> {
        std::fs::create_dir_all(self.out).map_err(|e| Error::io(self.out, e))?;
        for name in names {
            let from = self.path(name);
            if from.exists() {
                std::fs::rename(&from, self.out.join(name)).map_err(|e| Error::io(self.out, e))?;
            }
        }
        Ok(())
    }
}

/// `layer0`, `layer1`, …: spike counts `[N, …shape]`.
fn write_counts(run: &Run, path: &Path) -> Result<()> {
    let layers = run.spiking.layers.iter().zip(&run.recording.layers).enumerate();
    let counts: Vec<(String, Vec<usize>, Vec<i16>)> = layers
        .map(|(index, (layer, record))| {
            let counts = record.spikes.counts(run.recording.steps).into_iter().map(|n| n as i16).collect();
            let shape = std::iter::once(run.recording.samples).chain(layer.shape.iter().copied()).collect();
            (format!("layer{index}"), shape, counts)
        })
        .collect();
    let arrays: Vec<(&str, &[usize], NpzData<'_>)> =
        counts.iter().map(|(name, shape, counts)| (name.as_str(), shape.as_slice(), NpzData::I16(counts))).collect();
    write_npz(path, &arrays)
}
