//! The training table: image names, captions and masks of every row, in memory.
//!
//! Read as the reference reads it, quirks included: a missing caption, ontology caption or visual-concept caption
//! becomes the word "nan" (so pandas prints it), a missing sub-caption the empty text, and the words that pandas
//! takes for a missing cell are missing cells here too. Captions of one column are expected to be text: pandas would
//! print a column that holds nothing but numbers in its own way (`7` as `7.0` where a cell is missing), this does not.
//!
//! A column of captions that the table does not have is masked in every row. Without a column of masks, each caption
//! counts that is not empty.

mod part;
mod rows;

pub use part::Part;

use super::problem::{ProblemKind, RowProblem};
use super::schema::{Columns, MAX_SUBCAPTIONS, N_KNOWLEDGE, TableOptions};
use dermake_files::hash;
use dermake_sources::columns::{SPLIT_COLUMN, split_of};
use dermake_sources::{Dataset, RowFault, SourceError, listed};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Replacement of a missing caption, ontology caption or visual-concept caption.
pub const MISSING_CAPTION: &str = "nan";

/// Why a table cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(
        "the table lacks the columns {}; it has {}; image_column and caption_column of a recipe's [data.table], or \
         --image-column and --caption-column, name others{}: {}",
        missing.join(", "), listed(found), of_labels(*has_labels), path.display()
    )]
    Columns {
        missing: Vec<String>,
        found: Vec<String>,
        /// Whether the table has labels, which other commands read.
        has_labels: bool,
        path: PathBuf,
    },
    #[error("cannot unpack the images of {}", path.display())]
    Unpack { path: PathBuf, source: anyhow::Error },
    #[error("n_subcaptions is {found}, expected 0 to {MAX_SUBCAPTIONS}")]
    SubcaptionCount { found: usize },
}

/// What labels are for, where there are some.
fn of_labels(has_labels: bool) -> &'static str {
    match has_labels {
        true => "; the labels that it has are for `dermake finetune`, `dermake calibrate` and `dermake eval`",
        false => "",
    }
}

/// All rows of a table. The texts share one string, so that 400,000 rows of eleven captions fit in memory.
pub struct TrainingTable {
    columns: Arc<Columns>,
    texts: String,
    /// Ends of the texts: of each row the image's name, then its N captions. A missing one is empty.
    ends: Vec<usize>,
    /// For each row, bit n is set if caption n counts.
    masks: Vec<u64>,
    lines: Vec<Option<u64>>,
    is_usable: Vec<bool>,
    problems: Vec<RowProblem>,
    /// The part of the data that each row is of; empty without a column `split`.
    parts: Vec<Option<&'static str>>,
    /// Rows of other parts than the one that is used, with their part.
    left_out: BTreeMap<usize, &'static str>,
    image_root: PathBuf,
}

/// One row, borrowed from its table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrainingRow<'a> {
    /// The image's file name, as written.
    pub image: &'a str,
    /// N texts: caption, ontology, visual concepts, then the sub-captions.
    pub captions: Vec<&'a str>,
    /// N flags: whether the caption counts.
    pub mask: Vec<bool>,
}

impl TrainingTable {
    /// Reads a table of any form that [`Dataset`] knows. Images that are inside other files are unpacked into the user's
    /// cache, since training opens them in any order.
    ///
    /// [`problems`](Self::problems) has the problems of single rows.
    ///
    /// # Errors
    /// An error if it cannot be read or lacks a column.
    pub fn read(path: &Path, options: &TableOptions) -> Result<Self, TableError> {
        let mut data = Dataset::read(path)?;
        let mut table = Self::noted(&data, options)?;
        if data.has_packed_images() {
            data.unpack(None).map_err(|source| TableError::Unpack { path: path.into(), source })?;
            table = Self::of(&data, options)?;
        }
        if let Some(root) = data.images(table.columns.image.index, None).root(0) {
            // A table in the working folder has a folder without a name.
            table.image_root = if root.as_os_str().is_empty() { ".".into() } else { root.into() };
        }
        Ok(table)
    }

