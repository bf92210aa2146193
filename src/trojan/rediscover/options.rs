//! What an attribution bench is asked for, the names of its files, and what its parts depend on.

use serde::{Deserialize, Serialize};

use crate::experiment::attacked::Attacked;
use crate::explain::Method;
use crate::trojan::survival;
use crate::{Error, Result};

/// Files of a bench: what was asked for, and the parts; then both tables.
pub const BENCH: &str = "rediscover.json";
pub const SCORES_CSV: &str = "scores.csv";
pub const SUCCESS: &str = "success.json";
pub const SUCCESS_CSV: &str = "success.csv";
pub(super) const PARTS: &str = "parts";

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
    pub seed: u64,
}

/// What parts depend on: a folder has one of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BenchKey {
    pub version: String,
    pub planted: String,
    pub recipe: String,
    pub pictures: usize,
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
/// [`Error::Invalid`] for numbers of 0, missing networks and an unknown recipe.
pub(super) fn check(options: &BenchOptions) -> Result<()> {
    if options.pictures == 0 || options.on.is_empty() || options.at.contains(&0) {
        return Err(Error::Invalid(
            "Cannot run the bench: pictures and time-steps must be above 0, and --on must name ann or snn.".into(),
        ));
    }
    if options.on.contains(&Attacked::Snn) && options.at.is_empty() {
        return Err(Error::Invalid("Cannot explain the spiking network: no time-steps. Use --at 4,8,16,32.".into()));
    }
    if survival::recipe(&options.recipe, 1).is_none() {
        return Err(survival::unknown_recipe(&options.recipe));
    }
    Ok(())
}
