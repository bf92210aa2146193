//! Markdown table of a race, written row by row.

use super::row::Row;
use crate::experiment::Settings;
use crate::task::OutputKind;

/// The text above the rows: network, data, base recipe, and the table header with a column for every t of `at`. `ann` is
/// the accuracy of the ANN, 0 to 1; `outputs` the kind of outputs that are no classes.
pub fn head(settings: &Settings, at: &[usize], ann: Option<f64>, outputs: Option<OutputKind>) -> String {
    let what = match (ann, outputs) {
        (Some(ann), _) => format!("accuracy in % (ANN {:.2})", ann * 100.0),
        (None, Some(outputs)) => format!("{} of both networks in %", outputs.measure()),
        (None, None) => "agreement with the ANN in %; no labels".into(),
    };
    let columns: Vec<String> = at.iter().map(|t| format!("T = {t}")).collect();
    format!(
        "{} on {}, {} samples: {what}\n\nbase recipe: {}\n\n| method | changes to the base recipe | pre-steps \
         (hardware) | {} | mismatch | M SynOps per sample | seconds |\n|---|---|---|{}---|---|---|\n",
        settings.model,
        settings.data,
        settings.samples.len(),
        settings.recipe.description(),
        columns.join(" | "),
        "---|".repeat(at.len())
    )
}

/// One row as a line of the table.
pub fn line(row: &Row) -> String {
    let figures: Vec<String> = row.accuracy.iter().map(|a| format!("{:.1}", a * 100.0)).collect();
    let presteps = match row.presteps {
        0 => "0".into(),
        n => format!("{n} ({})", row.hardware_presteps),
    };
    let changes = if row.changes.is_empty() { "–".into() } else { row.changes.join(", ") };
    format!(
        "| {} | {changes} | {presteps} | {} | {:.3} | {:.2} | {:.1} |\n",
        // A name may contain characters that end a cell.
        row.name.replace('|', "\\|").replace('\n', " "),
        figures.join(" | "),
        row.mismatch,
        row.synops_per_sample / 1e6,
        row.seconds
    )
}
