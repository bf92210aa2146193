//! One axis of a plan: keys that vary together, and their values.

use super::toml_text::{Entries, Located, Text};
use crate::Result;

/// Keys that vary together.
#[derive(Clone, Debug)]
pub struct Axis {
    /// The first line.
    pub line: usize,
    pub keys: Vec<String>,
    /// One value of every key for each position.
    values: Vec<Vec<Located>>,
}

impl Axis {
    /// The list `values` of `key`.
    pub fn of_list(text: &Text<'_>, key: String, values: Located) -> Result<Self> {
        let items = text.items(&key, &values)?;
        Ok(Self { line: values.line, keys: vec![key], values: items.into_iter().map(|item| vec![item]).collect() })
    }

    /// Lists of one length, taken together; the table stands in line `line`.
    pub fn of_zip(text: &Text<'_>, line: usize, entries: Entries) -> Result<Self> {
        let mut axis = Self { line, keys: Vec::new(), values: Vec::new() };
        for (key, values) in entries {
            let items = text.items(&key, &values)?;
            if axis.keys.is_empty() {
                axis.values = vec![Vec::new(); items.len()];
            } else if axis.values.len() != items.len() {
                let (wanted, first) = (axis.values.len(), &axis.keys[0]);
                let why = format!(
                    "'{key}' has {} values, but '{first}' has {wanted}. Lists of a zip have one length",
                    items.len()
                );
                return Err(text.error(values.line, why));
            }
            axis.values.iter_mut().zip(items).for_each(|(position, item)| position.push(item));
            axis.keys.push(key);
        }
        if axis.keys.is_empty() {
            return Err(text.error(line, "an empty zip. Give it lists, or remove it"));
        }
        Ok(axis)
    }

    /// Tables of the same keys, each a position.
    pub fn of_rows(text: &Text<'_>, tables: Vec<(usize, Entries)>) -> Result<Self> {
        let keys: Vec<String> =
            tables.first().map_or_else(Vec::new, |(_, table)| table.iter().map(|(key, _)| key.clone()).collect());
        let line = tables.first().map_or(1, |(line, _)| *line);
        let position = |(line, table): (usize, Entries)| {
            if let Some((key, value)) = table.iter().find(|(key, _)| !keys.contains(key)) {
                return Err(text.error(
                    value.line,
                    format!("'{key}' does not stand in the first [[list]]. All have the same keys"),
                ));
            }
            let find = |key: &String| table.iter().find(|(other, _)| other == key).map(|(_, value)| value.clone());
            let missing =
                |key: &String| text.error(line, format!("'{key}' is missing in this [[list]]. All have the same keys"));
            keys.iter().map(|key| find(key).ok_or_else(|| missing(key))).collect::<Result<Vec<_>>>()
        };
        let values = tables.into_iter().map(position).collect::<Result<_>>()?;
        if keys.is_empty() {
            return Err(text.error(line, "an empty [[list]]. Give it options, or remove it"));
        }
        Ok(Self { line, keys, values })
    }

    /// Number of positions.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// The options at position `at`.
    pub fn options(&self, at: usize) -> impl Iterator<Item = (String, Located)> {
        self.keys.iter().cloned().zip(self.values[at].iter().cloned())
    }
}
