//! The JSON answers of `dermake serve` at `/models` and below `/v1`. Needs the feature `http`.

use crate::calibration::Certainty;
use crate::concepts::Finding;
use crate::labels::LabelSet;
use crate::manifest::{Manifest, ManifestFile};
use crate::weights::WeightFormat;
use crate::zero_shot::Prediction;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Names of what `POST /v1/classify` takes: fields of a form, keys of JSON, and parameters of the address.
pub mod fields {
    /// A photo's bytes; in JSON, base64.
    pub const PHOTO: &str = "image";
    /// The key of a label set, or labels of one's own.
    pub const LABELS: &str = "labels";
    /// A sentence with `{}` where the label goes; may be repeated.
    pub const TEMPLATE: &str = "template";
    /// Most predictions in the answer.
    pub const TOP_K: &str = "top_k";
    /// The factor between cosines and logits: 100, own or calibrated.
    pub const SCALE: &str = "scale";
}

/// The answer to `POST /v1/classify`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Classified {
    /// Name of the model.
    pub model: String,
    /// The labels by descending probability.
    pub predictions: Vec<Prediction>,
    /// Whether to believe them; `null` if the model is not calibrated for these labels.
    #[serde(default)]
    pub certainty: Option<Certainty>,
    /// The factor between cosines and logits.
    pub scale: f64,
    /// Sentences about labels that may be mistakes.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Time from the complete request to the answer, in milliseconds.
    pub millis: f64,
}

/// The answer to `POST /v1/annotate`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Annotated {
    /// Name of the model.
    pub model: String,
    /// The concepts by descending score.
    pub concepts: Vec<Finding>,
    /// The factor between cosines and scores.
    pub scale: f64,
    /// Sentences about concepts that may be mistakes.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Time from the complete request to the answer, in milliseconds.
    pub millis: f64,
}

/// The answer to `POST /v1/embed`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Embedded {
    /// Name of the model.
    pub model: String,
    /// One feature for each image or text, in the order of the request.
    pub embeddings: Vec<Embedding>,
    /// Time from the complete request to the answer, in milliseconds.
    pub millis: f64,
}

/// A feature of unit length.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Embedding {
    /// The values, `[E]`.
    Values(Vec<f32>),
    /// The values as little-endian f32, in base64.
    Base64(String),
}

/// The answer to `POST /v1/similarity`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// Name of the model.
    pub model: String,
    /// Cosines `[images][texts]`.
    pub cosines: Vec<Vec<f32>>,
    /// Time from the complete request to the answer, in milliseconds.
    pub millis: f64,
}

/// The body of an error answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// A stable code, for programs.
    pub code: String,
    /// A sentence, for people.
    pub message: String,
}

impl Refusal {
    /// The code of a request with a value that cannot be used, such as labels.
    pub const INVALID: &'static str = "invalid";
}

/// What a page needs of an entry of the server's `/models`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelEntry {
    /// The name that the manifest gives.
    pub name: String,
    /// Address of the manifest: absolute, from the server's root, or relative to the page.
    pub manifest: String,
    /// Where the server answers with this model, likewise; absent where it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classify: Option<String>,
    /// [`Manifest::files`]; empty if a host does not list them.
    #[serde(default)]
    pub files: Vec<ManifestFile>,
    /// [`Manifest::label_sets`], without their names; empty if a host does not list them.
    #[serde(default)]
    pub label_sets: Vec<HostedLabels>,
}

/// An entry of the server's `/models`, with what its manifest says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HostedModel {
    /// What a page needs.
    #[serde(flatten)]
    pub entry: ModelEntry,
    /// [`Manifest::trained`].
    pub trained: bool,
    /// [`Manifest::notice`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
    /// [`Manifest::weight_format`].
    pub weight_format: WeightFormat,
}

/// A label set of a hosted model, without its names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostedLabels {
    /// [`LabelSet::key`].
    pub key: String,
    /// [`LabelSet::title`].
    pub title: String,
    /// Number of class names.
    pub n_labels: usize,
    /// SHA-256 of the class names as a JSON list, in hexadecimal digits; `None` if a host does not list it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names_sha256: Option<String>,
}

impl From<&LabelSet> for HostedLabels {
    fn from(set: &LabelSet) -> Self {
        Self {
            key: set.key.clone(),
            title: set.title.clone(),
            n_labels: set.class_names.len(),
            names_sha256: Some(names_sha256(set)),
        }
    }
}

impl HostedLabels {
    /// Whether the hosted set has the key and the class names of this one, in its order.
    pub fn has_names_of(&self, set: &LabelSet) -> bool {
        let has_size_of = (&self.key, self.n_labels) == (&set.key, set.class_names.len());
        has_size_of && self.names_sha256 == Some(names_sha256(set))
    }
}

fn names_sha256(set: &LabelSet) -> String {
    let names = serde_json::json!(set.class_names).to_string();
    format!("{:x}", Sha256::digest(names))
}

impl HostedModel {
    /// Returns the entry of a model. `address` is the manifest's, `classify` the one that answers with the model.
    pub fn new(manifest: &Manifest, address: String, classify: Option<String>) -> Self {
        Self {
            entry: ModelEntry {
                name: manifest.name.clone(),
                manifest: address,
                classify,
                files: manifest.files.clone(),
                label_sets: manifest.label_sets.iter().map(HostedLabels::from).collect(),
            },
            trained: manifest.trained,
            notice: manifest.notice.clone(),
            weight_format: manifest.weight_format,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_reads_what_a_server_lists() {
        let manifest = Manifest::from_json(crate::demo::file(Manifest::FILE_NAME).unwrap()).unwrap();
        for classify in [None, Some("/v1/classify?model=demo".to_string())] {
            let hosted = HostedModel::new(&manifest, "/models/demo/manifest.json".into(), classify);
            let json = serde_json::to_string(&hosted).unwrap();
            assert_eq!(serde_json::from_str::<ModelEntry>(&json).unwrap(), hosted.entry);
        }
    }

    #[test]
    fn label_sets_of_one_key_and_size_differ_by_their_names() {
        let set = |names: &[&str]| LabelSet {
            key: "pad".into(),
            title: String::new(),
            class_names: names.iter().map(|name| name.to_string()).collect(),
        };
        let hosted = HostedLabels::from(&set(&["nevus", "melanoma"]));
        assert!(hosted.has_names_of(&set(&["nevus", "melanoma"])));
        for other in [set(&["nevus", "acne"]), set(&["melanoma", "nevus"]), set(&["nevus"])] {
            assert!(!hosted.has_names_of(&other), "{other:?}");
        }
        let custom = LabelSet { key: LabelSet::CUSTOM.into(), ..set(&["nevus", "melanoma"]) };
        assert!(!hosted.has_names_of(&custom));
        // As earlier programs list it: without the hash.
        let unlisted: HostedLabels = serde_json::from_str(r#"{"key":"pad","title":"","n_labels":2}"#).unwrap();
        assert_eq!(unlisted, HostedLabels { names_sha256: None, ..hosted });
        assert!(!unlisted.has_names_of(&set(&["nevus", "melanoma"])));
        assert!(!serde_json::to_string(&unlisted).unwrap().contains("names_sha256"));
    }
}
