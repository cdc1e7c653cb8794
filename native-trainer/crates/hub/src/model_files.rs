//! Where a model's files are.

use crate::names;
use shared_model::config::NamedFiles;
use shared_model::tokenizer::Tokenizer;
use std::collections::BTreeMap;
use std::fs;
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
    /// Files beside these that could have been taken: another library's config and weights, where a folder has both
    /// configs. Empty otherwise.
    pub passed_over: Vec<String>,
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

    /// Returns whether the model has files of its own beside the config and lacks one that it may need: a vocabulary,
    /// or what transformers writes of its pictures.
    pub(super) fn may_lack_companions(&self) -> bool {
        let Some(config) = self.config.as_deref().filter(|config| names_own_files(config)) else { return false };
        let has_vocabulary = Tokenizer::VOCABULARIES.iter().any(|name| self.companions.contains_key(*name));
        let describes_pictures = config.ends_with(names::OPEN_CLIP_CONFIG) || self.preprocessor().is_some();
        !has_vocabulary || !describes_pictures
    }

    /// The files that hold the tensors.
    pub fn weight_files(&self) -> &[PathBuf] {
        if self.shards.is_empty() { std::slice::from_ref(&self.weights) } else { &self.shards }
    }
}

/// Returns whether a model with this config has files of its own for its tokenizer or its image processor. A config
/// that cannot be read is told of when the model is loaded.
pub(super) fn names_own_files(config: &Path) -> bool {
    let json = fs::read(config).unwrap_or_default();
    NamedFiles::of(&json).is_ok_and(|named| named.has_own_files)
}
