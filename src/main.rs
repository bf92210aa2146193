//! Starts the window, or hands over to a command.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use spikescope::{Result, cli};

/// Converts trained neural networks to spiking ones and shows where and why the two disagree.
///
/// Without a command the lab opens its window, with any files named.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// A network, a data set, pictures or a session to open
    files: Vec<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Convert, simulate and measure without a window
    Run(Box<cli::run::RunArgs>),
    /// Train a small network for conversion
    Train(cli::train::TrainArgs),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match act(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("spikescope: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

fn act(arguments: Arguments) -> Result<()> {
    match arguments.command {
        Some(Command::Run(args)) => cli::run::run(*args),
        Some(Command::Train(args)) => cli::train::run(args),
        None => Ok(()),
    }
}
