//! Messages between the page and its worker.
//!
//! They cross as JSON, each under the id of the request it belongs to. Pictures go beside them as a `Blob`: to the worker
//! the photo, which the page never decodes, and back its preview. A worker loads one model in its life: another model is
//! another worker.

use crate::error::Error;
use serde::{Deserialize, Serialize};
use shared_model::labels::LabelSet;
use shared_model::manifest::Manifest;
use shared_model::zero_shot::Prediction;

/// Grows with every request; what answers an older one is ignored.
pub type RequestId = u32;

/// Tells photos apart, so that the worker looks at each only once.
pub type PhotoId = u32;

/// A message and the request it makes or answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Envelope<T> {
    pub request_id: RequestId,
    pub body: T,
}

/// What the page asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Request {
    /// The first message to a worker.
    Load {
        /// Absolute.
        manifest_url: String,
        /// The other models on offer, whose files are kept too.
        other_manifest_urls: Vec<String>,
        /// Where to send photos, instead of fetching weights: there only if the visitor chose so. Absolute.
        classify_url: Option<String>,
    },
    /// Goes with the photo's `Blob`.
    Classify { photo_id: PhotoId, labels: LabelSet, top_k: usize },
    /// Goes with the photo's `Blob`, while the model is still loading. It is answered under the photo's id, beside
    /// whatever else goes on.
    OpenPhoto { photo_id: PhotoId },
}

/// What the worker says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reply {
    /// Its start goes on; this answers no request. `worker_loader.js` says it too.
    Starting,
    /// It listens, and computes on so many threads; this answers no request.
    Started { n_threads: usize },
    /// The manifest is read, and the weights are on their way.
    Opened { model: ModelInfo },
    /// Something goes on.
    Progress(Progress),
    /// The model answers from now on.
    Ready {
        /// Whether the browser keeps the weights for the next visit.
        is_kept: bool,
    },
    /// The browser keeps the text part too, which only the visitor's own labels need; this answers no request.
    TextKept,
    /// Likeliest first.
    Predictions { predictions: Vec<Prediction>, millis: f64 },
    /// The photo is decoded; comes with its preview's `Blob`. This answers no request.
    PhotoOpened { photo_id: PhotoId },
    /// The photo of an [`Request::OpenPhoto`] could not be opened.
    PhotoRefused { photo_id: PhotoId, error: Error },
    /// The request came to nothing.
    Failed { error: Error },
}

/// What the page shows of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelInfo {
    pub name: String,
    pub is_trained: bool,
    /// What people must know of it before they trust it.
    pub notice: Option<String>,
    /// Those whose classifiers are shipped.
    pub label_sets: Vec<LabelSet>,
}

impl From<&Manifest> for ModelInfo {
    fn from(manifest: &Manifest) -> Self {
        Self {
            name: manifest.name.clone(),
            is_trained: manifest.trained,
            notice: manifest.notice.clone(),
            label_sets: manifest.label_sets.clone(),
        }
    }
}

impl ModelInfo {
    /// The notice to show: none where the weights are untrained, which is shown in its place and says more.
    pub fn shown_notice(&self) -> Option<&str> {
        self.notice.as_deref().filter(|_| self.is_trained)
    }
}

/// How far something is that takes a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    pub stage: Stage,
    /// Bytes or labels.
    pub done: u64,
    pub total: u64,
}

/// What takes a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Bytes from the server.
    Download,
    /// Bytes from the browser's own store.
    Reopen,
    /// The visitor's own labels through the text tower.
    Labels,
}

impl Progress {
    /// `12.3 of 88.1 MB`, `3 of 8 labels`.
    pub fn amount(&self) -> String {
        let megabytes = |bytes: u64| bytes as f64 / 1e6;
        match self.stage {
            Stage::Download | Stage::Reopen => {
                format!("{:.1} of {:.1} MB", megabytes(self.done), megabytes(self.total))
            }
            Stage::Labels => format!("{} of {} labels", self.done, self.total),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_survive_the_wire() {
        let labels = LabelSet::from_text("acne, eczema").unwrap();
        let request = Envelope { request_id: 7, body: Request::Classify { photo_id: 3, labels, top_k: 5 } };
        let json = serde_json::to_string(&request).unwrap();
        assert_eq!(serde_json::from_str::<Envelope<Request>>(&json).unwrap(), request);

        let prediction = Prediction { label: "acne".into(), probability: 0.123_456_79, logit: 23.4 };
        let replies = [
            Reply::Started { n_threads: 2 },
            Reply::Progress(Progress { stage: Stage::Download, done: 1, total: 2 }),
            Reply::Predictions { predictions: vec![prediction], millis: 1.5 },
            Reply::Failed { error: Error::NotAnImage },
        ];
        for body in replies {
            let reply = Envelope { request_id: 7, body };
            let json = serde_json::to_string(&reply).unwrap();
            assert_eq!(serde_json::from_str::<Envelope<Reply>>(&json).unwrap(), reply);
        }
    }

    #[test]
    fn the_worker_tells_that_it_starts_before_its_program_is_there() {
        let reply = serde_json::to_string(&Envelope { request_id: 0, body: Reply::Starting }).unwrap();
        assert!(include_str!("../../worker_loader.js").contains(&format!("postMessage(['{reply}'])")), "{reply}");
    }

    #[test]
    fn the_page_shows_one_warning_of_a_model() {
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
    fn amounts_are_for_people() {
        let amount = |stage, done, total| Progress { stage, done, total }.amount();
        assert_eq!(amount(Stage::Download, 12_345_678, 88_100_000), "12.3 of 88.1 MB");
        assert_eq!(amount(Stage::Labels, 3, 8), "3 of 8 labels");
    }
}
