//! Messages between the page and its worker.
//!
//! Messages are JSON, each with the id of the request that it belongs to. Pictures are sent with them as a `Blob`: the
//! photo, which the page never decodes, to the worker, and its preview to the page. A worker loads one model; another
//! model needs another worker.

use crate::crop::{Crop, PhotoSize};
use crate::error::Error;
use serde::{Deserialize, Serialize};
use shared_model::concepts::Presence;
use shared_model::labels::LabelSet;
use shared_model::manifest::{Manifest, ManifestFile};
use shared_model::preprocess::PhotoQuality;
use shared_model::zero_shot::Prediction;

/// Id of a request, greater than those before. Replies to any but the latest request are ignored.
pub type RequestId = u32;

/// Id of a photo, by which the worker recognizes one that it has encoded.
pub type PhotoId = u32;

/// A message with the id of its request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Envelope<T> {
    pub request_id: RequestId,
    pub body: T,
}

/// A request of the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Loads a model. The first request to a worker.
    Load {
        /// Absolute URL.
        manifest_url: String,
        /// Manifests of the other models, whose stored files are kept.
        other_manifest_urls: Vec<String>,
        /// Absolute URL for inference on the server; `None` unless the visitor chose it.
        classify_url: Option<String>,
        /// Whether the page loads it, and not the JavaScript package. The page shows previews, and its origin's storage
        /// has no other models than its own, so that unused ones are removed.
        #[serde(default)]
        is_page: bool,
    },
    /// Ranks labels for a photo. Sent with the photo's `Blob`.
    Classify {
        photo_id: PhotoId,
        /// `None` for the whole photo.
        crop: Option<Crop>,
        labels: LabelSet,
        top_k: usize,
        /// Whether the page shows the photo, and so needs pictures of it.
        is_shown: bool,
    },
    /// Scores concepts for a photo. Sent with the photo's `Blob`.
    Annotate {
        photo_id: PhotoId,
        /// `None` for the whole photo.
        crop: Option<Crop>,
        /// Names of the concepts; none means all known ones.
        concepts: Vec<String>,
    },
    /// Encodes a photo. Sent with the photo's `Blob`.
    Embed {
        photo_id: PhotoId,
        /// `None` for the whole photo.
        crop: Option<Crop>,
    },
    /// Encodes texts.
    EmbedTexts { texts: Vec<String> },
    /// Decodes a photo before it can be classified. Sent with the photo's `Blob`. Does not supersede the current request.
    DecodePhoto { photo_id: PhotoId },
}

/// A message of the worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// The start makes progress. Belongs to no request. `worker_loader.js` sends it, too.
    Starting,
    /// The worker accepts requests. Belongs to no request.
    Started { n_threads: usize },
    /// The manifest has been read, and the weights are being fetched.
    ManifestRead { model: ModelInfo },
    /// Progress of the request.
    Progress(Progress),
    /// The model is loaded.
    Ready {
        /// Whether the browser has stored the weights for the next visit.
        is_stored: bool,
    },
    /// The browser has stored the text part, too, which only own labels need. Belongs to no request.
    TextStored,
    /// The ranked labels, the most likely first.
    Predictions {
        predictions: Vec<Prediction>,
        /// How long it took.
        millis: f64,
        /// When it was finished, in milliseconds since 1970.
        finished_at: f64,
        computed: Computed,
    },
    /// The scores of the concepts, the highest first.
    Concepts { concepts: Vec<Presence> },
    /// Features of unit length: of a photo, or of each text.
    Features { features: Vec<Vec<f32>> },
    /// The photo is decoded. Sent with the `Blob` of its preview. Belongs to no request.
    PhotoDecoded {
        photo_id: PhotoId,
        size: PhotoSize,
        /// Quality of the whole photo, scaled down.
        quality: PhotoQuality,
    },
    /// The pixels that the model is given. Sent with them as a picture, for a crop before its answer; for a whole photo
    /// perhaps after it. Belongs to no request.
    PhotoViewed {
        photo_id: PhotoId,
        crop: Option<Crop>,
        /// Width and height, in pixels.
        side: u32,
        quality: PhotoQuality,
    },
    /// The photo of a [`Request::DecodePhoto`] could not be decoded.
    PhotoRefused { photo_id: PhotoId, error: Error },
    /// The request failed.
    Failed { error: Error },
    /// A request of the JavaScript package failed; with the sentence for people.
    Rejected { error: Error, message: String },
}

/// What computed a photo's feature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Computed {
    pub by: Engine,
    /// Why the GPU did not, in a sentence, if it failed.
    pub note: Option<String>,
}

/// What can compute a photo's feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// The processor of this device.
    Wasm,
    /// The GPU of this device.
    Webgpu,
    /// The server, because the visitor chose it.
    Server,
}

impl Engine {
    /// Returns the name, as in the page's address and in `data-engine`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wasm => "wasm",
            Self::Webgpu => "webgpu",
            Self::Server => "server",
        }
    }

    /// Returns where the answer was computed, for the visitor.
    pub fn place(self) -> &'static str {
        match self {
            Self::Wasm => "on this device",
            Self::Webgpu => "on this device's GPU",
            Self::Server => "on the server",
        }
    }
}

