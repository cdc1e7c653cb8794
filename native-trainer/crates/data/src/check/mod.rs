//! Finds the problems of a training table before a run.
//!
//! Reads the table as training would, opens and decodes every image, and counts the tokens of every caption.

mod images;
mod repeats;
mod report;
mod statistics;

pub use statistics::{CaptionStatistics, Statistics};

use super::learnable::{NothingToLearn, check_diagnoses, check_learnable};
use super::lineages::Lineages;
use super::problem::RowProblem;
use super::samples::image_root;
use super::schema::TableOptions;
use super::table::{Part, TableError, TrainingTable};
use anyhow::Result;
use dermake_objective::{Objective, Variant};
use dermake_process::print;
use dermake_sources::SourceError;
use shared_model::tokenizer::{CLIP_MERGES_GZ, Tokenizer};
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

/// The table to check, and the options.
#[derive(Clone, Debug)]
pub struct CheckOptions {
    pub table: TableOptions,
    /// Folder where image names start; the usual place that has most of the first images if `None`.
    pub image_root: Option<PathBuf>,
    /// Context length L that captions must fit.
    pub context_length: usize,
}

/// The answer of a check.
pub struct CheckReport {
    /// The table that was read.
    pub table: PathBuf,
    /// The folder where image names start.
    pub image_root: PathBuf,
    /// All problems, by row.
    pub problems: Vec<RowProblem>,
    /// Statistics of the table; `None` if it could not be read.
    pub statistics: Option<Statistics>,
    /// Why the table cannot be used as a whole, if so.
    pub error: Option<String>,
    /// Whether the reason is one that people meet first, to whom lines that work are shown.
    is_first_try: bool,
    /// For each objective what it lacks in the table, `None` where it can learn; empty if the table was not read.
    pub objectives: Vec<(Variant, Option<NothingToLearn>)>,
    /// Columns of captions and masks that the table does not have, which are masked.
    pub absent_columns: Vec<String>,
    /// Rows of other parts than the training, which are not checked, by part.
    pub left_out: BTreeMap<&'static str, usize>,
    /// The same in words.
    left_out_in_words: Option<String>,
}

impl CheckReport {
    /// Returns whether training would use every row, and some objective can learn from them.
    pub fn is_usable(&self) -> bool {
        self.error.is_none() && self.problems.iter().all(|problem| problem.kind.is_warning())
    }

    /// Why no objective can learn from the table, in the words of the one that counts most captions.
    fn unlearnable(&self) -> Option<&NothingToLearn> {
        let lacks: Option<Vec<_>> = self.objectives.iter().map(|(_, lacks)| lacks.as_ref()).collect();
        lacks?.first().copied()
    }
}

/// Checks a table and prints what was found, for people or as one JSON object.
///
/// Returns whether training would use every row, and could start.
///
/// # Errors
/// If the file cannot be opened, or an option is out of range.
pub fn run(path: &Path, options: &CheckOptions, as_json: bool) -> Result<bool> {
    let report = check(path, options)?;
    let mut text = Vec::new();
    if as_json {
        report.write_json(&mut text)?;
        print::summary_json(&text)?;
    } else {
        report.write_text(&mut text)?;
        print::summary(&String::from_utf8_lossy(&text))?;
    }
    Ok(report.is_usable())
}

/// Checks a table.
///
/// # Errors
/// If the file cannot be opened, or an option is out of range.
pub fn check(path: &Path, options: &CheckOptions) -> Result<CheckReport> {
    let tokenizer = Tokenizer::from_merges_gz(CLIP_MERGES_GZ, options.context_length)?;
    let image_root = options.image_root.as_deref().map(image_root).transpose()?;
    let mut report = CheckReport {
        table: path.into(),
        image_root: image_root.clone().unwrap_or_else(|| path.parent().unwrap_or(path).into()),
        problems: Vec::new(),
        statistics: None,
        error: None,
        is_first_try: false,
        objectives: Vec::new(),
        absent_columns: Vec::new(),
        left_out: BTreeMap::new(),
        left_out_in_words: None,
    };
    let table = match TrainingTable::read(path, &options.table) {
        Ok(table) => table.of_part(Part::Training),
        Err(
            error @ (TableError::Columns { .. }
            | TableError::Source(SourceError::OpenQuote { .. } | SourceError::NoRows { .. })),
        ) => {
            report.is_first_try = error.is_of_a_first_try();
            report.error = Some(error.to_string());
            return Ok(report);
        }
        Err(error) => return Err(error.explained()),
    };
    if image_root.is_none() {
        report.image_root = table.image_root().into();
    }
    report.absent_columns = table.absent_columns();
    report.left_out = table.n_left_out();
    report.left_out_in_words = table.left_out_in_words();
    report.problems = table.problems().to_vec();
    report.problems.extend(images::problems(&table, &report.image_root));
    report.problems.extend(repeats::problems(&table));
    let (statistics, caption_problems) = Statistics::of(&table, &tokenizer);
    report.problems.extend(caption_problems);
    report.problems.sort_by_key(|problem| problem.row);
    let skipped: HashSet<usize> =
        report.problems.iter().filter(|problem| !problem.kind.is_warning()).map(|problem| problem.row).collect();
    let usable = || table.rows_of_part().filter(|row| !skipped.contains(row));
    let lineages = Lineages::of_table(&table, None);
    let lacks = |variant| {
        let objective = Objective::of(variant);
        let learnable = check_learnable(&table, usable(), &objective);
        // As training refuses it, in the same order.
        learnable.and_then(|()| objective.soft_targets().map_or(Ok(()), |_| check_diagnoses(&lineages))).err()
    };
    report.objectives = Variant::ALL.map(|variant| (variant, lacks(variant))).into();
    if skipped.is_empty() {
        let error = |lacks: &NothingToLearn| format!("no objective can learn from the table: {lacks}");
        report.error = report.unlearnable().map(error);
    }
    report.statistics = Some(Statistics { n_usable_rows: table.n_rows_of_part() - skipped.len(), ..statistics });
    Ok(report)
}
