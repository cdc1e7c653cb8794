//! Cells of bytes in Parquet files. Images are read from them when they are wanted.

use dermake_pictures::panics;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_typed_column_reader};
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// Cells that are read together.
const BATCH: usize = 256;

pub(crate) type Outcome<T> = std::result::Result<T, ParquetError>;

/// The images in the cells of a column.
#[derive(Debug)]
pub struct ImageCells {
    path: PathBuf,
    /// Number of the column among the file's leaves.
    leaf: usize,
}

impl ImageCells {
    pub(crate) fn new(path: &Path, leaf: usize) -> Self {
        Self { path: path.into(), leaf }
    }

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

/// Calls `visit` with each value of a leaf that is not in a list.
pub(crate) fn each_value(
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
