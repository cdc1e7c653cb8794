//! Parquet: texts, numbers that may be missing, and vectors as lists of 32-bit floats.

use crate::sheet::{Sheet, Values};
use anyhow::{Context, Result};
use dermake_files::output::replace_file;
use parquet::basic::{Compression, ConvertedType, LogicalType, Repetition, Type as PhysicalType};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, FloatType};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;
use std::path::Path;
use std::sync::Arc;

/// Rows of a row group: readers hold one of them in memory.
const ROWS: usize = 16_384;

type Outcome<T> = std::result::Result<T, ParquetError>;

pub(crate) fn write(sheet: &Sheet, path: &Path) -> Result<()> {
    replace_file(path, &bytes(sheet).with_context(|| format!("cannot write {}", path.display()))?)
}

fn bytes(sheet: &Sheet) -> Outcome<Vec<u8>> {
    let fields = sheet.columns.iter().map(|column| Ok(Arc::new(field(&column.name, &column.values)?)));
    let schema = Type::group_type_builder("schema").with_fields(fields.collect::<Outcome<_>>()?).build()?;
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut file = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut file, Arc::new(schema), Arc::new(properties))?;
    for first in (0..sheet.n_rows()).step_by(ROWS) {
        let rows = first..sheet.n_rows().min(first + ROWS);
        let mut group = writer.next_row_group()?;
        for column in &sheet.columns {
            write_column(&mut group, &column.values, rows.clone())?;
        }
        group.close()?;
    }
    writer.close()?;
    Ok(file)
}

fn field(name: &str, values: &Values) -> Outcome<Type> {
    match values {
        Values::Texts(_) => Type::primitive_type_builder(name, PhysicalType::BYTE_ARRAY)
            .with_repetition(Repetition::REQUIRED)
            .with_logical_type(Some(LogicalType::String))
            .with_converted_type(ConvertedType::UTF8)
            .build(),
        Values::Numbers(_) => {
            Type::primitive_type_builder(name, PhysicalType::DOUBLE).with_repetition(Repetition::OPTIONAL).build()
        }
        Values::Vectors { .. } => {
            let element = Type::primitive_type_builder("element", PhysicalType::FLOAT)
                .with_repetition(Repetition::REQUIRED)
                .build()?;
            let list = Type::group_type_builder("list")
                .with_repetition(Repetition::REPEATED)
                .with_fields(vec![Arc::new(element)])
                .build()?;
            Type::group_type_builder(name)
                .with_repetition(Repetition::REQUIRED)
                .with_logical_type(Some(LogicalType::List))
                .with_converted_type(ConvertedType::LIST)
                .with_fields(vec![Arc::new(list)])
                .build()
        }
    }
}

fn write_column(
    group: &mut SerializedRowGroupWriter<'_, &mut Vec<u8>>,
    values: &Values,
    rows: std::ops::Range<usize>,
) -> Outcome<()> {
    let mut column = group.next_column()?.ok_or_else(|| ParquetError::General("a column too many".into()))?;
    match values {
        Values::Texts(texts) => {
            let texts: Vec<ByteArray> = texts[rows].iter().map(|text| text.as_str().into()).collect();
            column.typed::<ByteArrayType>().write_batch(&texts, None, None)?;
        }
        Values::Numbers(numbers) => {
            let levels: Vec<i16> = numbers[rows.clone()].iter().map(|number| i16::from(number.is_some())).collect();
            let numbers: Vec<f64> = numbers[rows].iter().flatten().copied().collect();
            column.typed::<DoubleType>().write_batch(&numbers, Some(&levels), None)?;
        }
        Values::Vectors { width, values } => {
            let values = &values[rows.start * width..rows.end * width];
            // The first value of each row starts a list.
            let starts: Vec<i16> = (0..values.len()).map(|at| i16::from(at % width != 0)).collect();
            column.typed::<FloatType>().write_batch(values, Some(&vec![1; values.len()]), Some(&starts))?;
        }
    }
    column.close()
}
