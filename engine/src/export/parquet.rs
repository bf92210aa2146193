//! Parquet writer: columns of whole numbers, numbers and texts, row groups one after the other, no compression.
//!
//! The library states the order of floating point numbers by a word of 2025 (`IEEE_754_TOTAL_ORDER`), at which polars up
//! to 1.38 refuses the file. [`ParquetWriter::finish`] states the order of before, and columns of numbers have no smallest and
//! largest value, which is all that it applies to.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::{ConvertedType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type};
use parquet::errors::Result;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnPath, Type};

/// Values of a column.
pub(super) enum Column<'a> {
    Int(Vec<i32>),
    /// Some values may be missing.
    OptionalInt(Vec<Option<i32>>),
    Double(Vec<f64>),
    Text(Vec<&'a str>),
}

/// A Parquet file that is being written.
pub(super) struct ParquetWriter<W: Write + Send> {
    writer: SerializedFileWriter<Sink<W>>,
    columns: usize,
}

/// A sink that holds back the end of a file.
struct Sink<W> {
    inner: W,
    /// What came since the end began.
    end: Option<Vec<u8>>,
}

impl<W: Write> Write for Sink<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match &mut self.end {
            Some(end) => end.write(bytes),
            None => self.inner.write(bytes),
        }
    }
    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

impl<W: Write + Send> ParquetWriter<W> {
    /// A file with the names and types of `columns`; their values are ignored.
    ///
    /// # Errors
    /// Errors of the Parquet writer.
    pub(super) fn new(sink: W, columns: &[(&str, Column<'_>)]) -> Result<Self> {
        let fields = columns.iter().map(|(name, column)| {
            let (physical, converted) = match column {
                Column::Int(_) | Column::OptionalInt(_) => (Physical::INT32, ConvertedType::NONE),
                Column::Double(_) => (Physical::DOUBLE, ConvertedType::NONE),
                Column::Text(_) => (Physical::BYTE_ARRAY, ConvertedType::UTF8),
            };
            let is_optional = matches!(column, Column::OptionalInt(_));
            let repetition = if is_optional { Repetition::OPTIONAL } else { Repetition::REQUIRED };
            let field = Type::primitive_type_builder(name, physical).with_converted_type(converted);
            field.with_repetition(repetition).build().map(Arc::new)
        });
        let schema = Type::group_type_builder("schema").with_fields(fields.collect::<Result<_>>()?).build()?;
        let doubles = columns.iter().filter(|(_, column)| matches!(column, Column::Double(_)));
        let properties = doubles
            .map(|(name, _)| ColumnPath::new(vec![(*name).to_owned()]))
            .fold(WriterProperties::builder(), |properties, column| {
                properties.set_column_statistics_enabled(column, EnabledStatistics::None)
            })
            .set_created_by(concat!("spikescope ", env!("CARGO_PKG_VERSION")).into())
            .build();
        let sink = Sink { inner: sink, end: None };
        let writer = SerializedFileWriter::new(sink, Arc::new(schema), Arc::new(properties))?;
        Ok(Self { writer, columns: columns.len() })
    }

    /// Appends a row group; all columns have one length.
    ///
    /// # Errors
    /// Errors of the Parquet writer.
    pub(super) fn write_group(&mut self, columns: &[Column<'_>]) -> Result<()> {
        let mut group = self.writer.next_row_group()?;
        for column in columns {
            let Some(mut out) = group.next_column()? else { break };
            match column {
                Column::Int(values) => out.typed::<Int32Type>().write_batch(values, None, None)?,
                Column::OptionalInt(values) => {
                    let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
                    let known: Vec<i32> = values.iter().flatten().copied().collect();
                    out.typed::<Int32Type>().write_batch(&known, Some(&levels), None)?
                }
                Column::Double(values) => out.typed::<DoubleType>().write_batch(values, None, None)?,
                Column::Text(values) => {
                    let values: Vec<ByteArray> = values.iter().map(|&text| text.into()).collect();
                    out.typed::<ByteArrayType>().write_batch(&values, None, None)?
                }
            };
            out.close()?;
        }
        group.close().map(|_| ())
    }

    /// Ends the file.
    ///
    /// # Errors
    /// Errors of the Parquet writer.
    pub(super) fn finish(mut self) -> Result<W> {
        self.writer.inner_mut().end = Some(Vec::new());
        let Sink { mut inner, end } = self.writer.into_inner()?;
        let mut end = end.unwrap_or_default();
        use_older_orders(&mut end, self.columns);
        inner.write_all(&end)?;
        Ok(inner)
    }
}

/// States the order of all columns as `TYPE_DEFINED_ORDER` in the end of a Parquet file, which has the same length. Anything
/// unexpected stays as it is.
///
/// The footer is Thrift in the compact protocol; its last field is a list of one union a column (parquet.thrift,
/// `FileMetaData.column_orders`), each a field header with the number of the order, an empty structure and a stop.
fn use_older_orders(end: &mut [u8], columns: usize) {
    const TYPE_DEFINED: [u8; 3] = [0x1c, 0, 0];
    const IEEE_754_TOTAL: [u8; 3] = [0x2c, 0, 0];
    // The stop of the footer, its length and the magic word.
    const TAIL: usize = 1 + 4 + 4;
    let Some(last) = end.len().checked_sub(TAIL) else { return };
    let Some(first) = last.checked_sub(columns * TYPE_DEFINED.len()) else { return };
    let (orders, _) = end[first..last].as_chunks_mut::<3>();
    if orders.iter().all(|order| [TYPE_DEFINED, IEEE_754_TOTAL].contains(order)) {
        orders.fill(TYPE_DEFINED);
    }
}

/// Encodes `columns` by name, all of one length, as a Parquet file of one row group.
///
/// # Errors
/// Errors of the Parquet writer.
pub(super) fn file(columns: Vec<(&str, Column<'_>)>) -> Result<Vec<u8>> {
    let mut writer = ParquetWriter::new(Vec::new(), &columns)?;
    let columns: Vec<Column<'_>> = columns.into_iter().map(|(_, column)| column).collect();
    writer.write_group(&columns)?;
    writer.finish()
}

#[cfg(test)]
mod tests {
    use parquet::basic::ColumnOrder;
    use parquet::file::reader::{FileReader, SerializedFileReader};

    use super::*;

    #[test]
    fn every_column_has_an_order_that_older_readers_know() {
        for texts in [0, 1, 13, 20, 200] {
            let names: Vec<String> = (0..texts).map(|k| format!("text {k}")).collect();
            let mut columns = vec![("value", Column::Double(vec![0.5, f64::NAN]))];
            columns.extend(names.iter().map(|name| (name.as_str(), Column::Text(vec!["a", "b"]))));
            columns.push(("step", Column::OptionalInt(vec![None, Some(1)])));
            let mut on_disk = tempfile::tempfile().unwrap();
            on_disk.write_all(&file(columns).unwrap()).unwrap();
            let reader = SerializedFileReader::new(on_disk).unwrap();
            let metadata = reader.metadata().file_metadata();
            assert_eq!(metadata.num_rows(), 2);
            let orders = metadata.column_orders().unwrap();
            assert_eq!(orders.len(), texts + 2);
            assert!(orders.iter().all(|order| matches!(order, ColumnOrder::TYPE_DEFINED_ORDER(_))), "{orders:?}");
        }
    }
}
