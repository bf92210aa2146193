//! One row of a plan: its options and their settings.

use toml::Value;

use super::toml_text::Located;
use crate::convert::Recipe;
use crate::experiment::Settings;
use crate::experiment::options::{RunArgs, settings_from_args};
use crate::{Error, Result};

/// Options of a command that a row does not have.
const REFUSED: [&str; 3] = ["out", "dump", "config"];
/// Pre-steps τ and ρ of a named method, if the plan does not state them.
const PRESTEPS: usize = 4;

/// A row of a plan.
#[derive(Clone, Debug)]
pub struct PlanRow {
    /// From 0.
    pub number: usize,
    /// The options that vary.
    pub varied: Vec<(String, Located)>,
    /// All options, those of the base first.
    pub(super) options: Vec<(String, Located)>,
}

/// The settings of a row, and the options that they come from.
#[derive(Clone, Debug)]
pub struct RowSettings {
    /// Without what only files can tell: stated scaling, ranges that are fitted to the data.
    pub settings: Settings,
    pub args: RunArgs,
}

impl PlanRow {
    /// The texts of the options that vary, as they stand in a table of results.
    pub fn varied_texts(&self) -> impl Iterator<Item = (&str, String)> {
        self.varied.iter().map(|(key, value)| (key.as_str(), value_text(&value.value)))
    }

    /// The row in words: "row 3 (threshold = max, steps = 8)".
    pub fn description(&self) -> String {
        let varied: Vec<String> = self.varied_texts().map(|(key, value)| format!("{key} = {value}")).collect();
        if varied.is_empty() {
            format!("row {}", self.number)
        } else {
            format!("row {} ({})", self.number, varied.join(", "))
        }
    }

    /// The options as those of a run, without those that a plan has beside them.
    pub(super) fn options(&self) -> Result<(RunArgs, Option<Method>)> {
        let (mut table, mut method, mut presteps) = (toml::Table::new(), None, None);
        for (key, Located { value, .. }) in &self.options {
            match (key.as_str(), value) {
                (key, _) if REFUSED.contains(&key) => {
                    return Err(Error::Invalid(format!(
                        "'{key}' cannot stand in a plan: results go to the folder of --out"
                    )));
                }
                ("method", Value::String(name)) => method = Some(name.clone()),
                ("method", _) => return Err(Error::Invalid("'method' is not a text".into())),
                ("presteps", Value::Integer(steps)) if *steps > 0 => presteps = usize::try_from(*steps).ok(),
                ("presteps", _) => return Err(Error::Invalid("'presteps' is not a number above 0".into())),
                _ => {
                    table.insert(key.clone(), value.clone());
                }
            }
        }
        if method.is_none() && presteps.is_some() {
            return Err(Error::Invalid("'presteps' needs a 'method' that they belong to".into()));
        }
        let key = self.options.last().map_or("", |(key, _)| key);
        let args = table
            .try_into()
            .map_err(|error: toml::de::Error| Error::Invalid(format!("'{key}': {}", error.message())))?;
        Ok((args, method.map(|name| Method { name, presteps: presteps.unwrap_or(PRESTEPS) })))
    }

    /// The settings of the row.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an option with an invalid value.
    pub fn resolve(&self) -> Result<RowSettings> {
        let (args, method) = self.options()?;
        let mut settings = settings_from_args(&args)?;
        if let Some(method) = method {
            settings.recipe = method.recipe(&settings.recipe)?;
        }
        Ok(RowSettings { settings, args })
    }
}

/// A published method by its name, as in a race.
pub(super) struct Method {
    name: String,
    presteps: usize,
}

impl Method {
    /// The method with the steps and thresholds of `base`.
    fn recipe(&self, base: &Recipe) -> Result<Recipe> {
        let known = Recipe::published_methods(base, self.presteps);
        let names = || known.iter().map(|method| method.name.as_str()).collect::<Vec<_>>().join(", ");
        let found = known.iter().find(|method| method.name.eq_ignore_ascii_case(self.name.trim()));
        let unknown = || Error::Invalid(format!("unknown method '{}'. Use any of {}", self.name, names()));
        found.map(|method| Recipe { steps: base.steps, ..method.recipe.clone() }).ok_or_else(unknown)
    }
}

/// A value as text, texts without quotes.
fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(value_text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}
