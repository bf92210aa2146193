//! `spikescope race`: several recipes on the same samples, one table. Accuracy at several t with what each costs.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::run::{RunArgs, progress, settings_of, take_scaling, with_config, write_folder};
use crate::convert::{InitialPotential, NamedRecipe, Recipe, ThresholdRule};
use crate::lab::cache::Cache;
use crate::lab::compute::compute;
use crate::lab::{Run, Settings};
use crate::simulate::Control;
use crate::{Error, Result};

/// Run several recipes on the same samples and compare them in a table.
#[derive(Args, Clone, Debug)]
pub struct RaceArgs {
    /// What `run` takes: network, data, and the recipe that the methods start from
    #[command(flatten)]
    pub run: RunArgs,
    /// Methods of the papers, by name, separated by commas; all of them unless --with names recipes
    #[arg(long, value_name = "NAMES")]
    pub methods: Option<String>,
    /// Recipe files to race besides
    #[arg(long, value_name = "FILE")]
    pub with: Vec<PathBuf>,
    /// Pre-steps τ and ρ of SRP and COS
    #[arg(long, default_value_t = 4)]
    pub presteps: usize,
    /// Steps t to show, separated by commas; powers of two up to T by default
    #[arg(long, value_name = "LIST")]
    pub at: Option<String>,
}

/// One line of the table.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    recipe: Recipe,
    presteps: usize,
    hardware_presteps: usize,
    /// Accuracy (agreement with the ANN without labels) at each t.
    accuracy: Vec<f64>,
    /// Mean over layers of mean |φ − a| over the layer's mean activation, at T.
    mismatch: f64,
    synops_per_sample: f64,
    recording_bytes: usize,
    /// Simulation at the largest T, with calibration that the recipe needs for itself.
    seconds: f64,
}

/// Runs the command.
pub fn run(args: RaceArgs) -> Result<()> {
    let base = with_config(args.run.clone())?;
    let mut settings = settings_of(&base)?;
    let entries = entries(&args, &settings.recipe)?;
    let at = steps_shown(&args, settings.recipe.steps)?;
    let control = progress();
    // Networks, data and the ANN's values are shared by all.
    let mut cache = Cache::default();
    take_scaling(&mut settings, &base, &mut cache)?;
    let mut rows = Vec::new();
    let mut ann = None;
    for entry in &entries {
        let (row, accuracy) = row(entry, &settings, &at, &mut cache, &control)?;
        ann = ann.or(accuracy);
        rows.push(row);
        cache.forget_runs();
    }
    let table = table(&settings, &rows, &at, ann);
    println!("{table}");
    if let Some(out) = &base.out {
        let json = serde_json::to_string_pretty(&rows).map_err(|e| Error::Internal(e.to_string()))?;
        write_folder(out, &[("race.md", table.as_bytes()), ("race.json", json.as_bytes())])?;
    }
    Ok(())
}

fn entries(args: &RaceArgs, base: &Recipe) -> Result<Vec<NamedRecipe>> {
    let known = Recipe::methods(base, args.presteps);
    let named = |name: &str| {
        let found = known.iter().find(|method| method.name.eq_ignore_ascii_case(name.trim()));
        found.cloned().ok_or_else(|| {
            let names: Vec<_> = known.iter().map(|method| method.name.as_str()).collect();
            Error::Invalid(format!("method '{}' is not known; use any of {}", name.trim(), names.join(", ")))
        })
    };
    let mut entries = match &args.methods {
        Some(names) => names.split(',').map(named).collect::<Result<_>>()?,
        None if args.with.is_empty() => known.clone(),
        None => Vec::new(),
    };
    for path in &args.with {
        entries.push(NamedRecipe::load(path)?);
    }
    Ok(entries)
}

fn steps_shown(args: &RaceArgs, steps: usize) -> Result<Vec<usize>> {
    let Some(text) = &args.at else {
        let mut powers: Vec<usize> =
            std::iter::successors(Some(1), |t| Some(t * 2)).take_while(|&t| t < steps).collect();
        powers.push(steps);
        return Ok(powers);
    };
    let bad = || Error::Invalid(format!("at '{text}': list steps from 1 to T = {steps}, separated by commas"));
    let one = |t: &str| t.trim().parse().ok().filter(|t| (1..=steps).contains(t)).ok_or_else(bad);
    text.split(',').map(one).collect()
}

