//! Fact placeholders in lesson texts: `{bench.count}` becomes a value, `{{` a brace.

use super::facts::{Value, fact, known};
use crate::lab::Lab;

/// Text in place of a fact that the lab does not have yet.
pub const UNKNOWN: &str = "—";

/// Checks that all names in braces are facts.
///
/// # Errors
/// The reason, with the unknown name.
pub(super) fn check(text: &str) -> Result<(), String> {
    let mut reason = None;
    replace_facts(text, |name| {
        if !known(name) {
            reason = Some(format!("{{{name}}} is not a fact of the lab; a literal brace is written {{{{"));
        }
        String::new()
    });
    reason.map_or(Ok(()), Err)
}

/// `text` with the current values of its facts.
pub fn fill_facts(text: &str, lab: &Lab) -> String {
    replace_facts(text, |name| match fact(lab, name) {
        Some(Value::Number(number)) => Value::Number(number).to_string().replace('-', "−"),
        Some(Value::Word(word)) => word,
        None => UNKNOWN.to_owned(),
    })
}

fn replace_facts(text: &str, mut fact: impl FnMut(&str) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        out.push_str(&rest[..open]);
        rest = &rest[open + 1..];
        if let Some(after) = rest.strip_prefix('{') {
            out.push('{');
            rest = after;
        } else if let Some(close) = rest.find('}') {
            out.push_str(&fact(rest[..close].trim()));
            rest = &rest[close + 1..];
        } else {
            out.push_str(&fact(rest.trim()));
            rest = "";
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_filled_in_and_unknown_ones_refused() {
        let lab = Lab::default();
        assert_eq!(fill_facts("{bench.count} of {{T} and {accuracy.snn} %", &lab), "4 of {T} and — %");
        assert!(check("{bench.count} {{x").is_ok());
        assert!(check("{bench.counts}").unwrap_err().contains("bench.counts"));
        assert!(check("{").is_err());
    }
}
