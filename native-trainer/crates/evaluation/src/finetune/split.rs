//! Divides labeled data into training, validation and test.

use super::groups::Groups;
use super::parts::Parts;
use crate::table::Table;
use anyhow::{Result, bail, ensure};
use dermake_sources::columns::{SPLIT_COLUMN, TEST, TRAIN, VALIDATION, split_of};
use std::path::Path;

/// How rows without a part are divided.
pub struct SplitOptions<'a> {
    /// Share of the training rows for the test, if the data have no such part: without parts, of all rows.
    pub test_share: f64,
    /// Share of the other rows for the validation, if the data have no such part.
    pub validation_share: f64,
    /// A column whose values stay together, such as the patient.
    pub group_column: Option<&'a str>,
    pub seed: u64,
}

/// Divides rows of a table, with a label for each, by its column `split` or at random.
///
/// # Errors
/// When a part would have no row, with what is the reason; when the column of groups is missing, or a group is in the test
/// and elsewhere.
pub fn divided(table: &Table, rows: &[usize], labels: &[usize], options: &SplitOptions<'_>) -> Result<Parts> {
    let groups = Groups::of(table, rows, options.group_column)?;
    let is_written = |&column: &usize| rows.iter().any(|&row| !table.cell(row, column).is_empty());
    let column = table.find_column(&[SPLIT_COLUMN]).filter(is_written);
    let mut parts = match column {
        Some(column) => written(table, rows, column)?,
        None => Parts { train: (0..rows.len()).collect(), ..Parts::default() },
    };
    let path = &table.path;
    ensure!(
        !parts.train.is_empty(),
        "there is no training row: no row has the {SPLIT_COLUMN} {TRAIN}: {}",
        path.display()
    );
    let draw = |part: Part, parts: &mut Parts| {
        let draw = Draw { part, is_written: column.is_some(), groups: &groups, options, path };
        draw.take_from(parts, labels)
    };
    if parts.test.is_empty() {
        parts.test = draw(Part::Test, &mut parts)?;
    }
    if parts.validation.is_empty() {
        parts.validation = draw(Part::Validation, &mut parts)?;
    }
    check_groups(&mut parts, &groups, path)?;
    Ok(parts)
}

/// Checks that no group of the test is elsewhere, and warns of groups that training and validation have both.
fn check_groups(parts: &mut Parts, groups: &Groups<'_>, path: &Path) -> Result<()> {
    let Some(name) = groups.column() else { return Ok(()) };
    let others = [&parts.train[..], &parts.validation].concat();
    let n_shared = groups.n_shared(&others, &parts.test);
    ensure!(
        n_shared == 0,
        "{n_shared} rows of the training or the validation are of a group of the test; change the column {SPLIT_COLUMN}, \
         or leave out --group-column: {}",
        path.display()
    );
    let n_shared = groups.n_shared(&parts.train, &parts.validation);
    if n_shared > 0 {
        parts.warn(format!(
            "{n_shared} training rows have a {name} that the validation has, too, by the column {SPLIT_COLUMN}: the \
             validation loss, which ends the training, is too low for a new {name}"
        ));
    }
    Ok(())
}

/// A part that is drawn of the training rows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Test,
    Validation,
}

/// How a part is drawn.
struct Draw<'a> {
    part: Part,
    /// Whether a column says which rows are for the training.
    is_written: bool,
    groups: &'a Groups<'a>,
    options: &'a SplitOptions<'a>,
    path: &'a Path,
}

