//! Command `race`: runs several recipes on the same samples and compares them in a table.
//!
//! The table has accuracies at several t, and costs. A row is printed as soon as its recipe is complete; Ctrl-C keeps the
//! finished rows.

mod row;
mod table;

use std::path::{Path, PathBuf};

use clap::Args;
use row::{Row, row};
use table::{head, line};

use super::interrupt::cancel_on_interrupt;
use super::progress::Progress;
use super::run::{check_out, write_folder};
use crate::convert::{NamedRecipe, Recipe};
use crate::experiment::cache::Cache;
use crate::experiment::options::{
    RunArgs, check_theta, fit_default_ranges, settings_from_args, use_stated_scaling, with_config,
};
use crate::{Error, Result};

/// Run several recipes on the same samples and compare them in a table.
#[derive(Args, Clone, Debug)]
pub struct RaceArgs {
    /// What `run` takes: network, data, and the base recipe that the methods change
    #[command(flatten)]
    pub run: RunArgs,
    /// Names of methods, separated by commas.
    #[arg(long, value_name = "NAMES", help = methods_help())]
    pub methods: Option<String>,
    /// Recipe files to race, over the same T as the others; they run after the methods
    #[arg(long, value_name = "FILE")]
    pub with: Vec<PathBuf>,
    /// Pre-steps τ and ρ of the methods SRP and COS
    #[arg(long, default_value_t = 4)]
    pub presteps: usize,
}

/// Help text of `--methods` with all names.
fn methods_help() -> String {
    let names: Vec<String> =
        Recipe::published_methods(&Recipe::default(), 1).into_iter().map(|method| method.name).collect();
    format!(
        "Methods of the papers, separated by commas; by default all, unless --with names recipes: {}",
        names.join(", ")
    )
}

/// Runs the command.
///
/// # Errors
/// [`Error::Invalid`] for bad arguments, before anything is computed; the error of a recipe, or [`Error::Cancelled`]
/// after Ctrl-C, with the finished rows printed and written.
pub fn run(args: RaceArgs) -> Result<()> {
    if args.run.dump.is_some() {
        return Err(Error::Invalid("Cannot dump counts of a race. Omit --dump, or use run for one recipe.".into()));
    }
    let base = with_config(args.run.clone())?;
    let mut settings = settings_from_args(&base)?;
    let entries = entries(&args, &settings.recipe)?;
    let at = steps_shown(base.at.as_deref(), settings.recipe.steps)?;
    base.out.as_deref().map_or(Ok(()), check_out)?;
    if base.dump.is_some() {
        eprintln!("note: the dump in the configuration is ignored; race writes no counts");
    }
    let progress = Progress::new();
    let control = progress.control(true);
    cancel_on_interrupt(&control)?;
    // All recipes share network, data and ANN values.
    let mut cache = Cache::default();
    use_stated_scaling(&mut settings, &base, &mut cache)?;
    check_theta(&settings, &base, &mut cache)?;
    fit_default_ranges(&mut settings, &base, &mut cache, &control)?;
    let (mut rows, mut text, mut unclipped) = (Vec::new(), String::new(), Vec::new());
    let mut error_so_far = None;
    for (index, entry) in entries.iter().enumerate() {
        progress.begin(format!("recipe {} of {}, {}", index + 1, entries.len(), entry.name));
        match row(entry, &settings, &at, &mut cache, &control) {
            Ok(result) => {
                let head =
                    if rows.is_empty() { head(&settings, &at, result.ann, result.outputs) } else { String::new() };
                let lines = head + &line(&result.row);
                progress.clear();
                print!("{lines}");
                text += &lines;
                if result.unclipped {
                    unclipped.push(entry.name.clone());
                }
                rows.push(result.row);
            }
            Err(error) => {
                error_so_far = Some(error);
                break;
            }
        }
        cache.forget_runs();
    }
    progress.clear();
    if !unclipped.is_empty() {
        eprintln!(
            "note: this network has QCFS activations, but the thresholds of {} are fitted to the unclipped \
              ReLU(z); use --threshold learned for such networks",
            unclipped.join(", ")
        );
    }
    if error_so_far.is_some() && !rows.is_empty() {
        let remark = format!("{} of {} recipes done; the others were not completed", rows.len(), entries.len());
        eprintln!("{remark}");
        text += &format!("\n{remark}.\n");
    }
    if let Some(out) = base.out.as_deref().filter(|_| !rows.is_empty()) {
        write_table(out, &rows, &text)?;
        eprintln!("wrote {}", out.display());
    }
    error_so_far.map_or(Ok(()), Err)
}

/// Writes `race.md` and `race.json`.
fn write_table(out: &Path, rows: &[Row], text: &str) -> Result<()> {
    let json = serde_json::to_string_pretty(rows).map_err(|e| Error::Internal(e.to_string()))?;
    write_folder(out, &[("race.md", text.as_bytes()), ("race.json", json.as_bytes())])
}

