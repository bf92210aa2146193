//! Axes of a plan that change nothing: seeds where nothing is drawn, options that a method states.

use std::path::Path;

use super::axis::Axis;
use super::row::{INITIAL_SEED, SEED, decides};
use super::toml_text::{Located, Text};
use crate::Result;

/// What a published method states itself.
const OF_METHODS: [&str; 9] =
    ["v-init", "initial", INITIAL_SEED, "neuron", "reset", "correction", "bias-shift", "bias-correction", "pooling"];

/// Refuses a seed that varies where nothing is drawn.
///
/// # Errors
/// [`crate::Error::File`] with the line.
pub(super) fn check(base: &[(String, Located)], axes: &[Axis], text: &Text<'_>) -> Result<()> {
    let of_axes = axes.iter().flat_map(|axis| (0..axis.len()).flat_map(|at| axis.options(at)));
    let draws = base.iter().cloned().chain(of_axes).any(|(key, value)| {
        let word = value.value.as_str().map(str::trim);
        decides(&key) || key == "recipe" || key == "initial" && matches!(word, Some("uniform" | "gaussian"))
    });
    let mut varied = axes.iter().flat_map(|axis| axis.options(0));
    match varied.find(|(key, _)| [SEED, INITIAL_SEED].contains(&key.as_str())) {
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

/// A sentence for each key of an axis that the method of the rows states itself, so that rows with other values of it have the same
/// figures.
pub(super) fn notes(path: &Path, base: &[(String, Located)], axes: &[Axis]) -> Vec<String> {
    let keys = axes.iter().flat_map(|axis| axis.options(0).map(|(key, value)| (key, value.line)));
    let keys: Vec<(String, usize)> = keys.collect();
    if !keys.iter().any(|(key, _)| key == "method") && !base.iter().any(|(key, _)| key == "method") {
        return Vec::new();
    }
    let note = |(key, line): &(String, usize)| {
        format!("{}: line {line}: '{key}' changes nothing: the method of a row states its own", path.display())
    };
    keys.iter().filter(|(key, _)| OF_METHODS.contains(&key.as_str())).map(note).collect()
}
