//! Parquet files, as pandas, Spark and Hugging Face write them.
//!
//! Columns of images are not read: an image's place is kept, and [`ImageCells`] reads one when it is wanted.

mod fields;
mod images;

use crate::Result;
use crate::builder::Builder;
use crate::error::SourceError;
use crate::parquet_cells::{ImageCells, Outcome};
use dermake_pictures::panics;
use fields::flatten;
use images::{ImageColumn, Place, image_column, places};
use parquet::basic::ConvertedType;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Row;
use parquet::schema::types::{Type, TypePtr};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// Key of the file's metadata under which Hugging Face describes the columns.
const HUGGING_FACE_KEY: &str = "huggingface";

/// Reads the rows of a Parquet file.
///
/// # Errors
/// When the file is damaged, or is compressed in a way that is not supported.
pub(crate) fn read(path: &Path, builder: &mut Builder) -> Result<()> {
    let failed = |detail: String| SourceError::Parquet { detail, path: path.into() };
    let file = File::open(path).map_err(|source| SourceError::Read { path: path.into(), source })?;
    let read = || -> Outcome<()> {
        let reader = SerializedFileReader::new(file)?;
        read_rows(path, &reader, builder)
    };
    // The crate checks most of what a damaged file may have, not everything.
    panics::caught(read)
        .unwrap_or_else(|| Err(ParquetError::General("it is damaged".into())))
        .map_err(|err| failed(err.to_string()))
}

fn read_rows(path: &Path, reader: &SerializedFileReader<File>, builder: &mut Builder) -> Outcome<()> {
    let schema = reader.metadata().file_metadata().schema_descr().root_schema_ptr();
    let images = image_column(&schema);
    let kept = |at: &usize| images.as_ref().is_none_or(|images| images.field != *at);
    let fields: Vec<TypePtr> =
        schema.get_fields().iter().enumerate().filter(|(at, _)| kept(at)).map(|(_, field)| field.clone()).collect();
    let class_names = class_names(reader);
    // Every column is there, also those that are empty in all rows.
    fields.iter().for_each(|field| declare(builder, field.name(), field));
    for (name, classes) in &class_names {
        let column = builder.column(name);
        builder.class_names.insert(column, classes.clone());
    }
    let projection = Type::group_type_builder(schema.name()).with_fields(fields.clone()).build()?;
    let cells = images.as_ref().map(|images| Arc::new(ImageCells::new(path, images.bytes)));
    for group in 0..reader.num_row_groups() {
        let row_group = reader.get_row_group(group)?;
        let n_rows = row_group.metadata().num_rows() as usize;
        let places = match (&images, &cells) {
            (Some(images), Some(cells)) => places(reader, group, images, cells)?,
            _ => vec![None; n_rows],
        };
        let mut rows =
            (!fields.is_empty()).then(|| row_group.get_row_iter(Some(projection.clone()))).transpose()?;
        for (number, place) in places.into_iter().enumerate() {
            let row = match &mut rows {
                Some(rows) => rows.next().ok_or_else(|| {
                    ParquetError::General(format!("row group {group} ends after {number} of {n_rows} rows"))
                })??,
                None => Row::new(Vec::new()),
            };
            push(builder, row, place, images.as_ref(), &class_names);
        }
    }
    Ok(())
}

/// Adds a row.
fn push(
    builder: &mut Builder,
    row: Row,
    place: Option<Place>,
    images: Option<&ImageColumn>,
    class_names: &HashMap<String, Vec<String>>,
) {
    let mut texts = Vec::new();
    for (name, field) in row.into_columns() {
        flatten(&name, &field, &mut texts);
    }
    let mut image = None;
    match place {
        Some(Place::Bytes(found)) => image = Some(found),
        // Without bytes, the path names a file.
        Some(Place::Path(path)) => {
            texts.push((images.map_or_else(String::new, |images| images.name.clone()), path))
        }
        None => {}
    }
    let cell = |builder: &mut Builder, (name, text): (String, String)| {
        let class = class_names.get(&name).and_then(|classes| classes.get(text.parse::<usize>().ok()?));
        (builder.column(&name), Cow::Owned(class.cloned().unwrap_or(text)))
    };
    let cells: Vec<(usize, Cow<'_, str>)> = texts.into_iter().map(|text| cell(builder, text)).collect();
    builder.push(0, &cells, image);
}

/// Adds the columns of a field.
fn declare(builder: &mut Builder, name: &str, field: &Type) {
    let is_struct = field.is_group()
        && field.get_basic_info().converted_type() == ConvertedType::NONE
        && field.get_basic_info().logical_type_ref().is_none();
    if is_struct {
        field.get_fields().iter().for_each(|inner| declare(builder, &format!("{name}.{}", inner.name()), inner));
    } else {
        builder.column(name);
    }
}

/// Names of classes by column, as Hugging Face writes them into the file.
fn class_names(reader: &SerializedFileReader<File>) -> HashMap<String, Vec<String>> {
    let metadata = reader.metadata().file_metadata().key_value_metadata();
    let entry = metadata.and_then(|entries| entries.iter().find(|entry| entry.key == HUGGING_FACE_KEY));
    let json = entry.and_then(|entry| serde_json::from_str::<Value>(entry.value.as_deref()?).ok());
    let features = json.as_ref().and_then(|json| json.pointer("/info/features")?.as_object());
    let names = |feature: &Value| -> Option<Vec<String>> {
        feature.get("names")?.as_array()?.iter().map(|name| name.as_str().map(str::to_owned)).collect()
    };
    features.into_iter().flatten().filter_map(|(column, feature)| Some((column.clone(), names(feature)?))).collect()
}
