//! The results of an evaluation: `results.json`, from which the table and the report are made.
//!
//! An undefined figure is `None` (JSON `null`), shown as "n/a".

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
    /// Of weights, config and preprocessing, lower-case hexadecimal.
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

/// One figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Metric {
    /// `top1_accuracy`, `macro_auroc`, `recall_at_10_image_to_text`, ...
    pub key: String,
    /// For people: "top-1 accuracy".
    pub title: String,
    /// The figure; `None` where it is undefined.
    pub value: Option<f64>,
    /// 95 % bootstrap interval over the rows.
    pub interval: Option<[f64; 2]>,
}

/// The main metric within each group of a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Breakdown {
    /// `fitzpatrick`, `monk`, `ita`, `skin_tone`, `sex`, `age`.
    pub column: String,
    /// Key of the metric.
    pub metric: String,
    /// In their order, rows of an unknown group last.
    pub groups: Vec<Group>,
    /// Best minus worst, over the groups with a figure; `None` with fewer than two.
    pub gap: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Group {
    /// The group for people: "Fitzpatrick type 5", "female", "40–59".
    pub name: String,
    /// Its rows.
    pub n: usize,
    /// The metric over these; `None` where it is undefined.
    pub value: Option<f64>,
    /// 95 % bootstrap interval over the rows.
    pub interval: Option<[f64; 2]>,
}

/// Details that differ by kind of benchmark.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "task", rename_all = "snake_case")]
pub enum Details {
    /// Classes of images: zero-shot, by a trained head, or predictions of others.
    Classification(ClassificationDetails),
    /// How well the score of each concept tells images with it from others.
    Concepts(ConceptDetails),
    /// Retrieval of captions by images and of images by captions.
    Retrieval(RetrievalDetails),
    /// Linear classifiers on frozen features, trained on shares of the training split.
    LinearProbe(ProbeDetails),
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClassificationDetails {
    /// In label order.
    pub classes: Vec<ClassResult>,
    /// `confusion[label][prediction]`, images.
    pub confusion: Vec<Vec<u64>>,
    /// Of the likeliest label: whether it is right as often as its probability says.
    pub reliability: Vec<ReliabilityBin>,
    /// Mean distance between confidence and accuracy, weighted by the bins' sizes.
    pub expected_calibration_error: Option<f64>,
    /// Wrong answers, the most confident first.
    pub mistakes: Vec<Mistake>,
    /// The factor between cosines and logits, whose softmax is the probabilities; `null` for probabilities of another
    /// kind.
    #[serde(default)]
    pub scale: Option<f64>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClassResult {
    /// Name of the class.
    pub name: String,
    /// Images with this label.
    pub n: usize,
    /// Share of its images that were answered with it; `None` without an image.
    pub recall: Option<f64>,
    /// 95 % bootstrap interval of the recall over the rows.
    #[serde(default)]
    pub recall_interval: Option<[f64; 2]>,
    /// Share of the answers with this class that are right; `None` without such an answer.
    pub precision: Option<f64>,
    /// 95 % bootstrap interval of the precision over the rows.
    #[serde(default)]
    pub precision_interval: Option<[f64; 2]>,
    /// AUROC of this class against all others.
    pub auroc: Option<f64>,
    /// 95 % bootstrap interval of the AUROC over the rows.
    #[serde(default)]
    pub auroc_interval: Option<[f64; 2]>,
    /// `[false positive rate, true positive rate]` from `[0, 0]` to `[1, 1]`, at most 201 points, the area under which is
    /// `auroc`; empty where that is `None`.
    pub roc: Vec<[f64; 2]>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Mistake {
    /// Row of the table, from 1.
    pub row: usize,
    /// The image.
    pub file: PathBuf,
    /// The right class.
    pub label: String,
    /// The answer.
    pub prediction: String,
    /// Its probability.
    pub probability: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConceptDetails {
    /// In the order of the table's columns.
    pub concepts: Vec<ConceptResult>,
    /// AUROC from which a concept counts as passed.
    pub pass_mark: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConceptResult {
    /// Name of the concept.
    pub name: String,
    /// Images that show it.
    pub n_positive: usize,
    /// AUROC of its score; `None` where all images show it, or none.
    pub auroc: Option<f64>,
    /// 95 % bootstrap interval of the AUROC over the rows.
    pub interval: Option<[f64; 2]>,
    /// `[false positive rate, true positive rate]`, as of a class.
    pub roc: Vec<[f64; 2]>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RetrievalDetails {
    /// The numbers of first places, k, that recall is given for.
    pub recall_ks: Vec<usize>,
    /// Share of images whose caption is among the first k, for each of `recall_ks`.
    pub image_to_text: Vec<f64>,
    /// Share of captions whose image is among the first k, for each of `recall_ks`.
    pub text_to_image: Vec<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProbeDetails {
    /// By share of the training split, the smallest first.
    pub shares: Vec<ProbeShare>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProbeShare {
    /// Share of the training split: 0.01, 0.1, 1.
    pub share: f64,
    /// Training images.
    pub n_train: usize,
    /// The same metrics as of classification.
    pub metrics: Vec<Metric>,
}

impl ProbeShare {
    /// The metric of this key.
    pub fn metric(&self, key: &str) -> Option<&Metric> {
        self.metrics.iter().find(|metric| metric.key == key)
    }
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
