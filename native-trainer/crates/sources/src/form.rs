//! The forms of data sets.

use std::path::Path;

/// The form of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A folder with a folder for each class.
    ClassFolders,
    /// A folder of images, with or without text files beside them.
    Pictures,
    /// CSV, TSV and the like.
    Table,
    /// JSON lines, or a list of objects.
    Json,
    Parquet,
    /// Tar files as of WebDataset.
    Archive,
}

impl Form {
    /// Says where rows were read from: "the table data/train.csv".
    pub(crate) fn place(self, path: &Path, n_files: usize) -> String {
        let path = path.display();
        match self {
            Self::ClassFolders => format!("the folders in {path}"),
            Self::Pictures => format!("the folder {path}"),
            Self::Table | Self::Json | Self::Parquet | Self::Archive => {
                let one = match self {
                    Self::Table => "table",
                    Self::Json => "JSON file",
                    Self::Parquet => "Parquet file",
                    _ => "tar file",
                };
                if n_files == 1 { format!("the {one} {path}") } else { format!("{n_files} {one}s of {path}") }
            }
        }
    }
}
