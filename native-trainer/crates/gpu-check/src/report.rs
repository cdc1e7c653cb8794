//! The report: a JSON file that is complete after every phase.

use anyhow::{Context, Result};
use dermake_files::output::replace_file;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Outcome of a phase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum Outcome {
    Passed,
    /// Something was wrong, in words.
    Failed {
        why: String,
    },
    /// The device or the program does not have it.
    NotRun {
        why: String,
    },
    /// The time was over before it began.
    OutOfTime,
}

/// A phase that this device or program does not have.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotHere(pub String);

/// Something is wrong in a phase; what it measured is kept.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub struct Wrong {
    pub why: String,
    pub figures: Value,
}

/// One phase of a check.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Phase {
    pub name: String,
    #[serde(flatten)]
    pub outcome: Outcome,
    pub secs: f64,
    pub figures: Value,
}

/// All phases so far.
pub struct Report {
    path: PathBuf,
    phases: Vec<Phase>,
}

impl Report {
    /// # Errors
    /// When the file cannot be written.
    pub fn create(path: &Path) -> Result<Self> {
        let report = Self { path: path.into(), phases: Vec::new() };
        report.write()?;
        Ok(report)
    }

    /// The phases in the file of another process; none if it wrote none.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn phases_in(path: &Path) -> Result<Vec<Phase>> {
        #[derive(Deserialize)]
        struct Written {
            phases: Vec<Phase>,
        }
        if !path.exists() {
            return Ok(Vec::new());
        }
        let unreadable = || format!("cannot read the report of another process: {}", path.display());
        let written: Written =
            serde_json::from_slice(&std::fs::read(path).with_context(unreadable)?).with_context(unreadable)?;
        Ok(written.phases)
    }

    /// # Errors
    /// When the file cannot be written.
    pub fn add(&mut self, phase: Phase) -> Result<()> {
        self.phases.push(phase);
        self.write()
    }

    /// Returns whether every phase of this device was run and passed.
    pub fn is_good(&self) -> bool {
        !self.phases.iter().any(|phase| matches!(phase.outcome, Outcome::Failed { .. } | Outcome::OutOfTime))
    }

    fn write(&self) -> Result<()> {
        let content = serde_json::json!({"version": env!("CARGO_PKG_VERSION"), "phases": self.phases});
        replace_file(&self.path, &serde_json::to_vec_pretty(&content)?)
    }
}
