//! Command `trojan`: plants trojans in a network and measures which tools find them again.

mod plant;
mod quiz;
mod synthesize;

use clap::{Args, Subcommand};

use crate::Result;

/// Plant trojans in a network, and measure which tools find them again.
#[derive(Args, Clone, Debug)]
pub struct TrojanArgs {
    #[command(subcommand)]
    command: TrojanCommand,
}

#[derive(Subcommand, Clone, Debug)]
enum TrojanCommand {
    /// Train a network, fine-tune it with the trojans of a plan, and measure both
    Plant(plant::PlantArgs),
    /// Make pictures of what the network reacts to, by nine synthesis methods
    Synthesize(synthesize::SynthesizeArgs),
    /// Name the trigger from pictures alone: one of eight
    Quiz(quiz::QuizArgs),
}

/// Runs the command.
///
/// # Errors
/// Those of the part that is run.
pub fn run(args: TrojanArgs) -> Result<()> {
    match args.command {
        TrojanCommand::Plant(args) => plant::run(&args),
        TrojanCommand::Quiz(args) => quiz::run(&args),
        TrojanCommand::Synthesize(args) => synthesize::run(&args),
    }
}
