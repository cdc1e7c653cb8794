//! [`ClipConfig`] as JSON: open_clip's form where that describes the model, else our own.

use super::ClipConfig;
use super::section::{config_error, parse};
use crate::Result;
use serde_json::{Value, json};

/// What the field `format` of our own form says.
const FORMAT: &str = "dermake-config/1";

impl ClipConfig {
    /// Reads what [`Self::to_json`] writes, and every config of open_clip that describes its towers itself.
    ///
    /// # Errors
    /// [`Error::ConfigJson`](crate::Error::ConfigJson) for bad JSON; those of [`Self::from_value`].
    pub fn from_json(json: &[u8]) -> Result<Self> {
        Self::from_value(parse(json)?)
    }

    /// [`Self::from_json`] for JSON that has been parsed.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) naming the first field that cannot be honored.
    pub fn from_value(mut root: Value) -> Result<Self> {
        let Some(format) = root.as_object_mut().and_then(|fields| fields.remove("format")) else {
            return Self::from_open_clip(&root);
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
