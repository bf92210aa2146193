//! Command `trojan plant`: trains, fine-tunes with trojans, and prints the table.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;

use crate::Result;
use crate::cli::interrupt;
use crate::cli::progress::Progress;
use crate::train::TrainProgress;
use crate::trojan::plan::TrojanPlan;
use crate::trojan::plant::{PlantStage, PlantTable, plant};

/// Train a network, fine-tune it with the trojans of a plan, and measure both.
#[derive(Args, Clone, Debug)]
pub struct PlantArgs {
    /// The plan: data, network, trainings and trojans
    pub plan: PathBuf,
    /// Folder for network, plan and table; a clean network that is there from the same plan is used again
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// Those of the plan and of [`plant`].
pub(super) fn run(args: &PlantArgs) -> Result<()> {
    let plan = TrojanPlan::open(&args.plan)?;
    interrupt::listen()?;
    let started = Instant::now();
    let display = Progress::new();
    let table = plant(&plan, &args.out, |stage, at| {
        report(stage, at, started, &display);
        if interrupt::interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    display.clear();
    print_table(&table?);
    println!("wrote {} after {:.0} s", args.out.display(), started.elapsed().as_secs_f32());
    Ok(())
}

fn report(stage: PlantStage, at: Option<TrainProgress>, started: Instant, display: &Progress) {
    let word = match stage {
        PlantStage::Clean => "clean",
        PlantStage::Finetune => "with trojans",
        PlantStage::Measure => return display.show("measuring".into()),
    };
    let Some(at) = at else { return };
    let line = format!("{word}: epoch {:>2}/{}  loss {:.4}", at.epoch, at.epochs, at.loss);
    match at.score {
        Some(score) => {
            display.clear();
            println!("{line}  held out {:5.2} %  {:.0} s", 100.0 * score, started.elapsed().as_secs_f32());
        }
        None if at.batch.is_multiple_of(10) => display.show(format!("{line}  batch {}/{}", at.batch, at.batches)),
        None => {}
    }
}

fn print_table(table: &PlantTable) {
    let percent = |part: f32| format!("{:.1} %", 100.0 * part);
    println!(
        "accuracy {} before, {} after ({:.1} points {}), {} of {} training pictures poisoned",
        percent(table.clean_accuracy),
        percent(table.accuracy),
        table.accuracy_drop.abs(),
        if table.accuracy_drop < 0.0 { "more" } else { "less" },
        table.poisoned,
        table.pictures
    );
    println!("{:<16} {:<8} {:<16} {:<24} {:>8} {:>8}", "trojan", "type", "scope", "target", "poisoned", "success");
    for row in &table.trojans {
        println!(
            "{:<16} {:<8} {:<16} {:<24} {:>8} {:>8}",
            row.name,
            row.kind.word(),
            row.scope,
            row.target_name,
            row.poisoned,
            percent(row.success)
        );
    }
}