    /// The content of a file; `path` is where it came from, for messages.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn from_bytes(bytes: &[u8], path: &Path, options: &TableOptions) -> Result<Self, TableError> {
        Self::noted(&Dataset::of_bytes(bytes, path)?, options)
    }

    /// [`Self::of`], with a log of what the data set does not have in its rows.
    fn noted(data: &Dataset, options: &TableOptions) -> Result<Self, TableError> {
        for note in data.notes() {
            tracing::warn!("{note}");
        }
        let table = Self::of(data, options)?;
        let captions = table.columns.captions.iter().filter_map(|column| column.index);
        for note in captions.filter_map(|column| data.several_captions_note(column)) {
            tracing::warn!("{note}");
        }
        Ok(table)
    }

    /// The rows of a data set.
    ///
    /// # Errors
    /// [`TableError`] if a column is missing, or an option is out of range.
    pub fn of(data: &Dataset, options: &TableOptions) -> Result<Self, TableError> {
        if options.n_subcaptions > MAX_SUBCAPTIONS {
            return Err(TableError::SubcaptionCount { found: options.n_subcaptions });
        }
        let columns = Columns::find(data.columns(), data.knows_images(), options);
        let columns = columns.map_err(|missing| TableError::Columns {
            missing,
            found: data.columns().to_vec(),
            has_labels: data.has_labels(),
            path: data.path().into(),
        })?;
        let mut table = Self {
            columns: Arc::new(columns),
            texts: String::new(),
            ends: vec![0],
            masks: Vec::new(),
            lines: Vec::new(),
            is_usable: Vec::new(),
            problems: Vec::new(),
            parts: parts_of(data),
            left_out: BTreeMap::new(),
            image_root: default_image_root(data.path()),
        };
        // Names that start in several folders are replaced by the files that they mean.
        let images = (data.files().len() > 1).then(|| data.images(table.columns.image.index, None));
        let images = images.filter(|images| (1..data.len()).any(|row| images.root(row) != images.root(0)));
        let mut problems = data.problems().iter().peekable();
        for row in 0..data.len() {
            table.lines.push(data.origin(row).line);
            let of_row = std::iter::from_fn(|| problems.next_if(|problem| problem.row == row));
            let faults: Vec<&RowFault> = of_row.map(|problem| &problem.fault).collect();
            let found = images.as_ref().and_then(|images| images.get(row).ok());
            table.push(data, row, found.as_ref(), &faults);
        }
        table.texts.shrink_to_fit();
        table.ends.shrink_to_fit();
        Ok(table)
    }

    /// Names of the columns of captions and masks that the table does not have.
    pub fn absent_columns(&self) -> Vec<String> {
        self.columns.absent()
    }

    /// The folder where image names start, unless a recipe or an option names another one: the usual place that has most of
    /// the first images.
    pub fn image_root(&self) -> &Path {
        &self.image_root
    }

    /// The SHA-256 of all that training reads of the table.
    pub fn content_sha256(&self) -> String {
        let numbers = self.ends.iter().map(|&end| end as u64).chain(self.masks.iter().copied());
        let numbers = numbers.chain(self.left_out.keys().map(|&row| row as u64)).flat_map(u64::to_le_bytes);
        hash::sha256(self.texts.bytes().chain(numbers).collect::<Vec<u8>>())
    }

    /// Rows, usable or not, also those of other parts.
    pub fn len(&self) -> usize {
        self.masks.len()
    }

    pub fn is_empty(&self) -> bool {
        self.masks.is_empty()
    }

    /// Captions of each row, N.
    pub fn n_captions(&self) -> usize {
        self.columns.captions.len()
    }

    /// The problems of the rows as written, in their order; the images are not checked.
    pub fn problems(&self) -> &[RowProblem] {
        &self.problems
    }

    /// Indices of the rows that have no problem but warnings.
    pub fn usable_rows(&self) -> impl Iterator<Item = usize> {
        self.is_usable.iter().enumerate().filter_map(|(row, &is_usable)| is_usable.then_some(row))
    }

    /// Row `row`, counted from 0; what a problem made unreadable is empty.
    ///
    /// # Panics
    /// When there is no row of this number.
    pub fn row(&self, row: usize) -> TrainingRow<'_> {
        let captions = (0..self.n_captions()).map(|kind| self.caption(row, kind).unwrap_or(missing_text(kind)));
        TrainingRow { image: self.image(row), captions: captions.collect(), mask: self.mask(row).collect() }
    }

    /// The image's file name as written, empty if missing.
    pub fn image(&self, row: usize) -> &str {
        self.text(row, 0)
    }

    /// Caption `kind` of a row, `None` if missing.
    pub fn caption(&self, row: usize, kind: usize) -> Option<&str> {
        Some(self.text(row, 1 + kind)).filter(|text| !text.is_empty())
    }

    /// Whether each of the N captions of a row counts.
    pub fn mask(&self, row: usize) -> impl Iterator<Item = bool> {
        let mask = self.masks[row];
        (0..self.n_captions()).map(move |kind| (mask >> kind) & 1 == 1)
    }

    /// Line of the file on which a row starts; the header's is 1. `None` if the file has no lines.
    pub fn line(&self, row: usize) -> Option<u64> {
        self.lines[row]
    }

    /// Name of the column of the images.
    pub fn image_column(&self) -> &str {
        &self.columns.image.name
    }

    /// Name of the column of caption `kind`.
    pub fn caption_column(&self, kind: usize) -> &str {
        &self.columns.captions[kind].name
    }

    /// A problem of a row, with its place.
    pub fn problem(&self, row: usize, column: &str, kind: ProblemKind) -> RowProblem {
        RowProblem { row, line: self.lines[row], column: column.to_owned(), kind }
    }

    fn text(&self, row: usize, field: usize) -> &str {
        let index = row * (1 + self.n_captions()) + field;
        &self.texts[self.ends[index]..self.ends[index + 1]]
    }
}

/// The part of each row, by the column `split`; empty without one.
fn parts_of(data: &Dataset) -> Vec<Option<&'static str>> {
    let Ok(column) = data.column(SPLIT_COLUMN) else { return Vec::new() };
    (0..data.len()).map(|row| split_of(data.cell(row, column).trim())).collect()
}

/// The table's folder, or the folder itself that is read.
fn default_image_root(table: &Path) -> PathBuf {
    if table.is_dir() {
        return table.into();
    }
    match table.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.into(),
        _ => ".".into(),
    }
}

/// The text that replaces a missing caption.
pub(super) fn missing_text(kind: usize) -> &'static str {
    if kind < N_KNOWLEDGE { MISSING_CAPTION } else { "" }
}

#[cfg(test)]
mod tests;
