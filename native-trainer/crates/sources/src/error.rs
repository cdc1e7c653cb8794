//! Why a data set cannot be read at all.

use dermake_files::absent::NO_FILE_OR_FOLDER;
use dermake_files::text_file;
use shared_model::text_file::TextError;
use std::io;
use std::path::PathBuf;

/// Why a data set cannot be read. Problems of single rows are [`RowProblem`](crate::RowProblem)s.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("{NO_FILE_OR_FOLDER}: {}", path.display())]
    Missing { path: PathBuf },
    #[error("no file has such a name: {}", path.display())]
    NoMatch { path: PathBuf },
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error(transparent)]
    TextFile(#[from] text_file::Error),
    #[error("cannot read {}", path.display())]
    Text { path: PathBuf, source: TextError },
    #[error("the table is damaged: {}", path.display())]
    Damaged { path: PathBuf, source: csv::Error },
    #[error("a quotation mark of row {row} (line {line}) is never closed: {}", path.display())]
    OpenQuote { row: usize, line: u64, path: PathBuf },
    #[error("{detail}, expected a JSON object on each line, or a list of objects; pandas writes them with \
             to_json(path, orient=\"records\", lines=True): {}", path.display())]
    Json { detail: String, path: PathBuf },
    #[error("the Parquet file cannot be read: {detail}: {}", path.display())]
    Parquet { detail: String, path: PathBuf },
    #[error("the tar file cannot be read{}: {}", after.as_ref().map_or(String::new(), |key| format!(" after sample {key}")), path.display())]
    Archive { after: Option<String>, path: PathBuf, source: io::Error },
    #[error("the file is compressed with gzip, which gives no access to single images; unpack it: {}", path.display())]
    CompressedArchive { path: PathBuf },
    #[error("there is no image and no table in the folder: {}", path.display())]
    EmptyFolder { path: PathBuf },
    #[error("the folder has {} tables, name one of them ({}): {}", names.len(), listed(names), path.display())]
    SeveralTables { names: Vec<String>, path: PathBuf },
    #[error("the files are of different forms ({first} and {other}), expected one: {}", path.display())]
    DifferentForms { first: String, other: String, path: PathBuf },
    #[error("the data has no rows: {}", path.display())]
    NoRows { path: PathBuf },
    #[error("no column is known to hold the {what}; name it with {option}; there are {}: {}{}", listed(found), path.display(), added(notes))]
    UnknownColumn {
        what: &'static str,
        option: &'static str,
        found: Vec<String>,
        path: PathBuf,
        /// What was not read, and may be what is missing.
        notes: Vec<String>,
    },
    #[error("there is no column {name}; there are {}: {}{}", listed(found), path.display(), added(notes))]
    MissingColumn { name: String, found: Vec<String>, path: PathBuf, notes: Vec<String> },
}

/// Notes behind a message.
fn added(notes: &[String]) -> String {
    const SHOWN: usize = 3;
    notes.iter().take(SHOWN).map(|note| format!("; {note}")).collect()
}

/// Names for a message; a table of the wrong kind can have thousands.
pub fn listed(names: &[String]) -> String {
    const SHOWN: usize = 30;
    match names.len() {
        0 => "none".into(),
        n if n > SHOWN => format!("{} and {} more", names[..SHOWN].join(", "), n - SHOWN),
        _ => names.join(", "),
    }
}
