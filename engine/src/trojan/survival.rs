//! What conversion does to trojans: their success in the spiking network, by recipe and time-steps.

use serde::{Deserialize, Serialize};

use super::folder::Planted;
use super::pictures::Triggered;
use crate::attack::GradientRule;
use crate::convert::{NamedRecipe, Recipe};
use crate::data::{Samples, Scaling};
use crate::experiment::Settings;
use crate::experiment::attacked::Attacked;
use crate::experiment::cache::Cache;
use crate::experiment::explained::ExplainSubject;
use crate::experiment::preview::is_prefix;
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

/// The error for a recipe that `race` does not name.
pub fn unknown_recipe(name: &str) -> Error {
    let known = Recipe::published_methods(&Recipe::default(), 1).into_iter().map(|method| method.name);
    let known = known.collect::<Vec<_>>().join(", ");
    Error::Invalid(format!("Cannot use recipe '{name}': unknown name. Use one of {known}."))
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

/// The spiking networks by the recipe called `name` at every T of `at`: one for all where a shorter run is the beginning of a
/// longer one, else one for each.
///
/// # Errors
/// [`Error::Invalid`] for an unknown recipe; those of conversion; [`Error::Cancelled`].
pub fn subjects(
    planted: &Planted,
    name: &str,
    at: &[usize],
    cache: &mut Cache,
    control: &JobControl,
) -> Result<Vec<(Vec<usize>, ExplainSubject)>> {
    let of = |steps: usize| recipe(name, steps).map(|recipe| settings(planted, recipe));
    let known = |steps: usize| of(steps).ok_or_else(|| unknown_recipe(name));
    let Some(longest) = at.iter().copied().max() else { return Ok(Vec::new()) };
    let whole = known(longest)?;
    if at.iter().all(|&t| t == longest || of(t).is_some_and(|shorter| is_prefix(&shorter, &whole))) {
        let subject = ExplainSubject::load(&whole, Attacked::Snn, cache, control)?;
        return Ok(vec![(at.to_vec(), subject.sharing(at))]);
    }
    let one = |&t: &usize| Ok((vec![t], ExplainSubject::load(&known(t)?, Attacked::Snn, cache, control)?));
    at.iter().map(one).collect()
}

/// Pictures with triggers, and clean ones, on which networks are measured.
pub struct Survival<'a> {
    planted: &'a Planted,
    sets: Vec<Set>,
    cache: Cache,
}

/// Pictures with the answers that count: the target of a trojan, or the labels of clean ones.
struct Set {
    name: String,
    /// `[N, F]`
    pictures: Vec<f32>,
    /// `[N]`
    answers: Vec<u16>,
}

impl<'a> Survival<'a> {
    /// Up to `pictures` test pictures with the trigger of each of the trojans at `trojans`.
    pub fn new(planted: &'a Planted, trojans: &[usize], pictures: usize) -> Self {
        let set = |name: &str, samples: &Samples, answers: Vec<u16>| Set {
            name: name.to_owned(),
            pictures: samples.scaled(0..samples.len(), &Scaling::Unit),
            answers,
        };
        let mut untriggered = planted.test.untriggered(&planted.plan);
        untriggered.truncate(CLEAN);
        let clean = planted.test.part(&untriggered);
        let mut sets = vec![set(CLEAN_ROW, &clean, clean.labels.to_vec())];
        for &trojan in trojans {
            let Triggered { samples, .. } = planted.triggered(trojan, pictures);
            let targets = vec![planted.classes[trojan].0; samples.len()];
            sets.push(set(&planted.plan.trojans[trojan].name, &samples, targets));
        }
        Self { planted, sets, cache: Cache::default() }
    }

    /// The success in the ANN.
    ///
    /// # Errors
    /// Those of the network; [`Error::Cancelled`].
    pub fn ann(&mut self, control: &JobControl) -> Result<Vec<SuccessRow>> {
        let settings = settings(self.planted, Recipe::default());
        let subject = ExplainSubject::load(&settings, Attacked::Ann, &mut self.cache, control)?;
        self.measure("ann", None, &subject, control)
    }

    /// The success in the spiking network by the recipe called `name` at every T of `at`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an unknown recipe; those of conversion and simulation; [`Error::Cancelled`].
    pub fn snn(&mut self, name: &str, at: &[usize], control: &JobControl) -> Result<Vec<SuccessRow>> {
        let mut rows = Vec::new();
        for (own, mut subject) in subjects(self.planted, name, at, &mut self.cache, control)? {
            for steps in own {
                control.check()?;
                subject.set_steps(steps);
                rows.extend(self.measure(name, Some(steps), &subject, control)?);
            }
        }
        Ok(rows)
    }

    fn measure(
        &self,
        recipe: &str,
        steps: Option<usize>,
        subject: &ExplainSubject,
        control: &JobControl,
    ) -> Result<Vec<SuccessRow>> {
        let row = |Set { name, pictures, answers }: &Set| {
            let rule = GradientRule::Rate;
            let logits = subject.with_network(rule, |network| network.target().logits(pictures, control))?;
            let classes = logits.len() / answers.len().max(1);
            let each = logits.chunks_exact(classes.max(1)).zip(answers);
            let hits = each.filter(|(row, answer)| predicted_class(row) == usize::from(**answer)).count();
            Ok(SuccessRow {
                trojan: name.clone(),
                recipe: recipe.to_owned(),
                steps,
                success: hits as f64 / answers.len().max(1) as f64,
                pictures: answers.len(),
            })
        };
        self.sets.iter().map(row).collect()
    }
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
