//! Parquet files, as pandas, Spark and Hugging Face write them.
//!
//! Columns of images are not read: an image's place is kept, and [`ImageCells`] reads one when it is wanted.

use crate::Result;
use crate::builder::Builder;
use crate::error::SourceError;
use crate::image::Image;
use crate::images::may_hold_bytes;
use dermake_pictures::panics;
use parquet::basic::{LogicalType, Type as PhysicalType};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_typed_column_reader};
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use parquet::schema::types::{Type, TypePtr};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Key of the file's metadata under which Hugging Face describes the columns.
const HUGGING_FACE_KEY: &str = "huggingface";
/// Images that are looked at together.
const BATCH: usize = 256;

/// The images in the cells of a column.
#[derive(Debug)]
pub struct ImageCells {
    path: PathBuf,
    /// Number of the column among the file's leaves.
    leaf: usize,
}

/// A column of images: bytes, and perhaps a path beside them.
struct ImageColumn {
    /// Number of the field among the top-level ones.
    field: usize,
    name: String,
    bytes: usize,
    path: Option<usize>,
}

type Outcome<T> = std::result::Result<T, ParquetError>;

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
    let cells = images.as_ref().map(|images| Arc::new(ImageCells { path: path.into(), leaf: images.bytes }));
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

/// Where a row's image is.
#[derive(Clone)]
enum Place {
    Bytes(Image),
    Path(String),
}

/// The places of the images of a row group.
fn places(
    reader: &SerializedFileReader<File>,
    group: usize,
    images: &ImageColumn,
    cells: &Arc<ImageCells>,
) -> Outcome<Vec<Option<Place>>> {
    let paths = images.path.map(|leaf| texts(reader, group, leaf)).transpose()?;
    let n_rows = reader.metadata().row_group(group).num_rows() as usize;
    let has_bytes = are_filled(reader, group, images.bytes, n_rows)?;
    let file = cells.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let place = |(row, has_bytes): (usize, bool)| {
        let path = paths.as_ref().and_then(|paths| paths[row].clone()).filter(|path| !path.is_empty());
        match (has_bytes, path) {
            (true, path) => {
                let name = path.unwrap_or_else(|| format!("{file}#{group}.{row}"));
                Some(Place::Bytes(Image::Cell { cells: cells.clone(), name, row_group: group, row }))
            }
            (false, path) => path.map(Place::Path),
        }
    };
    Ok(has_bytes.into_iter().enumerate().map(place).collect())
}

/// Whether the cells of a leaf have values. A column without missing values is not read for that.
fn are_filled(reader: &SerializedFileReader<File>, group: usize, leaf: usize, n_rows: usize) -> Outcome<Vec<bool>> {
    let column = reader.metadata().row_group(group).column(leaf);
    if column.statistics().and_then(|statistics| statistics.null_count_opt()) == Some(0) {
        return Ok(vec![true; n_rows]);
    }
    let mut filled = Vec::with_capacity(n_rows);
    each_value(reader, group, leaf, |value| filled.push(value.is_some()))?;
    filled.resize(n_rows, false);
    Ok(filled)
}

fn texts(reader: &SerializedFileReader<File>, group: usize, leaf: usize) -> Outcome<Vec<Option<String>>> {
    let mut texts = Vec::new();
    each_value(reader, group, leaf, |value| {
        texts.push(value.map(|value| String::from_utf8_lossy(value.data()).into_owned()));
    })?;
    Ok(texts)
}

/// Calls `visit` with each value of a leaf that is not in a list.
fn each_value(
    reader: &SerializedFileReader<File>,
    group: usize,
    leaf: usize,
    mut visit: impl FnMut(Option<&ByteArray>),
) -> Outcome<()> {
    let mut column = byte_column(reader, group, leaf)?;
    let full = reader.metadata().file_metadata().schema_descr().column(leaf).max_def_level();
    loop {
        let (mut values, mut levels) = (Vec::new(), Vec::new());
        let (n_records, _, _) = column.read_records(BATCH, Some(&mut levels), None, &mut values)?;
        if n_records == 0 {
            return Ok(());
        }
        let mut values = values.iter();
        if full == 0 {
            values.for_each(|value| visit(Some(value)));
            continue;
        }
        levels.iter().for_each(|&level| visit(if level == full { values.next() } else { None }));
    }
}

fn byte_column(
    reader: &SerializedFileReader<File>,
    group: usize,
    leaf: usize,
) -> Outcome<ColumnReaderImpl<ByteArrayType>> {
    match reader.get_row_group(group)?.get_column_reader(leaf)? {
        column @ ColumnReader::ByteArrayColumnReader(_) => Ok(get_typed_column_reader(column)),
        _ => Err(ParquetError::General("the column of images has no bytes".into())),
    }
}

impl ImageCells {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the image in a row of a row group.
    ///
    /// # Errors
    /// When the file is not there any more or is damaged.
    pub(crate) fn read(&self, row_group: usize, row: usize) -> io::Result<Vec<u8>> {
        let read = || -> Outcome<Vec<u8>> {
            let reader = SerializedFileReader::new(File::open(&self.path)?)?;
            let mut column = byte_column(&reader, row_group, self.leaf)?;
            column.skip_records(row)?;
            let (mut values, mut levels) = (Vec::new(), Vec::new());
            column.read_records(1, Some(&mut levels), None, &mut values)?;
            let value =
                values.first().ok_or_else(|| ParquetError::General("there is no image in the row".into()))?;
            Ok(value.data().to_vec())
        };
        let damaged = || Err(ParquetError::General("it is damaged".into()));
        panics::caught(read).unwrap_or_else(damaged).map_err(|err| io::Error::other(err.to_string()))
    }

