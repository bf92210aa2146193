//! Plan of a sweep: options that all rows share, and axes over which rows vary.

mod axis;
mod meaning;
mod option_error;
mod row;
mod toml_text;
mod write;

use std::path::{Path, PathBuf};

use axis::Axis;
pub use row::{PlanRow, RowSettings, Work};
use toml_text::{Located, Section, Text, value_text};
pub use write::plan_text;

use crate::{Error, Result};

/// Maximum number of rows.
pub const MAX_ROWS: usize = 10_000_000;

/// A plan, read from TOML.
///
/// `[base]` has options that are the same in every row. `[grid]` has lists: every combination is a row. A `[[zip]]` has lists
/// of one length that are taken together. A `[[list]]` table is one combination of options, stated in full; all of them are
/// one axis. Several axes multiply; the first in the file is slowest.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The plan's name; by default that of its file.
    pub name: String,
    pub path: PathBuf,
    base: Vec<(String, Located)>,
    axes: Vec<Axis>,
    rows: usize,
}

impl Plan {
    /// Reads the plan at `path` and checks every value of its axes alone.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::File`] with the line of what is not valid.
    pub fn open(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|error| Error::io(path, error))?;
        Self::parse(path, &text)
    }

    /// Parses the text of the plan at `path`.
    ///
    /// # Errors
    /// [`Error::File`] with the line of what is not valid.
    pub fn parse(path: &Path, text: &str) -> Result<Self> {
        let text = Text::new(path, text);
        let mut name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        let (mut base, mut axes, mut lists) = (Vec::new(), Vec::new(), Vec::new());
        for (key, section) in text.sections()? {
            match (key.text.as_str(), section) {
                ("name", Section::Value(value)) => match value.value.as_str() {
                    Some(text) if !text.trim().is_empty() => text.clone_into(&mut name),
                    _ => return Err(text.error(value.line, "name is not a text")),
                },
                ("base", Section::Table(entries)) => base = entries,
                ("grid", Section::Table(entries)) => {
                    axes.extend(
                        entries
                            .into_iter()
                            .map(|(key, values)| Axis::of_list(&text, key, values))
                            .collect::<Result<Vec<_>>>()?,
                    );
                }
                ("zip", Section::Tables(tables)) => {
                    let zips = tables.into_iter().map(|(line, entries)| Axis::of_zip(&text, line, entries));
                    axes.extend(zips.collect::<Result<Vec<_>>>()?);
                }
                ("list", Section::Tables(tables)) => lists = tables,
                ("base" | "grid", _) => {
                    return Err(text.error(key.line, format!("[{}] is not a table of options", key.text)));
                }
                ("zip" | "list", _) => {
                    return Err(text.error(key.line, format!("{0} is no list of tables. Write [[{0}]]", key.text)));
                }
                (other, _) => {
                    return Err(text.error(
                        key.line,
                        format!("unknown entry '{other}'. Use name, [base], [grid], [[zip]] or [[list]]"),
                    ));
                }
            }
        }
        if !lists.is_empty() {
            axes.push(Axis::of_rows(&text, lists)?);
        }
        axes.sort_by_key(|axis| axis.line);
        let plan = Self { rows: count_rows(&text, &axes)?, name, path: path.to_owned(), base, axes };
        plan.check_keys(&text)?;
        plan.check_values(&text)?;
        meaning::check(&plan.base, &plan.axes, &text)?;
        Ok(plan)
    }

    /// Number of rows; 1 without axes.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The keys that vary, in the order of the file.
    pub fn varied_keys(&self) -> Vec<&str> {
        self.axes.iter().flat_map(|axis| axis.keys.iter().map(String::as_str)).collect()
    }

    /// The keys that vary with their values as texts, in the order of the file.
    pub fn axis_texts(&self) -> Vec<(String, Vec<String>)> {
        let of_key = |axis: &Axis, k: usize| {
            let text =
                |at: usize| axis.options(at).nth(k).map_or_else(String::new, |(_, value)| value_text(&value.value));
            (axis.keys[k].clone(), (0..axis.len()).map(text).collect())
        };
        self.axes.iter().flat_map(|axis| (0..axis.keys.len()).map(|k| of_key(axis, k))).collect()
    }

    /// Sentences about axes that change nothing.
    pub fn notes(&self) -> Vec<String> {
        meaning::notes(&self.path, &self.base, &self.axes)
    }

    /// Row `number`, from 0. The first axis is slowest.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a row that the plan does not have.
    pub fn row(&self, number: usize) -> Result<PlanRow> {
        if number >= self.rows {
            return Err(Error::Invalid(format!(
                "Cannot use row {number} of {}: it has rows 0 to {}.",
                self.path.display(),
                self.rows - 1
            )));
        }
        let mut options = self.base.clone();
        let (mut rest, mut chosen) = (number, Vec::new());
        for axis in self.axes.iter().rev() {
            chosen.push((axis, rest % axis.len()));
            rest /= axis.len();
        }
        let varied = chosen.into_iter().rev().flat_map(|(axis, at)| axis.options(at));
        let varied: Vec<(String, Located)> = varied.collect();
        options.extend(varied.iter().cloned());
        Ok(PlanRow { number, varied, options })
    }

    /// Refuses a key that stands in two places.
    fn check_keys(&self, text: &Text<'_>) -> Result<()> {
        let mut known: Vec<(&str, usize)> = self.base.iter().map(|(key, value)| (key.as_str(), value.line)).collect();
        for axis in &self.axes {
            for key in &axis.keys {
                if let Some((_, line)) = known.iter().find(|(other, _)| other == key) {
                    return Err(
                        text.error(axis.line, format!("'{key}' stands in line {line} already. Keep one of them"))
                    );
                }
                known.push((key, axis.line));
            }
        }
        Ok(())
    }

    /// Checks that every value can be an option, beside those of the base, alone or with the first of every other axis.
    fn check_values(&self, text: &Text<'_>) -> Result<()> {
        let check = |varied: &[(String, Located)], line: usize| {
            let resolve = |others: &[(String, Located)]| {
                let options = self.base.iter().chain(others).chain(varied).cloned().collect();
                PlanRow { number: 0, varied: Vec::new(), options }.resolve().map(|_| ())
            };
            let others = self.axes.iter().flat_map(|axis| axis.options(0));
            let others: Vec<_> = others.filter(|(key, _)| varied.iter().all(|(own, _)| own != key)).collect();
            // An option of an attack or an explanation is valid beside one only, which may stand in another axis.
            let checked = resolve(&[]).or_else(|_| resolve(&others));
            checked.map_err(|error| text.error(line, error.to_string().trim_end_matches('.')))
        };
        let base_line = self.base.first().map_or(1, |(_, value)| value.line);
        for (k, (_, value)) in self.base.iter().enumerate() {
            // What an option means depends on the command of the row.
            let command = self.base.iter().filter(|(key, _)| row::decides(key));
            let options = command.chain(&self.base[..=k]).cloned().collect();
            let row = PlanRow { number: 0, varied: Vec::new(), options };
            row.options().map_err(|error| text.error(value.line, error.to_string().trim_end_matches('.')))?;
        }
        // The first option with which the base is refused.
        let refuses = |k: &usize| {
            let options = self.base[..=*k].to_vec();
            PlanRow { number: 0, varied: Vec::new(), options }.resolve().is_err()
        };
        let base_line = (0..self.base.len()).find(refuses).map_or(base_line, |k| self.base[k].1.line);
        check(&[], base_line)?;
        for axis in &self.axes {
            for at in 0..axis.len() {
                let options: Vec<_> = axis.options(at).collect();
                let line = options.last().map_or(axis.line, |(_, value)| value.line);
                check(&options, line)?;
            }
        }
        Ok(())
    }
}

/// Whether the TOML file at `path` is a plan and not, say, a recipe.
pub fn is_plan(path: &Path) -> bool {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let table = text.parse::<toml::Table>().unwrap_or_default();
    ["base", "grid", "zip", "list"].iter().any(|key| table.contains_key(*key))
}

/// The product of the lengths of all axes.
fn count_rows(text: &Text<'_>, axes: &[Axis]) -> Result<usize> {
    let rows = axes.iter().try_fold(1usize, |rows, axis| rows.checked_mul(axis.len()));
    rows.filter(|&rows| rows <= MAX_ROWS).ok_or_else(|| {
        let last = axes.last().map_or(1, |axis| axis.line);
        text.error(last, format!("more than {MAX_ROWS} rows in all. Use several plans"))
    })
}

#[cfg(test)]
mod tests;
