//! How far the work is that a visitor waits for.

use serde::{Deserialize, Serialize};

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
    /// Keeping the features of photos of a table.
    Features,
    /// Encoding own labels with the text tower.
    Labels,
    /// Encoding the sentences of concepts with the text tower.
    Concepts,
}
