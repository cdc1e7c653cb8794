//! What a result says beside its figures, by the kind of benchmark.

use super::metric::Metric;
use dermake_metrics::ReliabilityBin;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

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
