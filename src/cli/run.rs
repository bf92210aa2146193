//! `spikescope run`: converts, simulates and measures without a window; writes `summary.json` and, if asked, the counts.

use std::path::{Path, PathBuf};

use super::options::{RunArgs, settings_from_args, use_stated_scaling, with_config};
use super::progress::Progress;
use super::summary;
use crate::convert::Severity;
use crate::convert::findings::group_by_kind;
use crate::data::{NpzData, write_npz};
use crate::experiment::cache::Cache;
use crate::experiment::{Run, pipeline};
use crate::files::write_bytes;
use crate::{Error, Result};

/// Runs the command.
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
    // A log file gets results and errors only.
    let mut cache = Cache::default();
    use_stated_scaling(&mut settings, &args, &mut cache)?;
    let result = pipeline::run(&settings, &mut cache, &progress.control(false));
    progress.clear();
    let run = result?;
    write_results(&run, &out, dump)?;
    for group in group_by_kind(&run.findings).iter().filter(|group| group.finding.severity > Severity::Note) {
        eprintln!("{}", super::check::line(group));
    }
    println!("{}", run.summary());
    let notes = group_by_kind(&run.findings);
    notes.iter().filter(|group| group.finding.severity == Severity::Note).for_each(|note| {
        println!("{}", super::check::line(note));
    });
    println!("wrote {}", out.display());
    Ok(())
}

/// Writes `summary.json` and, if asked, `counts.npz`.
fn write_results(run: &Run, out: &Path, dump: bool) -> Result<()> {
    let text = serde_json::to_string_pretty(&summary::summary(run)).map_err(|e| Error::Internal(e.to_string()))?;
    let stage = Stage::beside(out)?;
    // Counts first: a summary is the sign that a result is whole.
    if dump {
        write_counts(run, &stage.path("counts.npz"))?;
    }
    let boxes = super::boxes::files(run)?;
    for (name, bytes) in &boxes {
        write_bytes(&stage.path(name), bytes)?;
    }
    write_bytes(&stage.path("summary.json"), text.as_bytes())?;
    let boxes = boxes.iter().map(|(name, _)| name.as_str());
    stage.publish(&boxes.chain(["counts.npz", "summary.json"]).collect::<Vec<_>>())
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

/// Refuses a place that no folder can be at, before time is spent on what should go there.
pub(super) fn check_out(out: &Path) -> Result<()> {
    if out.exists() && !out.is_dir() {
        return Err(Error::Invalid(format!("Cannot write to {}: not a folder. Name a folder.", out.display())));
    }
    Ok(())
}

impl<'a> Stage<'a> {
    fn beside(out: &'a Path) -> Result<Self> {
        check_out(out)?;
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
