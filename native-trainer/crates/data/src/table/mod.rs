//! The training table: image names, captions and masks of every row, in memory.
//!
//! Read as the reference reads it, quirks included: a missing caption, ontology caption or visual-concept caption
//! becomes the word "nan" (so pandas prints it), a missing sub-caption the empty text, and the words that pandas
//! takes for a missing cell are missing cells here too. Captions of one column are expected to be text: pandas would
//! print a column that holds nothing but numbers in its own way (`7` as `7.0` where a cell is missing), this does not.

mod lines;

use super::mask::parse_mask;
use super::problem::{ProblemKind, RowProblem};
use super::schema::{Column, Columns, MAX_SUBCAPTIONS, N_KNOWLEDGE, TableOptions};
use csv::ByteRecord;
use dermake_files::table_file::{self, TableText};
use dermake_files::text_file;
use lines::LineCounter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Replacement of a missing caption, ontology caption or visual-concept caption.
pub const MISSING_CAPTION: &str = "nan";

/// Cells that pandas reads as missing, besides empty ones (`pandas._libs.parsers.STR_NA_VALUES`).
const MISSING_WORDS: [&str; 18] = [
    "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
    "NULL", "NaN", "None", "n/a", "nan", "null",
];

/// Why a table cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    #[error("cannot read the table")]
    Unreadable(#[from] text_file::Error),
    #[error("the table is damaged: {}", path.display())]
    Damaged { path: PathBuf, source: csv::Error },
    #[error("the quotation mark in line {line} is never closed: {}", path.display())]
    OpenQuote { line: u64, path: PathBuf },
    #[error(
        "the table lacks the columns {}; it has {} (image_column and caption_column may name others): {}",
        missing.join(", "), listed(found), path.display()
    )]
    Columns { missing: Vec<String>, found: Vec<String>, path: PathBuf },
    #[error("n_subcaptions is {found}, expected 0 to {MAX_SUBCAPTIONS}")]
    SubcaptionCount { found: usize },
}

/// All rows of a table. The texts share one string, so that 400,000 rows of eleven captions fit in memory.
pub struct TrainingTable {
    columns: Arc<Columns>,
    texts: String,
    /// Ends of the texts: of each row the image's name, then its N captions. A missing one is empty.
    ends: Vec<usize>,
    /// For each row, bit n is set if caption n counts.
    masks: Vec<u64>,
    lines: Vec<u64>,
    is_usable: Vec<bool>,
    problems: Vec<RowProblem>,
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
    /// Reads a comma-separated file with a header.
    ///
    /// [`problems`](Self::problems) has the problems of single rows.
    ///
    /// # Errors
    /// [`TableError`] if the file cannot be read or lacks a column.
    pub fn read(path: &Path, options: &TableOptions) -> Result<Self, TableError> {
        Self::from_bytes(&text_file::read_table(path)?, path, options)
    }

