//! The config of a checkpoint from its files: which library wrote them, and what their tensors add.

use super::section::{Section, config_error, parse};
use super::tensors::Tensors;
use super::{ClipConfig, PreprocessConfig, open_clip, transformers};
use crate::Result;
use serde_json::Value;
use std::collections::BTreeMap;

/// The JSON files that describe a checkpoint, in their bytes.
#[derive(Clone, Copy, Debug)]
pub struct ConfigFiles<'a> {
    /// `open_clip_config.json`, or the `config.json` of transformers.
    pub config: &'a [u8],
    /// `config.json` of the text tower, where an open_clip config names one ([`NamedFiles::text_model`]).
    pub text: Option<&'a [u8]>,
    /// `preprocessor_config.json` of transformers.
    pub preprocessor: Option<&'a [u8]>,
}

/// What a config needs beside itself and the weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedFiles {
    /// The repository whose `config.json` describes the text tower (`hf_model_name`).
    pub text_model: Option<String>,
    /// Whether the model has files of its own for its tokenizer or its image processor.
    pub has_own_files: bool,
}

impl NamedFiles {
    /// Reads the names from a config of open_clip or transformers.
    ///
    /// # Errors
    /// [`crate::Error::ConfigJson`] or [`crate::Error::ForeignFile`] for a file that is not JSON.
    pub fn of(config: &[u8]) -> Result<Self> {
        let root = parse(config)?;
        let text = root.get("model_cfg").unwrap_or(&root).get("text_cfg");
        let named = |field: &str| Some(text?.get(field)?.as_str()?.to_string());
        let text_model = named("hf_model_name");
        let has_tokenizer = text_model.is_some() || named("hf_tokenizer_name").is_some();
        Ok(Self { text_model, has_own_files: has_tokenizer || root.get("model_type").is_some() })
    }
}

impl ClipConfig {
    /// Reads the config of a checkpoint. Sizes that its files leave open are those of the checkpoint's tensors, of
    /// which `shapes` has the names in the file and the sides.
    ///
    /// # Errors
    /// [`crate::Error::ConfigJson`] for bad JSON; [`crate::Error::Config`] naming the first field that cannot be
    /// honored, or the `model_type` of a model of another kind; [`crate::Error::Weights`] for a tensor whose shape is
    /// needed and missing.
    pub fn from_files(files: &ConfigFiles, shapes: BTreeMap<&str, Vec<usize>>) -> Result<Self> {
        let root = parse(files.config)?;
        let tensors = Tensors { shapes, text_config: files.text };
        if root.get("format").is_some() {
            return Self::from_json(files.config);
        }
        if root.get("model_cfg").is_some() || root.get("vision_cfg").is_some() {
            return open_clip::config(&Section::new("", &root)?, Some(&tensors));
        }
        match root.get("model_type").and_then(Value::as_str) {
            Some(model_type) => {
                let mut config = transformers::config(model_type, &Section::new("", &root)?)?;
                if let Some(json) = files.preprocessor {
                    config.preprocess = PreprocessConfig::from_preprocessor_json(json, &config.preprocess)?;
                }
                config.checked()
            }
            None => {
                Err(config_error("model_cfg", "absent", "the fields of open_clip, or transformers' `model_type`"))
            }
        }
    }
}
