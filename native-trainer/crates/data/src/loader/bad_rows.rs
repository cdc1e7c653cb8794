//! Counts and logs rows that cannot be used; fails if there are too many.

use crate::problem::RowProblem;
use crate::table::TrainingTable;
use anyhow::{Result, bail};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Problems that the final error lists.
const LISTED: usize = 10;

pub(super) struct BadRows {
    rows: HashSet<usize>,
    /// Those that [`Self::take_new`] has not returned yet.
    new: Vec<usize>,
    first: Vec<String>,
    n_rows: usize,
    max_share: f64,
    /// Their number, where the loader's owner sees it.
    count: Arc<AtomicUsize>,
}

impl BadRows {
    /// Begins with the rows whose cells are wrong.
    ///
    /// # Errors
    /// If these are too many already.
    pub fn of_table(table: &TrainingTable, max_share: f64, count: Arc<AtomicUsize>) -> Result<Self> {
        let mut bad_rows = Self {
            rows: HashSet::new(),
            new: Vec::new(),
            first: Vec::new(),
            n_rows: table.n_rows_of_part(),
            max_share,
            count,
        };
        for problem in table.problems().iter().filter(|problem| !problem.kind.is_warning()) {
            bad_rows.note(problem);
        }
        bad_rows.new.clear();
        bad_rows.check()?;
        Ok(bad_rows)
    }

    pub fn contains(&self, row: usize) -> bool {
        self.rows.contains(&row)
    }

    /// Counts one more.
    ///
    /// # Errors
    /// If these are too many now.
    pub fn add(&mut self, problem: &RowProblem) -> Result<()> {
        self.note(problem);
        self.check()
    }

    /// Returns the rows that were added since the last call, ascending.
    pub fn take_new(&mut self) -> Vec<usize> {
        self.new.sort_unstable();
        std::mem::take(&mut self.new)
    }

    fn note(&mut self, problem: &RowProblem) {
        if !self.rows.insert(problem.row) {
            return;
        }
        tracing::warn!("skipped {problem}");
        self.new.push(problem.row);
        self.count.store(self.rows.len(), Ordering::Relaxed);
        if self.first.len() < LISTED {
            self.first.push(format!("\n  {problem}"));
        }
    }

    fn check(&self) -> Result<()> {
        let (n_bad, n_rows) = (self.rows.len(), self.n_rows);
        if n_bad as f64 > self.max_share * n_rows as f64 {
            let more = if n_bad > self.first.len() { "\n  …" } else { "" };
            bail!(
                "{n_bad} of {n_rows} rows cannot be used, more than the share of {} that `max_bad_share` allows; \
                 `dermake data check` lists them all:{}{more}",
                self.max_share,
                self.first.concat()
            );
        }
        Ok(())
    }
}
