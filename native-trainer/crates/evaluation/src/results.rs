//! The results of an evaluation: `results.json`, from which the table and the report are made.
//!
//! An undefined figure is `None` (JSON `null`), shown as "n/a".

mod details;
mod metric;

pub use details::{
    ClassResult, ClassificationDetails, ConceptDetails, ConceptResult, Details, Mistake, ProbeDetails, ProbeShare,
    RetrievalDetails,
};
pub use metric::{Breakdown, Group, Metric};

use super::embedding_map::EmbeddingMap;
use dermake_features::Effort;
pub use dermake_metrics::ReliabilityBin;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// One evaluation of one model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Results {
    /// Name and version of the format: `dermake-results/1`.
    pub format: String,
    /// Version of this program.
    pub version: String,
    pub model: EvaluatedModel,
    pub protocol: Protocol,
    /// The sentences that the labels of classifications were put into, with `{}` in place of the label; none where no model
    /// was asked.
    #[serde(default)]
    pub templates: Vec<String>,
    /// Benchmarks that were run, in the order of the list.
    pub benchmarks: Vec<BenchmarkResult>,
    /// Benchmarks that could not be scored.
    #[serde(default)]
    pub failed: Vec<FailedBenchmark>,
    /// Benchmarks that were not run, and how to get their data.
    pub skipped: Vec<SkippedBenchmark>,
    pub effort: Effort,
}

impl Results {
    pub const FORMAT: &'static str = "dermake-results/1";
}

/// The model that was evaluated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EvaluatedModel {
    /// What the command line called it.
    pub name: String,
    /// Of weights, config and preprocessing, lower-case hexadecimal; of a classifier of `dermake finetune`, of this hash of
    /// its model followed by that of head.safetensors.
    pub sha256: String,
    /// False for a freshly initialized model, whose figures mean nothing.
    pub is_trained: bool,
    /// What people must know about the model.
    pub notice: Option<String>,
}

/// Which rows are scored, and how rows without a caption count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// Every row.
    #[default]
    All,
    /// As the released script does: the first 2,048 rows of each classification table, and missing captions as the text
    /// "nan".
    Released,
    /// As DermFM-Zero's code does: every row, missing captions as the text "nan", recall at 5, 10 and 50, and linear
    /// probes with its preprocessing, features and loss.
    DermfmZero,
}

/// A benchmark that was run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BenchmarkResult {
    /// `pad`, `f17k`, ...
    pub key: String,
    /// For people.
    pub title: String,
    /// The table that was read.
    pub table: PathBuf,
    /// Rows scored.
    pub n_scored: usize,
    /// Rows of the table, scored or not.
    pub n_rows: usize,
    /// Images that are missing or damaged; they are not scored.
    pub unreadable: Vec<UnreadableImage>,
    /// Notes for readers: rows left out, classes without images, concepts without terms, unused columns.
    pub notes: Vec<String>,
    /// The main one first.
    pub metrics: Vec<Metric>,
    /// The main metric by skin tone, sex and age, if the table has these columns.
    pub breakdowns: Vec<Breakdown>,
    /// The metrics without the images of `--exclude`.
    #[serde(default)]
    pub without_excluded: Option<WithoutExcluded>,
    pub details: Details,
    /// Its images in two dimensions, for the drawings; they have a file of their own.
    #[serde(skip)]
    pub map: Option<EmbeddingMap>,
}

/// Metrics without some images, such as those that are in the training data, too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WithoutExcluded {
    /// Images that were left out.
    pub n_excluded: usize,
    /// Rows that are left.
    pub n_scored: usize,
    /// The main one first.
    pub metrics: Vec<Metric>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UnreadableImage {
    /// Row of the table, from 1.
    pub row: usize,
    /// The image's name, or the row's place if it has none.
    pub file: String,
    /// What is wrong with it, in words.
    pub problem: String,
}

/// A benchmark that could not be scored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FailedBenchmark {
    /// Its key, as of those that were run.
    pub key: String,
    /// For people.
    pub title: String,
    /// Why it could not be scored.
    pub problem: String,
}

/// A benchmark whose data are not there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SkippedBenchmark {
    /// Its key, as of those that were run.
    pub key: String,
    /// For people.
    pub title: String,
    /// Paths where the table was looked for.
    pub missing: Vec<PathBuf>,
    /// Source of the data.
    pub source: String,
    /// Instructions: which files to put where.
    pub how: String,
}
