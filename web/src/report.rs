//! A result to take along: what was ranked for which photo, by which model. Printed, saved and shared. The file is in
//! English; `sentences/report.rs` has the words of prints and shares.

use crate::crop::{Crop, PhotoSize};
use serde::{Deserialize, Serialize};
use shared_model::calibration::Certainty;
use shared_model::concepts::Presence;
use shared_model::manifest::ManifestFile;
use shared_model::zero_shot::Prediction;

/// The value of `format` in the file.
pub const FORMAT: &str = "dermake-result/1";

/// What every file says about its answers.
pub const DISCLAIMER: &str = "Research software, not a medical device. This is no diagnosis: the percentages only compare \
                              these labels with one another. See a doctor about anything on your skin that worries you.";

/// What the page knows and the state does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReportContext {
    /// When the model answered, in ISO 8601.
    pub answered_at: String,
    /// Version of the page's files.
    pub page_build: String,
    /// Host that ran the model; `None` if it ran on this device.
    pub server: Option<String>,
}

/// A result. Its JSON is the file that the page saves.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    pub format: &'static str,
    pub disclaimer: &'static str,
    pub answered_at: String,
    pub photo: ReportPhoto,
    pub labels: ReportLabels,
    /// All ranked labels, the most likely first.
    pub answers: Vec<ReportAnswer>,
    /// Whether to believe them; `None` if the model is not calibrated for these labels.
    pub certainty: Option<Certainty>,
    /// Scores of the findings between 0 and 1, the highest first; `None` if they were not scored.
    pub findings: Option<Vec<Presence>>,
    pub model: ReportModel,
    /// Other models that answered the same photo, the same part of it and the same labels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub other_models: Vec<ReportOtherModel>,
    pub program: ReportProgram,
}

/// The answers of another model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReportOtherModel {
    pub answers: Vec<ReportAnswer>,
    pub certainty: Option<Certainty>,
    pub model: ReportModel,
}

/// The photo of a result. The file does not contain its pixels.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReportPhoto {
    pub file_name: String,
    /// Of the file; `None` where the browser computes no hashes.
    pub sha256: Option<String>,
    pub size: Option<PhotoSize>,
    /// The square that the model looked at; `None` for the whole photo.
    pub crop: Option<Crop>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReportLabels {
    pub title: String,
    pub n_labels: usize,
    /// Whether the visitor typed them.
    #[serde(skip)]
    pub is_own: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReportAnswer {
    pub label: String,
    pub probability: f32,
}

impl From<&Prediction> for ReportAnswer {
    fn from(found: &Prediction) -> Self {
        Self { label: found.label.clone(), probability: found.probability }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReportModel {
    pub name: String,
    pub is_trained: bool,
    pub notice: Option<String>,
    pub weight_format: String,
    pub files: Vec<ManifestFile>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReportProgram {
    pub name: &'static str,
    pub version: &'static str,
    pub page_build: String,
    /// Host that ran the model; `None` if it ran on the visitor's device.
    pub server: Option<String>,
}

impl Report {
    /// The file that the page saves.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a result has only names and finite numbers")
    }

    /// Name of that file.
    pub fn file_name(&self) -> String {
        let time: String = self.answered_at.chars().take(19).map(|c| if c == ':' { '-' } else { c }).collect();
        format!("dermake-{time}.json")
    }
}
