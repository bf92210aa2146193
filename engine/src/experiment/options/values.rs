//! Values of single options from their text.

use std::path::Path;

use crate::{Error, Result};

/// Parses the steps of `--at`, `8,16,32`, of a run of `last` steps. Later ones are left out, as long as some remain.
pub(super) fn parse_steps(text: &str, last: usize) -> Result<Vec<usize>> {
    let steps = text.split(',').map(|step| step.trim().parse().ok().filter(|step| *step > 0));
    let mut steps = steps.collect::<Option<Vec<usize>>>().ok_or_else(|| {
        Error::Invalid(format!("Cannot score at '{text}': not steps. Use numbers from 1 on, for example 8,16,32."))
    })?;
    steps.retain(|step| *step <= last);
    steps.sort_unstable();
    steps.dedup();
    if steps.is_empty() {
        return Err(Error::Invalid(format!("Cannot score at '{text}': the run has {last} steps. Add --steps.")));
    }
    Ok(steps)
}

/// Parses the shape of a sample, `3x224x224`.
pub(super) fn parse_shape(text: &str) -> Result<Vec<usize>> {
    let sides = text.split(['x', '×']).map(|side| side.trim().parse().ok().filter(|&side: &usize| side > 0));
    sides.collect::<Option<Vec<usize>>>().ok_or_else(|| {
        Error::Invalid(format!(
            "Cannot use input shape '{text}': not a shape. Use the sizes of one sample, for example 3x224x224."
        ))
    })
}

/// The duration of a time step, which is above 0.
pub(super) fn parse_dt(dt: f64) -> Result<f64> {
    let is_usable = dt.is_finite() && dt > 0.0;
    let error =
        || Error::Invalid(format!("Cannot use --dt {dt}: not a duration. Use a number above 0, for example 0.0001."));
    is_usable.then_some(dt).ok_or_else(error)
}

/// The source that opens the weights `model` with the architecture file `arch`.
pub(super) fn with_architecture(model: &str, arch: &Path) -> Result<String> {
    let is_toml = arch.extension().is_some_and(|ending| ending == "toml");
    if !is_toml || !arch.is_file() {
        return Err(Error::file(arch, "--arch", "does not end in .toml. See docs/architecture-files.md."));
    }
    Ok(format!("{model}@{}", arch.display()))
}

/// The value of the word `text` among `words`; `option` is the option's name in the error.
pub(super) fn one_of<T: Copy>(option: &str, text: &str, words: &[(&str, T)]) -> Result<T> {
    words.iter().find(|(word, _)| *word == text.trim()).map(|(_, value)| *value).ok_or_else(|| {
        let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        Error::Invalid(format!("Cannot use {option} '{text}': unknown word. Use one of {}.", known.join(" or ")))
    })
}
