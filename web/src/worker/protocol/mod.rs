//! Messages between the page and its worker.
//!
//! Messages are JSON, each with the id of the request that it belongs to. Pictures are sent with them as a `Blob`: the
//! photo, which the page never decodes, to the worker, and its preview to the page. A worker loads one model; another
//! model needs another worker.

pub mod arguments;
mod computed;
mod keeping;
mod model_info;
mod progress;
mod unreadable;

pub use computed::{Computed, Engine};
pub use keeping::{FeatureKeeping, MAX_KEPT_MEGABYTES};
pub use model_info::ModelInfo;
pub use progress::{Progress, Stage};
pub use unreadable::Unreadable;

use crate::crop::{Crop, PhotoSize};
use crate::error::Error;
use serde::{Deserialize, Serialize};
use shared_model::SimilarityMap;
use shared_model::calibration::Certainty;
use shared_model::concepts::Presence;
use shared_model::labels::LabelSet;
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
        /// Whether the answer comes with the photo's feature. The server sends none.
        #[serde(default)]
        wants_feature: bool,
    },
    /// Scores concepts for a photo. Sent with the photo's `Blob`.
    Annotate {
        photo_id: PhotoId,
        /// `None` for the whole photo.
        crop: Option<Crop>,
        /// Names of the concepts; none means all known ones.
        concepts: Vec<String>,
    },
    /// Maps where a photo is like a text. Sent with the photo's `Blob`.
    Map {
        photo_id: PhotoId,
        /// `None` for the whole photo.
        crop: Option<Crop>,
        /// One of the labels, or other words.
        text: String,
        /// What they have in common marks no place.
        labels: LabelSet,
    },
    /// Encodes a photo. Sent with the photo's `Blob`.
    Embed {
        photo_id: PhotoId,
        /// `None` for the whole photo.
        crop: Option<Crop>,
    },
    /// Encodes texts.
    EmbedTexts { texts: Vec<String> },
    /// Keeps features on the device from now on, and uses those that are kept; or keeps none, and deletes what is kept. Does
    /// not supersede the current request.
    KeepFeatures { keeps: bool },
    /// Keeps a feature that was computed before. Sent with the photo's `Blob`.
    KeepFeature { feature: Vec<f32> },
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
    ManifestRead { model: Box<ModelInfo> },
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
        /// Whether to believe them; `None` if the model is not calibrated for these labels.
        certainty: Option<Certainty>,
        /// How long it took.
        millis: f64,
        /// When it was finished, in milliseconds since 1970.
        finished_at: f64,
        computed: Computed,
        /// The photo's feature of unit length, if it was wanted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        feature: Option<Vec<f32>>,
    },
    /// The scores of the concepts, the highest first.
    Concepts { concepts: Vec<Presence> },
    /// Where the photo is like the text of the request.
    Mapped {
        map: SimilarityMap,
        /// How long it took.
        millis: f64,
    },
    /// Features of unit length: of a photo, or of each text.
    Features { features: Vec<Vec<f32>> },
    /// The feature of a [`Request::KeepFeature`] is kept, if that was possible.
    FeatureKept,
    /// What became of keeping features. Belongs to no request.
    Keeping(FeatureKeeping),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_survive_serialization() {
        let labels = LabelSet::from_text("acne, eczema").unwrap();
        let request = Envelope {
            request_id: 7,
            body: Request::Classify {
                photo_id: 3,
                crop: None,
                labels,
                top_k: 5,
                is_shown: true,
                wants_feature: true,
            },
        };
        let json = serde_json::to_string(&request).unwrap();
        assert_eq!(serde_json::from_str::<Envelope<Request>>(&json).unwrap(), request);

        let prediction = Prediction { label: "acne".into(), probability: 0.123_456_79, logit: 23.4 };
        let certainty = Certainty { unsure: true, none_of_these: false, match_score: -1.25, match_threshold: -2.0 };
        let replies = [
            Reply::Started { n_threads: 2 },
            Reply::Progress(Progress { stage: Stage::Download, done: 1, total: 2 }),
            Reply::Predictions {
                predictions: vec![prediction],
                certainty: Some(certainty),
                millis: 1.5,
                finished_at: 1.7e12,
                computed: Computed { by: Engine::Webgpu, note: None },
                feature: Some(vec![0.1, -1.0 / 3.0]),
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
        assert!(
            include_str!("../../../worker_loader.js").contains(&format!("postMessage(['{reply}'])")),
            "{reply}"
        );
    }
}