/// The parts of a manifest that the page shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct ModelInfo {
    pub name: String,
    pub is_trained: bool,
    /// A warning about the model.
    pub notice: Option<String>,
    /// The label sets whose classifiers are shipped with the model.
    pub label_sets: Vec<LabelSet>,
    /// Format of the big matrices, such as `int8`.
    pub weight_format: String,
    /// Side of the square that the model sees, in pixels; `None` if this version does not know the model's config.
    pub image_size: Option<usize>,
    /// The model's files, with their hashes.
    pub files: Vec<ManifestFile>,
}

impl From<&Manifest> for ModelInfo {
    fn from(manifest: &Manifest) -> Self {
        Self {
            name: manifest.name.clone(),
            is_trained: manifest.trained,
            notice: manifest.notice.clone(),
            label_sets: manifest.label_sets.clone(),
            weight_format: manifest.weight_format.name().into(),
            image_size: manifest.clip_config().ok().map(|config| config.preprocess.image_size),
            files: manifest.files.clone(),
        }
    }
}

impl ModelInfo {
    /// The notice to show; `None` if the weights are untrained, which has a warning of its own.
    pub fn shown_notice(&self) -> Option<&str> {
        self.notice.as_deref().filter(|_| self.is_trained)
    }
}

/// Progress of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub struct Progress {
    pub stage: Stage,
    /// In bytes or labels.
    pub done: u64,
    pub total: u64,
}

/// A stage of the work that takes a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
pub enum Stage {
    /// Downloading bytes from the server.
    Download,
    /// Reading bytes from the browser's storage.
    ReadStored,
    /// Classifying the photos of a table.
    Photos,
    /// Encoding own labels with the text tower.
    Labels,
    /// Encoding the sentences of concepts with the text tower.
    Concepts,
}

impl Progress {
    /// Formats the amount: `12.3 of 88.1 MB`, `3 of 8 labels`.
    pub fn amount(&self) -> String {
        let megabytes = |bytes: u64| bytes as f64 / 1e6;
        match self.stage {
            Stage::Download | Stage::ReadStored => {
                format!("{:.1} of {:.1} MB", megabytes(self.done), megabytes(self.total))
            }
            Stage::Photos => format!("{} of {} photos", self.done, self.total),
            Stage::Labels => format!("{} of {} labels", self.done, self.total),
            Stage::Concepts => format!("{} of {} sentences", self.done, self.total),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_survive_serialization() {
        let labels = LabelSet::from_text("acne, eczema").unwrap();
        let request = Envelope {
            request_id: 7,
            body: Request::Classify { photo_id: 3, crop: None, labels, top_k: 5, is_shown: true },
        };
        let json = serde_json::to_string(&request).unwrap();
        assert_eq!(serde_json::from_str::<Envelope<Request>>(&json).unwrap(), request);

        let prediction = Prediction { label: "acne".into(), probability: 0.123_456_79, logit: 23.4 };
        let replies = [
            Reply::Started { n_threads: 2 },
            Reply::Progress(Progress { stage: Stage::Download, done: 1, total: 2 }),
            Reply::Predictions {
                predictions: vec![prediction],
                millis: 1.5,
                finished_at: 1.7e12,
                computed: Computed { by: Engine::Webgpu, note: None },
            },
            Reply::Failed { error: Error::NotAnImage },
        ];
        for body in replies {
            let reply = Envelope { request_id: 7, body };
            let json = serde_json::to_string(&reply).unwrap();
            assert_eq!(serde_json::from_str::<Envelope<Reply>>(&json).unwrap(), reply);
        }
    }

    #[test]
    fn the_loader_script_sends_the_starting_message() {
        let reply = serde_json::to_string(&Envelope { request_id: 0, body: Reply::Starting }).unwrap();
        assert!(include_str!("../../worker_loader.js").contains(&format!("postMessage(['{reply}'])")), "{reply}");
    }

    #[test]
    fn the_page_shows_at_most_one_warning_about_a_model() {
        let model = |trained: bool, notice: serde_json::Value| {
            let manifest = serde_json::json!({
                "format": Manifest::FORMAT, "name": "m", "trained": trained, "notice": notice,
                "weight_format": "int8", "config": {}, "files": [], "label_sets": [], "templates": [],
            });
            ModelInfo::from(&Manifest::from_json(manifest.to_string().as_bytes()).unwrap())
        };
        assert_eq!(model(true, "Drawn.".into()).shown_notice(), Some("Drawn."));
        assert_eq!(model(true, serde_json::Value::Null).shown_notice(), None);
        assert_eq!(model(false, "Drawn.".into()).shown_notice(), None);
    }

    #[test]
    fn amounts_have_units() {
        let amount = |stage, done, total| Progress { stage, done, total }.amount();
        assert_eq!(amount(Stage::Download, 12_345_678, 88_100_000), "12.3 of 88.1 MB");
        assert_eq!(amount(Stage::Labels, 3, 8), "3 of 8 labels");
    }
}
