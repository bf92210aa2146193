//! What a rediscovery bench is asked for, and the names of its files.

use serde::{Deserialize, Serialize};

use crate::experiment::attacked::Attacked;
use crate::explain::Method;

/// Files of a bench: what was asked for, and the parts; then both tables.
pub const BENCH: &str = "rediscover.json";
pub const SCORES_CSV: &str = "scores.csv";
pub const SUCCESS: &str = "success.json";
pub const SUCCESS_CSV: &str = "success.csv";

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
