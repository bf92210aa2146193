//! One table of all rows, in long form: a line for every figure, and step where there is one.

use std::collections::HashMap;
use std::io::{BufWriter, Write};
use std::path::Path;

use rayon::prelude::*;

use super::address::SourceDigests;
use super::figures::Figure;
use super::folder::{list, read_row};
use super::plan::Plan;
use super::row_file::RowFile;
use super::runner::addresses;
use crate::export::long_table::{LongTable, Record};
use crate::files::write_atomic_with;
use crate::progress::JobControl;
use crate::{Error, Result};

/// Rows that are read at once.
const CHUNK: usize = 2048;

/// What was merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Merged {
    pub rows: usize,
    /// Rows without a result.
    pub missing: usize,
    /// Lines of the table.
    pub lines: usize,
}

/// Writes the figures of all finished rows of `plan` in the folder `out` to `results`, a `.parquet` or `.csv` file. Rows are
/// in the order of the plan, figures in alphabetical order.
///
/// # Errors
/// [`Error::Invalid`] for another ending; [`Error::Io`]; [`Error::Cancelled`], with nothing written.
pub fn merge(plan: &Plan, out: &Path, results: &Path, control: &JobControl) -> Result<Merged> {
    let ending = results.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    let is_parquet = match ending.as_deref() {
        Some("parquet") => true,
        Some("csv") => false,
        _ => {
            return Err(Error::Invalid(format!(
                "Cannot write {}: unknown ending. Name a .parquet or .csv file.",
                results.display()
            )));
        }
    };
    let addresses = addresses(plan, &SourceDigests::default())?;
    let finished = list(out)?.finished;
    let keys: Vec<String> = plan.varied_keys().into_iter().map(str::to_owned).collect();
    let mut merged = Merged { rows: 0, missing: 0, lines: 0 };
    write_atomic_with(results, |file| {
        let file = BufWriter::new(file);
        let fail = |error: std::io::Error| Error::io(results, error);
        let mut table =
            if is_parquet { LongTable::parquet(file, &keys) } else { LongTable::csv(file, &keys) }.map_err(fail)?;
        for (chunk, addresses) in addresses.chunks(CHUNK).enumerate() {
            control.check()?;
            control.progress("merging", (chunk * CHUNK) as f32 / plan.rows() as f32);
            let read = |address: &Option<String>| match address {
                Some(address) if finished.contains(address) => read_row(out, address),
                _ => Ok(None),
            };
            let rows: Vec<Option<RowFile>> = addresses.par_iter().map(read).collect::<Result<_>>()?;
            for (k, row) in rows.into_iter().enumerate() {
                let Some(row) = row else {
                    merged.missing += 1;
                    continue;
                };
                merged.rows += 1;
                let number = chunk * CHUNK + k;
                let varied: HashMap<String, String> =
                    plan.row(number)?.varied_texts().map(|(key, value)| (key.to_owned(), value)).collect();
                let varied: Vec<String> = keys.iter().map(|key| varied.get(key).cloned().unwrap_or_default()).collect();
                merged.lines += write_row(&mut table, number, &varied, &row).map_err(fail)?;
            }
        }
        table.finish().and_then(|mut file| file.flush()).map_err(fail)
    })?;
    Ok(merged)
}

/// Writes the lines of a row and returns their number.
fn write_row<W: Write + Send>(
    table: &mut LongTable<W>,
    row: usize,
    varied: &[String],
    file: &RowFile,
) -> std::io::Result<usize> {
    let mut lines = 0;
    for (figure, value) in &file.figures.0 {
        let values: &mut dyn Iterator<Item = (Option<usize>, f64)> = match value {
            Figure::Value(value) => &mut std::iter::once((None, *value)),
            Figure::Steps(values) => &mut values.iter().enumerate().map(|(k, &value)| (Some(k + 1), value)),
        };
        for (step, value) in values {
            table.write(&Record { row, varied, figure, step, value })?;
            lines += 1;
        }
    }
    Ok(lines)
}
