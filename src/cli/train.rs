//! Command `train`: trains a new network, or continues training one from a file.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::{interrupt, progress};
use crate::data::spec::DataSpec;
use crate::data::{Layout, Samples, Scaling};
use crate::experiment::load::{fit_samples, open_for, read_samples};
use crate::network::zoo::{self, ZooArchitecture};
use crate::network::{Activation, Network, Op, safetensors};
use crate::task::answer::answering_output;
use crate::train::{Optimizer, TrainOptions, TrainProgress, accuracy, train};
use crate::{Error, Result};

/// Train a network and save it as a Spikescope file (safetensors with the graph inside).
#[derive(Clone, Debug, clap::Args)]
pub struct TrainArgs {
    /// Architecture of a new network: mlp, cnn or resnet.
    #[arg(long, required_unless_present = "init", conflicts_with = "init")]
    pub arch: Option<String>,
    /// Go on training this network: a Spikescope .safetensors file, an .onnx file or builtin:NAME.
    #[arg(long, value_name = "MODEL")]
    pub init: Option<String>,
    /// relu, clip or qcfs:L (λ is learned). With --init: replaces the activations of that network.
    #[arg(long)]
    pub activation: Option<String>,
    /// Training samples, as in builtin:digits-train.
    #[arg(long, value_name = "DATA")]
    pub data: String,
    /// Samples to test the result on, as in builtin:digits.
    #[arg(long, value_name = "DATA")]
    pub test: Option<String>,
    /// Input scaling: 0..1, 0..255 or mean=M;std=S (one number, or one per channel). Default: that of --init, or 0..1.
    #[arg(long)]
    pub scale: Option<String>,
    /// Passes over the training samples.
    #[arg(long, default_value_t = 10)]
    pub epochs: usize,
    /// Samples per step.
    #[arg(long, default_value_t = 64)]
    pub batch: usize,
    /// adam or sgd (momentum 0.9).
    #[arg(long, default_value = "adam")]
    pub optimizer: String,
    /// Learning rate at the start, falling to 0 along half a cosine. Default: 0.002 for adam, 0.05 for sgd.
    #[arg(long)]
    pub lr: Option<f64>,
    /// L2 penalty on all parameters.
    #[arg(long, default_value_t = 0.0)]
    pub weight_decay: f32,
    /// Move each training image by up to this many pixels at random.
    #[arg(long, default_value_t = 0)]
    pub shift: u8,
    /// Decides first weights, held-out samples, order and shifts.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Where to save the network.
    #[arg(long, value_name = "FILE.safetensors")]
    pub out: PathBuf,
}

/// Runs the command. Progress goes to standard output, one line per epoch; Ctrl-C keeps the best weights so far.
///
/// # Errors
/// Those of reading the data, training (see [`train`]) and saving.
pub fn run(args: TrainArgs) -> Result<()> {
    let optimizer = Optimizer::parse(&args.optimizer)?;
    let options = TrainOptions {
        epochs: args.epochs,
        batch: args.batch,
        optimizer,
        learning_rate: args.lr.unwrap_or(optimizer.default_learning_rate()),
        weight_decay: args.weight_decay,
        shift: args.shift,
        seed: args.seed,
        ..TrainOptions::default()
    };
    check_folder(&args.out)?;
    let spec = DataSpec::parse(&args.data)?;
    let (mut network, samples) = match (&args.arch, &args.init) {
        (Some(arch), _) => {
            let samples = spec.load()?;
            let network = new_network(arch, &args, &spec, &samples)?;
            (network.clone(), fit_samples(samples, &spec, &network)?)
        }
        (None, Some(init)) => {
            let network = opened_network(init, &args, &spec)?;
            let samples = read_samples(&spec, &network)?;
            (network, samples)
        }
        (None, None) => {
            return Err(Error::Invalid(
                "Cannot train: no network named. Use --arch for a new network or --init to continue with one.".into(),
            ));
        }
    };
    let test = args.test.as_deref().map(|test| read_samples(&DataSpec::parse(test)?, &network)).transpose()?;
    samples.notes.iter().for_each(|note| println!("note: {}", note.text));
    if let Some(stem) = args.out.file_stem() {
        network.name = stem.to_string_lossy().into_owned();
    }
    let scaling = match &args.scale {
        Some(text) => Scaling::parse(text)?,
        None => network.scaling.clone().unwrap_or_default(),
    };
    println!(
        "{}: {} parameters, {} samples of {}",
        network.name,
        network.parameter_count(),
        samples.len(),
        samples.source
    );
    interrupt::listen()?;
    let started = Instant::now();
    let display = progress::Progress::new();
    let trained = train(&network, &samples, &scaling, &options, |at| {
        report(at, started, &display);
        if interrupt::interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    display.clear();
    let trained = trained?;
    let (word, seconds) = (if trained.stopped { "stopped" } else { "trained" }, started.elapsed().as_secs_f32());
    let validation_accuracy = 100.0 * trained.validation_accuracy;
    println!(
        "{word} after {seconds:.0} s; best weights: epoch {}, held-out accuracy {validation_accuracy:.2} %",
        trained.epoch
    );
    if let Some(test) = test {
        let test_accuracy = 100.0 * accuracy(&trained.network, &test, &scaling)?;
        println!("test accuracy {test_accuracy:.2} % on {} samples of {}", test.len(), test.source);
    }
    safetensors::save(&trained.network, &args.out)?;
    println!("saved {}", args.out.display());
    Ok(())
}

/// Checks that the output folder exists, before time is spent on training.
fn check_folder(out: &Path) -> Result<()> {
    match out.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) if !folder.is_dir() => {
            let (out, folder) = (out.display(), folder.display());
            Err(Error::Invalid(format!("Cannot write {out}: no folder {folder}. Create it first.")))
        }
        _ => Ok(()),
    }
}

