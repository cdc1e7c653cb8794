//! From the rows of a data set to those of a training table: captions, masks and problems.

use super::TrainingTable;
use crate::mask::parse_mask;
use crate::problem::ProblemKind;
use crate::schema::{Column, Columns, N_KNOWLEDGE};
use dermake_files::missing::missing_word;
use dermake_sources::{Dataset, Image, RowFault, caption_of};
use std::collections::HashSet;
use std::sync::Arc;

/// One row of a data set.
struct Cells<'a> {
    data: &'a Dataset,
    row: usize,
    /// Columns of cells that are not text.
    not_utf8: HashSet<usize>,
}

impl TrainingTable {
    /// Adds a row with what is wrong with it. `found` is its image, if its name does not start where the others do.
    pub(super) fn push(&mut self, data: &Dataset, row: usize, found: Option<&Image>, faults: &[&RowFault]) {
        let columns = Arc::clone(&self.columns);
        let n_problems = self.problems.len();
        self.masks.push(0);
        let mut not_utf8 = HashSet::new();
        for fault in faults {
            match fault {
                RowFault::TooManyCells { expected, found, .. } => {
                    self.report(row, "", ProblemKind::TooManyFields { expected: *expected, found: *found });
                }
                RowFault::NotUtf8 { column } => {
                    not_utf8.insert(*column);
                }
                RowFault::Unreadable { detail } => {
                    self.report(row, "", ProblemKind::RowUnreadable { detail: detail.clone() });
                }
                // Missing cells are missing captions.
                RowFault::TooFewCells { .. } => {}
            }
        }
        let cells = Cells { data, row, not_utf8 };
        let known_image = data.known_image(row).or(found).map(name_of);
        let image = match &known_image {
            Some(name) => name,
            None => self.cell(&cells, &columns.image),
        };
        self.texts.push_str(image);
        self.ends.push(self.texts.len());
        for column in &columns.captions {
            let text = self.cell(&cells, column);
            self.texts.push_str(&caption_of(text));
            self.ends.push(self.texts.len());
        }
        if self.image(row).trim().is_empty() {
            self.report(row, &columns.image.name, ProblemKind::NoImageName);
        }
        self.push_masks(&cells, &columns);
        self.is_usable.push(self.problems.len() == n_problems);
    }

    fn push_masks(&mut self, cells: &Cells<'_>, columns: &Columns) {
        let row = cells.row;
        let knowledge = self.mask_bits(cells, &columns.knowledge_mask, N_KNOWLEDGE);
        let subcaptions = self.mask_bits(cells, &columns.subcaption_mask, columns.n_subcaption_columns);
        let used = (1u64 << self.n_captions()) - 1;
        let of_masks = (knowledge | (subcaptions << N_KNOWLEDGE)) & used;
        let mut bits = 0;
        for (kind, column) in columns.captions.iter().enumerate() {
            let is_empty = self.caption(row, kind).is_none_or(|caption| caption.trim().is_empty());
            let has_mask = match kind {
                0..N_KNOWLEDGE => columns.knowledge_mask.index.is_some(),
                _ => columns.subcaption_mask.index.is_some(),
            };
            let counts = if has_mask { (of_masks >> kind) & 1 == 1 && column.index.is_some() } else { !is_empty };
            bits |= u64::from(counts) << kind;
            if counts && is_empty {
                self.report(row, &column.name, ProblemKind::EmptyCaption);
            }
        }
        self.masks[row] = bits;
    }

    /// The mask of one cell, bit n for its entry n; 0 and a problem if it is none; 0 without a column.
    fn mask_bits(&mut self, cells: &Cells<'_>, column: &Column, expected: usize) -> u64 {
        if column.index.is_none() {
            return 0;
        }
        let cell = self.cell(cells, column);
        let kind = match parse_mask(cell) {
            Ok(mask) if mask.len() == expected => {
                return mask.iter().zip(0..).fold(0, |bits, (&is_valid, n)| bits | (u64::from(is_valid) << n));
            }
            Ok(mask) => ProblemKind::MaskLength { expected, found: mask.len() },
            Err(error) => ProblemKind::Mask(error),
        };
        self.report(cells.row, &column.name, kind);
        0
    }

    /// The text of a cell, empty if missing.
    fn cell<'r>(&mut self, cells: &Cells<'r>, column: &Column) -> &'r str {
        let Some(index) = column.index else { return "" };
        if cells.not_utf8.contains(&index) {
            self.report(cells.row, &column.name, ProblemKind::NotUtf8);
            return "";
        }
        let text = cells.data.cell(cells.row, index);
        if missing_word(text).is_some() { "" } else { text }
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

/// The name of an image that is known without a column: of a file, a path that does not depend on the table's folder.
fn name_of(image: &Image) -> String {
    match image.path().and_then(|path| std::path::absolute(path).ok()) {
        Some(path) => path.to_string_lossy().into_owned(),
        None => image.name(),
    }
}
