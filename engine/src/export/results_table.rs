//! Results table in long format, one row per number, as CSV and Parquet.

use crate::measure::Report;
use crate::task::OutputKind;
use crate::{Error, Result};

/// One row of the table: one number.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The run: the network's name.
    pub run: String,
    /// The layer, or empty for the whole network.
    pub layer: String,
    /// The time step of the value.
    pub t: i32,
    pub metric: &'static str,
    pub value: f64,
}

/// All figures of `report` as rows: the curve at every step, the layers at the last one.
pub fn rows(run: &str, report: &Report) -> Vec<Row> {
    let row = |layer: &str, t: usize, metric, value| Row {
        run: run.to_owned(),
        layer: layer.to_owned(),
        t: i32::try_from(t).unwrap_or(i32::MAX),
        metric,
        value,
    };
    let mut rows = Vec::new();
    for point in &report.curve {
        rows.extend(point.accuracy.map(|accuracy| row("", point.t, "accuracy", accuracy)));
        rows.push(row("", point.t, "agreement", point.agreement));
        if let Some(agreement) = &report.output_agreement {
            let boxes = agreement.boxes(point.t);
            rows.push(row("", point.t, "output_error", agreement.error(point.t)));
            let counts = [("ann_boxes", boxes.ann), ("snn_boxes", boxes.snn), ("same_boxes", boxes.same)];
            let counts = counts.into_iter().filter(|_| agreement.of == OutputKind::Boxes);
            rows.extend(counts.map(|(metric, count)| row("", point.t, metric, f64::from(count))));
        }
    }
    rows.extend(report.ann_accuracy.map(|accuracy| row("", report.steps, "ann_accuracy", accuracy)));
    for layer in &report.layers {
        let theta = layer.theta.iter().map(|&t| f64::from(t)).sum::<f64>() / layer.theta.len().max(1) as f64;
        let numbers = [
            ("theta_mean", theta),
            ("spikes", layer.spikes as f64),
            ("rate", layer.rate),
            ("mean_activation", layer.mean_activation),
            ("mean_abs_mismatch", layer.mean_abs_mismatch),
            ("ledger_propagated", layer.ledger.propagated),
            ("ledger_clipping", layer.ledger.clipping),
            ("ledger_quantization", layer.ledger.quantization),
            ("ledger_unevenness", layer.ledger.unevenness),
            ("ledger_pooling", layer.ledger.pooling),
            ("ledger_total", layer.ledger.total),
            ("synops", layer.synops),
        ];
        rows.extend(numbers.into_iter().map(|(metric, value)| row(&layer.name, report.steps, metric, value)));
    }
    rows
}

/// `text` as a field of comma-separated values, in quotes where it needs them.
pub fn quoted(text: &str) -> String {
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

/// The rows as comma-separated values with a header line.
pub fn to_csv(rows: &[Row]) -> String {
    let mut out = String::from("run,layer,t,metric,value\n");
    for row in rows {
        out.push_str(&format!("{},{},{},{},{}\n", quoted(&row.run), quoted(&row.layer), row.t, row.metric, row.value));
    }
    out
}

/// The rows as a Parquet file.
///
/// # Errors
/// [`Error::Internal`] if the Parquet writer fails.
pub fn to_parquet(rows: &[Row]) -> Result<Vec<u8>> {
    use super::parquet::{Column, file};
    let texts = |of: fn(&Row) -> &str| Column::Text(rows.iter().map(of).collect());
    let columns = vec![
        ("run", texts(|row| &row.run)),
        ("layer", texts(|row| &row.layer)),
        ("t", Column::Int(rows.iter().map(|row| row.t).collect())),
        ("metric", texts(|row| row.metric)),
        ("value", Column::Double(rows.iter().map(|row| row.value).collect())),
    ];
    file(columns).map_err(|e| Error::Internal(format!("the table cannot be written as Parquet: {e}")))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use ::parquet::file::reader::{FileReader, SerializedFileReader};

    use super::*;

    #[test]
    fn csv_quotes_commas_and_quotes() {
        let row = Row { run: "a,\"b\"".into(), layer: "conv1".into(), t: 8, metric: "rate", value: 0.25 };
        assert_eq!(to_csv(std::slice::from_ref(&row)), "run,layer,t,metric,value\n\"a,\"\"b\"\"\",conv1,8,rate,0.25\n");
    }

    #[test]
    fn parquet_rows_read_back_equal() {
        let row = |t| Row { run: "a,\"b\"".into(), layer: "θ1".into(), t, metric: "rate", value: 0.25 };
        let read = |rows: &[Row]| {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&to_parquet(rows).unwrap()).unwrap();
            let file = SerializedFileReader::new(file).unwrap();
            file.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string()).collect::<Vec<_>>()
        };
        let text = |t: i32| format!("{{run: \"a,\"b\"\", layer: \"θ1\", t: {t}, metric: \"rate\", value: 0.25}}");
        assert_eq!(read(&[row(1), row(8)]), [text(1), text(8)]);
        assert!(read(&[]).is_empty());
    }
}
