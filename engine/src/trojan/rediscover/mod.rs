//! The attribution bench: how well every method finds the trigger's pixels, in the ANN and in the spiking network over T.
//!
//! Maps explain the trojan's target on pictures with the trigger; scores compare them with the trigger's mask. A style covers the
//! whole picture: no map can be right or wrong about it, so styles are left out.

mod options;
mod place;
mod scores;
mod success;

use std::path::Path;
use std::time::Instant;

pub use self::options::{BENCH, BenchKey, BenchOptions, SCORES_CSV, SUCCESS, SUCCESS_CSV};
use self::options::{PARTS, check, places};
use self::place::Networks;
use self::scores::read_part;
pub use self::scores::{Appearance, Bench, ScoreRow};
use super::folder::{Planted, write_json};
use super::survival::{self, appears_at};
use super::trigger::TriggerKind;
use crate::explain::Method;
use crate::files::write_bytes;
use crate::progress::JobControl;
use crate::{Error, Result};

/// Does what is missing in the folder `out`. After a stop, another call goes on.
///
/// # Errors
/// Those of the methods and of writing; [`Error::Invalid`] for a folder of another bench; [`Error::Cancelled`] when stopped, with
/// everything finished in the folder.
pub fn rediscover(planted: &Planted, options: &BenchOptions, out: &Path, control: &JobControl) -> Result<Bench> {
    check(options)?;
    let begun = Instant::now();
    let key = BenchKey {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        planted: planted.source.clone(),
        recipe: options.recipe.clone(),
        pictures: options.pictures,
        evaluations: options.evaluations,
        seed: options.seed,
    };
    let parts = out.join(PARTS);
    std::fs::create_dir_all(&parts).map_err(|error| Error::io(&parts, error))?;
    check_key(&parts.join("key.json"), &key)?;
    let success = success::of_all(planted, options, &parts, control)?;
    let scored: Vec<usize> = options
        .trojans
        .iter()
        .copied()
        .filter(|&trojan| planted.plan.trojans[trojan].trigger.kind() != TriggerKind::Style)
        .collect();
    let places = places(options);
    let path = |steps: Option<usize>, trojan: usize, method: Method| {
        let place = steps.map_or_else(|| "ann".to_owned(), |steps| format!("snn-{steps}"));
        parts.join(format!("{place}-{trojan}-{}.json", method.word()))
    };
    let mut networks: Option<Networks> = None;
    for (done, &trojan) in scored.iter().enumerate() {
        control.check()?;
        control.progress("attribution", done as f32 / scored.len() as f32);
        let missing = |steps: Option<usize>| {
            options.methods.iter().copied().filter(move |&method| !path(steps, trojan, method).is_file())
        };
        if places.iter().all(|&steps| missing(steps).next().is_none()) {
            continue;
        }
        let networks = match &mut networks {
            Some(known) => known,
            none => none.insert(Networks::new(planted, &places, options, control)?),
        };
        networks.show(planted, trojan, options.pictures)?;
        // A method on all networks, since the longest simulation answers for the shorter ones.
        for &method in &options.methods {
            for &steps in places.iter().filter(|&&steps| missing(steps).any(|known| known == method)) {
                control.check()?;
                let row = networks.score(planted, trojan, (method, steps), options, control)?;
                write_json(&path(steps, trojan, method), &row)?;
            }
        }
    }
    let mut rows = Vec::new();
    for (&steps, &trojan) in places.iter().flat_map(|steps| scored.iter().map(move |trojan| (steps, trojan))) {
        for &method in &options.methods {
            rows.push(read_part::<ScoreRow>(&path(steps, trojan, method))?);
        }
    }
    let names = options.trojans.iter().map(|&trojan| planted.plan.trojans[trojan].name.clone());
    let appears = names
        .flat_map(|trojan| options.recipes.iter().map(move |recipe| (trojan.clone(), recipe.clone())))
        .map(|(trojan, recipe)| Appearance { steps: appears_at(&success, &trojan, &recipe), trojan, recipe })
        .collect();
    let bench = Bench { key, rows, success, appears, seconds: begun.elapsed().as_secs_f64() };
    write_bytes(&out.join(SCORES_CSV), bench.scores_csv().as_bytes())?;
    write_bytes(&out.join(SUCCESS_CSV), survival::csv(&bench.success).as_bytes())?;
    write_json(&out.join(SUCCESS), &bench.success)?;
    write_json(&out.join(BENCH), &bench)?;
    Ok(bench)
}

/// Writes the key of the bench, or compares it with the one that is there.
fn check_key(path: &Path, key: &BenchKey) -> Result<()> {
    if !path.is_file() {
        return write_json(path, key);
    }
    let known: BenchKey = read_part(path)?;
    if known == *key {
        return Ok(());
    }
    let evaluations = known.evaluations.map_or_else(|| "full".to_owned(), |evaluations| evaluations.to_string());
    Err(Error::Invalid(format!(
        "Cannot go on with this bench: its parts are of {}, recipe {}, {} pictures, {evaluations} evaluations and seed {}. \
         Use the same, or another folder for --out.",
        known.planted, known.recipe, known.pictures, known.seed
    )))
}
