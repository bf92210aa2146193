//! Command `sweep`: runs the rows of a plan, tells which are missing, merges their results, writes scripts for a cluster.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::interrupt::cancel_on_signals;
use super::progress::Progress;
use super::run::check_out;
use crate::convert::Severity;
use crate::convert::findings::group_by_kind;
use crate::experiment::memory;
use crate::sweep::Plan;
use crate::sweep::address::SourceDigests;
use crate::sweep::folder::{fault_text, list, row_path};
use crate::sweep::merge::merge;
use crate::sweep::predict::predict;
use crate::sweep::runner::{SweepEvent, addresses, run as run_rows};
use crate::sweep::slurm::{SlurmOptions, WrittenJobs, max_array_size, quoted, write_jobs};
use crate::{Error, Result};

/// Run the rows of a plan and keep one result file for each.
#[derive(Args, Clone, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct SweepArgs {
    #[command(subcommand)]
    command: Option<SweepCommand>,
    /// Plan: a TOML file
    #[arg(required = true)]
    plan: Option<PathBuf>,
    /// Folder for the results; what is finished there is not run again
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Run this row alone, from 0
    #[arg(long, value_name = "N")]
    task: Option<usize>,
    /// Print the number of rows and end
    #[arg(long, conflicts_with_all = ["task", "slurm"])]
    count: bool,
    /// Write scripts for Slurm into this folder instead of running
    #[arg(long, value_name = "JOBDIR", conflicts_with = "task")]
    slurm: Option<PathBuf>,
    /// Memory that a run may take [default: 80 % of what is free]; with --slurm, memory of a task [default: predicted]
    #[arg(long, value_name = "GIB")]
    memory: Option<f64>,
    /// Threads [default: all processors]; with --slurm, processors of a task [default: 1]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// With --slurm: tasks that run at once
    #[arg(long, value_name = "N", default_value_t = 64)]
    concurrent: usize,
}

#[derive(Subcommand, Clone, Debug)]
enum SweepCommand {
    /// Tell which rows are finished
    Status(StatusArgs),
    /// Write the figures of all rows into one table
    Merge(MergeArgs),
}

