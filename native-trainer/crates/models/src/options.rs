//! Which model, and where it computes.

use crate::{load, load_on_wgpu};
use anyhow::Result;
use dermake_device::{DeviceChoice, Precision, placement};
use shared_model::ZeroShotModel;

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

impl ModelOptions {
    /// Loads the model; returns it and its name.
    ///
    /// # Errors
    /// When the device cannot be used, or as [`load`].
    pub fn load(&self) -> Result<(ZeroShotModel, String)> {
        let Self { model, arch, device, dtype } = self;
        match device {
            DeviceChoice::Wgpu(index) => load_on_wgpu(model, arch.as_deref(), *index),
            device => load(model, arch.as_deref(), &placement(*device, *dtype)?),
        }
    }
}
