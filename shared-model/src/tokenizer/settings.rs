//! What `tokenizer_config.json` and `special_tokens_map.json` say beside a vocabulary.

use super::special::SpecialTokens;
use crate::foreign::json_text;
use crate::{Error, Result};
use serde_json::{Map, Value};

/// The settings of a tokenizer of transformers; every one of them may be absent.
#[derive(Default)]
pub(super) struct Settings {
    config: Map<String, Value>,
    special_tokens: Map<String, Value>,
}

impl Settings {
    /// Reads the two files, as far as there are any.
    ///
    /// # Errors
    /// [`Error::Vocabulary`] for what is no JSON object, and for settings that cannot be honored.
    pub(super) fn new(config: Option<&[u8]>, special_tokens: Option<&[u8]>) -> Result<Self> {
        let read = |json: Option<&[u8]>, name| json.map_or(Ok(Map::new()), |json| json_object(json, name));
        let settings = Self {
            config: read(config, "tokenizer_config.json")?,
            special_tokens: read(special_tokens, "special_tokens_map.json")?,
        };
        for side in ["padding_side", "truncation_side"] {
            if let Some(other) = settings.config.get(side).filter(|value| !value.is_null() && *value != "right") {
                return Err(refused("tokenizer_config.json", side, "\"right\"", other));
            }
        }
        Ok(settings)
    }

    /// The class that reads the tokenizer, without the suffix of its fast form.
    pub(super) fn class(&self) -> Option<&str> {
        let class = self.config.get("tokenizer_class")?.as_str()?;
        Some(class.strip_suffix("Fast").unwrap_or(class))
    }

    /// A switch, if it is set.
    ///
    /// # Errors
    /// [`Error::Vocabulary`] for anything but true, false and null.
    pub(super) fn switch(&self, name: &str) -> Result<Option<bool>> {
        match self.config.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(other) => Err(refused("tokenizer_config.json", name, "true, false or null", other)),
        }
    }

    /// The text of a named token such as `pad_token`.
    pub(super) fn token(&self, name: &str) -> Option<&str> {
        self.token_value(name).and_then(content)
    }

    fn token_value(&self, name: &str) -> Option<&Value> {
        [&self.config, &self.special_tokens]
            .into_iter()
            .find_map(|map| map.get(name).filter(|value| !value.is_null()))
    }

    /// Adds the tokens that have their ids here, and those of `names` and the additional ones that `id_of` knows.
    ///
    /// # Errors
    /// [`Error::Vocabulary`] for tokens that are not as expected.
    pub(super) fn add_tokens(
        &self,
        special: &mut SpecialTokens,
        names: &[(&str, &str)],
        id_of: impl Fn(&str) -> Option<u32>,
    ) -> Result<()> {
        if let Some(numbered) = self.config.get("added_tokens_decoder").and_then(Value::as_object) {
            for (id, token) in numbered {
                let id =
                    id.parse().map_err(|_| refused("tokenizer_config.json", "added_tokens_decoder", "ids", id))?;
                add_token(special, "tokenizer_config.json", token, id)?;
            }
        }
        let named = names.iter().map(|&(name, default)| match self.token_value(name) {
            Some(token) => token.clone(),
            None => default.into(),
        });
        let lists = ["additional_special_tokens", "extra_special_tokens"];
        let more = lists.into_iter().filter_map(|name| self.token_value(name)?.as_array()).flatten().cloned();
        for token in named.chain(more) {
            let Some(content) = content(&token) else {
                return Err(refused("tokenizer_config.json", "special tokens", "texts", &token));
            };
            if let (None, Some(id)) = (special.id(content), id_of(content)) {
                add_token(special, "tokenizer_config.json", &token, id)?;
            }
        }
        Ok(())
    }
}

/// Adds a token that is a text, or an object with its flags.
///
/// # Errors
/// [`Error::Vocabulary`] for tokens that match whole words only, which is not honored.
pub(super) fn add_token(special: &mut SpecialTokens, file: &str, token: &Value, id: u32) -> Result<()> {
    let Some(content) = content(token) else {
        return Err(refused(file, "added tokens", "objects with a content", token));
    };
    if token.get("single_word") == Some(&Value::Bool(true)) {
        return Err(refused(file, "single_word", "false", token));
    }
    special.insert(content, id, token.get("normalized") == Some(&Value::Bool(true)));
    Ok(())
}

/// The text of a token.
fn content(token: &Value) -> Option<&str> {
    token.as_str().or_else(|| token.get("content")?.as_str())
}

/// The JSON object that a file is.
///
/// # Errors
/// [`Error::ForeignFile`] and [`Error::Vocabulary`], with the file's name.
pub(super) fn json_object(json: &[u8], name: &'static str) -> Result<Map<String, Value>> {
    let text = json_text(json, name)?;
    let parsed = serde_json::from_str(text);
    parsed.map_err(|err| Error::Vocabulary { detail: format!("{name} is not a JSON object: {err}") })
}

/// The error for a field whose value is not honored.
pub(super) fn refused(file: &str, field: &str, expected: &str, found: impl ToString) -> Error {
    let mut found = found.to_string();
    if found.chars().count() > 100 {
        found = found.chars().take(100).chain(['…']).collect();
    }
    Error::Vocabulary { detail: format!("{field} in {file}: expected {expected}, found {found}") }
}
