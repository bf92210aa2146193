//! Runs the rows that are missing in a results folder, on this machine.

use std::path::Path;
use std::time::{Duration, Instant};

use rayon::prelude::*;

use super::address::SourceDigests;
use super::attack_figures::attack_figures;
use super::explain_figures::explain_figures;
use super::figures::figures_at;
use super::folder::{list, read_row, row_path};
use super::lock::GroupLock;
use super::plan::{Plan, PlanRow, RowSettings, Work};
use super::row_file::{Environment, RowFile};
use super::schedule::{Group, GroupRow, groups};
use crate::convert::Finding;
use crate::experiment::attacked::Attacked;
use crate::experiment::cache::Cache;
use crate::experiment::diagnose::findings_of_use;
use crate::experiment::options::{check_theta, fit_default_ranges, use_stated_scaling};
use crate::experiment::{Settings, pipeline};
use crate::progress::JobControl;
use crate::{Error, Result};

/// Time between two looks at a group that another process runs.
const POLL: Duration = Duration::from_millis(200);

/// What a sweep tells while it runs.
pub enum SweepEvent<'a> {
    /// So many of `rows` were finished before.
    Begin { rows: usize, finished: usize },
    /// The rows of a run begin: `first` is one of them, `count` all.
    Run { first: &'a PlanRow, count: usize, finished: usize, rows: usize },
    /// Rows were written.
    Finished { finished: usize, rows: usize },
    /// What looks wrong about the network, the data or the recipe of a row that ran.
    Findings { row: &'a PlanRow, findings: &'a [Finding] },
    /// A row cannot run.
    Failed { row: &'a PlanRow, error: &'a Error },
    /// Another process runs the rest; so many rows are waited for.
    Waiting { rows: usize },
}

/// How a sweep ended.
#[derive(Debug, Default)]
pub struct Outcome {
    pub rows: usize,
    /// Rows that were finished before it began.
    pub finished_before: usize,
    /// Rows that are finished now.
    pub finished: usize,
    /// Rows that cannot run, with the reason.
    pub failed: Vec<(usize, String)>,
}

/// A row on its way to run.
enum Prepared {
    Row(Box<GroupRow>),
    /// Its options do not combine, or a file cannot be read.
    Refused(PlanRow, Error),
}

/// Row `number` of `plan` with its address.
fn prepare(plan: &Plan, number: usize, digests: &SourceDigests) -> Result<Prepared> {
    let row = plan.row(number)?;
    let prepared = row.resolve().and_then(|settings| Ok((digests.address(&settings)?, settings)));
    match prepared {
        Ok((address, row)) => Ok(Prepared::Row(Box::new(GroupRow { number, address, row }))),
        // A file that is missing is one that other rows may not need.
        Err(error @ (Error::Invalid(_) | Error::Io { .. } | Error::File { .. })) => {
            let error = row.with_line(&plan.path, error);
            Ok(Prepared::Refused(row, error))
        }
        Err(error) => Err(error),
    }
}

/// The address of every row of `plan`, in order; `None` for a row whose options do not combine or whose files cannot be read.
///
/// # Errors
/// [`Error::Internal`] for settings that cannot be written.
pub fn addresses(plan: &Plan, digests: &SourceDigests) -> Result<Vec<Option<String>>> {
    // The first row reads the files, the others find their digests.
    let address = |number: usize| match prepare(plan, number, digests)? {
        Prepared::Row(row) => Ok(Some(row.address)),
        Prepared::Refused(..) => Ok(None),
    };
    address(0)?;
    (0..plan.rows()).into_par_iter().map(address).collect()
}

/// Runs the rows of `plan` that are missing in the results folder `out`; with `only`, that row alone.
///
/// A row that cannot run does not end the sweep.
///
/// # Errors
/// [`Error::Io`] if a row cannot be written; [`Error::Cancelled`], with all finished rows written.
pub fn run(
    plan: &Plan,
    out: &Path,
    only: Option<usize>,
    control: &JobControl,
    tell: &dyn Fn(SweepEvent<'_>),
) -> Result<Outcome> {
    let digests = SourceDigests::default();
    let numbers = match only {
        Some(number) => vec![plan.row(number)?.number],
        None => (0..plan.rows()).collect(),
    };
    let prepare = |&number: &usize| control.check().and_then(|()| prepare(plan, number, &digests));
    prepare(&numbers[0])?;
    let prepared: Vec<Prepared> = numbers.par_iter().map(prepare).collect::<Result<_>>()?;
    let mut outcome = Outcome { rows: prepared.len(), ..Outcome::default() };
    let (mut rows, mut refused) = (Vec::with_capacity(prepared.len()), Vec::new());
    for prepared in prepared {
        match prepared {
            Prepared::Row(row) => rows.push(*row),
            Prepared::Refused(row, error) => refused.push((row, error)),
        }
    }
    let able = rows.len();
    if only.is_some() {
        rows.retain(|row| read_row(out, &row.address).ok().flatten().is_none());
    } else {
        let listing = list(out)?;
        rows.retain(|row| !listing.finished.contains(&row.address));
    }
    outcome.finished_before = able - rows.len();
    outcome.finished = outcome.finished_before;
    tell(SweepEvent::Begin { rows: outcome.rows, finished: outcome.finished });
    for (row, error) in &refused {
        tell(SweepEvent::Failed { row, error });
        outcome.failed.push((row.number, error.to_string()));
    }
    let mut sweep = Sweep { plan, out, control, tell, cache: Cache::default(), outcome };
    let mut waiting = Vec::new();
    for group in groups(rows) {
        if !sweep.run_group(&group)? {
            waiting.push(group);
        }
    }
    while !waiting.is_empty() {
        tell(SweepEvent::Waiting { rows: waiting.iter().map(|group| group.rows.len()).sum() });
        std::thread::sleep(POLL);
        let mut rest = Vec::new();
        for group in waiting {
            if !sweep.run_group(&group)? {
                rest.push(group);
            }
        }
        waiting = rest;
    }
    Ok(sweep.outcome)
}

/// A sweep under way.
struct Sweep<'a> {
    plan: &'a Plan,
    out: &'a Path,
    control: &'a JobControl,
    tell: &'a dyn Fn(SweepEvent<'_>),
    cache: Cache,
    outcome: Outcome,
}

