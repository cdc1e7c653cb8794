//! One image, wherever it is.

use crate::parquet_cells::ImageCells;
use dermake_pictures::PictureError;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where an image is. Nothing of it was read.
#[derive(Clone, Debug)]
pub enum Image {
    /// A file of its own.
    File(PathBuf),
    /// A member of a tar file.
    Member { archive: Arc<Path>, name: String, offset: u64, bytes: u64 },
    /// Bytes in a cell of a Parquet file.
    Cell { cells: Arc<ImageCells>, name: String, row_group: usize, row: usize },
}

impl Image {
    /// The image's name for people and results: its path, or its name inside the file that holds it.
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => path.to_string_lossy().into_owned(),
            Self::Member { name, .. } | Self::Cell { name, .. } => name.clone(),
        }
    }

    /// The path of an image that is a file of its own.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            _ => None,
        }
    }

    /// Reads the image's bytes. They are not decoded, but refused if they are plainly no picture.
    ///
    /// # Errors
    /// When the file is not there any more or cannot be read, or is no picture.
    pub fn read(&self) -> Result<Vec<u8>, PictureError> {
        match self {
            Self::File(path) => dermake_pictures::read(path),
            Self::Member { archive, offset, bytes, .. } => {
                let mut file = File::open(archive)?;
                file.seek(SeekFrom::Start(*offset))?;
                dermake_pictures::read_from(file.take(*bytes))
            }
            Self::Cell { cells, row_group, row, .. } => {
                dermake_pictures::read_from(cells.read(*row_group, *row)?.as_slice())
            }
        }
    }
}
