//! Table in long form, written line by line as CSV or Parquet: a row of a sweep, what varies, a figure, a step, a value.

use std::io::{self, Write};

use super::parquet::{Column, ParquetWriter};
use super::results_table::quoted;

/// Lines of one Parquet row group.
const GROUP_LINES: usize = 1 << 16;

/// One line.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    pub row: usize,
    /// A text for every varied key.
    pub varied: &'a [String],
    pub figure: &'a str,
    /// The step of the value, from 1; `None` for figures of a whole run.
    pub step: Option<usize>,
    pub value: f64,
}

/// A table that is being written.
pub struct LongTable<W: Write + Send> {
    form: Form<W>,
}

enum Form<W: Write + Send> {
    Csv(W),
    Parquet(Box<ParquetTable<W>>),
}

struct ParquetTable<W: Write + Send> {
    writer: ParquetWriter<W>,
    lines: Lines,
}

/// Lines of the next row group, by column.
#[derive(Default)]
struct Lines {
    rows: Vec<i32>,
    /// One column for every varied key.
    varied: Vec<Vec<String>>,
    figures: Vec<String>,
    steps: Vec<Option<i32>>,
    values: Vec<f64>,
}

impl<W: Write + Send> LongTable<W> {
    /// Comma-separated values with a header line; `keys` are the names of the varied columns.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn csv(mut sink: W, keys: &[String]) -> io::Result<Self> {
        let names = keys.iter().map(|key| quoted(key) + ",").collect::<String>();
        writeln!(sink, "row,{names}figure,step,value")?;
        Ok(Self { form: Form::Csv(sink) })
    }

    /// A Parquet file.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn parquet(sink: W, keys: &[String]) -> io::Result<Self> {
        let mut columns = vec![("row", Column::Int(Vec::new()))];
        columns.extend(keys.iter().map(|key| (key.as_str(), Column::Text(Vec::new()))));
        columns.push(("figure", Column::Text(Vec::new())));
        columns.push(("step", Column::OptionalInt(Vec::new())));
        columns.push(("value", Column::Double(Vec::new())));
        let writer = ParquetWriter::new(sink, &columns).map_err(io::Error::other)?;
        let lines = Lines { varied: vec![Vec::new(); keys.len()], ..Lines::default() };
        Ok(Self { form: Form::Parquet(Box::new(ParquetTable { writer, lines })) })
    }

    /// Appends a line.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn write(&mut self, record: &Record<'_>) -> io::Result<()> {
        match &mut self.form {
            Form::Csv(sink) => {
                let varied = record.varied.iter().map(|text| quoted(text) + ",").collect::<String>();
                let step = record.step.map(|step| step.to_string()).unwrap_or_default();
                writeln!(sink, "{},{varied}{},{step},{}", record.row, quoted(record.figure), record.value)
            }
            Form::Parquet(table) => {
                let ParquetTable { writer, lines } = &mut **table;
                let int = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
                lines.rows.push(int(record.row));
                lines.varied.iter_mut().zip(record.varied).for_each(|(column, text)| column.push(text.clone()));
                lines.figures.push(record.figure.to_owned());
                lines.steps.push(record.step.map(int));
                lines.values.push(record.value);
                if lines.rows.len() < GROUP_LINES { Ok(()) } else { lines.write_to(writer) }
            }
        }
    }

    /// Ends the table.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn finish(self) -> io::Result<W> {
        match self.form {
            Form::Csv(sink) => Ok(sink),
            Form::Parquet(table) => {
                let ParquetTable { mut writer, mut lines } = *table;
                if !lines.rows.is_empty() {
                    lines.write_to(&mut writer)?;
                }
                writer.finish().map_err(io::Error::other)
            }
        }
    }
}

impl Lines {
    /// Writes the lines as a row group, and empties them.
    fn write_to<W: Write + Send>(&mut self, writer: &mut ParquetWriter<W>) -> io::Result<()> {
        let keys = self.varied.len();
        let all = std::mem::replace(self, Self { varied: vec![Vec::new(); keys], ..Self::default() });
        fn texts(column: &[String]) -> Column<'_> {
            Column::Text(column.iter().map(String::as_str).collect())
        }
        let mut columns = vec![Column::Int(all.rows)];
        columns.extend(all.varied.iter().map(|column| texts(column)));
        columns.extend([texts(&all.figures), Column::OptionalInt(all.steps), Column::Double(all.values)]);
        writer.write_group(&columns).map_err(io::Error::other)
    }
}

#[cfg(test)]
mod tests {
    use ::parquet::file::reader::{FileReader, SerializedFileReader};

    use super::*;

    #[test]
    fn both_forms_have_the_same_lines() {
        let keys = ["threshold".to_owned()];
        let varied = ["a,b".to_owned()];
        let records = [
            Record { row: 3, varied: &varied, figure: "mismatch", step: None, value: 0.5 },
            Record { row: 3, varied: &varied, figure: "snn_accuracy", step: Some(2), value: 0.25 },
        ];
        let mut csv = LongTable::csv(Vec::new(), &keys).unwrap();
        let mut parquet = LongTable::parquet(tempfile::tempfile().unwrap(), &keys).unwrap();
        for record in &records {
            csv.write(record).unwrap();
            parquet.write(record).unwrap();
        }
        let text = String::from_utf8(csv.finish().unwrap()).unwrap();
        assert_eq!(text, "row,threshold,figure,step,value\n3,\"a,b\",mismatch,,0.5\n3,\"a,b\",snn_accuracy,2,0.25\n");
        let file = SerializedFileReader::new(parquet.finish().unwrap()).unwrap();
        let rows: Vec<String> = file.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string()).collect();
        assert_eq!(rows[0], "{row: 3, threshold: \"a,b\", figure: \"mismatch\", step: null, value: 0.5}");
        assert_eq!(rows[1], "{row: 3, threshold: \"a,b\", figure: \"snn_accuracy\", step: 2, value: 0.25}");
    }
}
