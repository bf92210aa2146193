//! What commands on a network and samples begin with: folder, progress, Ctrl-C, and settings fitted to the files.

use std::path::PathBuf;

use super::interrupt::cancel_on_interrupt;
use super::progress::Progress;
use super::run::check_out;
use crate::convert::findings::group_by_kind;
use crate::convert::{Finding, Severity};
use crate::experiment::cache::Cache;
use crate::experiment::options::{RunArgs, check_theta, fit_default_ranges, use_stated_scaling};
use crate::experiment::settings::Settings;
use crate::progress::JobControl;
use crate::{Error, Result};

/// A command that is ready to load what its settings name.
pub(super) struct Prepared {
    /// The folder of results, which can be written.
    pub out: PathBuf,
    pub progress: Progress,
    /// Cancelled by Ctrl-C.
    pub control: JobControl,
    pub cache: Cache,
}

/// Prints what looks wrong about network, data and recipe, as `run` does.
pub(super) fn tell_findings(findings: &[Finding]) {
    for group in group_by_kind(findings).iter().filter(|group| group.finding.severity > Severity::Note) {
        eprintln!("{}", super::check::line(group));
    }
}

/// Checks the folder of results and fits `settings` to the files that `base` names.
///
/// # Errors
/// [`Error::Invalid`] for a missing or unusable folder; those of reading.
pub(super) fn prepare(settings: &mut Settings, base: &RunArgs) -> Result<Prepared> {
    let out = base
        .out
        .clone()
        .ok_or_else(|| Error::Invalid("Cannot write results: no folder named. Add --out DIR.".into()))?;
    check_out(&out)?;
    let progress = Progress::new();
    let control = progress.control(true);
    cancel_on_interrupt(&control)?;
    let mut cache = Cache::for_one_run();
    use_stated_scaling(settings, base, &mut cache)?;
    check_theta(settings, base, &mut cache)?;
    fit_default_ranges(settings, base, &mut cache, &control)?;
    Ok(Prepared { out, progress, control, cache })
}
