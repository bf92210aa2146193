//! Command `run`: converts, simulates and measures a network, and writes `summary.json` and spike counts.

use std::path::{Path, PathBuf};

use super::interrupt::cancel_on_interrupt;
use super::progress::Progress;
use super::summary;
use crate::convert::Severity;
use crate::convert::findings::group_by_kind;
use crate::data::{NpzData, write_npz};
use crate::experiment::cache::Cache;
use crate::experiment::options::{
    RunArgs, check_theta, fit_default_ranges, settings_from_args, use_stated_scaling, with_config,
};
use crate::experiment::{Run, pipeline};
use crate::files::{TEMP_PREFIX, write_bytes};
use crate::{Error, Result};

/// Runs the command.
///
/// # Errors
/// [`Error::Invalid`] for bad options; those of the run and of writing the results.
pub fn run(args: RunArgs) -> Result<()> {
    let args = with_config(args)?;
    let mut settings = settings_from_args(&args)?;
    settings.recipe.validate()?;
    let out = args
        .out
        .clone()
        .ok_or_else(|| Error::Invalid("Cannot write results: no folder named. Add --out DIR.".into()))?;
    let dump = match args.dump.as_deref() {
        None => false,
        Some("counts") => true,
        Some(other) => return Err(Error::Invalid(format!("Cannot dump '{other}': unknown word. Use counts."))),
    };
    check_out(&out)?;
    let progress = Progress::new();
    // A log gets results and errors, no progress.
    let mut cache = Cache::for_one_run();
    use_stated_scaling(&mut settings, &args, &mut cache)?;
    check_theta(&settings, &args, &mut cache)?;
    let control = progress.control(false);
    cancel_on_interrupt(&control)?;
    fit_default_ranges(&mut settings, &args, &mut cache, &control)?;
    // Counts of single neurons need the whole recording.
    let compute = if dump { pipeline::run } else { pipeline::run_in_groups };
    let result = compute(&settings, &mut cache, &control);
    progress.clear();
    let run = result?;
    write_results(&run, &out, dump)?;
    for group in group_by_kind(&run.findings).iter().filter(|group| group.finding.severity > Severity::Note) {
        eprintln!("{}", super::check::line(group));
    }
    println!("{}", run.summary());
    super::scenes::table(&run).iter().for_each(|line| println!("{line}"));
    let notes = group_by_kind(&run.findings);
    notes.iter().filter(|group| group.finding.severity == Severity::Note).for_each(|note| {
        println!("{}", super::check::line(note));
    });
    println!("wrote {}", out.display());
    Ok(())
}

/// Writes `summary.json`, the boxes of a detector and, with `dump`, `counts.npz`.
fn write_results(run: &Run, out: &Path, dump: bool) -> Result<()> {
    let text = serde_json::to_string_pretty(&summary::summary(run)).map_err(|e| Error::Internal(e.to_string()))?;
    let staging = StagingFolder::beside(out)?;
    // Counts first: a summary marks the result as complete.
    if dump {
        write_counts(run, &staging.path("counts.npz"))?;
    }
    super::scenes::write(run, staging.folder.path())?;
    let boxes = super::boxes::files(run)?;
    for (name, bytes) in &boxes {
        write_bytes(&staging.path(name), bytes)?;
    }
    write_bytes(&staging.path("summary.json"), text.as_bytes())?;
    let boxes = boxes.iter().map(|(name, _)| name.as_str()).chain([super::boxes::FILE]);
    let names = boxes.chain(super::scenes::FILES).chain(["counts.npz", "summary.json"]);
    staging.publish(&names.collect::<Vec<_>>())
}

/// Writes all files into the folder `out`. On failure none of them is there.
pub(super) fn write_folder(out: &Path, files: &[(&str, &[u8])]) -> Result<()> {
    let staging = StagingFolder::beside(out)?;
    for (name, bytes) in files {
        write_bytes(&staging.path(name), bytes)?;
    }
    let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
    staging.publish(&names)
}

/// A temporary folder in the output folder, or beside it if it does not exist yet; complete results move from it to the output
/// folder.
pub(super) struct StagingFolder<'a> {
    out: &'a Path,
    folder: tempfile::TempDir,
}

/// Checks that `out` is a folder that can be written, or does not exist, before any time-consuming work.
///
/// # Errors
/// [`Error::Invalid`] for an existing file; [`Error::Io`] if nothing can be written there.
pub(super) fn check_out(out: &Path) -> Result<()> {
    if out.exists() && !out.is_dir() {
        return Err(Error::Invalid(format!("Cannot write to {}: not a folder. Name a folder.", out.display())));
    }
    let existing = out.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("."));
    temporary_folder(existing).map(drop)
}

fn temporary_folder(parent: &Path) -> Result<tempfile::TempDir> {
    tempfile::Builder::new().prefix(TEMP_PREFIX).tempdir_in(parent).map_err(|e| Error::io(parent, e))
}

impl<'a> StagingFolder<'a> {
    pub(super) fn beside(out: &'a Path) -> Result<Self> {
        check_out(out)?;
        // An existing folder may be a disk of its own, or all that the user can write.
        let beside = out.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let parent = if out.is_dir() { out } else { beside };
        std::fs::create_dir_all(parent).map_err(|e| Error::io(parent, e))?;
        Ok(Self { out, folder: temporary_folder(parent)? })
    }
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
    /// Moves those of `names` that were written to the output folder, in order. Those of an earlier result that were not written
    /// this time are removed: they do not belong to it.
    pub(super) fn publish(self, names: &[&str]) -> Result<()> {
        std::fs::create_dir_all(self.out).map_err(|e| Error::io(self.out, e))?;
        for name in names {
            let from = self.path(name);
            let to = self.out.join(name);
            if from.exists() {
                std::fs::rename(&from, &to).map_err(|e| Error::io(self.out, e))?;
            } else if to.is_file() {
                std::fs::remove_file(&to).map_err(|e| Error::io(&to, e))?;
            }
        }
        Ok(())
    }
}

/// Writes `layer0`, `layer1`, …: spike counts `[N, …shape]`.
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
