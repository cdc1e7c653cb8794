//! The config of a checkpoint from its files: which library wrote them, and what their tensors add.

use super::section::{Section, config_error};
use super::{ClipConfig, PreprocessConfig, open_clip, transformers};
use crate::foreign::json_text;
use crate::{Error, Result};
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
    /// [`Error::ConfigJson`] or [`Error::ForeignFile`] for a file that is not JSON.
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
    /// Reads the config of a checkpoint. Sizes that its files leave open are those of the checkpoint's tensors, of which
    /// `shapes` has the names in the file and the sides.
    ///
    /// # Errors
    /// [`Error::ConfigJson`] for bad JSON; [`Error::Config`] naming the first field that cannot be honored, or the
    /// `model_type` of a model of another kind; [`Error::Weights`] for a tensor whose shape is needed and missing.
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

pub(super) fn parse(json: &[u8]) -> Result<Value> {
    serde_json::from_str(json_text(json, "the JSON of a model config")?).map_err(Error::ConfigJson)
}

/// What a checkpoint's tensors say of a tower that its config does not describe.
pub(super) struct Tensors<'a> {
    pub shapes: BTreeMap<&'a str, Vec<usize>>,
    /// `config.json` of the text tower.
    pub text_config: Option<&'a [u8]>,
}

/// The width of a head in all published models whose files do not say it.
const HEAD_WIDTH: usize = 64;

impl Tensors<'_> {
    pub fn has(&self, name: &str) -> bool {
        self.shapes.contains_key(name)
    }

    /// The sides of a tensor.
    pub fn shape<const N: usize>(&self, name: &str) -> Result<[usize; N]> {
        let shape = self.shapes.get(name);
        let shape = shape.ok_or_else(|| Error::Weights { detail: format!("tensor {name} is missing") })?;
        shape[..]
            .try_into()
            .map_err(|_| Error::Weights { detail: format!("tensor {name} is {shape:?}, expected {N} sides") })
    }

    /// How many layers there are: the layer after the highest one whose keys begin with `prefix` and a number.
    pub fn layers(&self, prefix: &str) -> usize {
        let number = |name: &&str| name.strip_prefix(prefix)?.split('.').next()?.parse::<usize>().ok();
        self.shapes.keys().filter_map(|name| number(name)).max().map_or(0, |last| last.saturating_add(1))
    }

    /// The number of heads of a tower whose files do not say it: each 64 wide, or one where the tower is narrower.
    pub fn heads(field: &str, width: usize) -> Result<usize> {
        match width.max(HEAD_WIDTH) {
            width if width.is_multiple_of(HEAD_WIDTH) => Ok(width / HEAD_WIDTH),
            _ => {
                let found = format!("absent, and the width of its tower is {width}");
                Err(config_error(field, found, &format!("heads that are {HEAD_WIDTH} wide")))
            }
        }
    }
}