    /// Calls `visit` with each image of a row group, in order; `None` where a row has none. Reads the column once.
    pub(crate) fn each(&self, row_group: usize, mut visit: impl FnMut(Option<&[u8]>)) -> io::Result<()> {
        let read = || -> Outcome<()> {
            let reader = SerializedFileReader::new(File::open(&self.path)?)?;
            each_value(&reader, row_group, self.leaf, |value| visit(value.map(ByteArray::data)))
        };
        let damaged = || Err(ParquetError::General("it is damaged".into()));
        panics::caught(read).unwrap_or_else(damaged).map_err(|err| io::Error::other(err.to_string()))
    }
}

/// The column of images, if there is one: a struct with `bytes`, or bytes that are no text under a usual name.
fn image_column(schema: &Type) -> Option<ImageColumn> {
    let mut leaf = 0;
    let mut found = None;
    for (field, column) in schema.get_fields().iter().enumerate() {
        let first_leaf = leaf;
        leaf += n_leaves(column);
        if found.is_some()
            || column.get_basic_info().has_repetition()
                && column.get_basic_info().repetition() == parquet::basic::Repetition::REPEATED
        {
            continue;
        }
        let name = column.name().to_owned();
        if column.is_primitive() {
            if is_bytes(column) && may_hold_bytes(&name) {
                found = Some(ImageColumn { field, name, bytes: first_leaf, path: None });
            }
            continue;
        }
        // Leaves are numbered in the order of the fields; those of an image are primitive.
        let inner = column.get_fields();
        let place = |wanted: &str| inner.iter().position(|field| field.name() == wanted).map(|at| first_leaf + at);
        let is_image = inner.iter().all(|field| field.is_primitive())
            && inner.iter().any(|field| field.name() == "bytes" && is_binary(field));
        if let Some(bytes) = place("bytes").filter(|_| is_image) {
            found = Some(ImageColumn { field, name, bytes, path: place("path") });
        }
    }
    found
}

fn n_leaves(field: &Type) -> usize {
    if field.is_primitive() { 1 } else { field.get_fields().iter().map(|field| n_leaves(field)).sum() }
}

fn is_binary(field: &Type) -> bool {
    field.is_primitive() && field.get_physical_type() == PhysicalType::BYTE_ARRAY
}

/// Returns whether a leaf is bytes and not marked as text.
fn is_bytes(field: &Type) -> bool {
    let info = field.get_basic_info();
    let is_text =
        matches!(info.logical_type_ref(), Some(LogicalType::String | LogicalType::Json | LogicalType::Enum))
            || info.converted_type() != parquet::basic::ConvertedType::NONE;
    is_binary(field) && !is_text
}

/// Adds the columns of a field.
fn declare(builder: &mut Builder, name: &str, field: &Type) {
    let is_struct = field.is_group()
        && field.get_basic_info().converted_type() == parquet::basic::ConvertedType::NONE
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

/// Adds the text of a field, and those of a struct's fields as `outer.inner`.
fn flatten(name: &str, field: &Field, texts: &mut Vec<(String, String)>) {
    match field {
        Field::Group(row) => {
            row.get_column_iter().for_each(|(inner, field)| flatten(&format!("{name}.{inner}"), field, texts))
        }
        field => texts.push((name.to_owned(), text(field))),
    }
}

fn text(field: &Field) -> String {
    match field {
        Field::Null => String::new(),
        Field::Str(text) => text.clone(),
        Field::Bytes(bytes) => String::from_utf8_lossy(bytes.data()).into_owned(),
        Field::Float(value) if value.is_nan() => String::new(),
        Field::Double(value) if value.is_nan() => String::new(),
        Field::ListInternal(_) | Field::MapInternal(_) => json_of(field).to_string(),
        // Numbers as Rust writes them: the shortest text that means the same number.
        Field::Float(value) => value.to_string(),
        Field::Double(value) => value.to_string(),
        other => other.to_string(),
    }
}

fn json_of(field: &Field) -> Value {
    match field {
        Field::ListInternal(list) => list.elements().iter().map(json_of).collect(),
        Field::MapInternal(map) => map.entries().iter().map(|(key, value)| (text(key), json_of(value))).collect(),
        Field::Group(row) => row.get_column_iter().map(|(name, field)| (name.clone(), json_of(field))).collect(),
        Field::Null => Value::Null,
        Field::Bool(value) => (*value).into(),
        Field::Byte(value) => (*value).into(),
        Field::Short(value) => (*value).into(),
        Field::Int(value) => (*value).into(),
        Field::Long(value) => (*value).into(),
        Field::UByte(value) => (*value).into(),
        Field::UShort(value) => (*value).into(),
        Field::UInt(value) => (*value).into(),
        Field::ULong(value) => (*value).into(),
        Field::Float(value) => (*value).into(),
        Field::Double(value) => (*value).into(),
        other => text(other).into(),
    }
}
