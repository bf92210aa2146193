//! Command `train`: trains a new network, or continues training one from a file, for classes, masks or boxes.

mod curve;
mod goal;
mod method;
mod scores;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use self::curve::Curves;
use self::goal::Goal;
use self::method::MethodArgs;
use super::{interrupt, progress};
use crate::data::spec::DataSpec;
use crate::data::{Samples, Scaling};
use crate::experiment::load::{channels_first, fit_samples, open_for, read_samples};
use crate::files::TEMP_PREFIX;
use crate::network::zoo::{self, ZooArchitecture};
use crate::network::{Activation, Network, Op, safetensors};
use crate::task::answer::answering_output;
use crate::train::{Augmentation, Flips, Optimizer, TrainOptions, TrainProgress, score, train};
use crate::{Error, Result};

/// Train a network and save it as a Spikescope file (safetensors with the graph inside).
#[derive(Clone, Debug, clap::Args)]
pub struct TrainArgs {
    /// What the network learns: classify (labels), segment (masks) or detect (boxes).
    #[arg(long, default_value = "classify")]
    pub task: String,
    /// Architecture of a new network: mlp, cnn or resnet; fcn for masks, fcos for boxes. Default for these: the one.
    #[arg(long, required_unless_present_any = ["init", "task"], conflicts_with = "init")]
    pub arch: Option<String>,
    /// Go on training this network: a Spikescope .safetensors file, an .onnx file or builtin:NAME.
    #[arg(long, value_name = "MODEL")]
    pub init: Option<String>,
    /// Duration of a time step of a NIR file of --init, in its unit of time.
    #[arg(long, value_name = "DT", requires = "init")]
    pub dt: Option<f64>,
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
    /// Samples per step. Default: 64, or 16 for masks and boxes.
    #[arg(long)]
    pub batch: Option<usize>,
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
    /// Flip each training picture at random: none, horizontal or both. Masks and boxes follow. Default: none, or horizontal
    /// for masks and boxes.
    #[arg(long)]
    pub flip: Option<String>,
    /// Smallest side of a random crop of each training picture, as a part of its side; 1 crops nothing.
    #[arg(long, value_name = "PART", default_value_t = 1.0)]
    pub crop: f32,
    /// Weight of each class of the masks in the loss, as in 1,2.5,2.5. Default: equal.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub class_weights: Vec<f32>,
    /// Decides first weights, held-out samples, order and random changes.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Where to save the network. NAME.checkpoint beside NAME.safetensors keeps a training that ends early.
    #[arg(long, value_name = "FILE.safetensors")]
    pub out: PathBuf,
    #[command(flatten)]
    pub method: MethodArgs,
}

