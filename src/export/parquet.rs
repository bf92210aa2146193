//! Parquet writer for columns without missing values: one row group, no compression.

use std::sync::Arc;

use parquet::basic::{ConvertedType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type};
use parquet::errors::Result;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

/// A column without missing values.
pub(super) enum Column<'a> {
    Int(Vec<i32>),
    Double(Vec<f64>),
    Text(Vec<&'a str>),
}

/// Encodes `columns` by name, all of one length, as a Parquet file.
///
/// # Errors
/// Errors of the Parquet writer.
pub(super) fn file(columns: &[(&str, Column<'_>)]) -> Result<Vec<u8>> {
    let fields = columns.iter().map(|(name, column)| {
        let (physical, converted) = match column {
            Column::Int(_) => (Physical::INT32, ConvertedType::NONE),
            Column::Double(_) => (Physical::DOUBLE, ConvertedType::NONE),
            Column::Text(_) => (Physical::BYTE_ARRAY, ConvertedType::UTF8),
        };
        let field = Type::primitive_type_builder(name, physical).with_converted_type(converted);
        field.with_repetition(Repetition::REQUIRED).build().map(Arc::new)
    });
    let schema = Type::group_type_builder("schema").with_fields(fields.collect::<Result<_>>()?).build()?;
    let properties =
        WriterProperties::builder().set_created_by(concat!("spikescope ", env!("CARGO_PKG_VERSION")).into()).build();
    let mut writer = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties))?;
    let mut group = writer.next_row_group()?;
    for (_, column) in columns {
        let Some(mut out) = group.next_column()? else { break };
        match column {
            Column::Int(values) => out.typed::<Int32Type>().write_batch(values, None, None)?,
            Column::Double(values) => out.typed::<DoubleType>().write_batch(values, None, None)?,
            Column::Text(values) => {
                let values: Vec<ByteArray> = values.iter().map(|&text| text.into()).collect();
                out.typed::<ByteArrayType>().write_batch(&values, None, None)?
            }
        };
        out.close()?;
    }
    group.close()?;
    writer.into_inner()
}
