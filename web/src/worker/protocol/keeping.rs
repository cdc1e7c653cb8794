//! What is kept of computed features on the device.

use serde::{Deserialize, Serialize};

/// Most megabytes of features that are kept; the oldest go first.
pub const MAX_KEPT_MEGABYTES: u64 = 64;

/// What became of keeping features.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeatureKeeping {
    /// This much is kept.
    Kept { n_bytes: u64 },
    /// There is no room for more.
    Full { n_bytes: u64 },
    /// This browser keeps no files for this page.
    Unavailable,
}
