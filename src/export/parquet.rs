//! Parquet writer: columns of whole numbers, numbers and texts, row groups one after the other, no compression.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::{ConvertedType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type};
use parquet::errors::Result;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

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
    writer: SerializedFileWriter<W>,
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
        let properties = WriterProperties::builder()
            .set_created_by(concat!("spikescope ", env!("CARGO_PKG_VERSION")).into())
            .build();
        Ok(Self { writer: SerializedFileWriter::new(sink, Arc::new(schema), Arc::new(properties))? })
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
    pub(super) fn finish(self) -> Result<W> {
        self.writer.into_inner()
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
