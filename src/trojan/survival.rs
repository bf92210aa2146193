//! What conversion does to trojans: their success in the spiking network, by recipe and time-steps.

use serde::{Deserialize, Serialize};

use super::folder::Planted;
use super::pictures::Triggered;
use crate::attack::PixelSpace;
use crate::convert::{NamedRecipe, Recipe};
use crate::data::{Samples, Scaling};
use crate::experiment::Settings;
use crate::experiment::attacked::{AttackSubject, Attacked};
use crate::experiment::cache::Cache;
use crate::export::results_table::quoted;
use crate::network::predicted_class;
use crate::progress::JobControl;
use crate::{Error, Result};

/// The recipes that are compared without a word, by the names that `race` has for them.
pub const RECIPES: [&str; 5] = ["percentile 99.9", "balanced", "SRP", "COS", "max-norm"];
/// Training pictures on which thresholds are calibrated.
const CALIBRATION: usize = 256;
/// Test pictures without triggers on which the accuracy is measured.
const CLEAN: usize = 200;
/// Pre-steps of SRP and COS.
const PRESTEPS: usize = 4;

/// The success of one trojan in one network: a line of `success.csv`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SuccessRow {
    /// The trojan, or `clean` for the accuracy on pictures without triggers.
    pub trojan: String,
    /// `ann`, or the recipe of the spiking network.
    pub recipe: String,
    /// Time-steps; `None` for the ANN.
    pub steps: Option<usize>,
    /// Part of the pictures that are taken for the target (for `clean`: right).
    pub success: f64,
    pub pictures: usize,
}

/// The row of accuracy.
pub const CLEAN_ROW: &str = "clean";

/// The recipe called `name`, with T = `steps`; `None` for an unknown name.
pub fn recipe(name: &str, steps: usize) -> Option<Recipe> {
    let base = Recipe { steps, ..Recipe::default() };
    let found: Option<NamedRecipe> =
        Recipe::published_methods(&base, PRESTEPS).into_iter().find(|method| method.name == name);
    found.map(|found| Recipe { steps, ..found.recipe })
}

/// Settings of the planted network, converted by `recipe` and calibrated on clean training pictures.
pub fn settings(planted: &Planted, recipe: Recipe) -> Settings {
    Settings {
        model: planted.model.clone(),
        data: planted.plan.test.to_string(),
        calibration_data: Some(planted.plan.data.to_string()),
        scaling: Scaling::Unit,
        samples: 0..1,
        calibrate: 0..CALIBRATION.min(planted.test.samples.len()),
        recipe,
        ..Settings::default()
    }
}

/// Success of the trojans at `trojans` on up to `pictures` test pictures each, in the ANN and in the spiking network of every
/// recipe of `recipes` at every T of `at`.
///
/// # Errors
/// [`Error::Invalid`] for an unknown recipe; those of conversion and simulation; [`Error::Cancelled`].
pub fn survival(
    planted: &Planted,
    trojans: &[usize],
    recipes: &[String],
    at: &[usize],
    pictures: usize,
    control: &JobControl,
) -> Result<Vec<SuccessRow>> {
    for name in recipes {
        if recipe(name, 1).is_none() {
            let known: Vec<String> =
                Recipe::published_methods(&Recipe::default(), 1).into_iter().map(|method| method.name).collect();
            let known = known.join(", ");
            return Err(Error::Invalid(format!("Cannot use recipe '{name}': unknown name. Use one of {known}.")));
        }
    }
    let pixels = PixelSpace::new(&planted.test.samples, &Scaling::Unit)?;
    let of = |samples: &Samples| pixels.pixels(samples, 0..samples.len());
    let mut untriggered = planted.test.untriggered(&planted.plan);
    untriggered.truncate(CLEAN);
    let clean = planted.test.part(&untriggered);
    let mut sets = vec![(CLEAN_ROW.to_owned(), of(&clean)?, clean.labels.to_vec())];
    for &trojan in trojans {
        let Triggered { samples, .. } = planted.triggered(trojan, pictures);
        let targets = vec![planted.classes[trojan].0; samples.len()];
        sets.push((planted.plan.trojans[trojan].name.clone(), of(&samples)?, targets));
    }
    let mut rows = Vec::new();
    let mut measure = |name: &str, steps: Option<usize>, subject: &AttackSubject| -> Result<()> {
        for (trojan, pictures, answers) in &sets {
            let logits = subject.logits(pictures, control)?;
            let classes = logits.len() / answers.len().max(1);
            let each = logits.chunks_exact(classes.max(1)).zip(answers);
            let hits = each.filter(|(row, answer)| predicted_class(row) == usize::from(**answer)).count();
            rows.push(SuccessRow {
                trojan: trojan.clone(),
                recipe: name.to_owned(),
                steps,
                success: hits as f64 / answers.len().max(1) as f64,
                pictures: answers.len(),
            });
        }
        Ok(())
    };
    let mut cache = Cache::default();
    let quiet = control.without_events();
    let ann = AttackSubject::load(&settings(planted, Recipe::default()), Attacked::Ann, &mut cache, &quiet)?;
    measure("ann", None, &ann)?;
    let all: Vec<(&String, usize)> =
        recipes.iter().flat_map(|name| at.iter().map(move |&steps| (name, steps))).collect();
    for (k, (name, steps)) in all.iter().enumerate() {
        control.check()?;
        control.progress("success after conversion", k as f32 / all.len() as f32);
        let recipe = recipe(name, *steps).unwrap_or_default();
        let subject = AttackSubject::load(&settings(planted, recipe), Attacked::Snn, &mut cache, &quiet)?;
        measure(name, Some(*steps), &subject)?;
    }
    Ok(rows)
}

/// The first of `rows` (of one trojan and recipe, T ascending) whose success is at least half of the ANN's; `None` if none.
pub fn appears_at(rows: &[SuccessRow], trojan: &str, recipe: &str) -> Option<usize> {
    let ann = rows.iter().find(|row| row.trojan == trojan && row.steps.is_none())?.success;
    let mut own: Vec<&SuccessRow> = rows.iter().filter(|row| row.trojan == trojan && row.recipe == recipe).collect();
    own.sort_by_key(|row| row.steps);
    own.iter().find(|row| row.success >= 0.5 * ann && ann > 0.0).and_then(|row| row.steps)
}

/// The rows as CSV.
pub fn csv(rows: &[SuccessRow]) -> String {
    let line = |row: &SuccessRow| {
        let steps = row.steps.map_or_else(String::new, |steps| steps.to_string());
        format!("{},{},{steps},{:.4},{}\n", quoted(&row.trojan), row.recipe, row.success, row.pictures)
    };
    rows.iter().map(line).fold("trojan,recipe,steps,success,pictures\n".to_owned(), |text, row| text + &row)
}
