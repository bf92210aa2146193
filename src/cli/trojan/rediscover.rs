//! Command `trojan rediscover`: scores of attribution methods against the trigger, and what conversion does to trojans.

use std::path::PathBuf;

use clap::Args;

use crate::cli::interrupt::cancel_on_interrupt;
use crate::cli::progress::Progress;
use crate::experiment::attacked::Attacked;
use crate::explain::Method;
use crate::trojan::folder::Planted;
use crate::trojan::rediscover::{Bench, BenchOptions, rediscover};
use crate::trojan::survival::{CLEAN_ROW, RECIPES};
use crate::{Error, Result};

/// Score attribution methods by how well they find the trigger, in both networks over time-steps.
#[derive(Args, Clone, Debug)]
pub struct RediscoverArgs {
    /// Folder of `trojan plant`, or builtin:objects-trojans
    pub planted: String,
    /// Attribution methods and baselines, with commas between them, or all
    #[arg(long, value_name = "NAMES", default_value = "all")]
    pub methods: String,
    /// The networks that are explained: ann, snn or both
    #[arg(long, value_name = "ann,snn", default_value = "ann,snn")]
    pub on: String,
    /// Time-steps of the spiking network, with commas between them
    #[arg(long, value_name = "LIST", default_value = "4,8,16,32")]
    pub at: String,
    /// Trojans by their names, with commas between them, or all
    #[arg(long, value_name = "NAMES", default_value = "all")]
    pub trojans: String,
    /// Pictures with the trigger, for each trojan
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub pictures: usize,
    /// Recipe of the spiking network that is explained, as `race` names it
    #[arg(long, value_name = "NAME", default_value = "balanced")]
    pub recipe: String,
    /// Recipes by which success after conversion is measured, with commas between them
    #[arg(long, value_name = "NAMES", help = recipes_help())]
    pub recipes: Option<String>,
    /// Compare the maps of the ANN with those of random weights, layer by layer
    #[arg(long)]
    pub sanity: bool,
    /// Network evaluations a picture of shapley-sampling, kernel-shap and lime; full: as many as `explain` takes
    #[arg(long, value_name = "N|full", default_value = "128")]
    pub evaluations: String,
    /// Decides all random draws
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Folder for scores and success; what is there already is not measured again
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

fn recipes_help() -> String {
    format!(
        "Recipes by which success after conversion is measured, with commas between them [default: {}]",
        RECIPES.join(",")
    )
}

/// Runs the command.
///
/// # Errors
/// Those of the folder, of the options and of [`rediscover`].
pub(super) fn run(args: &RediscoverArgs) -> Result<()> {
    let options = BenchOptions {
        methods: Method::parse_list(&args.methods)?,
        on: networks(&args.on)?,
        at: steps(&args.at)?,
        recipe: args.recipe.clone(),
        recipes: match &args.recipes {
            Some(text) => text.split(',').map(|name| name.trim().to_owned()).collect(),
            None => RECIPES.map(str::to_owned).to_vec(),
        },
        trojans: Vec::new(),
        pictures: args.pictures,
        sanity: args.sanity,
        evaluations: evaluations(&args.evaluations)?,
        seed: args.seed,
    };
    let planted = Planted::open(&args.planted)?;
    let options = BenchOptions { trojans: planted.trojans(&args.trojans)?, ..options }.without_repeats();
    let display = Progress::new();
    let control = display.control(true);
    cancel_on_interrupt(&control)?;
    let bench = rediscover(&planted, &options, &args.out, &control);
    display.clear();
    let bench = bench?;
    print_scores(&bench, &options);
    print_success(&bench, &options);
    println!("wrote {} after {:.0} s", args.out.display(), bench.seconds);
    Ok(())
}

fn networks(text: &str) -> Result<Vec<Attacked>> {
    let one = |word: &str| match word.trim() {
        "ann" => Ok(Attacked::Ann),
        "snn" => Ok(Attacked::Snn),
        other => Err(Error::Invalid(format!("Cannot explain '{other}': unknown word. Use ann, snn or ann,snn."))),
    };
    text.split(',').map(one).collect()
}

fn steps(text: &str) -> Result<Vec<usize>> {
    let one = |word: &str| match word.trim().parse::<usize>() {
        Ok(steps @ 1..=4096) => Ok(steps),
        _ => Err(Error::Invalid(format!("Cannot use time-steps '{word}': use numbers from 1 to 4096, as in 4,8,16."))),
    };
    text.split(',').map(one).collect()
}

fn evaluations(text: &str) -> Result<Option<usize>> {
    match (text.trim(), text.trim().parse::<usize>()) {
        ("full", _) => Ok(None),
        (_, Ok(evaluations)) => Ok(Some(evaluations)),
        _ => Err(Error::Invalid(format!("Cannot use evaluations '{text}': use a number, as 128, or full."))),
    }
}

/// Median over trojans of the correlation of each method, in the ANN and at every T, and the seconds it took.
fn print_scores(bench: &Bench, options: &BenchOptions) {
    if bench.rows.is_empty() {
        return;
    }
    let mut places: Vec<Option<usize>> = bench.rows.iter().map(|row| row.steps).collect();
    places.sort_unstable();
    places.dedup();
    print!("{:<24}", "correlation with trigger");
    places.iter().for_each(|steps| print!("{:>8}", steps.map_or_else(|| "ANN".to_owned(), |t| format!("T={t}"))));
    println!("{:>10}{:>10}{:>10}", "L1, ANN", "ANN, s", "SNN, s");
    for method in &options.methods {
        print!("{:<24}", method.word());
        for steps in &places {
            match bench.of_method(method.word(), *steps) {
                Some((_, correlation)) => print!("{correlation:>8.3}"),
                None => print!("{:>8}", "-"),
            }
        }
        println!(
            "{:>10}{:>10.2}{:>10.2}",
            bench.of_method(method.word(), None).map_or_else(|| "-".into(), |(l1, _)| format!("{l1:.4}")),
            bench.seconds_of(method.word(), false),
            bench.seconds_of(method.word(), true)
        );
    }
    println!("all methods together: {:.0} s", bench.rows.iter().map(|row| row.seconds).sum::<f64>());
}

/// Success of every trojan in the ANN and after conversion.
fn print_success(bench: &Bench, options: &BenchOptions) {
    for recipe in &options.recipes {
        print!("{:<24}{:>8}", format!("success, {recipe}"), "ANN");
        options.at.iter().for_each(|steps| print!("{:>8}", format!("T={steps}")));
        println!();
        let mut trojans: Vec<&str> = bench.success.iter().map(|row| row.trojan.as_str()).collect();
        trojans.dedup();
        trojans.sort_unstable();
        trojans.dedup();
        trojans.sort_by_key(|trojan| *trojan != CLEAN_ROW);
        for trojan in trojans {
            let of = |steps: Option<usize>| {
                let row = bench.success.iter().find(|row| {
                    row.trojan == trojan && row.steps == steps && (steps.is_none() || row.recipe == *recipe)
                });
                row.map_or_else(|| "-".to_owned(), |row| format!("{:.1} %", 100.0 * row.success))
            };
            print!("{:<24}{:>8}", if trojan == CLEAN_ROW { "(accuracy)" } else { trojan }, of(None));
            options.at.iter().for_each(|steps| print!("{:>8}", of(Some(*steps))));
            println!();
        }
    }
}