impl Draw<'_> {
    /// Draws the part of the training rows, and takes it out of them. Groups that other parts have stay there.
    ///
    /// # Errors
    /// When there is nothing to draw, or nothing would be left to train on.
    fn take_from(&self, parts: &mut Parts, labels: &[usize]) -> Result<Vec<usize>> {
        let others = if self.part == Part::Test { &parts.validation[..] } else { &[] };
        let free = self.groups.free_of(others, &parts.train);
        let n_from = parts.train.len();
        let share = self.share() * n_from as f64 / free.len().max(1) as f64;
        let taken = self.groups.drawn(&free, labels, share, self.options.seed);
        let (path, name) = (self.path.display(), self.name());
        if taken.is_empty() {
            bail!("there is no {name} row: {}: {path}", self.why_none(n_from, free.len()));
        }
        if taken.len() == n_from {
            bail!("there is no training row: {}: {path}", self.why_all(&parts.train));
        }
        parts.train.retain(|place| taken.binary_search(place).is_err());
        let how = match self.groups.column() {
            Some(column) => format!("whole groups of {column} drawn at random"),
            None => "drawn at random".into(),
        };
        let missing = if self.part == Part::Test && self.is_written {
            format!("no row has the {SPLIT_COLUMN} {TEST}: ")
        } else {
            String::new()
        };
        parts.notes.push(format!("{missing}{} of {n_from} {}, {how}, are the {name}", taken.len(), self.rows()));
        Ok(taken)
    }

    /// Why no row was drawn of `n_from`, of which `n_free` are of no group of another part.
    fn why_none(&self, n_from: usize, n_free: usize) -> String {
        let (option, share, name, rows) = (self.option(), self.share(), self.name(), self.rows());
        let column = self.groups.column();
        if share == 0.0 {
            return format!("{option} is 0, expected more, or rows with the {SPLIT_COLUMN} {name}");
        }
        if let Some(column) = column.filter(|_| n_free == 0) {
            return format!(
                "every {column} of the {n_from} {rows} is in the validation, too; change the column {SPLIT_COLUMN}, or \
                 leave out --group-column"
            );
        }
        let least = if column.is_some() { "one row" } else { "one row of each class" };
        let smaller = if self.part == Part::Validation { " or a smaller --test-share" } else { "" };
        format!(
            "{share} of {n_from} {rows} is less than {least}; more rows are needed, or a larger {option}{smaller}"
        )
    }

    /// Why the part has all rows that it is drawn from.
    fn why_all(&self, from: &[usize]) -> String {
        let (option, name, rows, n) = (self.option(), self.name(), self.rows(), from.len());
        match self.groups.column().map(|column| (column, self.groups.n_groups(from))) {
            Some((column, 1)) => format!("all {n} {rows} have one {column}, and are the {name}; more are needed"),
            Some((column, n_groups)) => format!(
                "the {n} {rows} are of {n_groups} groups of {column}, and all are the {name}; more groups are needed, or a \
                 smaller {option}"
            ),
            None => format!("all {n} {rows} are the {name}; more rows are needed, or a smaller {option}"),
        }
    }

    fn name(&self) -> &'static str {
        match self.part {
            Part::Test => TEST,
            Part::Validation => VALIDATION,
        }
    }

    fn option(&self) -> &'static str {
        match self.part {
            Part::Test => "--test-share",
            Part::Validation => "--validation-share",
        }
    }

    fn share(&self) -> f64 {
        match self.part {
            Part::Test => self.options.test_share,
            Part::Validation => self.options.validation_share,
        }
    }

    /// What the rows are that the part is drawn from.
    fn rows(&self) -> &'static str {
        if self.part == Part::Test && !self.is_written { "rows" } else { "training rows" }
    }
}

/// The parts that a column names.
fn written(table: &Table, rows: &[usize], column: usize) -> Result<Parts> {
    let mut parts = Parts::default();
    for (place, &row) in rows.iter().enumerate() {
        let part = match split_of(table.cell(row, column)) {
            Some(TRAIN) => &mut parts.train,
            Some(VALIDATION) => &mut parts.validation,
            Some(TEST) => &mut parts.test,
            _ => bail!(
                "row {} has the {SPLIT_COLUMN} {:?}, expected train, validation or test: {}",
                row + 1,
                table.cell(row, column),
                table.path.display()
            ),
        };
        part.push(place);
    }
    Ok(parts)
}

#[cfg(test)]
mod tests;