/// Arguments of `sweep status`.
#[derive(Args, Clone, Debug)]
struct StatusArgs {
    /// Plan: a TOML file
    plan: PathBuf,
    /// Folder with the results
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `sweep merge`.
#[derive(Args, Clone, Debug)]
struct MergeArgs {
    /// Plan: a TOML file
    plan: PathBuf,
    /// Folder with the results
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Table to write: .parquet or .csv
    results: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// Those of the plan, its sources and its results; [`Error::Cancelled`] after Ctrl-C or SIGTERM, with finished rows kept.
pub fn run(args: SweepArgs) -> Result<ExitCode> {
    match &args.command {
        Some(SweepCommand::Status(args)) => return status(args).map(|()| ExitCode::SUCCESS),
        Some(SweepCommand::Merge(args)) => return merge_rows(args).map(|()| ExitCode::SUCCESS),
        None => {}
    }
    let plan = Plan::open(args.plan.as_deref().unwrap_or(Path::new("")))?;
    plan.notes().iter().for_each(|note| eprintln!("{note}"));
    if args.count {
        println!("{}", plan.rows());
        return Ok(ExitCode::SUCCESS);
    }
    let out = args
        .out
        .as_deref()
        .ok_or_else(|| Error::Invalid("Cannot write results: no folder named. Add --out DIR.".into()))?;
    check_out(out)?;
    if let Some(gib) = args.memory {
        if !(gib > 0.0 && gib.is_finite()) {
            return Err(Error::Invalid(format!("Cannot use --memory {gib}: not a size above 0, in GiB.")));
        }
        memory::set_limit((gib * f64::from(1u32 << 30)) as usize);
    }
    if args.threads == Some(0) {
        return Err(Error::Invalid("Cannot use --threads 0: use 1 or more.".into()));
    }
    if let Some(jobs) = &args.slurm {
        return write_slurm(&plan, out, jobs, &args).map(|()| ExitCode::SUCCESS);
    }
    if let Some(threads) = args.threads {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
        pool.map_err(|error| Error::Internal(format!("threads cannot be limited: {error}")))?;
    }
    run_plan(&plan, out, args.task)
}

/// Runs all missing rows, or one.
fn run_plan(plan: &Plan, out: &Path, task: Option<usize>) -> Result<ExitCode> {
    let progress = Progress::new();
    let control = progress.control(false);
    cancel_on_signals(&control)?;
    let in_terminal = std::io::stderr().is_terminal();
    let (reasons, repeated) = (RefCell::new(HashSet::new()), Cell::new(0));
    let tell = |event: SweepEvent<'_>| match event {
        SweepEvent::Begin { rows, finished } if finished > 0 => {
            println!("{finished} of {rows} rows are finished already")
        }
        SweepEvent::Begin { .. } | SweepEvent::Finished { .. } => {}
        SweepEvent::Run { first, count, finished, rows } => {
            let others = if count > 1 { format!(" and {} with fewer steps", count - 1) } else { String::new() };
            progress.begin(format!("{finished} of {rows} rows done; {}{others}", first.description()));
        }
        SweepEvent::Findings { row, findings } => {
            for group in group_by_kind(findings).iter().filter(|group| group.finding.severity > Severity::Note) {
                let line = super::check::line(group);
                if reasons.borrow_mut().insert(line.clone()) {
                    progress.clear();
                    eprintln!("{}: {line}", row.description());
                }
            }
        }
        SweepEvent::Failed { row, error } => {
            // Each reason once.
            if reasons.borrow_mut().insert(error.to_string()) {
                progress.clear();
                eprintln!("{} did not run: {error}", row.description());
            } else {
                repeated.set(repeated.get() + 1);
            }
        }
        SweepEvent::Waiting { rows } if in_terminal => {
            progress.show(format!("another process runs the last {rows} rows"))
        }
        SweepEvent::Waiting { .. } => {}
    };
    let outcome = run_rows(plan, out, task, &control, &tell);
    progress.clear();
    let outcome = outcome?;
    println!("{} of {} rows finished in {}", outcome.finished, outcome.rows, out.display());
    if outcome.failed.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    match repeated.get() {
        0 => eprintln!("{} rows did not run; their reasons are above", outcome.failed.len()),
        more => eprintln!("{} rows did not run; {more} of them for a reason above", outcome.failed.len()),
    }
    Ok(ExitCode::from(2))
}

/// Prints which rows are finished.
fn status(args: &StatusArgs) -> Result<()> {
    let plan = Plan::open(&args.plan)?;
    let addresses = addresses(&plan, &SourceDigests::default())?;
    let listing = list(&args.out)?;
    let rows: HashSet<&str> = addresses.iter().flatten().map(String::as_str).collect();
    let missing: Vec<usize> = addresses
        .iter()
        .enumerate()
        .filter(|(_, address)| address.as_ref().is_none_or(|address| !listing.finished.contains(address)))
        .map(|(row, _)| row)
        .collect();
    let done = plan.rows() - missing.len();
    let mut foreign: Vec<PathBuf> = listing
        .finished
        .iter()
        .filter(|address| !rows.contains(address.as_str()))
        .map(|address| row_path(&args.out, address))
        .collect();
    foreign.sort();
    let shown = |path: &PathBuf| path.strip_prefix(&args.out).unwrap_or(path).display().to_string();
    let faults: Vec<(String, String)> =
        listing.faults.iter().map(|(path, fault)| (shown(path), fault_text(fault))).collect();
    if args.json {
        let others: Vec<String> = foreign.iter().chain(&listing.unknown).map(shown).collect();
        let faults: Vec<_> = faults.iter().map(|(file, why)| json!({"file": file, "why": why})).collect();
        let status = json!({
            "version": env!("CARGO_PKG_VERSION"), "plan": plan.name, "rows": plan.rows(), "done": done, "missing": missing,
            "foreign": others, "damaged": faults, "temporary": listing.temporary,
        });
        println!("{status}");
        return Ok(());
    }
    println!("{}: {done} of {} rows finished", plan.name, plan.rows());
    if !missing.is_empty() {
        println!("without a result: {} {}", if missing.len() == 1 { "row" } else { "rows" }, ranges(&missing));
    }
    let unable = addresses.iter().filter(|address| address.is_none()).count();
    if unable > 0 {
        println!("{unable} of them cannot run here: `spikescope sweep` says why");
    }
    if !args.out.is_dir() {
        println!("{}: no such folder yet", args.out.display());
    }
    faults.iter().for_each(|(file, why)| println!("{file}: {why}"));
    match foreign.len() {
        0 => {}
        1 => println!("1 row belongs to another plan, other files or another version: {}", shown(&foreign[0])),
        n => {
            println!("{n} rows belong to other plans, other files or other versions, the first: {}", shown(&foreign[0]))
        }
    }
    listing.unknown.iter().for_each(|path| println!("{}: not a row", shown(path)));
    if listing.temporary > 0 {
        println!("{} unfinished files of stopped processes; they can be deleted when no sweep runs", listing.temporary);
    }
    Ok(())
}

/// Writes the table of all rows.
fn merge_rows(args: &MergeArgs) -> Result<()> {
    let plan = Plan::open(&args.plan)?;
    if !args.out.is_dir() {
        let out = args.out.display();
        return Err(Error::Invalid(format!(
            "Cannot merge {out}: no such folder. Check --out, or run the sweep first."
        )));
    }
    let progress = Progress::new();
    let control = progress.control(false);
    cancel_on_signals(&control)?;
    let merged = merge(&plan, &args.out, &args.results, &control);
    progress.clear();
    let merged = merged?;
    println!("wrote {}: {} rows, {} lines", args.results.display(), merged.rows, merged.lines);
    if merged.missing > 0 {
        eprintln!("{} rows have no result yet and are not in it", merged.missing);
    }
    Ok(())
}

/// Writes the scripts of a cluster.
fn write_slurm(plan: &Plan, out: &Path, jobs: &Path, args: &SweepArgs) -> Result<()> {
    if args.concurrent == 0 {
        return Err(Error::Invalid("Cannot use --concurrent 0: use 1 or more.".into()));
    }
    check_out(jobs)?;
    let progress = Progress::new();
    let control = progress.control(false);
    cancel_on_signals(&control)?;
    progress.begin("predicting time and memory of a row");
    let prediction = predict(plan, &control);
    progress.clear();
    let mut prediction = prediction?;
    if let Some(gib) = args.memory {
        prediction.bytes = (gib * f64::from(1u32 << 30)) as usize;
    }
    let here = std::env::current_dir().map_err(|error| Error::io(Path::new("."), error))?;
    let options = SlurmOptions {
        out: std::path::absolute(out).map_err(|error| Error::io(out, error))?,
        program: std::env::current_exe().map_err(|error| Error::io(Path::new("spikescope"), error))?,
        folder: here,
        threads: args.threads.unwrap_or(1),
        concurrent: args.concurrent,
        array_size: max_array_size(),
        prediction,
    };
    let WrittenJobs { scripts, kept_site } = write_jobs(plan, jobs, &options)?;
    let site = match kept_site {
        true => "The block \"site\" that was filled in before is kept",
        false => "Fill in the block \"site\" of each",
    };
    println!(
        "wrote {}: {} rows in {} array(s). {site}, then: bash {}",
        jobs.display(),
        plan.rows(),
        scripts.len(),
        quoted(&jobs.join("submit.sh"))
    );
    Ok(())
}

/// Ascending numbers as ranges: `0-4, 7, 9-10`.
fn ranges(numbers: &[usize]) -> String {
    let runs = numbers.chunk_by(|a, b| a + 1 == *b);
    let text = |run: &[usize]| match run {
        [only] => only.to_string(),
        [first, .., last] => format!("{first}-{last}"),
        [] => String::new(),
    };
    runs.map(text).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_rows_are_shown_as_ranges() {
        assert_eq!(ranges(&[0, 1, 2, 5, 7, 8]), "0-2, 5, 7-8");
    }
}
