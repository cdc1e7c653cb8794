//! Rows that repeat an earlier row.

use crate::problem::{ProblemKind, RowProblem};
use crate::table::TrainingTable;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Usable rows with the image, captions and masks of an earlier one.
pub(super) fn problems(table: &TrainingTable) -> Vec<RowProblem> {
    let mut first_rows: HashMap<u64, usize> = HashMap::new();
    let mut found = Vec::new();
    for row in table.usable_rows() {
        let content = table.row(row);
        let mut hasher = DefaultHasher::new();
        (content.image, &content.captions, &content.mask).hash(&mut hasher);
        let first = *first_rows.entry(hasher.finish()).or_insert(row);
        if first != row && table.row(first) == content {
            found.push(table.problem(row, "", ProblemKind::RepeatedRow { row: first, line: table.line(first) }));
        }
    }
    found
}
