//! Options of a plan that would change nothing in any row, which are refused.

use super::Plan;
use super::row::{INITIAL_SEED, SEED, decides};
use super::toml_text::{Located, Text};
use crate::Result;

/// What a published method states itself.
const OF_METHODS: [&str; 9] =
    ["v-init", "initial", INITIAL_SEED, "neuron", "reset", "correction", "bias-shift", "bias-correction", "pooling"];

/// Refuses what `plan` states in vain: an option that the method of its row states itself, a seed where nothing is drawn.
///
/// # Errors
/// [`crate::Error::File`] with the line.
pub(super) fn check(plan: &Plan, text: &Text<'_>) -> Result<()> {
    let of_axes = plan.axes.iter().flat_map(|axis| (0..axis.len()).flat_map(|at| axis.options(at)));
    let stated: Vec<(String, Located)> = plan.base.iter().cloned().chain(of_axes).collect();
    let has = |wanted: &dyn Fn(&str, &Located) -> bool| stated.iter().any(|(key, value)| wanted(key, value));
    let method = has(&|key, _| key == "method");
    if let Some((key, value)) = stated.iter().find(|(key, _)| method && OF_METHODS.contains(&key.as_str())) {
        let why = format!(
            "'{key}' is stated by the method of each row. Remove one of them, or state recipes without methods"
        );
        return Err(text.error(value.line, why));
    }
    let draws = has(&|key, value| {
        let word = || value.value.as_str().map(str::trim);
        decides(key) || key == "recipe" || key == "initial" && matches!(word(), Some("uniform" | "gaussian"))
    });
    match stated.iter().find(|(key, _)| [SEED, INITIAL_SEED].contains(&key.as_str())) {
        Some((key, value)) if !draws => {
            let why = format!(
                "'{key}' changes nothing: no row draws anything. Add initial = \"uniform\" or \"gaussian\", an attack or an \
                 explanation, or vary 'calibrate' or 'samples' instead"
            );
            Err(text.error(value.line, why))
        }
        _ => Ok(()),
    }
}
