//! A check's answer as text and as JSON.

use super::{CaptionStatistics, CheckReport, Statistics};
use crate::learnable::NothingToLearn;
use crate::problem::RowProblem;
use crate::ways::WAYS;
use anyhow::Result;
use dermake_objective::Variant;
use serde_json::{Value, json};
use std::io::Write;

impl CheckReport {
    /// Writes one line per problem, then the statistics, then the result.
    ///
    /// # Errors
    /// If `out` cannot be written to.
    pub fn write_text(&self, mut out: impl Write) -> Result<()> {
        for problem in &self.problems {
            let prefix = if problem.kind.is_warning() { "warning: " } else { "" };
            writeln!(out, "{prefix}{problem}")?;
        }
        if !self.problems.is_empty() {
            writeln!(out)?;
        }
        if let Some(statistics) = &self.statistics {
            write_statistics(&mut out, statistics)?;
        }
        if let Some(left_out) = &self.left_out_in_words {
            writeln!(out, "not trained on and not checked, by the column split: {left_out}")?;
        }
        if !self.absent_columns.is_empty() {
            writeln!(out, "masked in every row, as the table has no {}", self.absent_columns.join(", "))?;
        }
        for (variant, lacks) in &self.objectives {
            let can =
                lacks.as_ref().map_or("can learn from it".into(), |lacks| format!("can learn nothing: {lacks}"));
            writeln!(out, "objective {}: {can}", variant.name())?;
        }
        let n_warnings = self.problems.iter().filter(|problem| problem.kind.is_warning()).count();
        let n_problems = self.problems.len() - n_warnings;
        match &self.error {
            Some(error) if self.is_first_try => writeln!(out, "unusable: {error}{WAYS}")?,
            Some(error) => writeln!(out, "unusable: {error}")?,
            None if self.is_usable() => writeln!(out, "usable: no problems, {n_warnings} warnings")?,
            None => writeln!(out, "unusable: {n_problems} problems, {n_warnings} warnings")?,
        }
        Ok(())
    }

    /// Writes one JSON object on one line.
    ///
    /// # Errors
    /// If `out` cannot be written to.
    pub fn write_json(&self, mut out: impl Write) -> Result<()> {
        let report = json!({
            "table": self.table.display().to_string(),
            "image_root": self.image_root.display().to_string(),
            "is_usable": self.is_usable(),
            "error": self.error,
            "absent_columns": self.absent_columns,
            "left_out": self.left_out,
            "objectives": self.objectives.iter().map(objective_json).collect::<Vec<_>>(),
            "problems": self.problems.iter().map(problem_json).collect::<Vec<_>>(),
            "statistics": self.statistics,
        });
        writeln!(out, "{report}")?;
        Ok(())
    }
}

/// Rows count from 1 here, as in the text.
fn problem_json(problem: &RowProblem) -> Value {
    json!({
        "row": problem.row + 1,
        "line": problem.line,
        "column": (!problem.column.is_empty()).then_some(&problem.column),
        "kind": problem.kind.code(),
        "message": problem.kind.to_string(),
        "is_warning": problem.kind.is_warning(),
    })
}

fn objective_json((variant, lacks): &(Variant, Option<NothingToLearn>)) -> Value {
    let reason = lacks.as_ref().map(ToString::to_string);
    json!({ "variant": variant.name(), "can_learn": reason.is_none(), "reason": reason })
}

fn write_statistics(out: &mut impl Write, statistics: &Statistics) -> Result<()> {
    let Statistics { n_rows, n_usable_rows, n_images, n_captions, distinct_share, captions } = statistics;
    writeln!(out, "{n_rows} rows, {n_usable_rows} usable, {n_images} images")?;
    writeln!(out, "{n_captions} captions, {} of them distinct", percent(*distinct_share))?;
    writeln!(
        out,
        "{:<26} {:>9} {:>9} {:>7} {:>9} {:>12} {:>10} {:>7}",
        "column", "cells", "valid", "empty", "distinct", "mean tokens", "max tokens", "cut"
    )?;
    for figures in captions {
        let CaptionStatistics { column, n_cells, n_valid, empty_share, distinct_share, .. } = figures;
        let mean = figures.mean_tokens.map_or("n/a".into(), |mean| format!("{mean:.1}"));
        let max = figures.max_tokens.map_or("n/a".into(), |max| max.to_string());
        let name = if column == "subcaption_1" { "subcaption_1, …" } else { column };
        writeln!(
            out,
            "{name:<26} {n_cells:>9} {n_valid:>9} {:>7} {:>9} {mean:>12} {max:>10} {:>7}",
            percent(*empty_share),
            percent(*distinct_share),
            figures.n_cut
        )?;
    }
    Ok(())
}

fn percent(share: Option<f64>) -> String {
    share.map_or("n/a".into(), |share| format!("{:.1} %", 100.0 * share))
}