/// A new network of architecture `arch` for `samples`.
fn new_network(arch: &str, args: &TrainArgs, spec: &DataSpec, samples: &Samples) -> Result<Network> {
    let last = samples.labels.iter().max().map_or(0, |&label| usize::from(label) + 1);
    let classes = samples.class_names.len().max(last);
    // Networks of this program have the channels first.
    let shape = match (samples.shape.as_slice(), spec.options.layout.unwrap_or(samples.channels())) {
        (&[h, w, c], Layout::ChannelsLast) => vec![c, h, w],
        (&[h, w], _) => vec![1, h, w],
        (shape, _) => shape.to_vec(),
    };
    let activation = args.activation.as_deref().map_or(Ok(Activation::Relu), zoo::parse_activation)?;
    ZooArchitecture::parse(arch)?.build(&shape, classes, activation, args.seed)
}

/// The network in the file `init` for samples of `spec`, with the activation of `args` if it has one.
fn opened_network(init: &str, args: &TrainArgs, spec: &DataSpec) -> Result<Network> {
    let activation = args.activation.as_deref().map(zoo::parse_activation).transpose()?;
    let mut network = open_for(init, spec)?;
    // Training needs class scores: of several outputs those that would answer in a run.
    if let Some(answers) = answering_output(&network, None)? {
        network = network.with_output(answers);
    }
    for node in &mut network.nodes {
        if let (Op::Activation(old), Some(new)) = (&mut node.op, activation) {
            *old = new;
        }
    }
    Ok(network)
}

/// Prints one line per epoch; between epochs, on a terminal, one updated line.
fn report(at: TrainProgress, started: Instant, display: &progress::Progress) {
    let numbers =
        format!("epoch {:>3}/{}  loss {:.4}  accuracy {:6.2} %", at.epoch, at.epochs, at.loss, 100.0 * at.accuracy);
    match at.validation_accuracy {
        Some(validation_accuracy) => {
            display.clear();
            println!(
                "{numbers}  held out {:6.2} %  {:.0} s",
                100.0 * validation_accuracy,
                started.elapsed().as_secs_f32()
            );
        }
        None if at.batch.is_multiple_of(10) || at.batch == at.batches => {
            display.show(format!("{numbers}  batch {}/{}", at.batch, at.batches));
        }
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct TestCommand {
        #[command(flatten)]
        args: TrainArgs,
    }

    fn parse(words: &str) -> Option<TrainArgs> {
        TestCommand::try_parse_from(std::iter::once("train").chain(words.split_whitespace()))
            .ok()
            .map(|command| command.args)
    }

    #[test]
    fn arch_and_init_exclude_each_other() {
        let rest = "--data builtin:digits-train --out x.safetensors";
        assert!(parse(rest).is_none());
        assert!(parse(&format!("--arch cnn --init y.safetensors {rest}")).is_none());
        let args = parse(&format!("--arch resnet --activation qcfs:8 --lr 0.01 {rest}")).unwrap();
        assert_eq!((args.arch.as_deref(), args.lr, args.epochs), (Some("resnet"), Some(0.01), 10));
        assert!(parse(&format!("--init y.safetensors {rest}")).is_some());
    }

    #[test]
    fn invalid_options_are_refused_before_any_data_is_read() {
        let refused = |words: &str| run(parse(words).unwrap()).expect_err("ran").to_string();
        assert!(refused("--arch cnn --data builtin:digits --out x --optimizer adagrad").contains("adagrad"));
        assert!(refused("--arch cnn --data builtin:digits --out no/such/folder/x").contains("no folder"));
    }
}