    /// The content of a file; `path` is where it came from, for messages.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn from_bytes(bytes: &[u8], path: &Path, options: &TableOptions) -> Result<Self, TableError> {
        if options.n_subcaptions > MAX_SUBCAPTIONS {
            return Err(TableError::SubcaptionCount { found: options.n_subcaptions });
        }
        let not_text = |source| text_file::Error::Text { path: path.into(), source };
        let text = TableText::recognize(bytes).map_err(not_text)?;
        let mut reader = text.reader();
        let damaged = |source| TableError::Damaged { path: path.into(), source };
        let header = table_file::column_names(reader.byte_headers().map_err(damaged)?);
        let columns = Columns::find(&header, options).map_err(|missing| TableError::Columns {
            missing,
            found: header,
            path: path.into(),
        })?;
        let mut table = Self {
            columns: Arc::new(columns),
            texts: String::with_capacity(bytes.len()),
            ends: vec![0],
            masks: Vec::new(),
            lines: Vec::new(),
            is_usable: Vec::new(),
            problems: Vec::new(),
        };
        let mut record = ByteRecord::new();
        let mut lines = LineCounter::new(text.bytes, text.first_line);
        let (mut last_start, mut n_empty) = (0, 0);
        while reader.read_byte_record(&mut record).map_err(damaged)? {
            last_start = record.position().map_or(0, csv::Position::byte);
            if table_file::is_empty(&record) {
                n_empty += 1;
                continue;
            }
            table.lines.push(lines.line_of(last_start));
            table.push(&record);
        }
        if text.has_open_quote(last_start) {
            return Err(TableError::OpenQuote {
                line: table.lines.last().copied().unwrap_or(1),
                path: path.into(),
            });
        }
        if n_empty > 0 {
            tracing::warn!("{n_empty} empty rows are left out: {}", path.display());
        }
        table.texts.shrink_to_fit();
        table.ends.shrink_to_fit();
        Ok(table)
    }

    /// Rows, usable or not.
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

    /// Line of the file on which a row starts; the header's is 1.
    pub fn line(&self, row: usize) -> u64 {
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

    fn push(&mut self, record: &ByteRecord) {
        let columns = Arc::clone(&self.columns);
        let row = self.len();
        let n_problems = self.problems.len();
        self.masks.push(0);
        if table_file::has_cells_behind(record, columns.n_fields) {
            let kind = ProblemKind::TooManyFields { expected: columns.n_fields, found: record.len() };
            self.report(row, "", kind);
        }
        for column in std::iter::once(&columns.image).chain(&columns.captions) {
            let text = self.cell(row, record, column);
            self.texts.push_str(text);
            self.ends.push(self.texts.len());
        }
        if self.image(row).trim().is_empty() {
            self.report(row, &columns.image.name, ProblemKind::NoImageName);
        }
        self.push_masks(row, record, &columns);
        self.is_usable.push(self.problems.len() == n_problems);
    }

    fn push_masks(&mut self, row: usize, record: &ByteRecord, columns: &Columns) {
        let mut bits = self.mask_bits(row, record, &columns.knowledge_mask, N_KNOWLEDGE);
        if let Some(column) = &columns.subcaption_mask {
            let used = (1u64 << self.n_captions()) - 1;
            bits |= (self.mask_bits(row, record, column, columns.n_subcaption_columns) << N_KNOWLEDGE) & used;
        }
        self.masks[row] = bits;
        for (kind, column) in columns.captions.iter().enumerate() {
            let is_empty = self.caption(row, kind).is_none_or(|caption| caption.trim().is_empty());
            if (bits >> kind) & 1 == 1 && is_empty {
                self.report(row, &column.name, ProblemKind::EmptyCaption);
            }
        }
    }

    /// The mask of one cell, bit n for its entry n; 0 and a problem if it is none.
    fn mask_bits(&mut self, row: usize, record: &ByteRecord, column: &Column, expected: usize) -> u64 {
        let cell = self.cell(row, record, column);
        let kind = match parse_mask(cell) {
            Ok(mask) if mask.len() == expected => {
                return mask.iter().zip(0..).fold(0, |bits, (&is_valid, n)| bits | (u64::from(is_valid) << n));
            }
            Ok(mask) => ProblemKind::MaskLength { expected, found: mask.len() },
            Err(error) => ProblemKind::Mask(error),
        };
        self.report(row, &column.name, kind);
        0
    }

    /// The text of a cell, empty if missing.
    fn cell<'r>(&mut self, row: usize, record: &'r ByteRecord, column: &Column) -> &'r str {
        let cell = record.get(column.index).unwrap_or_default();
        match std::str::from_utf8(cell) {
            Ok(text) if MISSING_WORDS.contains(&text) => "",
            Ok(text) => text,
            Err(_) => {
                self.report(row, &column.name, ProblemKind::NotUtf8);
                ""
            }
        }
    }

    fn report(&mut self, row: usize, column: &str, kind: ProblemKind) {
        // A cell that is not text is reported once, not again as one that is empty.
        let mut of_row = self.problems.iter().rev().take_while(|problem| problem.row == row);
        if !of_row.any(|problem| problem.column == column && problem.kind == ProblemKind::NotUtf8) {
            let problem = self.problem(row, column, kind);
            self.problems.push(problem);
        }
    }
}

/// The text that replaces a missing caption.
pub(super) fn missing_text(kind: usize) -> &'static str {
    if kind < N_KNOWLEDGE { MISSING_CAPTION } else { "" }
}

/// Column names for a message; a table of the wrong kind can have thousands.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 30;
    match names.len() {
        0 => "none".into(),
        n if n > SHOWN => format!("{} and {} more", names[..SHOWN].join(", "), n - SHOWN),
        _ => names.join(", "),
    }
}

#[cfg(test)]
mod tests;
