//! What a visitor sees of the page's state: the models on offer, what goes on, the photo, the labels, the answer.

use crate::error::Error;
use crate::worker::protocol::{PhotoId, Progress};
use serde::Deserialize;
use shared_model::api::Prediction;

/// A model on offer: one entry of the server's list.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ModelEntry {
    pub name: String,
    /// Address of the manifest, absolute or relative to the page.
    pub manifest: String,
    /// Where the server answers with this model, absolute or relative to the page; absent where it does not.
    #[serde(default)]
    pub classify: Option<String>,
}

/// What the page and its worker are at.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Phase {
    #[default]
    Idle,
    /// The model is on its way.
    Loading(Option<Progress>),
    /// The model waits for a photo or for labels.
    Ready,
    Classifying(Option<Progress>),
    Failed(Error),
}

/// A chosen photo, whose bytes are elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Photo {
    pub id: PhotoId,
    pub name: String,
}

/// Which labels to choose among.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LabelChoice {
    /// A set of the model, by its key.
    Shipped(String),
    /// The visitor's own.
    Own,
}

/// Ranked answers for the photo on the screen.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub predictions: Vec<Prediction>,
    pub millis: f64,
}