/// The recipes of the race, all valid and with distinct names.
fn entries(args: &RaceArgs, base: &Recipe) -> Result<Vec<NamedRecipe>> {
    let known = Recipe::published_methods(base, args.presteps);
    let find_method = |name: &str| {
        let method = known.iter().find(|method| method.name.eq_ignore_ascii_case(name.trim()));
        method.cloned().ok_or_else(|| {
            let names: Vec<_> = known.iter().map(|method| method.name.as_str()).collect();
            Error::Invalid(format!(
                "Cannot use method '{}': unknown name. Use any of {}.",
                name.trim(),
                names.join(", ")
            ))
        })
    };
    let mut entries = match &args.methods {
        Some(names) => names.split(',').map(find_method).collect::<Result<_>>()?,
        None if args.with.is_empty() => known.clone(),
        None => Vec::new(),
    };
    for path in &args.with {
        entries.push(NamedRecipe::load(path)?);
    }
    for (index, entry) in entries.iter().enumerate() {
        if entries[..index].iter().any(|other| other.name.eq_ignore_ascii_case(&entry.name)) {
            return Err(Error::Invalid(format!(
                "Cannot race: two recipes are called '{}'. Name each method once in --methods, and give recipe files \
                 distinct names.",
                entry.name
            )));
        }
        let recipe = Recipe { steps: base.steps, ..entry.recipe.clone() };
        recipe.validate().map_err(|error| Error::Invalid(format!("{}: {error}", entry.name)))?;
    }
    Ok(entries)
}

fn steps_shown(at: Option<&str>, steps: usize) -> Result<Vec<usize>> {
    let Some(text) = at else {
        let mut powers: Vec<usize> =
            std::iter::successors(Some(1), |t| Some(t * 2)).take_while(|&t| t < steps).collect();
        powers.push(steps);
        return Ok(powers);
    };
    let bad = || {
        Error::Invalid(format!(
            "Cannot use --at '{text}': not a list of steps. Use steps from 1 to T = {steps}, separated by commas."
        ))
    };
    let parse_step = |t: &str| t.trim().parse().ok().filter(|t| (1..=steps).contains(t)).ok_or_else(bad);
    text.split(',').map(parse_step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args() -> RaceArgs {
        RaceArgs { run: RunArgs::default(), methods: None, with: Vec::new(), presteps: 4 }
    }

    fn refused(args: &RaceArgs) -> String {
        let error = entries(args, &Recipe::default()).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        error.to_string()
    }

    #[test]
    fn steps_shown_are_powers_of_two_by_default() {
        assert_eq!(steps_shown(None, 12).unwrap(), [1, 2, 4, 8, 12]);
        assert_eq!(steps_shown(Some("2, 8"), 12).unwrap(), [2, 8]);
        assert!(steps_shown(Some("13"), 12).is_err());
    }

    #[test]
    fn entries_are_the_named_methods_or_all() {
        let all = Recipe::published_methods(&Recipe::default(), 4);
        assert_eq!(entries(&args(), &Recipe::default()).unwrap(), all);
        let two = RaceArgs { methods: Some("srp, Plain".into()), ..args() };
        let names: Vec<_> = entries(&two, &Recipe::default()).unwrap().into_iter().map(|entry| entry.name).collect();
        assert_eq!(names, ["SRP", "plain"]);
        assert!(all.iter().all(|method| methods_help().contains(&method.name)));
    }

    #[test]
    fn duplicate_and_invalid_entries_are_refused_before_any_run() {
        let with_methods = |methods: &str| RaceArgs { methods: Some(methods.into()), ..args() };
        assert!(refused(&with_methods("SRQ")).contains("SRP"));
        assert!(refused(&with_methods("SRP,plain,srp")).contains("two recipes are called 'SRP'"));
        assert!(refused(&RaceArgs { presteps: 0, ..with_methods("SRP") }).contains("without pre-steps"));
        assert!(refused(&RaceArgs { presteps: 0, ..with_methods("COS") }).contains("COS"));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mine.toml");
        NamedRecipe::new("plain", Recipe::default()).save(&file).unwrap();
        assert!(refused(&RaceArgs { with: vec![file], ..with_methods("plain") }).contains("'plain'"));
        let run = RunArgs { dump: Some("counts".into()), ..RunArgs::default() };
        let error = super::run(RaceArgs { run, ..args() }).unwrap_err();
        assert!(error.exit_code() == 2 && error.to_string().contains("--dump"));
    }

    #[test]
    fn race_writes_table_and_json() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        let run = RunArgs {
            model: Some("builtin:digits-mlp".into()),
            samples: Some("0..20".into()),
            calibrate: Some("20..60".into()),
            steps: Some(4),
            out: Some(out.clone()),
            ..RunArgs::default()
        };
        super::run(RaceArgs { run, methods: Some("plain,signed,least MSE".into()), ..args() }).unwrap();
        let table = std::fs::read_to_string(out.join("race.md")).unwrap();
        let rows: Vec<&str> = table.lines().filter(|line| line.starts_with('|')).collect();
        assert_eq!(rows.len(), 2 + 3);
        assert!(rows.iter().all(|row| row.matches('|').count() == rows[0].matches('|').count()), "{table}");
        assert!(table.contains("| signed | v(0) 0, signed neurons |"), "{table}");
        let json: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(out.join("race.json")).unwrap()).unwrap();
        assert_eq!(json[1]["changes"][0], "v(0) 0");
        assert_eq!(json[1]["recipe"]["steps"], 4);
    }
}
