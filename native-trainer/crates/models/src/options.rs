//! Which model, and where it computes.

use dermake_device::{DeviceChoice, Precision};

/// A model as a command's options name it.
#[derive(Clone, Debug)]
pub struct ModelOptions {
    /// `demo`, `hf-hub:owner/name`, a folder or a weights file.
    pub model: String,
    /// The architecture of a weights file without `open_clip_config.json`.
    pub arch: Option<String>,
    pub device: DeviceChoice,
    /// Precision of dense weights.
    pub dtype: Precision,
}
