//! [`ClipConfig`] as JSON: open_clip's form where that describes the model, else our own.

use super::ClipConfig;
use super::section::config_error;
use crate::foreign::json_text;
use crate::{Error, Result};
use serde_json::{Value, json};

/// What the field `format` of our own form says.
const FORMAT: &str = "dermake-config/1";

impl ClipConfig {
    /// Reads what [`Self::to_json`] writes, and every config of open_clip that describes its towers itself.
    ///
    /// # Errors
    /// [`Error::ConfigJson`] for bad JSON; [`Error::Config`] naming the first field that cannot be honored.
    pub fn from_json(json: &[u8]) -> Result<Self> {
        let text = json_text(json, "the JSON of a model config")?;
        let mut root: Value = serde_json::from_str(text).map_err(Error::ConfigJson)?;
        let Some(format) = root.as_object_mut().and_then(|fields| fields.remove("format")) else {
            return Self::from_open_clip_json(json);
        };
        if format != FORMAT {
            return Err(config_error("format", format, FORMAT));
        }
        let config: Self =
            serde_json::from_value(root).map_err(|err| config_error("config", err, "a config of ours"))?;
        config.checked()
    }

    /// The JSON that [`Self::from_json`] reads back as `self`: `open_clip_config.json` for a plain model.
    pub fn to_json(&self) -> Value {
        if self.is_plain() {
            return self.to_open_clip_json();
        }
        let mut json = json!(self);
        json["format"] = FORMAT.into();
        json
    }
}
