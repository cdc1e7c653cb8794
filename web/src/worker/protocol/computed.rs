//! What computed an answer.

use serde::{Deserialize, Serialize};

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
    /// This device, earlier: the feature was kept.
    Kept,
}

impl Engine {
    /// Returns the name, as in the page's address and in `data-engine`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wasm => "wasm",
            Self::Webgpu => "webgpu",
            Self::Server => "server",
            Self::Kept => "kept",
        }
    }
}
