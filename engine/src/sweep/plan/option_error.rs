//! Errors about an option of a plan: an unknown name, or a value of another kind.

use toml::Value;

use super::toml_text::{Located, value_text};
use crate::Error;
use crate::experiment::options::edits;

/// The error about `option`, the last of a row, of which the reader of options says `message`; `known` are the names
/// of all options.
pub(super) fn option_error<'a>(
    option: Option<&(String, Located)>,
    message: &str,
    known: impl Iterator<Item = &'a str>,
) -> Error {
    let Some((key, Located { value, .. })) = option else { return Error::Invalid(message.to_owned()) };
    if message.starts_with("unknown field") {
        let near = known.map(|name| (edits(&plain(key), name), name)).min();
        let advice = match near {
            Some((edits, name)) if edits <= key.len().div_ceil(3) => format!("Write '{name}'"),
            _ => "Use those of `spikescope run --help`, or method, presteps, attack, explain".to_owned(),
        };
        return Error::Invalid(format!("unknown option '{key}'. {advice}"));
    }
    let Some(wanted) = message.split("expected ").nth(1).map(kind) else {
        return Error::Invalid(format!("'{key}': {message}"));
    };
    let found = match value {
        Value::String(text) => format!("the text \"{text}\""),
        Value::Array(items) => {
            let advice = if items.is_empty() { "Give it a value" } else { "Write the list in [grid]" };
            return Error::Invalid(format!("'{key}' is a list, not {wanted}. {advice}"));
        }
        other => value_text(other),
    };
    let advice = match value {
        Value::String(text) if text.trim().parse::<f64>().is_ok() => format!(". Write {} without quotes", text.trim()),
        Value::Integer(_) | Value::Float(_) if wanted.contains("text") => format!(". Write it in quotes: \"{found}\""),
        _ => String::new(),
    };
    Error::Invalid(format!("'{key}' is {found}, not {wanted}{advice}"))
}

/// A key in the form of the names of options.
fn plain(key: &str) -> String {
    key.trim_start_matches('-').to_lowercase().replace(['_', ' '], "-")
}

/// What a value must be, from the word of the reader of options.
fn kind(word: &str) -> String {
    match word.split([',', ' ', '.']).next().unwrap_or_default() {
        "usize" | "u64" | "u32" | "u16" | "u8" => "a whole number from 0 on".into(),
        "f32" | "f64" => "a number".into(),
        "a" if word.starts_with("a string") => "a text".into(),
        "a" if word.starts_with("a boolean") => "true or false".into(),
        _ => word.to_owned(),
    }
}
