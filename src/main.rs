//! Entry point: parses the command line, then opens the window or runs a command.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use spikescope::cli::closed_output::OutputEnd;
use spikescope::data::DataSpec;
use spikescope::experiment::Settings;
use spikescope::experiment::options::RunArgs;
use spikescope::lab::storage::store;
use spikescope::lab::storage::store::Store;
use spikescope::lab::{Lab, Message, Notification, NotificationLevel};
use spikescope::network::open::{BUILTIN_PREFIX, split_source};
use spikescope::network::zoo::BUNDLED;
use spikescope::{Error, Result, cli, ui};

/// Converts trained neural networks to spiking ones and shows where and why the two disagree.
///
/// Without a command the lab opens its window, with any files named.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Networks, data sets (files or specifications as for --data), images or a session to open
    files: Vec<PathBuf>,
    /// Start with the bundled demo instead of the last session
    #[arg(long)]
    fresh: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Convert, simulate and measure without a window
    Run(Box<RunArgs>),
    /// Run several recipes on the same samples and compare them in a table
    Race(Box<cli::race::RaceArgs>),
    /// Diagnose a network, its data and a recipe before a run
    Check(Box<cli::check::CheckArgs>),
    /// Run the rows of a plan and keep one result file for each
    Sweep(Box<cli::sweep::SweepArgs>),
    /// Describe recordings of event cameras, and convert one to a NumPy array
    Events(cli::events::EventsArgs),
    /// Attack a network by noise or by adversarial images
    Attack(Box<cli::attack::AttackArgs>),
    /// Plant trojans in a network, and measure which tools find them again
    Trojan(Box<cli::trojan::TrojanArgs>),
    /// Explain the answers of a network by attribution maps
    Explain(Box<cli::explain::ExplainArgs>),
    /// Export a run to formats that other programs read
    Export(Box<cli::export::ExportArgs>),
    /// Download a public data set: mnist, fashion-mnist or cifar10
    Fetch(cli::fetch::FetchArgs),
    /// Train a small network for conversion
    Train(Box<cli::train::TrainArgs>),
    /// Score predictions: boxes as COCO does, class maps by mean IoU
    Score(cli::score::ScoreArgs),
    /// Write the window, or one pane, to a file: PNG, SVG, CSV or GIF
    Shot(cli::shot::ShotArgs),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let code = cli::closed_output::until_closed(|| match run_command(arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("spikescope: {error}");
            ExitCode::from(error.exit_code())
        }
    });
    code.unwrap_or_else(|end| match end {
        OutputEnd::Closed => ExitCode::from(cli::closed_output::EXIT_CODE),
        OutputEnd::Failed(reason) => {
            // Standard error may be the one that cannot be written.
            let _ = writeln!(std::io::stderr(), "spikescope: Cannot write the output: {reason}.");
            ExitCode::FAILURE
        }
    })
}

fn run_command(arguments: Arguments) -> Result<ExitCode> {
    match arguments.command {
        Some(Command::Check(args)) => return cli::check::run(*args),
        Some(Command::Sweep(args)) => return cli::sweep::run(*args),
        Some(Command::Run(args)) => cli::run::run(*args),
        Some(Command::Race(args)) => cli::race::run(*args),
        Some(Command::Events(args)) => cli::events::run(args),
        Some(Command::Attack(args)) => cli::attack::run(*args),
        Some(Command::Trojan(args)) => cli::trojan::run(*args),
        Some(Command::Explain(args)) => cli::explain::run(*args),
        Some(Command::Export(args)) => cli::export::run(*args),
        Some(Command::Fetch(args)) => cli::fetch::run(args),
        Some(Command::Train(args)) => cli::train::run(*args),
        Some(Command::Score(args)) => cli::score::run(args),
        Some(Command::Shot(args)) => cli::shot::run(args),
        None => window(&arguments.files, arguments.fresh),
    }?;
    Ok(ExitCode::SUCCESS)
}

/// Opens the window: restores the last session, or the bundled demo, then opens the files named on the command line.
///
/// # Errors
/// [`Error::Invalid`] for a name that [`open`] does not know, or without a display.
fn window(files: &[PathBuf], fresh: bool) -> Result<()> {
    // The names are checked before the session is restored: a typing error leaves the last session unchanged.
    let opened = files.iter().map(|file| open(file)).collect::<Result<Vec<_>>>()?;
    if std::env::var_os("DISPLAY").is_none()
        && std::env::var_os("WAYLAND_DISPLAY").is_none()
        && cfg!(target_os = "linux")
    {
        return Err(Error::Invalid(
            "Cannot open a window: no display found. Use `spikescope run --out DIR` or `spikescope shot OUT.png`, \
             which work without one."
                .into(),
        ));
    }
    let folder = store::folder();
    let (mut lab, restore_message) = match folder.as_deref() {
        Some(folder) => ui::autosave::restore(folder, fresh),
        None => (Lab::new(Settings::demo()), None),
    };
    let mut messages: Vec<Message> = restore_message.into_iter().collect();
    messages.extend(opened);
    let store = folder.map(Store::open).transpose();
    let store = store.unwrap_or_else(|error| {
        messages.push(Message::Notify(Notification { level: NotificationLevel::Error, text: error.to_string() }));
        None
    });
    lab.update(messages);
    ui::app::open(lab, store, fresh)
}

/// The message that opens `file`: a path, a data specification or the name of a bundled network.
fn open(file: &Path) -> Result<Message> {
    let name = file.to_string_lossy();
    if file.exists() {
        return Ok(Message::OpenPath(file.to_owned()));
    }
    if BUNDLED.iter().any(|bundled| name.strip_prefix(BUILTIN_PREFIX) == Some(bundled.name)) {
        return Ok(Message::OpenModel(name.into_owned()));
    }
    // A data specification comes first: it is more specific than a path.
    if let Ok(spec) = DataSpec::parse(&name) {
        return Ok(Message::OpenData(spec.to_string()));
    }
    if split_source(&name).1.is_some() {
        return Ok(Message::OpenModel(name.into_owned()));
    }
    Err(Error::Invalid(format!(
        "Cannot open '{name}': no file, bundled network, data set or command of that name. See `spikescope --help`."
    )))
}
