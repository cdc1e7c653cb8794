//! The manifest of a model folder, to add to it.

use anyhow::{Context, Result, bail};
use dermake_files::lock::Lock;
use dermake_files::output::replace_file;
use dermake_hub::{WeightsKind, demo_model};
use shared_model::manifest::Manifest;
use std::path::{Path, PathBuf};

/// Reads the manifest of the demo model or of a quantized model.
///
/// # Errors
/// If the model has none, or it is not valid.
pub fn manifest_of(model: &str) -> Result<Manifest> {
    if demo_model::is_name(model) {
        return Ok(Manifest::from_json(&demo_model::read(Manifest::FILE_NAME)?)?);
    }
    let files = dermake_hub::resolve(model)?;
    if files.weights_kind != WeightsKind::Quantized {
        bail!("the model has no manifest, expected a folder of `dermake quantize`: {}", files.weights.display());
    }
    let folder = files.weights.parent().unwrap_or(Path::new("."));
    read(&folder.join(Manifest::FILE_NAME))
}

fn read(path: &Path) -> Result<Manifest> {
    let json = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Manifest::from_json(&json).with_context(|| format!("in {}", path.display()))
}

/// A folder of `dermake quantize` on this disk, locked so that no two commands change its manifest.
pub struct ManifestFolder {
    path: PathBuf,
    _lock: Lock,
}

impl ManifestFolder {
    /// Opens the folder of a model, named by itself or by its manifest; `None` for a model that has no manifest to
    /// write to: the demo model, one of the hub, or a checkpoint.
    ///
    /// # Errors
    /// If the folder cannot be written to, or another command is changing it.
    pub fn open(model: &str) -> Result<Option<Self>> {
        let Some(path) = dermake_hub::path_of(model).filter(|_| !demo_model::is_name(model)) else {
            return Ok(None);
        };
        let is_manifest = path.file_name().is_some_and(|name| name == Manifest::FILE_NAME);
        let path = if is_manifest { path } else { path.join(Manifest::FILE_NAME) };
        if !path.is_file() {
            return Ok(None);
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Ok(Some(Self { _lock: Lock::of_folder(folder)?, path }))
    }

    /// Path of the manifest.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the manifest.
    ///
    /// # Errors
    /// If it cannot be read or is not valid.
    pub fn read(&self) -> Result<Manifest> {
        read(&self.path)
    }

    /// Changes the manifest, whole or not at all.
    ///
    /// # Errors
    /// If it cannot be read or written, or is not valid before or after the change.
    pub fn change(&self, change: impl FnOnce(&mut Manifest)) -> Result<()> {
        let mut manifest = self.read()?;
        change(&mut manifest);
        let json = serde_json::to_vec_pretty(&manifest)?;
        Manifest::from_json(&json).with_context(|| format!("in {}", self.path.display()))?;
        replace_file(&self.path, &json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_command_at_a_time_changes_a_manifest_and_nothing_else_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(Manifest::FILE_NAME);
        let before = demo_model::read(Manifest::FILE_NAME).unwrap();
        std::fs::write(&path, &before).unwrap();
        let opened = ManifestFolder::open(folder.path().to_str().unwrap()).unwrap().unwrap();
        assert!(ManifestFolder::open(path.to_str().unwrap()).is_err(), "it is locked");
        opened.change(|manifest| manifest.notice = Some("Changed.".into())).unwrap();
        let changed = Manifest::from_json(&std::fs::read(&path).unwrap()).unwrap();
        let before = Manifest::from_json(&before).unwrap();
        assert_eq!(changed, Manifest { notice: Some("Changed.".into()), ..before });
        let damaged = opened.change(|manifest| manifest.format = "other/1".into());
        assert!(format!("{:#}", damaged.unwrap_err()).contains("manifest.json"));
        assert_eq!(Manifest::from_json(&std::fs::read(&path).unwrap()).unwrap(), changed);
        drop(opened);
        let typed = folder.path().to_str().unwrap();
        for model in [path.to_str().unwrap(), &format!("local-dir:{typed}"), &format!("file://{typed}")] {
            assert!(ManifestFolder::open(model).unwrap().is_some(), "{model}");
        }
        for model in ["demo", "hf-hub:ada/skin"] {
            assert!(ManifestFolder::open(model).unwrap().is_none(), "{model}");
        }
    }
}
