//! The JSON answers of `dermake serve` below `/v1`. Needs the feature `http`.

use crate::concepts::Presence;
use crate::zero_shot::Prediction;
use serde::{Deserialize, Serialize};

/// The answer to `POST /v1/classify`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Classified {
    /// Name of the model.
    pub model: String,
    /// The labels by descending probability.
    pub predictions: Vec<Prediction>,
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
    pub concepts: Vec<Presence>,
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
