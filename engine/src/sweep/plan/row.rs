//! One row of a plan: its options and their settings.

use std::collections::HashSet;
use std::sync::LazyLock;

use clap::Args;
use toml::Value;

use super::option_error::option_error;
use super::toml_text::{Located, value_text};
use crate::attack::ValueRange;
use crate::convert::Recipe;
use crate::data::DataSpec;
use crate::experiment::Settings;
use crate::experiment::attacked::{AttackOptions, AttackRequest, Attacked};
use crate::experiment::explained::AttributionOptions;
use crate::experiment::options::{RunArgs, settings_from_args};
use crate::network::open::check_bundled;
use crate::{Error, Result};

/// Options of a command that a row does not have.
pub(super) const REFUSED: [&str; 3] = ["out", "dump", "config"];
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
    Explain(Box<AttributionOptions>),
}

impl Work {
    /// Whether the figures depend on the spiking network, and so on T.
    pub fn is_spiking(&self) -> bool {
        match self {
            Self::Run => true,
            Self::Attack(request) => request.on == Attacked::Snn,
            Self::Explain(options) => options.on().is_ok_and(|on| on == Attacked::Snn),
        }
    }

    /// What was asked for beside the settings, as a row file states it; `None` for a run.
    pub fn stated(&self) -> Option<serde_json::Value> {
        match self {
            Self::Run => None,
            Self::Attack(request) => Some(serde_json::json!({ "attack": request })),
            Self::Explain(options) => Some(serde_json::json!({ "explain": options })),
        }
    }
}

/// The options of a row, each with its command.
pub(super) struct RowOptions {
    run: RunArgs,
    method: Option<Method>,
    presteps: Option<usize>,
    /// Those of an attack or an explanation, if the row has any.
    other: Option<Other>,
}

/// A command beside `run`.
enum Other {
    Attack(AttackOptions),
    Explain(Box<AttributionOptions>),
    /// Options without the one that says which command they belong to.
    Undecided,
}

/// Names of the option that makes a row an attack, and of those that make it an explanation.
const ATTACK: &str = "attack";
const EXPLAIN: [&str; 2] = ["methods", "explain"];

/// The option that decides what a row draws: the attack, the explanation, or else v(0), as [`INITIAL_SEED`] does.
pub(super) const SEED: &str = "seed";
pub(super) const INITIAL_SEED: &str = "initial-seed";

/// The names of the options of a run, of an attack, and of an explanation; some are the same.
static RUN_OPTIONS: LazyLock<HashSet<String>> =
    LazyLock::new(|| names(RunArgs::augment_args(clap::Command::new("run"))));
static ATTACK_OPTIONS: LazyLock<HashSet<String>> =
    LazyLock::new(|| names(AttackOptions::augment_args(clap::Command::new(ATTACK))));
static EXPLAIN_OPTIONS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let mut names = names(AttributionOptions::augment_args(clap::Command::new(EXPLAIN[0])));
    names.insert(EXPLAIN[1].to_owned());
    names
});

fn names(command: clap::Command) -> HashSet<String> {
    command.get_arguments().filter_map(|option| option.get_long().map(str::to_owned)).collect()
}

/// Whether `key` says which command a row carries out.
pub(super) fn decides(key: &str) -> bool {
    key == ATTACK || EXPLAIN.contains(&key)
}

