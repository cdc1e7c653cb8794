//! The images of a Parquet file: which column has them, and where each one is.

use crate::columns::may_hold_bytes;
use crate::image::Image;
use crate::parquet_cells::{ImageCells, Outcome, each_value};
use parquet::basic::{ConvertedType, LogicalType, Repetition, Type as PhysicalType};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::Type;
use std::fs::File;
use std::sync::Arc;

/// A column of images: bytes, and perhaps a path beside them.
pub(super) struct ImageColumn {
    /// Number of the field among the top-level ones.
    pub(super) field: usize,
    pub(super) name: String,
    pub(super) bytes: usize,
    pub(super) path: Option<usize>,
}

/// The column of images, if there is one: a struct with `bytes`, or bytes that are no text under a usual name.
pub(super) fn image_column(schema: &Type) -> Option<ImageColumn> {
    let mut leaf = 0;
    let mut found = None;
    for (field, column) in schema.get_fields().iter().enumerate() {
        let first_leaf = leaf;
        leaf += n_leaves(column);
        if found.is_some()
            || column.get_basic_info().has_repetition()
                && column.get_basic_info().repetition() == Repetition::REPEATED
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
            || info.converted_type() != ConvertedType::NONE;
    is_binary(field) && !is_text
}

/// Where a row's image is.
#[derive(Clone)]
pub(super) enum Place {
    Bytes(Image),
    Path(String),
}

/// The places of the images of a row group.
pub(super) fn places(
    reader: &SerializedFileReader<File>,
    group: usize,
    images: &ImageColumn,
    cells: &Arc<ImageCells>,
) -> Outcome<Vec<Option<Place>>> {
    let paths = images.path.map(|leaf| texts(reader, group, leaf)).transpose()?;
    let n_rows = reader.metadata().row_group(group).num_rows() as usize;
    let has_bytes = are_filled(reader, group, images.bytes, n_rows)?;
    let file = cells.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
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
