//! TOML of a plan in the order of its lines, every value with its line.

use std::path::Path;

use toml::Value;
use toml::de::{DeTable, DeValue};

use crate::{Error, Result};

/// The text of a plan, for errors that name a line.
pub struct Text<'a> {
    path: &'a Path,
    text: &'a str,
    /// Offsets of the line ends.
    ends: Vec<usize>,
}

/// A value and its line, from 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Located {
    pub value: Value,
    pub line: usize,
    /// The lines of the items of a list; empty for other values.
    item_lines: Vec<usize>,
}

/// A key and its line, from 1.
pub struct Key {
    pub text: String,
    pub line: usize,
}

/// Entries of a table in the order of the file.
pub type Entries = Vec<(String, Located)>;

/// A top-level entry of a plan.
pub enum Section {
    Value(Located),
    Table(Entries),
    /// Tables, each with the line of its first entry.
    Tables(Vec<(usize, Entries)>),
}

impl<'a> Text<'a> {
    /// The text of the file at `path`.
    pub fn new(path: &'a Path, text: &'a str) -> Self {
        Self { path, text, ends: text.match_indices('\n').map(|(at, _)| at).collect() }
    }

    /// An error in line `line`.
    pub fn error(&self, line: usize, reason: impl Into<String>) -> Error {
        Error::file(self.path, format!("line {line}"), reason)
    }

    /// The top-level entries in the order of the file.
    ///
    /// # Errors
    /// [`Error::File`] with the line of a syntax error.
    pub fn sections(&self) -> Result<Vec<(Key, Section)>> {
        let table = DeTable::parse(self.text).map_err(|error| Error::toml(self.path, self.text, &error))?;
        let mut sections = Vec::new();
        for (key, value) in table.get_ref() {
            let at = key.span().start;
            let section = match value.get_ref() {
                DeValue::Table(table) => Section::Table(self.entries(table)?),
                DeValue::Array(items) if !items.is_empty() && items.iter().all(|item| item.get_ref().is_table()) => {
                    let tables = items
                        .iter()
                        .filter_map(|item| item.get_ref().as_table().map(|table| (item.span().start, table)));
                    let tables = tables.map(|(at, table)| {
                        let entries = self.entries(table)?;
                        Ok((entries.first().map_or_else(|| self.line(at), |(_, first)| first.line), entries))
                    });
                    Section::Tables(tables.collect::<Result<_>>()?)
                }
                other => Section::Value(self.located(other, at)?),
            };
            sections.push((at, Key { text: key.get_ref().to_string(), line: self.line(at) }, section));
        }
        sections.sort_by_key(|(at, ..)| *at);
        Ok(sections.into_iter().map(|(_, key, section)| (key, section)).collect())
    }

    /// The entries of `table` in the order of the file.
    fn entries(&self, table: &DeTable<'_>) -> Result<Entries> {
        let mut entries: Vec<_> = table.iter().map(|(key, value)| (key.span().start, key, value)).collect();
        entries.sort_by_key(|(at, ..)| *at);
        let entry = |(at, key, value): (usize, &toml::Spanned<_>, &toml::Spanned<DeValue<'_>>)| {
            let key: &std::borrow::Cow<'_, str> = key.get_ref();
            Ok((key.to_string(), self.located(value.get_ref(), at)?))
        };
        entries.into_iter().map(entry).collect()
    }

    /// The items of the list `value` in the file, each with its own line.
    pub fn items(&self, key: &str, list: &Located) -> Result<Vec<Located>> {
        let Value::Array(items) = &list.value else {
            return Err(self.error(list.line, format!("'{key}' is not a list. Write [{}]", list.value)));
        };
        if items.is_empty() {
            return Err(self.error(list.line, format!("the list of '{key}' is empty")));
        }
        let lines = list.item_lines.iter().copied().chain(std::iter::repeat(list.line));
        let item = |(value, line): (&Value, usize)| Located { value: value.clone(), line, item_lines: Vec::new() };
        Ok(items.iter().zip(lines).map(item).collect())
    }

    /// The value `value` of the key at `at`, with the lines of its items.
    fn located(&self, value: &DeValue<'_>, at: usize) -> Result<Located> {
        let items = value.as_array().into_iter().flatten();
        let item_lines = items.map(|item| self.line(item.span().start)).collect();
        Ok(Located { value: self.value(value, at)?, line: self.line(at), item_lines })
    }

    /// The value `value`, which begins at `at`.
    fn value(&self, value: &DeValue<'_>, at: usize) -> Result<Value> {
        let refused = |what: &str| Err(self.error(self.line(at), format!("{what} is no option")));
        match value {
            DeValue::String(text) => Ok(Value::String(text.to_string())),
            DeValue::Boolean(flag) => Ok(Value::Boolean(*flag)),
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => Ok(Value::Integer(number)),
                Err(_) => refused(&format!("the number {}", number.as_str())),
            },
            DeValue::Float(number) => match number.as_str().parse() {
                Ok(number) => Ok(Value::Float(number)),
                Err(_) => refused(&format!("the number {}", number.as_str())),
            },
            DeValue::Array(items) => items
                .iter()
                .map(|item| self.value(item.get_ref(), item.span().start))
                .collect::<Result<_>>()
                .map(Value::Array),
            DeValue::Datetime(_) => refused("a date"),
            DeValue::Table(_) => refused("a table"),
        }
    }

    fn line(&self, at: usize) -> usize {
        self.ends.partition_point(|&end| end < at) + 1
    }
}

/// A value as text, texts without quotes.
pub(super) fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(value_text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}
