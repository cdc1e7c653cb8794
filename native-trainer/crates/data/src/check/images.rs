//! Every image of a table, opened and decoded.

use crate::problem::{ProblemKind, RowProblem};
use crate::samples::{find_image, read_image};
use crate::table::TrainingTable;
use dermake_files::file_finder::FileFinder;
use dermake_process::progress;
use rayon::prelude::*;
use std::collections::HashMap;
use std::path::Path;

/// Returns the problems of the images; each image is read once, even if several rows name it.
pub(super) fn problems(table: &TrainingTable, root: &Path) -> Vec<RowProblem> {
    let mut rows_of: HashMap<&str, Vec<usize>> = HashMap::new();
    for row in table.rows_of_part() {
        let name = table.image(row);
        if !name.trim().is_empty() {
            rows_of.entry(name).or_default().push(row);
        }
    }
    let files = FileFinder::new(root);
    let bar = progress::images(rows_of.len());
    let found: Vec<(Vec<usize>, ProblemKind)> = rows_of
        .into_par_iter()
        .filter_map(|(name, rows)| {
            let problem = find_image(&files, name).and_then(|path| read_image(&path)).err();
            bar.inc(1);
            problem.map(|kind| (rows, kind))
        })
        .collect();
    bar.finish_and_clear();
    let problem = |row, kind: &ProblemKind| table.problem(row, table.image_column(), kind.clone());
    found.iter().flat_map(|(rows, kind)| rows.iter().map(move |&row| problem(row, kind))).collect()
}
