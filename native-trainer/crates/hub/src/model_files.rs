//! Where a model's files are.

use crate::names;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Paths of a model's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFiles {
    /// The model's name: `owner/name[@revision]`, the folder's name or the file's stem.
    pub name: String,
    /// `open_clip_config.json` or the `config.json` of transformers; `None` if there is none, and the caller names an
    /// architecture.
    pub config: Option<PathBuf>,
    /// Files of its pictures and its tokenizer beside the config, by their names; empty if there are none.
    pub companions: BTreeMap<String, PathBuf>,
    /// The checkpoint, the index of one in several files, or the `manifest.json` of a quantized model.
    pub weights: PathBuf,
    pub weights_kind: WeightsKind,
    /// The files of a checkpoint that is spread over several; empty for one in one file.
    pub shards: Vec<PathBuf>,
}

/// Format of the weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeightsKind {
    /// safetensors or PyTorch's pickle; the content says which.
    Checkpoint,
    /// A folder that `dermake quantize` wrote, named by its `manifest.json`.
    Quantized,
}

impl ModelFiles {
    /// The file of transformers that says how a picture becomes pixels for the model.
    pub fn preprocessor(&self) -> Option<&Path> {
        names::PREPROCESSORS.iter().find_map(|name| self.companions.get(*name)).map(PathBuf::as_path)
    }

    /// The files that hold the tensors.
    pub fn weight_files(&self) -> &[PathBuf] {
        if self.shards.is_empty() { std::slice::from_ref(&self.weights) } else { &self.shards }
    }
}
