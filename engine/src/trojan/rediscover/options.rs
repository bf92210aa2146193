//! What an attribution bench is asked for, the names of its files, and what its parts depend on.

use serde::{Deserialize, Serialize};

use crate::attack::ImageForm;
use crate::experiment::attacked::Attacked;
use crate::explain::features::Features;
use crate::explain::{ExplainOptions, Method};
use crate::trojan::survival;
use crate::{Error, Result};

/// Files of a bench: what was asked for, and the parts; then both tables.
pub const BENCH: &str = "rediscover.json";
pub const SCORES_CSV: &str = "scores.csv";
pub const SUCCESS: &str = "success.json";
pub const SUCCESS_CSV: &str = "success.csv";
pub(super) const PARTS: &str = "parts";
/// Evaluations of one picture at most.
const MAX_EVALUATIONS: usize = 1_000_000;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct BenchOptions {
    pub methods: Vec<Method>,
    pub on: Vec<Attacked>,
    /// Time-steps of the spiking network.
    pub at: Vec<usize>,
    /// The recipe of the spiking network that is explained, as `race` names it.
    pub recipe: String,
    /// The recipes by which success is measured.
    pub recipes: Vec<String>,
    /// Indices of trojans of the plan.
    pub trojans: Vec<usize>,
    /// Pictures with a trigger, for each trojan.
    pub pictures: usize,
    /// Whether maps of the network with random weights, layer by layer, are scored too.
    pub sanity: bool,
    /// Network evaluations a picture of the methods that sample: Shapley sampling, KernelSHAP, LIME; `None`: as many as
    /// `explain` takes without a word.
    pub evaluations: Option<usize>,
    pub seed: u64,
}

impl BenchOptions {
    /// The same with everything named once, and time-steps in ascending order.
    pub fn without_repeats(mut self) -> Self {
        fn keep_first<T: PartialEq + Clone>(values: &mut Vec<T>) {
            let mut kept: Vec<T> = Vec::new();
            values.retain(|value| {
                let is_new = !kept.contains(value);
                kept.push(value.clone());
                is_new
            });
        }
        keep_first(&mut self.on);
        keep_first(&mut self.recipes);
        keep_first(&mut self.trojans);
        self.at.sort_unstable();
        self.at.dedup();
        self
    }

    /// The numbers with which `method` explains pictures of `form`.
    pub(super) fn explaining(&self, method: Method, form: &ImageForm) -> ExplainOptions {
        let all = ExplainOptions { seed: self.seed, ..ExplainOptions::default() };
        let budget = self.evaluations.and_then(|evaluations| match method {
            Method::KernelShap | Method::Lime => Some(evaluations),
            // An order asks once for every feature.
            Method::ShapleySampling => Some((evaluations / Features::of_options(form, &all).len().max(1)).max(1)),
            _ => None,
        });
        ExplainOptions { budget, ..all }
    }
}

/// What parts depend on: a folder has one of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BenchKey {
    pub version: String,
    pub planted: String,
    pub recipe: String,
    pub pictures: usize,
    /// `None`: as many as `explain` takes.
    #[serde(default)]
    pub evaluations: Option<usize>,
    pub seed: u64,
}

/// The ANN (`None`) and the time-steps of the spiking network that are asked for.
pub(super) fn places(options: &BenchOptions) -> Vec<Option<usize>> {
    let ann = options.on.contains(&Attacked::Ann).then_some(None);
    let snn = options.on.contains(&Attacked::Snn).then_some(&options.at);
    ann.into_iter().chain(snn.into_iter().flatten().copied().map(Some)).collect()
}

/// Checks what is asked for.
///
/// # Errors
/// [`Error::Invalid`] for numbers of 0, missing networks and unknown recipes.
pub(super) fn check(options: &BenchOptions) -> Result<()> {
    if options.pictures == 0 || options.on.is_empty() || options.at.contains(&0) {
        return Err(Error::Invalid(
            "Cannot run the bench: pictures and time-steps must be above 0, and --on must name ann or snn.".into(),
        ));
    }
    if options.evaluations.is_some_and(|evaluations| !(3..=MAX_EVALUATIONS).contains(&evaluations)) {
        return Err(Error::Invalid(format!(
            "Cannot run the bench: a picture needs 3 to {MAX_EVALUATIONS} evaluations, or --evaluations full."
        )));
    }
    if options.on.contains(&Attacked::Snn) && options.at.is_empty() {
        return Err(Error::Invalid("Cannot explain the spiking network: no time-steps. Use --at 4,8,16,32.".into()));
    }
    let mut recipes = options.recipes.iter().chain([&options.recipe]);
    match recipes.find(|name| survival::recipe(name, 1).is_none()) {
        Some(name) => Err(survival::unknown_recipe(name)),
        None => Ok(()),
    }
}
