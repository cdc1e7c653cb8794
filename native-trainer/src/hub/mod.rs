//! From what the user typed to model files on disk: a folder, a file, or `hf-hub:owner/name[@revision]`.
//!
//! A hub model is kept in the cache that Python's `huggingface_hub` uses, in its layout, so both
//! share one copy. [`hf_hub`] does the downloading; this module adds what it leaves open: the
//! environment's token, a check of every byte before a file takes its final name, and a way to go
//! on when the network is down.

mod cache;
mod download;
mod error;
mod local;
mod names;
mod remote;
mod settings;

use std::path::{Path, PathBuf};

pub use error::{Error, Result};
pub use settings::HubSettings;

/// What marks a model that lives on the hub.
const HUB_PREFIX: &str = "hf-hub:";

/// Where a model's files are on this disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFiles {
    /// What to call the model: `owner/name[@revision]`, the folder's name or the file's stem.
    pub name: String,
    /// `open_clip_config.json`; `None` if there is none, and the caller names an architecture.
    pub config: Option<PathBuf>,
    /// The checkpoint, or the `manifest.json` of a quantized model.
    pub weights: PathBuf,
    pub weights_kind: WeightsKind,
}

/// How the weights are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeightsKind {
    /// `.safetensors`
    Safetensors,
    /// PyTorch's `.bin`, `.pt` or `.pth`
    Pickle,
    /// A folder that `dermake quantize` wrote, named by its `manifest.json`.
    Quantized,
}

/// Finds the files of `model`, downloading them if they are on the hub and not yet in the cache.
///
/// # Errors
/// Nothing there, nothing usable there, or the hub refused, failed or could not be reached while
/// the cache has no copy.
pub fn resolve(model: &str) -> Result<ModelFiles> {
    if model.starts_with(HUB_PREFIX) {
        resolve_with(model, &HubSettings::from_env()?)
    } else {
        local::resolve(Path::new(model))
    }
}

/// As [`resolve`], with settings that the caller made instead of the environment's.
pub fn resolve_with(model: &str, settings: &HubSettings) -> Result<ModelFiles> {
    match model.strip_prefix(HUB_PREFIX) {
        Some(id) => remote::resolve(id, settings),
        None => local::resolve(Path::new(model)),
    }
}
