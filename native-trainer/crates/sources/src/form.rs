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
    /// Returns the form that a file's name means: `captions.csv.gz` is a table. Reading a file goes by its content.
    pub fn of_name(name: &str) -> Option<Self> {
        let name = name.to_lowercase();
        let (text_name, is_zipped) = name.strip_suffix(".gz").map_or((&*name, false), |name| (name, true));
        match text_name.rsplit_once('.')?.1 {
            "csv" | "tsv" => Some(Self::Table),
            "json" | "jsonl" | "ndjson" => Some(Self::Json),
            "parquet" if !is_zipped => Some(Self::Parquet),
            "tar" if !is_zipped => Some(Self::Archive),
            _ => None,
        }
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_means_a_form_by_its_ending() {
        for (name, form) in [
            ("captions.CSV", Form::Table),
            ("captions.v2.tsv.gz", Form::Table),
            ("rows.ndjson.gz", Form::Json),
            ("rows.json", Form::Json),
            ("train-00000.parquet", Form::Parquet),
            ("shard-0.tar", Form::Archive),
        ] {
            assert_eq!(Form::of_name(name), Some(form), "{name}");
        }
        // Archives are not read from gzip.
        for name in ["shard-0.tar.gz", "a.parquet.gz", "recipe.toml", "csv", "a.gz", ""] {
            assert_eq!(Form::of_name(name), None, "{name}");
        }
    }
}