fn is_of_other(key: &str) -> bool {
    ATTACK_OPTIONS.contains(key) || EXPLAIN_OPTIONS.contains(key)
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

    /// `error` with the line of the option that names the file which it is about, in the plan at `path`.
    pub(crate) fn with_line(&self, path: &std::path::Path, error: Error) -> Error {
        let Error::Io { path: file, .. } = &error else { return error };
        let names_file = |(_, value): &&(String, Located)| value_text(&value.value).contains(&*file.to_string_lossy());
        match self.options.iter().find(names_file) {
            Some((key, value)) => {
                let why = error.to_string();
                Error::file(path, format!("line {}", value.line), format!("'{key}': {}", why.trim_end_matches('.')))
            }
            None => error,
        }
    }

    /// The options by their command, each valid by itself.
    pub(super) fn options(&self) -> Result<RowOptions> {
        let (mut run, mut other, mut method, mut presteps) = (toml::Table::new(), toml::Table::new(), None, None);
        for (key, Located { value, .. }) in &self.options {
            match (key.as_str(), value) {
                (key, _) if REFUSED.contains(&key) => {
                    return Err(Error::Invalid(format!(
                        "'{key}' cannot stand in a plan: results go to the folder of --out"
                    )));
                }
                // Beside rows that have a shift: none.
                ("bias-shift", Value::Integer(0)) => {}
                ("bias-correction", Value::Boolean(on)) => {
                    run.insert(key.clone(), Value::String(if *on { "on" } else { "off" }.into()));
                }
                ("method", Value::String(name)) => method = Some(name.clone()),
                ("method", _) => return Err(Error::Invalid("'method' is not a text".into())),
                ("presteps", Value::Integer(steps)) if *steps > 0 => presteps = usize::try_from(*steps).ok(),
                ("presteps", _) => return Err(Error::Invalid("'presteps' is not a number above 0".into())),
                _ => {
                    let table = if is_of_other(key) { &mut other } else { &mut run };
                    table.insert(key.clone(), value.clone());
                }
            }
        }
        if !other.keys().any(|key| decides(key))
            && let Some(seed) = other.remove(SEED)
            && run.insert(INITIAL_SEED.to_owned(), seed).is_some()
        {
            return Err(Error::Invalid(format!("'{SEED}' and '{INITIAL_SEED}' are one here. Keep one of them")));
        }
        let known = || {
            let of_commands = RUN_OPTIONS.iter().chain(ATTACK_OPTIONS.iter()).chain(EXPLAIN_OPTIONS.iter());
            of_commands.map(String::as_str).chain(["method", "presteps"]).filter(|name| !REFUSED.contains(name))
        };
        let refused = |error: toml::de::Error| option_error(self.options.last(), error.message(), known());
        let method = method.map(|name| Method { name, presteps: presteps.unwrap_or(PRESTEPS) });
        let run = run.try_into().map_err(refused)?;
        let has = |key: &str| other.contains_key(key);
        let other = match (has(ATTACK), EXPLAIN.map(has)) {
            _ if other.is_empty() => None,
            (true, [false, false]) => Some(Other::Attack(other.try_into().map_err(refused)?)),
            (false, [true, false]) => Some(Other::Explain(other.try_into().map_err(refused)?)),
            (false, [false, true]) => {
                // `explain` names the methods, as `attack` names the attack.
                let methods = other.remove(EXPLAIN[1]);
                other.extend(methods.map(|methods| (EXPLAIN[0].to_owned(), methods)));
                Some(Other::Explain(other.try_into().map_err(refused)?))
            }
            (false, [false, false]) => Some(Other::Undecided),
            (_, [methods, _]) => {
                let second = if methods { EXPLAIN[0] } else { EXPLAIN[1] };
                let first = if has(ATTACK) { ATTACK } else { EXPLAIN[1] };
                return Err(Error::Invalid(format!("'{first}' and '{second}' do not go together. Keep one of them")));
            }
        };
        Ok(RowOptions { run, method, presteps, other })
    }

    /// The settings of the row.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an option with an invalid value.
    pub fn resolve(&self) -> Result<RowSettings> {
        let RowOptions { run: args, method, presteps, other } = self.options()?;
        if args.at.is_some() && other.is_some() {
            return Err(Error::Invalid(
                "'at' does not go with an attack or an explanation: a row ends at its own T. Vary 'steps' instead"
                    .into(),
            ));
        }
        let mut settings = settings_from_args(&args)?;
        settings.recipe.check_values()?;
        check_bundled(&settings.model)?;
        for data in [Some(&settings.data), settings.calibration_data.as_ref()].into_iter().flatten() {
            DataSpec::parse(data)?;
        }
        match method {
            Some(method) => settings.recipe = method.recipe(&settings.recipe)?,
            None if presteps.is_some() => {
                return Err(Error::Invalid("'presteps' needs a 'method' that they belong to".into()));
            }
            None => {}
        }
        let work = match other {
            None => Work::Run,
            Some(Other::Undecided) => {
                let names = self.options.iter().map(|(key, _)| key.as_str()).filter(|key| is_of_other(key));
                let names: Vec<&str> = names.collect();
                return Err(Error::Invalid(format!(
                    "'{}' needs an 'attack' or 'methods' that it belongs to",
                    names.join("', '")
                )));
            }
            Some(Other::Attack(options)) => {
                let request = options.request()?;
                if !DataSpec::parse(&settings.data)?.is_of_recordings() {
                    request.attack.validate(ValueRange::Pixels(None))?;
                }
                Work::Attack(request)
            }
            Some(Other::Explain(options)) => {
                options.on()?;
                options.request()?;
                Work::Explain(options)
            }
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
