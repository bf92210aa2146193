//! Command `explain`: writes which pixels the network's answers stand on, by all methods.

pub mod arrays;
mod report;

use clap::Args;

use self::arrays::write_maps;
use self::report::{AtSteps, Report};
use super::prepared::{Prepared, prepare, tell_findings};
use super::run::StagingFolder;
use crate::experiment::attacked::Attacked;
use crate::experiment::diagnose::findings_of_use;
use crate::experiment::explained::sanity::sanity;
use crate::experiment::explained::{AttributionOptions, ExplainSubject};
use crate::experiment::options::{RunArgs, settings_from_args, with_config};
use crate::experiment::preview::is_prefix;
use crate::files::write_bytes;
use crate::{Error, Result};

/// Explain the answers of a network by attribution maps.
#[derive(Args, Clone, Debug)]
pub struct ExplainArgs {
    /// What `run` takes: network, data, and the recipe of the spiking network. Several T with --at 4,8,16
    #[command(flatten)]
    pub run: RunArgs,
    #[command(flatten)]
    pub attribution: AttributionOptions,
}

/// Runs the command.
///
/// # Errors
/// [`Error::Invalid`] for bad options, masks and baselines, those of the network and of writing; [`Error::Cancelled`] after
/// Ctrl-C, with the finished methods written.
pub fn run(args: ExplainArgs) -> Result<()> {
    let mut base = with_config(args.run.clone())?;
    if base.dump.is_some() {
        return Err(Error::Invalid("Cannot dump counts of an explanation. Omit --dump.".into()));
    }
    let options = &args.attribution;
    let on = options.on()?;
    let at = base.at.take();
    let mut asked = options.request()?;
    let mut settings = settings_from_args(&base)?;
    let steps = steps_of(at.as_deref(), on, settings.recipe.steps)?;
    check_steps(&steps, base.steps)?;
    settings.recipe.steps = steps.iter().copied().max().unwrap_or(1);
    settings.recipe.validate()?;
    let Prepared { out, progress, control, mut cache } = prepare(&mut settings, &base)?;
    let subject = ExplainSubject::load(&settings, on, &mut cache, &control)?;
    let after = |steps: usize| {
        let mut shorter = settings.clone();
        shorter.recipe.steps = steps;
        shorter
    };
    // One simulation answers for all of them.
    let shares = steps.iter().all(|&t| t == settings.recipe.steps || is_prefix(&after(t), &settings));
    let form = subject.form();
    let masks = options.read_files(&mut asked, &subject)?;
    let left_out = options.leave_out(&mut asked, &subject);
    let findings = findings_of_use(&settings, on, &mut cache, &control)?;
    let mut all: Vec<AtSteps> = Vec::new();
    let mut subject = if shares && steps.len() > 1 { subject.sharing(&steps) } else { subject };
    for &steps in &steps {
        if subject.steps().is_some_and(|known| known != steps) {
            settings.recipe.steps = steps;
            match shares {
                true => subject.set_steps(steps),
                false => subject = ExplainSubject::load(&settings, on, &mut cache, &control)?,
            }
        }
        let explanation = match subject.explain(&asked, &control, &mut |_| ()) {
            Ok(explanation) => explanation,
            // What was found at the steps before stays.
            Err(Error::Cancelled) if !all.is_empty() => break,
            Err(error) => return Err(error).inspect_err(|_| progress.clear()),
        };
        let sane = match options.sanity && !explanation.stopped {
            true => sanity(&settings, on, &asked, &explanation, &mut cache, &control).or_else(|error| match error {
                Error::Cancelled => Ok(Vec::new()),
                error => Err(error),
            }),
            false => Ok(Vec::new()),
        };
        all.push(AtSteps::new(&subject, explanation, masks.as_deref(), sane.inspect_err(|_| progress.clear())?));
        if control.is_cancelled() {
            break;
        }
    }
    progress.clear();
    let stopped = control.is_cancelled();
    tell_findings(&findings);
    let report = Report::new(&settings, on, (options, &asked), form, stopped, (left_out, findings), all);
    let text = serde_json::to_string_pretty(&report).map_err(|e| Error::Internal(e.to_string()))?;
    let staging = StagingFolder::beside(&out)?;
    write_maps(&staging.path("maps.npz"), form, &report)?;
    write_bytes(&staging.path("scores.json"), text.as_bytes())?;
    staging.publish(&["maps.npz", "scores.json"])?;
    report.table().iter().for_each(|line| println!("{line}"));
    report.told().for_each(|note| println!("note: {note}"));
    println!("wrote {}", out.display());
    if stopped { Err(Error::Cancelled) } else { Ok(()) }
}

/// Refuses steps of `--at` behind the T of `--steps`, which would be ignored.
fn check_steps(at: &[usize], last: Option<usize>) -> Result<()> {
    match (at.iter().max(), last) {
        (Some(&most), Some(last)) if most > last => Err(Error::Invalid(format!(
            "Cannot explain at step {most}: --steps {last} ends before. Use --steps {most}, or leave it out."
        ))),
        _ => Ok(()),
    }
}

/// The steps of `--at`, or T.
fn steps_of(at: Option<&str>, on: Attacked, steps: usize) -> Result<Vec<usize>> {
    let Some(text) = at else { return Ok(vec![steps]) };
    if on == Attacked::Ann {
        return Err(Error::Invalid(
            "Cannot explain the ANN at time-steps: it has none. Omit --at, or add --on snn.".into(),
        ));
    }
    let mut all = Vec::new();
    for part in text.split(',') {
        let steps = part.trim().parse::<usize>().ok().filter(|steps| *steps > 0);
        let steps = steps.ok_or_else(|| {
            Error::Invalid(format!("Cannot explain at '{}': not a number of time-steps. Use --at 4,8,16.", part.trim()))
        })?;
        if !all.contains(&steps) {
            all.push(steps);
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_behind_the_stated_end_are_refused() {
        let steps = |at: &str, last: Option<usize>| {
            steps_of(Some(at), Attacked::Snn, last.unwrap_or(32))
                .and_then(|steps| check_steps(&steps, last).map(|()| steps))
        };
        assert_eq!(steps("8, 2,8", Some(8)).unwrap(), [8, 2]);
        assert_eq!(steps("2,64", None).unwrap(), [2, 64], "no T is stated");
        assert!(steps("2,8", Some(4)).unwrap_err().to_string().contains("step 8: --steps 4"));
    }
}
