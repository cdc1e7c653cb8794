//! One object of a config, read field by field, with errors that name the field.

use crate::foreign::json_text;
use crate::{Error, Result};
use serde_json::{Map, Value};

/// A field open_clip may write, and the values under which it changes nothing that we compute.
pub(super) type Inert = (&'static str, fn(&Value) -> bool);

/// One JSON object and its path, for errors that name the field.
#[derive(Clone)]
pub(super) struct Section<'a> {
    path: String,
    fields: &'a Map<String, Value>,
}

/// Largest width, length or count taken seriously: keeps products of two sizes far from overflow.
pub(super) const MAX_SIZE: usize = 1 << 20;

/// Most layers of a tower taken seriously: the list of its parameters grows with them.
pub(super) const MAX_LAYERS: usize = 1_000;

impl<'a> Section<'a> {
    pub(super) fn new(path: &str, value: &'a Value) -> Result<Self> {
        let name = if path.is_empty() { "config" } else { path };
        let fields = value.as_object().ok_or_else(|| config_error(name, value, "an object"))?;
        Ok(Self { path: path.into(), fields })
    }

    fn name(&self, field: &str) -> String {
        if self.path.is_empty() { field.into() } else { format!("{}.{field}", self.path) }
    }

    pub(super) fn error(&self, field: &str, found: impl ToString, expected: &str) -> Error {
        config_error(&self.name(field), found, expected)
    }

    /// The field's value; an explicit null counts as absent.
    pub(super) fn get(&self, field: &str) -> Option<&'a Value> {
        self.fields.get(field).filter(|value| !value.is_null())
    }

    /// The field's value as it is written, null included.
    pub(super) fn raw(&self, field: &str) -> Option<&'a Value> {
        self.fields.get(field)
    }

    pub(super) fn section(&self, field: &str) -> Result<Section<'a>> {
        let value = self.get(field).ok_or_else(|| self.error(field, "absent", "an object"))?;
        Section::new(&self.name(field), value)
    }

    pub(super) fn typed<T: serde::de::DeserializeOwned>(&self, field: &str, expected: &str) -> Result<Option<T>> {
        let parse = |value: &Value| T::deserialize(value).map_err(|_| self.error(field, value, expected));
        self.get(field).map(parse).transpose()
    }

    pub(super) fn boolean(&self, field: &str, default: bool) -> Result<bool> {
        Ok(self.typed(field, "true or false")?.unwrap_or(default))
    }

    fn checked_size(&self, field: &str, value: &Value) -> Result<usize> {
        match value.as_u64() {
            Some(size) if (1..=MAX_SIZE as u64).contains(&size) => Ok(size as usize),
            _ => Err(self.error(field, value, "a positive integer")),
        }
    }

    pub(super) fn required_size(&self, field: &str) -> Result<usize> {
        let value = self.get(field).ok_or_else(|| self.error(field, "absent", "a positive integer"))?;
        self.checked_size(field, value)
    }

    pub(super) fn size(&self, field: &str, default: usize) -> Result<usize> {
        self.get(field).map_or(Ok(default), |value| self.checked_size(field, value))
    }

    pub(super) fn layers(&self) -> Result<usize> {
        match self.size("layers", 12)? {
            layers @ 1..=MAX_LAYERS => Ok(layers),
            layers => Err(self.error("layers", layers, &format!("at most {MAX_LAYERS}"))),
        }
    }

    /// A side in pixels, written as one number or as two equal ones.
    pub(super) fn square(&self, field: &str, default: usize) -> Result<usize> {
        match self.get(field) {
            Some(Value::Array(sides)) if sides.len() == 2 && sides[0] == sides[1] => {
                self.checked_size(field, &sides[0])
            }
            Some(value @ Value::Array(_)) => Err(self.error(field, value, "a square")),
            _ => self.size(field, default),
        }
    }

    pub(super) fn divide(&self, field: &str, width: usize, divisor: usize) -> Result<usize> {
        if !width.is_multiple_of(divisor) {
            return Err(self.error(field, divisor, &format!("a divisor of width {width}")));
        }
        Ok(width / divisor)
    }

    pub(super) fn scaled(&self, field: &str, default: f64, width: usize) -> Result<usize> {
        let ratio = self.typed(field, "a number")?.unwrap_or(default);
        let scaled = (width as f64 * ratio) as u64; // truncated, as open_clip does
        if !(1..=MAX_SIZE as u64).contains(&scaled) {
            return Err(self.error(field, ratio, "a ratio that leaves a hidden layer"));
        }
        Ok(scaled as usize)
    }

    /// Refuses every field that `known` does not explain away; null and false switch a feature off.
    pub(super) fn refuse_others(&self, known: &[Inert]) -> Result<()> {
        for (field, value) in self.fields {
            let is_off = value.is_null() || *value == Value::Bool(false);
            let is_inert = known.iter().any(|(name, inert)| name == field && inert(value));
            if !is_off && !is_inert {
                return Err(self.error(field, value, "absent: a model that has it is not supported"));
            }
        }
        Ok(())
    }
}

pub(super) fn config_error(field: &str, found: impl ToString, expected: &str) -> Error {
    Error::Config { field: field.into(), expected: expected.into(), found: found.to_string() }
}

/// Parses the JSON of a config.
///
/// # Errors
/// [`Error::ForeignFile`] for other files, [`Error::ConfigJson`] for invalid JSON.
pub(super) fn parse(json: &[u8]) -> Result<Value> {
    serde_json::from_str(json_text(json, "the JSON of a model config")?).map_err(Error::ConfigJson)
}
