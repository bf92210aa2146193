//! One row of a plan: its options and their settings.

use std::collections::HashSet;
use std::sync::LazyLock;

use clap::Args;
use toml::Value;

use super::toml_text::Located;
use crate::convert::Recipe;
use crate::experiment::Settings;
use crate::experiment::attacked::{AttackOptions, AttackRequest};
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
    pub work: Work,
}

/// What a row does with its settings.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    Run,
    Attack(AttackRequest),
}

/// The options of a row, each with its command.
pub(super) struct RowOptions {
    run: RunArgs,
    method: Option<Method>,
    presteps: Option<usize>,
    /// Those of an attack, if the row has any.
    attack: Option<AttackOptions>,
}

/// The names of the options of an attack.
static ATTACK_OPTIONS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let command = AttackOptions::augment_args(clap::Command::new("attack"));
    command.get_arguments().filter_map(|option| option.get_long().map(str::to_owned)).collect()
});

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

    /// The options by their command, each valid by itself.
    pub(super) fn options(&self) -> Result<RowOptions> {
        let (mut run, mut attack, mut method, mut presteps) = (toml::Table::new(), toml::Table::new(), None, None);
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
                    let table = if ATTACK_OPTIONS.contains(key) { &mut attack } else { &mut run };
                    table.insert(key.clone(), value.clone());
                }
            }
        }
        let key = self.options.last().map_or("", |(key, _)| key);
        let refused = |error: toml::de::Error| Error::Invalid(format!("'{key}': {}", error.message()));
        let method = method.map(|name| Method { name, presteps: presteps.unwrap_or(PRESTEPS) });
        let attack = (!attack.is_empty()).then(|| attack.try_into()).transpose().map_err(refused)?;
        Ok(RowOptions { run: run.try_into().map_err(refused)?, method, presteps, attack })
    }

    /// The settings of the row.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an option with an invalid value.
    pub fn resolve(&self) -> Result<RowSettings> {
        let RowOptions { run: args, method, presteps, attack } = self.options()?;
        let mut settings = settings_from_args(&args)?;
        match method {
            Some(method) => settings.recipe = method.recipe(&settings.recipe)?,
            None if presteps.is_some() => {
                return Err(Error::Invalid("'presteps' needs a 'method' that they belong to".into()));
            }
            None => {}
        }
        let work = match attack {
            None => Work::Run,
            Some(options) if options.attack.is_empty() => {
                let names = self.options.iter().map(|(key, _)| key).filter(|key| ATTACK_OPTIONS.contains(*key));
                let names: Vec<&str> = names.map(String::as_str).collect();
                return Err(Error::Invalid(format!("'{}' needs an 'attack' that it belongs to", names.join("', '"))));
            }
            Some(options) => Work::Attack(options.request()?),
        };
        Ok(RowSettings { settings, args, work })
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
