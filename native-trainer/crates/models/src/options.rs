//! Which model, and where it computes.

use crate::{LoadedModel, open, open_on_wgpu};
use anyhow::Result;
use dermake_device::{DeviceChoice, Precision, placement};
use dermake_hub::demo_model;
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
    /// As [`Self::open`].
    pub fn load(&self) -> Result<(ZeroShotModel, String)> {
        let LoadedModel { model, name, .. } = self.open()?;
        Ok((model, name))
    }

    /// Loads the model; returns also what it was loaded from.
    ///
    /// # Errors
    /// When the device cannot be used, or as [`load`](crate::load).
    pub fn open(&self) -> Result<LoadedModel> {
        let Self { model, arch, device, dtype } = self;
        match device {
            DeviceChoice::Wgpu(index) => open_on_wgpu(model, arch.as_deref(), *index),
            device => open(model, arch.as_deref(), &placement(*device, *dtype)?),
        }
    }

    /// Returns the same options with the model's path from the root, so that they name the same files when the current
    /// folder is another one. The demo model and models of the hub keep their names.
    pub fn absolute(&self) -> Self {
        let path = dermake_hub::path_of(&self.model).filter(|_| !demo_model::is_name(&self.model));
        let path = path.and_then(|path| std::path::absolute(path).ok());
        let path = path.and_then(|path| path.into_os_string().into_string().ok());
        Self { model: path.unwrap_or_else(|| self.model.clone()), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_are_made_absolute() {
        let absolute = |model: &str| {
            let (device, dtype) = ("cpu".parse().unwrap(), "f32".parse().unwrap());
            ModelOptions { model: model.into(), arch: None, device, dtype }.absolute().model
        };
        for name in ["demo", "hf-hub:ada/skin"] {
            assert_eq!(absolute(name), name);
        }
        let here = std::env::current_dir().unwrap();
        for typed in ["a/b", "local-dir:a/b"] {
            assert_eq!(absolute(typed), here.join("a/b").to_str().unwrap(), "{typed}");
        }
    }
}