/// Whether another T makes another network of the recipe, so that one run does not give the accuracy at every t.
fn depends_on_steps(recipe: &Recipe) -> bool {
    recipe.threshold == ThresholdRule::Mse || recipe.bias_correction || recipe.initial == InitialPotential::Calibrated
}

fn row(
    entry: &NamedRecipe,
    settings: &Settings,
    at: &[usize],
    cache: &mut Cache,
    control: &Control,
) -> Result<(Row, Option<f64>)> {
    let run_over = |steps: usize, cache: &mut Cache| {
        let mut own = settings.clone();
        own.recipe = Recipe { steps, ..entry.recipe.clone() };
        compute(&own, cache, control).map_err(|error| match error {
            Error::Cancelled => Error::Cancelled,
            other => Error::Invalid(format!("{}: {other}", entry.name)),
        })
    };
    let run = run_over(settings.recipe.steps, cache)?;
    let share = |run: &Run, t: usize| {
        let point = &run.report.curve[t - 1];
        point.accuracy.unwrap_or(point.agreement)
    };
    let mut accuracy = Vec::new();
    for &t in at {
        let shorter = depends_on_steps(&entry.recipe) && t != run.steps();
        accuracy.push(if shorter { share(&*run_over(t, cache)?, t) } else { share(&run, t) });
    }
    let layers = &run.report.layers;
    let relative = layers.iter().map(|l| l.mean_abs_mismatch / l.mean_activation.max(f64::MIN_POSITIVE));
    let row = Row {
        name: entry.name.clone(),
        recipe: entry.recipe.clone(),
        presteps: entry.recipe.correction.presteps(),
        hardware_presteps: entry.recipe.correction.hardware_presteps(layers.len()),
        accuracy,
        mismatch: relative.sum::<f64>() / layers.len().max(1) as f64,
        synops_per_sample: layers.iter().map(|l| l.synops).sum::<f64>() / run.report.samples.max(1) as f64,
        recording_bytes: run.recording.bytes(),
        seconds: run.seconds.snn + run.seconds.calibrate,
    };
    Ok((row, run.report.ann_accuracy))
}

/// The rows as a Markdown table.
fn table(settings: &Settings, rows: &[Row], at: &[usize], ann: Option<f64>) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    let what = match ann {
        Some(ann) => format!("accuracy in %; the ANN has {:.2}", ann * 100.0),
        None => "agreement with the ANN in %; no labels".into(),
    };
    let columns: Vec<String> = at.iter().map(|t| format!("T = {t}")).collect();
    // Writing to a string does not fail.
    let _ = writeln!(text, "{} on {}, {} samples: {what}", settings.model, settings.data, settings.samples.len());
    let _ = writeln!(text);
    let _ = writeln!(
        text,
        "| method | pre-steps (hardware) | {} | mismatch | M SynOps a sample | seconds |",
        columns.join(" | ")
    );
    let _ = writeln!(text, "|---|---|{}---|---|---|", "---|".repeat(at.len()));
    for row in rows {
        let figures: Vec<String> = row.accuracy.iter().map(|a| format!("{:.1}", a * 100.0)).collect();
        let presteps = match row.presteps {
            0 => "0".into(),
            n => format!("{n} ({})", row.hardware_presteps),
        };
        let _ = writeln!(
            text,
            "| {} | {presteps} | {} | {:.3} | {:.2} | {:.1} |",
            row.name,
            figures.join(" | "),
            row.mismatch,
            row.synops_per_sample / 1e6,
            row.seconds
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_shows_powers_of_two_unless_asked_otherwise() {
        let args = |at: Option<&str>| RaceArgs {
            run: RunArgs::default(),
            methods: None,
            with: Vec::new(),
            presteps: 4,
            at: at.map(Into::into),
        };
        assert_eq!(steps_shown(&args(None), 12).unwrap(), [1, 2, 4, 8, 12]);
        assert_eq!(steps_shown(&args(Some("2, 8")), 12).unwrap(), [2, 8]);
        assert!(steps_shown(&args(Some("13")), 12).is_err());
        assert_eq!(
            entries(&args(None), &Recipe::default()).unwrap().len(),
            Recipe::methods(&Recipe::default(), 4).len()
        );
        let wrong = RaceArgs { methods: Some("SRQ".into()), ..args(None) };
        assert!(entries(&wrong, &Recipe::default()).unwrap_err().to_string().contains("SRP"));
    }
}