/// Runs the command. Progress goes to standard output, one line per epoch; Ctrl-C keeps the best weights so far.
///
/// # Errors
/// Those of reading the data, training (see [`train`]) and saving.
pub fn run(args: TrainArgs) -> Result<()> {
    let goal = Goal::parse(&args.task)?;
    if !args.class_weights.is_empty() && goal != Goal::Segment {
        return Err(Error::Invalid("Cannot use --class-weights: they are for masks. Use --task segment.".into()));
    }
    let optimizer = Optimizer::parse(&args.optimizer)?;
    let options = TrainOptions {
        epochs: args.epochs,
        batch: args.batch.unwrap_or(goal.default_batch()),
        optimizer,
        learning_rate: args.lr.unwrap_or(optimizer.default_learning_rate()),
        weight_decay: args.weight_decay,
        augmentation: Augmentation {
            shift: args.shift,
            flips: args.flip.as_deref().map_or(Ok(goal.default_flips()), Flips::parse)?,
            crop: args.crop,
        },
        seed: args.seed,
        ..TrainOptions::default()
    };
    let options = TrainOptions { measure_gradient: goal == Goal::Classify, ..args.method.add_to(options, &args.out)? };
    if goal != Goal::Classify
        && (options.sparse.is_some() || options.adversarial.is_some() || options.spiking.is_some())
    {
        return Err(Error::Invalid(
            "Cannot train spiking or robust networks for masks and boxes: both need one label a sample. Use --task \
             classify."
                .into(),
        ));
    }
    if options.spiking.is_some() && args.activation.is_some() {
        return Err(Error::Invalid(
            "Cannot use --activation with --kind snn: spiking neurons take the place of all activations. Leave one out."
                .into(),
        ));
    }
    check_out(&args.out)?;
    let spec = DataSpec::parse(&args.data)?;
    let arch = args.arch.as_deref().or(goal.default_arch().filter(|_| args.init.is_none()));
    let (mut network, samples) = match (arch, &args.init) {
        (Some(arch), _) => {
            let samples = spec.load()?;
            let network = new_network(goal, arch, &args, &spec, &samples)?;
            (network.clone(), fit_samples(samples, &spec, &network)?)
        }
        (None, Some(init)) => {
            let network = opened_network(goal, init, &args, &spec)?;
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
    if options.spiking.is_none() && network.neurons.is_some() {
        println!(
            "note: '{}' is a spiking network; the result is an ANN, without its neurons (--kind snn keeps them)",
            network.name
        );
    }
    if let Some(stem) = args.out.file_stem() {
        network.name = stem.to_string_lossy().into_owned();
    }
    let scaling = match &args.scale {
        Some(text) => Scaling::parse(text)?,
        None => network.scaling.clone().unwrap_or_default(),
    };
    let objective = goal.objective(&network, &samples, &args.class_weights)?;
    if let Some(test) = &test {
        objective.check(&network, test).and_then(|()| test.check_scaling(&scaling)).map_err(of_test)?;
    }
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
    let mut curves = Curves::default();
    let trained = train(&network, &samples, &scaling, &options, objective.as_ref(), |at| {
        curves.push(&at);
        report(at, goal, started, &display, &curves);
        if interrupt::interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    display.clear();
    let trained = trained?;
    println!("{curves}");
    let (word, seconds) = (if trained.stopped { "stopped" } else { "trained" }, started.elapsed().as_secs_f32());
    let (name, held_out) = (goal.score_name(), 100.0 * trained.score);
    println!("{word} after {seconds:.0} s; best weights: epoch {}, held-out {name} {held_out:.2} %", trained.epoch);
    if let Some(test) = test {
        let test_score = 100.0 * score(&trained.network, &test, &scaling, objective.as_ref())?;
        println!("test {name} {test_score:.2} % on {} samples of {}", test.len(), test.source);
    }
    safetensors::save(&trained.network, &args.out)?;
    println!("saved {}", args.out.display());
    if let Some(checkpoint) = options.checkpoint.as_ref().filter(|path| path.is_file()) {
        if trained.stopped {
            println!("to go on: the same command with --resume {}", checkpoint.display());
        } else {
            std::fs::remove_file(checkpoint).map_err(|source| Error::io(checkpoint, source))?;
        }
    }
    if let Some(path) = goal.save_head(&trained.network, &args.out)? {
        println!("saved {}", path.display());
    }
    Ok(())
}

/// Checks that the file `out` can be written, before time is spent on training.
fn check_out(out: &Path) -> Result<()> {
    if out.is_dir() || out.file_name().is_none() {
        return Err(Error::Invalid(format!("Cannot write {}: it is a folder. Name a file.", out.display())));
    }
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        let (out, folder) = (out.display(), folder.display());
        return Err(Error::Invalid(format!("Cannot write {out}: no folder {folder}. Create it first.")));
    }
    // Network and checkpoint are written beside their places and renamed.
    tempfile::Builder::new().prefix(TEMP_PREFIX).tempfile_in(folder).map(drop).map_err(|error| Error::io(out, error))
}

/// `error` about the samples of --test.
fn of_test(error: Error) -> Error {
    match error {
        Error::Invalid(text) => Error::Invalid(text.replacen("Cannot train on", "Cannot test on", 1)),
        error => error,
    }
}

/// A new network of architecture `arch` for `samples`.
fn new_network(goal: Goal, arch: &str, args: &TrainArgs, spec: &DataSpec, samples: &Samples) -> Result<Network> {
    let classes = goal.classes(samples)?;
    let shape = channels_first(samples, spec);
    let activation = args.activation.as_deref().map_or(Ok(Activation::Relu), zoo::parse_activation)?;
    ZooArchitecture::parse(arch)?.build(&shape, classes, activation, args.seed)
}

/// The network in the file `init` for samples of `spec`, with the activation of `args` if it has one.
fn opened_network(goal: Goal, init: &str, args: &TrainArgs, spec: &DataSpec) -> Result<Network> {
    let activation = args.activation.as_deref().map(zoo::parse_activation).transpose()?;
    let mut network = open_for(init, spec, args.dt)?;
    // Training needs class scores: of several outputs those that would answer in a run.
    if goal != Goal::Detect
        && let Some(answers) = answering_output(&network, None)?
    {
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
fn report(at: TrainProgress, goal: Goal, started: Instant, display: &progress::Progress, curves: &Curves) {
    let mut numbers = format!("epoch {:>3}/{}  loss {:.4}", at.epoch, at.epochs, at.loss);
    if let Some(accuracy) = at.accuracy {
        numbers += &format!("  accuracy {:6.2} %", 100.0 * accuracy);
    }
    if let Some(gradient) = at.gradient {
        numbers += &format!("  gradient density {:4.1} %", 100.0 * gradient.density);
    }
    match at.score {
        Some(score) => {
            display.clear();
            let name = if goal == Goal::Classify { String::new() } else { format!(" {}", goal.score_name()) };
            println!("{numbers}  held out{name} {:6.2} %  {:.0} s", 100.0 * score, started.elapsed().as_secs_f32());
        }
        None if at.batch.is_multiple_of(10) || at.batch == at.batches => {
            display.show(format!("{numbers}  batch {}/{}  {curves}", at.batch, at.batches));
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
        let without = parse(&format!("--task classify {rest}")).unwrap();
        assert!(run(without).unwrap_err().to_string().contains("--arch"));
        assert!(parse(&format!("--arch cnn --init y.safetensors {rest}")).is_none());
        let args = parse(&format!("--arch resnet --activation qcfs:8 --lr 0.01 {rest}")).unwrap();
        assert_eq!((args.arch.as_deref(), args.lr, args.epochs), (Some("resnet"), Some(0.01), 10));
        assert!(parse(&format!("--init y.safetensors {rest}")).is_some());
    }

    #[test]
    fn bundled_networks_for_scenes_are_as_good_as_stated() {
        let scenes = DataSpec::parse("builtin:scenes").unwrap().load().unwrap();
        for entry in zoo::BUNDLED.iter().filter(|entry| entry.data == Some("builtin:scenes")) {
            let network = zoo::bundled(entry.name).unwrap().unwrap();
            let goal = if network.outputs().len() > 1 { Goal::Detect } else { Goal::Segment };
            let objective = goal.objective(&network, &scenes, &[]).unwrap();
            let scaling = network.scaling.clone().unwrap();
            let measured = score(&network, &scenes, &scaling, objective.as_ref()).unwrap();
            assert!((measured - entry.test_score).abs() < 0.002, "{}: {measured}", entry.name);
        }
    }

    #[test]
    fn invalid_options_are_refused_before_any_data_is_read() {
        let refused = |words: &str| run(parse(words).unwrap()).expect_err("ran").to_string();
        assert!(refused("--arch cnn --data builtin:digits --out x --optimizer adagrad").contains("adagrad"));
        assert!(refused("--task sort --data builtin:digits --out x").contains("segment or detect"));
        assert!(refused("--task segment --data builtin:scenes --out x --flip up").contains("horizontal"));
        assert!(refused("--arch cnn --data builtin:digits --out x --class-weights 1,2").contains("--task segment"));
        assert!(refused("--arch cnn --data builtin:digits --out no/such/folder/x").contains("no folder"));
        assert!(refused("--arch cnn --data builtin:digits --out src").contains("it is a folder"));
        let snn = "--arch cnn --data builtin:digits --out x --kind snn --activation";
        assert!(refused(&format!("{snn} qcfs:4")).contains("--activation with --kind snn"));
        let plain = "--arch cnn --data builtin:digits --out x";
        for (words, needs) in [
            ("--eps 0.1", "--adversarial fgsm or pgd"),
            ("--adversarial-steps 3", "--adversarial pgd"),
            ("--adversarial fgsm --adversarial-steps 3", "--adversarial pgd"),
            ("--sparse-norm l1", "--sparse-gradient"),
        ] {
            let error = refused(&format!("{plain} {words}"));
            assert!(error.contains(&format!("Add {needs}")), "{error}");
        }
    }

    #[test]
    fn samples_of_the_test_are_checked_before_the_training() {
        let folder = tempfile::tempdir().unwrap();
        let [test, out] = ["test.npz", "net.safetensors"].map(|name| folder.path().join(name));
        use crate::data::{NpzData, write_npz};
        let values = vec![0.5f32; 2 * 28 * 28];
        write_npz(&test, &[("x", &[2, 1, 28, 28], NpzData::F32(&values))]).unwrap();
        let (out, test) = (out.display(), test.display());
        let words = format!("--arch mlp --data builtin:digits-train --epochs 9999 --out {out} --test npz:{test}");
        let error = run(parse(&words).unwrap()).expect_err("ran").to_string();
        assert!(error.contains("Cannot test on") && error.contains("no labels"), "{error}");
    }
}
