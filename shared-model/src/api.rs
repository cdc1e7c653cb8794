//! Answers of `dermake serve` below `/v1`, as JSON. Behind the feature `http`.

use crate::concepts::Presence;
use crate::zero_shot::Prediction;
use serde::{Deserialize, Serialize};

/// The server's answer to `POST /v1/classify`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Classified {
    pub model: String,
    /// Likeliest first.
    pub predictions: Vec<Prediction>,
    /// What may not be meant in the labels, in sentences.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// From the whole request at hand to the answer.
    pub millis: f64,
}

/// The server's answer to `POST /v1/annotate`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Annotated {
    pub model: String,
    /// The most present first.
    pub concepts: Vec<Presence>,
    /// What may not be meant in the concepts, in sentences.
    #[serde(default)]
    pub warnings: Vec<String>,
    pub millis: f64,
}

/// The server's answer to `POST /v1/embed`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Embedded {
    pub model: String,
    /// One for each image or text, in the order of the request.
    pub embeddings: Vec<Embedding>,
    pub millis: f64,
}

/// A feature of unit length.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Embedding {
    Values(Vec<f32>),
    /// The values as little-endian f32, in base64.
    Base64(String),
}

/// The server's answer to `POST /v1/similarity`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    pub model: String,
    /// A row for each image, in it a cosine for each text.
    pub cosines: Vec<Vec<f32>>,
    pub millis: f64,
}

/// Why the server does not answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// For programs; it stays.
    pub code: String,
    /// For people.
    pub message: String,
}