impl Sweep<'_> {
    /// Runs a group, and writes its rows. False if another process holds it.
    fn run_group(&mut self, group: &Group) -> Result<bool> {
        self.control.check()?;
        let Some(first) = group.rows.first() else { return Ok(true) };
        let Some(_lock) = GroupLock::try_lock(self.out, &first.address)? else { return Ok(false) };
        // Another process may have finished some since.
        let (done, mut rest): (Vec<_>, Vec<_>) =
            group.rows.iter().cloned().partition(|row| read_row(self.out, &row.address).is_ok_and(|row| row.is_some()));
        self.outcome.finished += done.len();
        // The longest first: the others are its first steps. One that cannot run leaves the others a chance.
        while let Some(longest) = rest.last() {
            let row = self.plan.row(longest.number)?;
            let (finished, rows) = (self.outcome.finished, self.outcome.rows);
            (self.tell)(SweepEvent::Run { first: &row, count: rest.len(), finished, rows });
            match self.run_rows(&rest) {
                Ok(()) => break,
                Err(error @ (Error::Cancelled | Error::Internal(_))) => return Err(error),
                Err(error) if is_of_results(&error, self.out) => return Err(error),
                Err(error) => {
                    (self.tell)(SweepEvent::Failed { row: &row, error: &error });
                    self.outcome.failed.push((longest.number, error.to_string()));
                    rest.pop();
                }
            }
        }
        self.cache.forget_runs();
        let (finished, rows) = (self.outcome.finished, self.outcome.rows);
        (self.tell)(SweepEvent::Finished { finished, rows });
        Ok(true)
    }

    fn tell_findings(&self, number: usize, findings: &[Finding]) -> Result<()> {
        (self.tell)(SweepEvent::Findings { row: &self.plan.row(number)?, findings });
        Ok(())
    }

    /// Runs the last of `rows` and writes all of them.
    fn run_rows(&mut self, rows: &[GroupRow]) -> Result<()> {
        let Some(longest) = rows.last() else { return Ok(()) };
        longest.row.settings.recipe.validate()?;
        let started = Instant::now();
        let settings = completed(&longest.row, &mut self.cache, self.control)?;
        let mut steps: Vec<usize> = rows.iter().map(|row| row.row.settings.recipe.steps).collect();
        steps.dedup();
        if longest.row.work != Work::Run {
            let on = if longest.row.work.is_spiking() { Attacked::Snn } else { Attacked::Ann };
            let found = findings_of_use(&settings, on, &mut self.cache, self.control)?;
            self.tell_findings(longest.number, &found)?;
        }
        let figures = match &longest.row.work {
            Work::Run => {
                // Boxes are scored where a row ends.
                let scored = Settings { score_at: steps.clone(), ..settings.clone() };
                let run = pipeline::run(&scored, &mut self.cache, self.control)?;
                self.tell_findings(longest.number, &run.findings)?;
                figures_at(&run, &steps, self.control)?
            }
            Work::Attack(request) => {
                let figures = attack_figures(&settings, request, &mut self.cache, self.control)?;
                vec![figures; steps.len()]
            }
            Work::Explain(options) => {
                let figures = explain_figures(&settings, options, &mut self.cache, self.control)?;
                vec![figures; steps.len()]
            }
        };
        let seconds = started.elapsed().as_secs_f64();
        for row in rows {
            let own = row.row.settings.recipe.steps;
            let Some(at) = steps.iter().position(|&steps| steps == own) else { continue };
            let mut settings = settings.clone();
            settings.recipe.steps = own;
            if let Err(error) = settings.recipe.validate() {
                let row = self.plan.row(row.number)?;
                (self.tell)(SweepEvent::Failed { row: &row, error: &error });
                self.outcome.failed.push((row.number, error.to_string()));
                continue;
            }
            let path = row_path(self.out, &row.address);
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
            }
            let environment = Environment::of_this_process(seconds);
            let file = RowFile::new(row.address.clone(), settings, figures[at].clone(), environment);
            RowFile { work: row.row.work.stated(), ..file }.write(&path)?;
            self.outcome.finished += 1;
        }
        Ok(())
    }
}

/// The settings of `row` with what its files state.
///
/// # Errors
/// Those of reading the files.
pub(super) fn completed(row: &RowSettings, cache: &mut Cache, control: &JobControl) -> Result<Settings> {
    let (mut settings, args) = (row.settings.clone(), &row.args);
    use_stated_scaling(&mut settings, args, cache)?;
    check_theta(&settings, args, cache)?;
    fit_default_ranges(&mut settings, args, cache, control)?;
    Ok(settings)
}

/// Whether `error` is about writing the results, which the next row would not escape.
fn is_of_results(error: &Error, out: &Path) -> bool {
    matches!(error, Error::Io { path, .. } if path.starts_with(out))
}
